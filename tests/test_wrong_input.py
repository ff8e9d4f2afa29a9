"""What would fail late, in torch's words, or silently is refused at once in ours; numbers of NumPy and torch are numbers."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from vae_tutorial import checkpoints, data, evaluation, explorers
from vae_tutorial.autoregressive import AutoregressiveVAE
from vae_tutorial.hierarchical import HierarchicalVAE
from vae_tutorial.mixture_prior import MixturePriorVAE
from vae_tutorial.models import VAE
from vae_tutorial.objectives import negative_elbo
from vae_tutorial.resuming import _name
from vae_tutorial.schedules import warm_up
from vae_tutorial.training import evaluate, fit
from vae_tutorial.vector_quantisation import VectorQuantisedVAE

X = torch.full((8, 1, 28, 28), 0.5)
IMAGES = {
    "flat": (X.flatten(1), r"wants images \(N, 1, 28, 28\), not \(8, 784\)"),
    "without channels": (X[:, 0], r"wants images \(N, 1, 28, 28\), not \(8, 28, 28\)"),
    "float64": (X.double(), "images are torch.float64, the model's weights torch.float32"),
    "bytes": ((255 * X).byte(), "images are torch.uint8"),
    "NumPy": (X.numpy(), "not a ndarray: take torch.as_tensor"),
}


def small(**settings: object) -> VAE:
    """A VAE of nearly no weights."""
    torch.manual_seed(0)
    return VAE(2, (4,), **settings)


def train(model: VAE, x: object = X, objective: object = negative_elbo, **given: object) -> None:
    """One epoch of one update."""
    fit(model, x, objective, epochs=1, batch_size=8, progress=False, **given)


@pytest.mark.parametrize("name", IMAGES)
def test_images_that_are_not_the_models_are_refused_with_what_it_wants(name):
    x, message = IMAGES[name]
    with pytest.raises(ValueError, match=message):
        train(small(), x)
    with pytest.raises(ValueError, match=message):
        train(small(), validation=x)
    with pytest.raises(ValueError, match=message):
        evaluate(small(), x, negative_elbo, seed=0)


def test_labels_in_a_list_are_refused():
    with pytest.raises(ValueError, match=r"not a list: take torch\.as_tensor"):
        train(small(conditioned_on="label"), labels=[0] * 8)


def averaged(model: VAE, x: Tensor) -> dict[str, Tensor]:
    """The mistake that every learner makes once: a mean is averaged again, and the rate is added to it 8 times."""
    return negative_elbo(model, x) | {"distortion": negative_elbo(model, x)["distortion"].mean()}


def table(model: VAE, x: Tensor) -> dict[str, Tensor]:
    """(B, 1) + (B,): every image against every other."""
    terms = negative_elbo(model, x)
    return terms | {"loss": terms["rate"][:, None] + terms["distortion"]}


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        (averaged, r"'distortion' is \(\): .* each of the 8 images, not averaged"),
        (table, r"'loss' is \(8, 8\)"),
        (lambda model, x: {"loss": 1.0}, "'loss' is 1.0"),
        (lambda model, x: {"rate": x.sum((1, 2, 3))}, "one of them 'loss'"),
        (lambda model, x: x.sum((1, 2, 3)), "returns a dict of terms"),
    ],
    ids=["mean", "table", "number", "without a loss", "no dict"],
)
def test_an_objective_gives_one_number_for_each_image(objective, message):
    with pytest.raises(ValueError, match=message):
        train(small(), objective=objective)
    with pytest.raises(ValueError, match=message):
        evaluate(small(), X, objective, seed=0)


def test_evaluate_wants_numbers_where_fit_takes_schedules():
    with pytest.raises(ValueError, match="beta: evaluate wants numbers, not schedules"):
        evaluate(small(), X, negative_elbo, settings={"beta": warm_up(1.0, until=0.5)}, seed=0)


def test_a_gradient_that_is_not_a_number_in_the_last_update_is_no_result(tmp_path):
    def rooted(model: VAE, x: Tensor) -> dict[str, Tensor]:
        return {"loss": (0 * model.encode(x)[0].sum(1)).sqrt()}  # 0, and its slope is 0 · ∞

    with pytest.raises(FloatingPointError, match="weights are not finite after epoch 1"):
        train(small(), objective=rooted, checkpoint=tmp_path / "state")
    assert not list(tmp_path.iterdir())


def test_numbers_of_numpy_and_torch_are_kept_in_a_checkpoint_as_pythons(tmp_path):
    ours, theirs = small(), small()
    train(ours, seed=3, settings={"beta": 0.5}, checkpoint=tmp_path / "state", learning_rate=0.25)
    train(theirs, seed=np.int64(3), settings={"beta": np.float32(0.5)}, checkpoint=tmp_path / "state", learning_rate=torch.tensor(0.25))
    assert all(mine.equal(other) for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True))  # the same training: loaded
    checkpoints.save_model(VAE(np.int64(2), (4,)), "small", {"rate": np.float32(0.5), "units": torch.tensor(2)}, folder=tmp_path)
    card = checkpoints.model_card("small", tmp_path)
    assert (card["configuration"]["latent_dim"], card["rate"], card["units"]) == (2, 0.5, 2)
    with pytest.raises(TypeError, match="no number, text, list or dict"):
        checkpoints.save_model(small(), "small", {"rates": np.zeros(2)}, folder=tmp_path)


def test_what_json_cannot_hold_is_refused_before_any_work(tmp_path):
    seen = []
    with pytest.raises(TypeError, match="no number, text, list or dict"):
        train(small(), weight_decay=object(), checkpoint=tmp_path / "state", on_epoch=seen.append)
    assert not seen


@pytest.mark.parametrize("change", [{"class": "Diffusion"}, {"configuration": {"width": 3}}, {"configuration": {"latent_dim": 7}}], ids=str)
def test_a_card_that_does_not_describe_its_weights_is_named(tmp_path, change):
    checkpoints.save_model(small(), "small", {}, folder=tmp_path)
    path = tmp_path / "small.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ValueError, match=r"small\.json does not describe these weights"):
        checkpoints.load_model("small", tmp_path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"codes": 0}, "at least 1"), ({"image_shape": (28, 28)}, r"\(C, H, W\)"), ({"image_shape": (1, 30, 28)}, "divisible by 4")],
    ids=str,
)
def test_sizes_that_a_grid_of_codes_cannot_have_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        VectorQuantisedVAE(**settings)


def test_measures_of_gaussian_units_refuse_other_codes():
    torch.manual_seed(0)
    chain, mixture = HierarchicalVAE((3, 2), (4,), (4,)), MixturePriorVAE(2, (4,), 3)
    for measure in (evaluation.rate_per_unit, evaluation.activity):
        with pytest.raises(ValueError, match="not a Chain over codes"):
            measure(chain, X)
    with pytest.raises(ValueError, match="not a MixtureSameFamily over codes"):
        evaluation.rate_per_unit(mixture, X)
    with pytest.raises(ValueError, match="not a Chain over codes"):
        evaluation.estimate_evidence(chain, X, 2, seed=0, widened=1.5, progress=False)


def test_the_evidence_of_a_decoder_that_sees_pixels_is_the_mean_of_its_weights():
    torch.manual_seed(0)
    model, x = AutoregressiveVAE(2, 1, (4,), image_shape=(1, 6, 6)), torch.rand(2, 1, 6, 6).round()
    found = evaluation.estimate_evidence(model, x, 20, seed=1, progress=False).log_evidence
    for n, image in enumerate(x.split(1)):  # the noise of an image depends on its place: both are drawn
        torch.manual_seed(1)
        for _ in range(n + 1):
            eps = torch.randn(20, 1, 2)
        with torch.no_grad():
            q = model.posterior(image)
            z = q.mean + q.stddev * eps
            weight = model.likelihood(z).log_prob(image) + model.prior.log_prob(z) - q.log_prob(z)
        torch.testing.assert_close(float(found[n]), float(weight.double().exp().mean().log()), rtol=1e-5, atol=0)


def test_explorers_refuse_networks_that_want_a_condition():
    images = data.load_images("mnist", split="test")
    for model in (small(conditioned_on="beta").given(beta=1.0), small(conditioned_on="label").given(label=3)):
        for explorer in (explorers.latent_map, explorers.draw_digit):
            with pytest.raises(ValueError, match=r"is conditioned on (beta|label), this explorer's networks on nothing"):
                explorer(model, images)


def test_a_folder_in_the_home_folder_is_found(monkeypatch):
    monkeypatch.setenv("VAE_TUTORIAL_DATA", "~/digits")
    assert data._data_root(None) == data._data_root("~/digits") == Path.home() / "digits"


class Damage:
    """A transform with an address for a name."""

    def __call__(self, x: Tensor) -> Tensor:
        """The images, as they are."""
        return x


def test_a_transform_without_a_name_is_refused_as_the_next_run_could_not_know_it(tmp_path):
    with pytest.raises(ValueError, match="an object without a name cannot be told from another"):
        train(small(), transform=Damage(), checkpoint=tmp_path / "state")


def test_objectives_with_a_state_are_told_apart_by_texts_and_flags_too():
    class Told(torch.nn.Module):
        def __init__(self, **given: object) -> None:
            super().__init__()
            vars(self).update(given)

    kinds = [Told(), Told(kind="a"), Told(kind="b"), Told(kind="a", strict=True), Told(kind="a", strict=False)]
    assert len({_name(kind) for kind in kinds}) == len(kinds)
    assert _name(kinds[1]) == _name(Told(kind="a").eval())  # the mode is no setting


def test_functions_are_told_apart_by_what_they_enclose(tmp_path):
    def at(beta: object) -> object:
        def priced(model: VAE, x: Tensor) -> dict[str, Tensor]:
            return negative_elbo(model, x, float(beta))

        return priced

    train(small(), objective=at(4.0), checkpoint=tmp_path / "state")
    train(small(), objective=at(np.float64(4.0)), checkpoint=tmp_path / "state")
    train(small(), objective=at(torch.tensor(4.0)), checkpoint=tmp_path / "state")
    with pytest.raises(ValueError, match="another training"):
        train(small(), objective=at(5.0), checkpoint=tmp_path / "state")
    kept = torch.zeros(2, 28, 28)
    for mask in (kept.clone(), kept.clone().index_fill(1, torch.tensor(14), 1.0)):  # both print alike
        other = partial(torch.mul, mask)
        assert (_name(other) == _name(partial(torch.mul, kept))) == mask.equal(kept)
