"""The training loop: arithmetic by hand, determinism, resumption after a real kill, and refusals."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from interrupted_training import OPTIONS, make_images, make_model
from torch import Tensor, nn
from vae_checks import LIBRARY, check_fit_uses_beta, check_wrong_range_is_refused

from vae_tutorial import checkpoints, constraints, networks, objectives, schedules
from vae_tutorial.models import VAE
from vae_tutorial.training import History, evaluate, fit

ROOT = Path(__file__).parents[1]


class OneWeight(nn.Module):
    """A model of one number, for which every update can be computed by hand."""

    def __init__(self, value: float = 1.0) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor([value]))


def square(model: OneWeight, x: Tensor, beta: float = 1.0) -> objectives.Terms:
    """½β(w − x̄)² for each image of mean x̄."""
    return {"loss": 0.5 * beta * (model.w - x.flatten(1).mean(1)) ** 2}


def flat_images(*levels: float) -> Tensor:
    return torch.tensor(levels).view(-1, 1, 1, 1).expand(-1, 1, 2, 2).contiguous()


def weights_of(model: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def train(seed: int = 0, **changes) -> tuple[Tensor, History]:
    model = make_model()
    history = fit(model, make_images(), objectives.negative_elbo, **(OPTIONS | {"seed": seed} | changes))
    return weights_of(model), history


# ---------------------------------------------------------------- arithmetic


def test_the_updates_are_adams_with_the_scheduled_rate_and_decoupled_decay():
    level, decay, epochs, per_epoch = 0.25, 0.1, 4, 3
    model, x = OneWeight(), flat_images(*[level] * 6)
    rate = schedules.one_cycle(0.05)
    fit(model, x, square, epochs=epochs, batch_size=2, learning_rate=rate, weight_decay=decay, progress=False)
    w, first, second = 1.0, 0.0, 0.0
    for t in range(1, epochs * per_epoch + 1):  # Kingma & Ba 2015, algorithm 1; Loshchilov & Hutter 2019, algorithm 2
        gradient, alpha = w - level, rate((t - 1) / (epochs * per_epoch))
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        w -= alpha * decay * w
        w -= alpha * (first / (1 - 0.9**t)) / (np.sqrt(second / (1 - 0.999**t)) + 1e-8)
    assert model.w.item() == pytest.approx(w, abs=1e-6)


def test_the_batch_is_averaged_not_summed():
    gradients = []
    model, x = OneWeight(), flat_images(0.0, 0.2, 0.4, 1.0)
    model.w.register_hook(lambda gradient: gradients.append(gradient.item()))
    history = fit(model, x, square, epochs=1, batch_size=4, progress=False)
    assert gradients == pytest.approx([1.0 - 0.4])
    assert history.train["loss"] == pytest.approx([(1.0 + 0.64 + 0.36 + 0.0) / 8])


def test_settings_reach_the_objective_at_the_schedules_value():
    seen: list[float] = []

    def spying(model: OneWeight, x: Tensor, beta: float) -> objectives.Terms:
        seen.append(beta)
        return square(model, x, beta)

    x = flat_images(0.0, 0.2, 0.4, 1.0)
    fit(OneWeight(), x, spying, epochs=2, batch_size=2, settings={"beta": lambda progress: progress}, validation=x, progress=False)
    assert seen == pytest.approx([0.0, 0.25, 0.5, 0.5, 0.75, 1.0])  # two updates, validation at the epoch's end, and again


def test_settings_may_be_numbers():
    gradients = []
    model = OneWeight()
    model.w.register_hook(lambda gradient: gradients.append(gradient.item()))
    fit(model, flat_images(0.5, 0.5), square, epochs=1, batch_size=2, settings={"beta": 3.0}, progress=False)
    assert gradients == pytest.approx([1.5])


def test_every_image_is_seen_once_an_epoch_in_a_new_order():
    orders: list[list[float]] = []

    def spying(model: OneWeight, x: Tensor) -> objectives.Terms:
        orders.append(x[:, 0, 0, 0].tolist())
        return square(model, x)

    levels = [step / 8 for step in range(8)]
    fit(OneWeight(), flat_images(*levels), spying, epochs=3, batch_size=4, progress=False)
    epochs = [orders[2 * k] + orders[2 * k + 1] for k in range(3)]
    for epoch in epochs:
        assert sorted(epoch) == levels
    assert epochs[0] != epochs[1] != epochs[2]


def test_labels_travel_with_their_images():
    seen: dict[float, int] = {}

    def spying(model: OneWeight, x: Tensor, label: Tensor) -> objectives.Terms:
        seen.update(zip(x[:, 0, 0, 0].tolist(), label.tolist(), strict=True))
        return square(model, x)

    x, y = flat_images(0.0, 0.25, 0.5, 0.75), torch.tensor([7, 3, 9, 1])
    fit(OneWeight(), x, spying, epochs=1, batch_size=2, labels=y, validation=x, validation_labels=y, progress=False)
    assert seen == {0.0: 7, 0.25: 3, 0.5: 9, 0.75: 1}
    with pytest.raises(ValueError, match="4 images and 3 labels"):
        fit(OneWeight(), x, spying, epochs=1, batch_size=2, labels=y[:3], progress=False)


def test_a_transform_is_drawn_anew_for_each_batch_but_not_for_validation():
    batches: list[Tensor] = []

    def spying(model: OneWeight, x: Tensor) -> objectives.Terms:
        batches.append(x)
        return square(model, x)

    x = torch.full((2, 1, 20, 20), 0.5)
    fit(OneWeight(), x, spying, epochs=2, batch_size=2, transform=torch.bernoulli, validation=x, progress=False)
    first, validated, second, _ = batches
    assert set(first.unique().tolist()) == {0.0, 1.0}
    assert not torch.equal(first, second)
    assert torch.equal(validated, x)


def test_images_may_be_rendered_on_demand():
    class Rendered:
        def __len__(self) -> int:
            return 6

        def __getitem__(self, chosen: Tensor) -> Tensor:
            return (chosen / 8).view(-1, 1, 1, 1).expand(-1, 1, 2, 2)

        def __repr__(self) -> str:
            return "Rendered(6)"

    lazy, kept, x = OneWeight(), OneWeight(), Rendered()
    fit(lazy, x, square, epochs=2, batch_size=2, validation=x, progress=False)
    fit(kept, x[torch.arange(6)], square, epochs=2, batch_size=2, progress=False)
    assert torch.equal(lazy.w, kept.w)


def test_gaussian_pixels_may_take_any_value():
    model = VAE(2, (4,), likelihood="gaussian")
    fit(model, 3 * torch.randn(4, 1, 28, 28), objectives.negative_elbo, epochs=1, batch_size=2, progress=False)
    with pytest.raises(ValueError, match="pixels must lie in"):
        fit(VAE(2, (4,)), 3 * torch.randn(4, 1, 28, 28), objectives.negative_elbo, epochs=1, batch_size=2, progress=False)


def test_an_objectives_own_state_is_resumed(tmp_path):
    """β of the dual ascent after an interruption is what it would have been without."""

    def stop(history: History) -> None:
        if len(history) == 2:
            raise KeyboardInterrupt

    def run(path: Path, **options) -> tuple[Tensor, float]:
        hold, model = constraints.HoldRate(target=3.0, step=0.1), make_model()
        fit(model, make_images(), hold, epochs=4, batch_size=32, checkpoint=path, progress=False, **options)
        return weights_of(model), hold.log_multiplier.item()

    whole, beta = run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "broken", on_epoch=stop)
    resumed, beta_resumed = run(tmp_path / "broken")
    assert torch.equal(resumed, whole)
    assert beta_resumed == beta != 0


def test_history_has_a_row_per_epoch():
    _, history = train(validation=make_images()[:50], epochs=3, settings={"beta": 1.0})
    assert len(history) == 3
    for table in (history.train, history.validation):
        assert set(table) == {"loss", "rate", "distortion"}
        assert all(len(values) == 3 for values in table.values())
        np.testing.assert_allclose(table["loss"], np.add(table["rate"], table["distortion"]), rtol=1e-5)
    assert history.train["loss"][-1] < history.train["loss"][0]
    assert all(seconds > 0 for seconds in history.seconds)


def test_callback_sees_every_epoch_and_cannot_change_the_training():
    lengths = []

    def draw_pictures(history: History) -> None:
        lengths.append(len(history))
        torch.randn(7)

    quiet, _ = train()
    watched, _ = train(on_epoch=draw_pictures)
    assert lengths == list(range(1, OPTIONS["epochs"] + 1))
    assert torch.equal(quiet, watched)


def test_fit_uses_beta():
    check_fit_uses_beta(LIBRARY)


# ---------------------------------------------------------------- randomness


def test_the_same_seed_gives_the_same_weights_bit_for_bit():
    torch.manual_seed(1)
    first, first_history = train(seed=4)
    torch.manual_seed(2)  # the surroundings do not matter
    again, again_history = train(seed=4)
    assert torch.equal(first, again)
    assert first_history.train == again_history.train


def test_another_seed_gives_other_weights():
    assert not torch.equal(train(seed=4)[0], train(seed=5)[0])


def test_the_global_random_state_is_left_alone():
    before = torch.get_rng_state()
    numpy_before = np.random.get_state()[1].copy()
    model = make_model()
    fit(model, make_images(), objectives.negative_elbo, **OPTIONS)
    evaluate(model, make_images(), objectives.negative_elbo, seed=0)
    assert torch.equal(torch.get_rng_state(), before)
    assert (np.random.get_state()[1] == numpy_before).all()


def test_validation_noise_is_the_same_in_every_epoch():
    _, history = train(learning_rate=0.0, validation=make_images()[:50], epochs=3)
    assert len(set(history.validation["distortion"])) == 1
    assert len(set(history.train["distortion"])) == 3  # fresh noise in training


def test_validation_does_not_change_the_training():
    assert torch.equal(train()[0], train(validation=make_images()[:50])[0])


def test_evaluate_averages_over_images_whatever_the_batches():
    model, x = OneWeight(), flat_images(0.0, 0.2, 0.4, 1.0, 0.9)
    expected = 0.5 * np.mean((1.0 - np.array([0.0, 0.2, 0.4, 1.0, 0.9])) ** 2)
    for batch_size in (1, 2, 5, 100):
        assert evaluate(model, x, square, seed=0, batch_size=batch_size)["loss"] == pytest.approx(expected)
    assert evaluate(model, x, square, settings={"beta": 2.0}, seed=0)["loss"] == pytest.approx(2 * expected)


def test_evaluate_depends_on_its_seed_only():
    model, x = make_model(), make_images()
    results = []
    for surroundings, seed in ((1, 8), (2, 8), (2, 9)):
        torch.manual_seed(surroundings)
        results.append(evaluate(model, x, objectives.negative_elbo, seed=seed)["distortion"])
    assert results[0] == results[1] != results[2]


def test_the_model_is_left_in_evaluation_mode(tmp_path):
    for _ in ("trained", "found complete"):
        model = make_model()
        fit(model, make_images(), objectives.negative_elbo, checkpoint=tmp_path / "state", **OPTIONS)
        assert not model.training


# ---------------------------------------------------------------- resumption


def test_a_killed_training_ends_with_the_weights_of_one_that_was_not(tmp_path):
    state = tmp_path / "state.safetensors"
    surroundings = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", "OMP_NUM_THREADS": "1"}
    killed = subprocess.run([sys.executable, "-m", "interrupted_training", str(state)], env=surroundings, capture_output=True, timeout=100)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    _, record = checkpoints.load_training_state(state)
    assert len(record["history"]["seconds"]) == 2  # two epochs were complete, the third was not
    whole, whole_history = train()
    resumed, resumed_history = train(checkpoint=state)
    assert torch.equal(resumed, whole)
    assert resumed_history.train == whole_history.train


@pytest.mark.parametrize("complete", [1, 2, 4])
def test_a_training_stopped_after_any_epoch_goes_on(complete, tmp_path):
    state = tmp_path / "deep" / "state.safetensors"

    def stop(history: History) -> None:
        if len(history) == complete:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(checkpoint=state, on_epoch=stop)
    assert torch.equal(train(checkpoint=state)[0], train()[0])


def test_convolutions_laid_out_channels_last_go_on_too(tmp_path):
    """The optimizer goes through weights and moments as they lie in memory, whatever their strides say."""
    x = torch.rand(60, 1, 28, 28, generator=torch.Generator().manual_seed(0))

    def trained(**options) -> Tensor:
        torch.manual_seed(0)
        model = VAE(2, (8,), channels=(4, 2)).to(memory_format=torch.channels_last)
        fit(model, x, objectives.negative_elbo, epochs=3, batch_size=10, learning_rate=0.01, progress=False, **options)
        return weights_of(model)

    def stop(history: History) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(checkpoint=tmp_path / "state", on_epoch=stop)
    assert torch.equal(trained(checkpoint=tmp_path / "state"), trained())


def test_a_finished_training_is_not_repeated(tmp_path):
    first, history = train(checkpoint=tmp_path / "state")
    epochs: list[int] = []
    again, again_history = train(checkpoint=tmp_path / "state", on_epoch=lambda now: epochs.append(len(now)))
    assert torch.equal(first, again)
    assert again_history == history
    assert epochs == []


CHANGES = {
    "seed": {"seed": 1},
    "epochs": {"epochs": 9},
    "batch_size": {"batch_size": 16},
    "weight_decay": {"weight_decay": 0.1},
    "learning_rate": {"learning_rate": 1e-4},
    "settings": {"settings": {"beta": 4.0}},
    "validation": {"validation": torch.zeros(3, 1, 28, 28)},
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_state_of_another_training_is_refused(name, tmp_path):
    train(checkpoint=tmp_path / "state")
    with pytest.raises(ValueError, match=f"state belongs to another training .*{name}.* differ"):
        train(checkpoint=tmp_path / "state", **CHANGES[name])


def test_the_state_of_another_model_or_data_or_objective_is_refused(tmp_path):
    train(checkpoint=tmp_path / "state")
    options = OPTIONS | {"checkpoint": tmp_path / "state"}
    with pytest.raises(ValueError, match=r"another training .*data"):
        fit(make_model(), make_images().flip(0), objectives.negative_elbo, **options)
    with pytest.raises(ValueError, match=r"another training .*model"):
        fit(make_model(hidden=(9,)), make_images(), objectives.negative_elbo, **options)

    def other_objective(model: nn.Module, x: Tensor, beta: float) -> objectives.Terms:
        return objectives.negative_elbo(model, x, beta)

    with pytest.raises(ValueError, match=r"another training .*objective"):
        fit(make_model(), make_images(), other_objective, **options)
    with pytest.raises(ValueError, match=r"another training .*objective"):
        fit(make_model(), make_images(), partial(objectives.negative_elbo, 4.0), **options)
    with pytest.raises(ValueError, match=r"another training .*configuration"):  # the same layers, another likelihood
        fit(make_model(likelihood="gaussian"), make_images(), objectives.negative_elbo, **options)
    with pytest.raises(ValueError, match="a lambda cannot be told from another"):
        fit(make_model(), make_images(), lambda model, x, beta: objectives.negative_elbo(model, x, beta), **options)


def test_fast_products_go_on_only_on_a_processor_that_multiplies_alike(tmp_path, monkeypatch):
    """Half a training in bfloat16 and half in float32 is neither's weights, and its card would name one of the two."""
    fast = {"checkpoint": tmp_path / "state", "precision": "fast"}
    monkeypatch.setattr(networks, "has_bfloat16", lambda device: True)
    weights, _ = train(**fast)
    assert torch.equal(train(**fast | {"precision": "bfloat16"})[0], weights)
    monkeypatch.setattr(networks, "has_bfloat16", lambda device: False)
    with pytest.raises(ValueError, match=r"another training .*precision differ"):
        train(**fast)


