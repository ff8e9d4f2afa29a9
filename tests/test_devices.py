"""On a GPU, as far as a machine without one can tell: on `second_device`, which shares neither memory nor noise with the processor."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import second_device
import torch
from second_device import DEVICE
from torch import Tensor, nn

from vae_tutorial import devices, objectives, training
from vae_tutorial.checkpoints import load_model
from vae_tutorial.constraints import HoldDistortion, HoldRate
from vae_tutorial.corruptions import GaussianNoise
from vae_tutorial.data import Images
from vae_tutorial.evaluation import estimate_evidence, rate_per_unit
from vae_tutorial.models import VAE, Autoencoder
from vae_tutorial.recipes.__main__ import load_recipes
from vae_tutorial.recipes.measuring import at_hand, training_images
from vae_tutorial.sprites import Sprites

VAES = {
    "ELBO": objectives.negative_elbo,
    "free bits": partial(objectives.free_bits, floor=0.1),
    "capacity": partial(objectives.controlled_capacity, capacity=5.0),
    "total correlation": partial(objectives.total_correlation, images=100),
    "importance-weighted": partial(objectives.negative_iwae_bound, k=3),
    "hold the rate": HoldRate(10.0),
    "hold the distortion": HoldDistortion(10.0),
}
AUTOENCODERS = {
    "cross-entropy": objectives.cross_entropy,
    "squared error": objectives.squared_error,
    "sparse": partial(objectives.sparse, weight=0.1),
    "denoising": partial(objectives.denoising, corrupt=GaussianNoise(0.5)),
    "nested dropout": objectives.nested_dropout,
}
NOISY = {"denoising", "nested dropout"}
RECIPES = load_recipes()


@pytest.fixture(autouse=True)
def gpu() -> Iterator[None]:
    """`fit` trains on the second device unless told the processor."""
    with second_device.standing_in():
        yield


def build(kind: type, *arguments, seed: int = 0, **options) -> nn.Module:
    torch.manual_seed(seed)
    return kind(2, (16,), *arguments, **options)


def devices_of(module: nn.Module) -> set[str]:
    return {tensor.device.type for tensor in (*module.parameters(), *module.buffers())}


def weights(model: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


# ---------------------------------------------------------------- the stand-in itself


def test_devices_do_not_mix():
    with pytest.raises(RuntimeError, match="tensors on two devices, second and cpu"):
        objectives.negative_elbo(build(VAE).to(DEVICE), torch.rand(4, 1, 28, 28))


def test_its_memory_is_its_own(test_digits):
    there = test_digits.x[:3].to(DEVICE)
    there[0] = 0
    assert there.device == DEVICE
    assert test_digits.x[0].sum() > 0
    assert torch.equal(there.cpu()[1:], test_digits.x[1:3])


def test_its_noise_is_its_own_and_seeded():
    def draw(device: torch.device) -> Tensor:
        torch.manual_seed(3)
        return torch.randn(1_000, device=device).cpu()

    assert torch.equal(draw(DEVICE), draw(DEVICE))
    assert abs(torch.corrcoef(torch.stack([draw(DEVICE), draw(torch.device("cpu"))]))[0, 1]) < 0.15
    with pytest.raises(RuntimeError, match="generator of the processor"):
        torch.zeros(3, device=DEVICE).normal_(generator=torch.Generator())


# ---------------------------------------------------------------- which device


def test_a_gpu_is_used_where_there_is_one(monkeypatch):
    model = build(VAE)
    monkeypatch.setattr(devices, "gpu_works", lambda: True)
    assert devices.training_device(model, "fastest") == torch.device("cuda:0")
    assert devices.training_device(model, None) == devices.training_device(model, "cpu") == torch.device("cpu")
    assert devices.training_device(model.to(DEVICE), "fastest") == DEVICE  # the reader has chosen
    monkeypatch.setattr(devices, "gpu_works", lambda: False)
    assert devices.training_device(build(VAE), "fastest") == torch.device("cpu")
    with pytest.raises(RuntimeError, match="device"):
        devices.training_device(model, "gpu")


@pytest.mark.parametrize("error", [RuntimeError("no kernel image is available"), AssertionError("not compiled with CUDA")])
def test_a_gpu_that_torch_cannot_use_is_left_alone(error, monkeypatch):
    def broken(*_, **__) -> Tensor:
        raise error

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "ones", broken)
    devices.gpu_works.cache_clear()
    assert not devices.gpu_works()
    monkeypatch.setattr(torch, "ones", lambda count, device: torch.full((count,), 1.0))
    devices.gpu_works.cache_clear()
    assert devices.gpu_works()
    devices.gpu_works.cache_clear()


def test_a_training_goes_there_and_comes_back(test_digits):
    model, objective, seen = build(VAE), HoldRate(5.0), []

    def loss(model: VAE, x: Tensor) -> dict[str, Tensor]:
        assert devices_of(model) == {x.device.type} == {"second"}
        return objective(model, x)

    training.fit(model, test_digits.x, loss, epochs=2, on_epoch=lambda history: seen.append(devices_of(model)), progress=False)
    assert seen == [{"cpu"}, {"cpu"}]
    assert devices_of(model) == {"cpu"}
    assert "aten::_fused_adamw_" in second_device.performed


def test_a_model_comes_back_from_a_training_that_failed(test_digits):
    def broken(model: VAE, x: Tensor) -> dict[str, Tensor]:
        raise KeyboardInterrupt

    model = build(VAE)
    with pytest.raises(KeyboardInterrupt):
        training.fit(model, test_digits.x, broken, epochs=1, device=DEVICE, progress=False)
    assert devices_of(model) == {"cpu"}


def test_a_model_that_is_there_stays_there(test_digits):
    model = build(VAE).to(DEVICE)
    training.fit(model, test_digits.x, objectives.negative_elbo, epochs=1, progress=False)
    assert devices_of(model) == {"second"}


def test_a_gpu_whose_driver_is_too_old_is_no_hindrance(test_digits, monkeypatch):
    """torch counts it all the same, and its own `fork_rng` then wants its random state."""
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda *_, **__: None)  # not the second device
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda *_: pytest.fail("the driver is too old"))
    with pytest.raises(pytest.fail.Exception), torch.random.fork_rng():
        pass
    training.fit(build(VAE), test_digits.x, objectives.negative_elbo, epochs=1, device="cpu", progress=False)
    training.evaluate(build(VAE), test_digits.x[:10], objectives.negative_elbo, seed=0)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(pytest.fail.Exception), devices.fork_random_states():  # a GPU that works is forked too
        pass


# ---------------------------------------------------------------- the same results


@pytest.mark.parametrize("name", VAES)
def test_a_vae_is_measured_where_its_weights_are(name, test_digits):
    objective, x = VAES[name], test_digits.x[:50]
    here = objective(build(VAE), x)
    if isinstance(objective, nn.Module):
        objective = type(objective)(objective.target).to(DEVICE)
    there = objective(build(VAE).to(DEVICE), x.to(DEVICE))
    assert {term.device.type for term in there.values()} == {"second"}
    assert there.keys() == here.keys()
    if "rate" in here and name != "importance-weighted":  # the part without noise
        assert there["rate"].cpu().tolist() == pytest.approx(here["rate"].tolist(), abs=1e-4)


@pytest.mark.parametrize("name", AUTOENCODERS)
def test_an_autoencoder_is_measured_where_its_weights_are(name, test_digits):
    x = test_digits.x[:50]
    here, there = AUTOENCODERS[name](build(Autoencoder), x), AUTOENCODERS[name](build(Autoencoder).to(DEVICE), x.to(DEVICE))
    assert {term.device.type for term in there.values()} == {"second"}
    assert there["loss"].mean().item() == pytest.approx(here["loss"].mean().item(), rel=0.1 if name in NOISY else 1e-5)


def test_a_learned_sigma_is_on_the_device_too(test_digits):
    terms = objectives.negative_elbo(build(VAE, likelihood="gaussian", sigma="learned").to(DEVICE), test_digits.x[:4].to(DEVICE))
    assert {term.device.type for term in terms.values()} == {"second"}


def test_a_training_without_noise_ends_with_the_same_weights(test_digits):
    """The order of the images and the binarisation are drawn on the processor, wherever the training is."""

    def trained(device: torch.device) -> Tensor:
        model, options = build(Autoencoder), {"transform": torch.bernoulli, "seed": 4, "device": device, "progress": False}
        training.fit(model, test_digits.x, objectives.cross_entropy, epochs=2, **options)
        return weights(model)

    assert torch.allclose(trained(DEVICE), trained(torch.device("cpu")), atol=1e-6)
    assert not torch.allclose(trained(DEVICE), weights(build(Autoencoder)), atol=1e-3)


def test_a_trained_vae_is_as_good_as_one_of_another_seed(train_digits, test_digits):
    def loss(device: str | torch.device, seed: int) -> float:
        torch.manual_seed(seed)
        model, options = VAE(8, (64,)), {"batch_size": 50, "learning_rate": 5e-3, "seed": seed, "device": device, "progress": False}
        training.fit(model, train_digits.x[:1_000], objectives.negative_elbo, epochs=6, **options)
        return training.evaluate(model, test_digits.x, objectives.negative_elbo, seed=1)["loss"]

    here, there = torch.tensor([loss("cpu", seed) for seed in range(8)]), torch.tensor([loss(DEVICE, seed) for seed in range(2)])
    assert here.max() < 200  # untrained, 543 nats: 784 pixels at log 2
    assert (there - here.mean()).abs().max() < 4 * here.std()


def test_a_shipped_model_measures_the_same(test_digits):
    model, x = load_model("mnist-2d"), test_digits.x
    here = [training.evaluate(model, x, objectives.negative_elbo, seed=seed) for seed in range(4)]
    evidence, units = estimate_evidence(model, x[:100], 200, seed=0).log_evidence.mean(), rate_per_unit(model, x)
    model.to(DEVICE)
    there = training.evaluate(model, x, objectives.negative_elbo, seed=0)
    assert there["rate"] == pytest.approx(here[0]["rate"], abs=1e-4)
    noise = torch.tensor([terms["loss"] for terms in here]).std()
    assert there["loss"] == pytest.approx(here[0]["loss"], abs=8 * float(noise))
    assert 0 < noise < 0.5
    assert rate_per_unit(model, x).cpu().tolist() == pytest.approx(units.tolist(), abs=1e-4)
    assert float(estimate_evidence(model, x[:100], 200, seed=0).log_evidence.mean()) == pytest.approx(float(evidence), abs=0.5)


def test_an_interrupted_training_goes_on_with_its_noise(test_digits, tmp_path):
    def trained(model: VAE, checkpoint: Path | None = None, on_epoch=None) -> Tensor:
        options = {"epochs": 3, "batch_size": 100, "seed": 2, "device": DEVICE, "progress": False}
        training.fit(model, test_digits.x, objectives.negative_elbo, checkpoint=checkpoint, on_epoch=on_epoch, **options)
        return weights(model)

    def stop(history: training.History) -> None:
        raise KeyboardInterrupt

    whole = trained(build(VAE))
    with pytest.raises(KeyboardInterrupt):
        trained(build(VAE), tmp_path / "state", stop)
    assert torch.equal(trained(build(VAE, seed=7), tmp_path / "state"), whole)
    with pytest.raises(KeyboardInterrupt):
        trained(build(VAE), tmp_path / "other", stop)
    model, options = build(VAE, seed=7), {"epochs": 3, "batch_size": 100, "seed": 2, "progress": False}
    training.fit(model, test_digits.x, objectives.negative_elbo, checkpoint=tmp_path / "other", device="cpu", **options)  # moved on
    assert not torch.equal(weights(model), whole)


# ---------------------------------------------------------------- what ships


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_trains_there(name, monkeypatch):
    """Whatever a recipe's objective or transform makes is where the batch is."""
    for recipe in RECIPES.values():  # some train as others do
        monkeypatch.setattr(recipe, "EPOCHS", 1)
    recipe = RECIPES[name]
    if recipe.DATA == "sprites":
        sprites = Sprites(256, seed=1)
        images = Images(sprites, sprites.factors, "a few sprites")
    else:
        made = at_hand(recipe.DATA) if recipe.DATA != "places" else training_images("places", None, 1)
        images = Images(made.x[:256], made.y[:256], "a few images")
    trained = recipe.train(images, None)
    model = trained[0] if isinstance(trained, tuple) else trained
    assert devices_of(model) == {"cpu"}
    assert weights(model).isfinite().all()
    assert "aten::_fused_adamw_" in second_device.performed
