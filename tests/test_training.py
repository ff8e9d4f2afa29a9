"""The training loop: arithmetic by hand, determinism, and refusals. Interrupted trainings are in `test_resuming`."""

from pathlib import Path

import numpy as np
import pytest
import torch
from interrupted_training import OPTIONS, make_images, make_model
from torch import Tensor, nn
from vae_checks import LIBRARY, check_fit_uses_beta, check_wrong_range_is_refused

from vae_tutorial import objectives, schedules
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


def test_without_options_the_first_update_is_adams_of_one_thousandth():
    model = OneWeight()
    fit(model, flat_images(0.25, 0.25), square, epochs=1, batch_size=2, progress=False)
    assert model.w.item() == pytest.approx(1.0 - 1e-3, abs=1e-6)  # whatever the gradient, and no decay of the weight


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


def test_the_images_that_an_epoch_leaves_out_change():
    seen: list[float] = []

    def spying(model: OneWeight, x: Tensor) -> objectives.Terms:
        seen.extend(x[:, 0, 0, 0].tolist())
        return square(model, x)

    levels = [0.0, 0.25, 0.5, 0.75, 1.0]
    fit(OneWeight(), flat_images(*levels), spying, epochs=10, batch_size=2, progress=False)
    assert len(seen) == 10 * 4  # two batches an epoch, one image left over
    assert sorted(set(seen)) == levels


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


def test_validation_is_what_evaluate_measures_with_the_trainings_seed():
    model, held = make_model(), make_images()[:50]
    history = fit(model, make_images(), objectives.negative_elbo, validation=held, seed=6, **OPTIONS)
    assert evaluate(model, held, objectives.negative_elbo, seed=6) == {name: values[-1] for name, values in history.validation.items()}


def test_validation_does_not_change_the_training():
    assert torch.equal(train()[0], train(validation=make_images()[:50])[0])


def test_evaluate_averages_over_images_whatever_the_batches():
    model, x = OneWeight(), flat_images(0.0, 0.2, 0.4, 1.0, 0.9)
    expected = 0.5 * np.mean((1.0 - np.array([0.0, 0.2, 0.4, 1.0, 0.9])) ** 2)
    for batch_size in (1, 2, 5, 100):
        assert evaluate(model, x, square, seed=0, batch_size=batch_size)["loss"] == pytest.approx(expected)
    assert evaluate(model, x, square, settings={"beta": 2.0}, seed=0)["loss"] == pytest.approx(2 * expected)


def test_evaluate_adds_in_double_precision():
    """2²⁴ + 1 is the first whole number that float32 does not hold."""
    terms = {"loss": torch.tensor([2.0**24, 1.0])}
    assert evaluate(OneWeight(), flat_images(0.0, 1.0), lambda model, x: terms, seed=0) == {"loss": (2**24 + 1) / 2}


def test_evaluate_depends_on_its_seed_only():
    model, x = make_model(), make_images()
    results = []
    for surroundings, seed in ((1, 8), (2, 8), (2, 9)):
        torch.manual_seed(surroundings)
        results.append(evaluate(model, x, objectives.negative_elbo, seed=seed)["distortion"])
    assert results[0] == results[1] != results[2]


def test_the_model_is_trained_in_training_mode_and_validated_in_evaluation_mode():
    modes: list[bool] = []

    def spying(model: OneWeight, x: Tensor) -> objectives.Terms:
        modes.append(model.training)
        return square(model, x)

    x = flat_images(0.0, 0.2, 0.4, 1.0)
    fit(OneWeight().eval(), x, spying, epochs=2, batch_size=2, validation=x, progress=False)
    assert modes == [True, True, False] * 2


def test_the_model_is_left_in_evaluation_mode(tmp_path):
    for _ in ("trained", "found complete"):
        model = make_model()
        fit(model, make_images(), objectives.negative_elbo, checkpoint=tmp_path / "state", **OPTIONS)
        assert not model.training


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": -1}, "epochs must be at least 0, got -1"),
        ({"learning_rate": -1e-3}, "the learning rate must not be negative"),
        ({"learning_rate": lambda progress: (progress - 0.5) ** 2 - 0.1}, "the learning rate must not be negative"),
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