def test_the_labels_belong_to_the_training(tmp_path):
    def labelled(labels: Tensor) -> None:
        torch.manual_seed(0)
        model = VAE(2, (8,), conditioned_on="label", labels=2)
        fit(
            model, make_images(), objectives.negative_elbo, epochs=1, batch_size=8, labels=labels,
            checkpoint=tmp_path / "state", progress=False,
        )  # fmt: skip

    y = torch.arange(len(make_images())) % 2
    labelled(y)
    with pytest.raises(ValueError, match=r"another training .*labels differ"):
        labelled(1 - y)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": -1}, "epochs must be at least 0, got -1"),
        ({"learning_rate": -1e-3}, "the learning rate must not be negative"),
        ({"validation": torch.full((2, 1, 28, 28), 255.0)}, "divide 8-bit images by 255"),
        ({"validation": torch.zeros(2, 1, 28, 28), "validation_labels": torch.zeros(2)}, "labels and validation_labels go together"),
        ({"validation": torch.zeros(2, 1, 28, 28), "validation_labels": torch.zeros(3)}, "got 2 images and 3 labels"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_the_weights_move(changes, message):
    model = make_model()
    before = weights_of(model)
    with pytest.raises(ValueError, match=message):
        fit(model, make_images(), objectives.negative_elbo, **(OPTIONS | changes))
    assert torch.equal(weights_of(model), before)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.99])
def test_a_truncated_state_is_named_and_refused(share, tmp_path):
    state = tmp_path / "state"
    train(checkpoint=state, epochs=1)
    content = state.read_bytes()
    state.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"state is .*delete it to start afresh"):
        train(checkpoint=state, epochs=1)


@pytest.mark.parametrize("place", [2, 40, -200, -4])
def test_a_flipped_bit_in_the_state_is_refused(place, tmp_path):
    state = tmp_path / "state"
    train(checkpoint=state, epochs=1)
    content = bytearray(state.read_bytes())
    content[place] ^= 1
    state.write_bytes(bytes(content))
    with pytest.raises(ValueError, match=r"state is .*delete it to start afresh"):
        train(checkpoint=state, epochs=1)


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize("guilty", ["rate", "distortion"])
def test_a_term_that_is_not_finite_is_named_with_its_epoch(guilty):
    calls = []

    def breaking(model: nn.Module, x: Tensor, beta: float) -> objectives.Terms:
        terms = objectives.negative_elbo(model, x)
        calls.append(1)
        if len(calls) > 9:  # eight updates an epoch: the second update of the second epoch
            terms[guilty] = terms[guilty] * float("inf")
            terms["loss"] = terms["rate"] + terms["distortion"]
        return terms

    with pytest.raises(FloatingPointError, match=f"^{guilty} is inf in epoch 2: lower the learning rate"):
        fit(make_model(), make_images(), breaking, **OPTIONS)


def test_a_loss_that_is_not_finite_by_itself_is_named():
    def breaking(model: nn.Module, x: Tensor, beta: float) -> objectives.Terms:
        return {"loss": (model.encode(x)[0] - 1e9).sum(1).sqrt()}

    with pytest.raises(FloatingPointError, match=r"^loss is nan in epoch 1"):
        fit(make_model(), make_images(), breaking, **OPTIONS)


def test_a_real_explosion_is_caught():
    model = make_model()
    with torch.no_grad():
        model.encoder[-1].bias[model.latent_dim :] = 200.0  # an unbounded log-variance
    with pytest.raises(FloatingPointError, match=r"rate is nan.* in epoch 1: .*bound the log-variance"):
        fit(model, make_images(), objectives.negative_elbo, **OPTIONS)


def test_a_refused_training_leaves_the_last_good_state_and_the_random_state(tmp_path):
    def breaking(model: nn.Module, x: Tensor, beta: float) -> objectives.Terms:
        raise FloatingPointError

    train(checkpoint=tmp_path / "state", epochs=1)
    content, before = (tmp_path / "state").read_bytes(), torch.get_rng_state()
    with pytest.raises(FloatingPointError):
        fit(make_model(), make_images(), breaking, **OPTIONS | {"checkpoint": tmp_path / "other"})
    assert (tmp_path / "state").read_bytes() == content
    assert not (tmp_path / "other").exists()
    assert torch.equal(torch.get_rng_state(), before)


def test_wrong_input_range_is_refused():
    check_wrong_range_is_refused(LIBRARY)
    with pytest.raises(ValueError, match="pixels"):
        evaluate(make_model(), 255 * make_images(), objectives.negative_elbo, seed=0)


@pytest.mark.parametrize("batch_size", [0, -1, 10_000])
def test_an_impossible_batch_size_is_refused(batch_size):
    with pytest.raises(ValueError, match="batch_size must lie between 1 and the 256"):
        train(batch_size=batch_size)


def test_the_progress_bar_can_be_silenced(capfd):
    train(epochs=1, progress=False)
    assert capfd.readouterr() == ("", "")
    train(epochs=1, progress=True)
    assert "1/1" in capfd.readouterr().err
