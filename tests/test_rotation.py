"""Turning the code of a VAE: closed forms of the linear-Gaussian model, optimisation, other grids; and the explorer's JavaScript."""

import base64
import math
from pathlib import Path

import node
import numpy as np
import pytest
import torch
import traitlets
from linear_gaussian import as_images, example
from torch.distributions import MultivariateNormal, kl_divergence

from vae_tutorial import checkpoints, explorers, rotation
from vae_tutorial.disentanglement import mig
from vae_tutorial.explorers.canvas import Canvas
from vae_tutorial.quadrature import decompose_evidence, grid_posterior

JOBS = Path(__file__).parent / "js" / "turned.mjs"
ANGLES = (0.0, 20.0, 45.0, 90.0)


def in_the_browser(jobs: list[dict]) -> list:
    return node.ask(JOBS, jobs)


@pytest.fixture(scope="module")
def linear():
    """A linear-Gaussian VAE whose q is the exact posterior, diagonal at 0 degrees; its truth and some images."""
    truth, x = example(correlated=False)
    return truth, truth.vae(), x, as_images(x)


@pytest.fixture(scope="module")
def shipped():
    model = checkpoints.load_model("sprites-position").requires_grad_(False)
    return model, rotation.pictures(rotation.lattice(5))


def lost(truth, degrees: float) -> float:
    """½ (Σ log Λ'ᵢᵢ − log det Λ'), NumPy's."""
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    return 0.5 * (np.log(np.diag(turn @ truth.precision @ turn.T)).sum() - np.linalg.slogdet(truth.precision)[1])


# ---------------------------------------------------------------- the model that is turned


@pytest.mark.parametrize("degrees", ANGLES)
def test_the_linear_model_keeps_its_evidence_and_loses_what_the_closed_form_says(linear, degrees):
    truth, model, x, images = linear
    turned = rotation.Rotated(model, degrees)
    np.testing.assert_allclose(rotation.log_evidence(turned, images), truth.log_evidence(x), atol=1e-6)
    np.testing.assert_allclose(rotation.diagonal_elbo(turned, images), truth.log_evidence(x) - lost(truth, degrees), atol=1e-5)


def test_a_turn_costs_something_between_the_axes_and_nothing_at_a_right_angle(linear):
    truth = linear[0]
    assert lost(truth, 45.0) > 0.01
    assert lost(truth, 90.0) == pytest.approx(lost(truth, 0.0), abs=1e-9)


@pytest.mark.parametrize("degrees", ANGLES)
def test_the_moments_of_the_true_posterior_are_the_closed_form_turned(linear, degrees):
    truth, model, x, images = linear
    turned = rotation.Rotated(model, degrees)
    mean, covariance = rotation.posterior_moments(turned, images)
    turn = turned.matrix.numpy()
    np.testing.assert_allclose(mean, truth.posterior_mean(x) @ turn.T, atol=1e-5)
    np.testing.assert_allclose(covariance, np.broadcast_to(turn @ truth.covariance @ turn.T, covariance.shape), atol=1e-5)


@pytest.mark.parametrize("degrees", [20.0, 45.0])
def test_no_other_diagonal_gaussian_is_nearer(shipped, degrees):
    """The precision-matched q' against the best that an optimiser finds for the KL to the turned q."""
    model, x = shipped
    turned, q = rotation.Rotated(model, degrees), model.posterior(x)
    target = MultivariateNormal(
        (q.mean @ turned.matrix.T).double(), turned.matrix.double() @ torch.diag_embed(q.stddev.double() ** 2) @ turned.matrix.double().T
    )

    def gap(log_sigma: torch.Tensor) -> torch.Tensor:
        return kl_divergence(MultivariateNormal(target.mean, scale_tril=torch.diag_embed(log_sigma.exp())), target)

    ours = gap(turned.posterior(x).stddev.double().log())
    log_sigma = turned.posterior(x).stddev.double().log().add(0.3).requires_grad_()
    optimiser = torch.optim.LBFGS([log_sigma], max_iter=200, tolerance_grad=1e-12)

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = gap(log_sigma).sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    torch.testing.assert_close(ours, gap(log_sigma).detach(), atol=1e-6, rtol=0)


def test_at_no_angle_the_turned_model_is_the_model(shipped):
    model, x = shipped
    turned = rotation.Rotated(model, 0.0)
    torch.testing.assert_close(turned.decode(model.posterior(x).mean), model.decode(model.posterior(x).mean))
    torch.testing.assert_close(turned.posterior(x).stddev, model.posterior(x).stddev)
    for image, found in zip(x[::6], rotation.diagonal_elbo(turned, x[::6]), strict=True):
        assert float(found) == pytest.approx(decompose_evidence(model, image, grid_posterior(model, image)).elbo, abs=0.01)


@pytest.mark.parametrize("degrees", [30.0, 45.0])
def test_the_evidence_agrees_with_the_grids_of_quadrature(shipped, degrees):
    model, x = shipped
    turned = rotation.Rotated(model, degrees)
    for image, found in zip(x[::8], rotation.log_evidence(turned, x[::8]), strict=True):
        assert float(found) == pytest.approx(grid_posterior(model, image).log_evidence, abs=2e-3)
        assert float(found) == pytest.approx(grid_posterior(turned, image).log_evidence, abs=2e-3)


def test_only_a_code_of_two_numbers_is_turned():
    with pytest.raises(ValueError, match="a code of two numbers, not of 1"):
        rotation.Rotated(checkpoints.load_model("spiral-1d"), 10.0)


def test_a_rank_is_a_place():
    one = float(torch.special.ndtr(torch.tensor(1.0)))  # the rank of one standard deviation
    middle, right, down, corner = rotation.pictures(torch.tensor([[0.5, 0.5], [one, 0.5], [0.5, one], [1.0, 0.0]]))[:, 0]
    axis = torch.arange(28.0) + 0.5

    def centre(image: torch.Tensor) -> torch.Tensor:
        return torch.stack([(image.sum(0) * axis).sum(), (image.sum(1) * axis).sum()]) / image.sum()

    for image, moved in ((right, [1.7, 0.0]), (down, [0.0, 1.5]), (corner, [4.25, -3.75])):
        torch.testing.assert_close(centre(image) - centre(middle), torch.tensor(moved), atol=0.02, rtol=0)
    assert rotation.lattice(2).tolist() == [[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]]


# ---------------------------------------------------------------- what was trained


def test_the_shipped_model_serves_one_factor_with_each_unit_and_a_turn_spoils_that():
    recorded = {key: np.array(values) for key, values in checkpoints.model_card("sprites-position")["rotation"].items()}
    halfway = list(recorded["degrees"]).index(45.0)
    assert recorded["mig"][0] > 0.4 > 0.2 > recorded["mig"][halfway]
    assert recorded["mig"][-1] == pytest.approx(recorded["mig"][0], abs=0.02)
    assert np.ptp(recorded["log_evidence"]) < 2e-3
    assert (recorded["elbo"] < recorded["log_evidence"]).all()
    assert recorded["elbo"].argmin() in (halfway - 1, halfway, halfway + 1)
    assert recorded["elbo"][0] - recorded["elbo"][halfway] > 0.05


def test_the_card_has_the_curves_of_the_shipped_weights(shipped):
    from vae_tutorial.recipes.sprites_position import SIDE

    recorded = checkpoints.model_card("sprites-position")["rotation"]
    again = rotation.curves(shipped[0], SIDE, [0.0, 45.0])
    for name, tolerance in (("log_evidence", 2e-3), ("elbo", 2e-3), ("mig", 5e-3)):
        assert again[name] == pytest.approx([recorded[name][recorded["degrees"].index(angle)] for angle in (0.0, 45.0)], abs=tolerance)


# ---------------------------------------------------------------- the explorer


@pytest.fixture(scope="module")
def canvas():
    box = explorers.rotation(degrees=30.0, picture=7)
    assert "0x" not in repr(box)
    assert [control.value for control in box.children[:-1]] == [30.0, 7]
    assert isinstance(box.children[-1], Canvas)
    return box.children[-1]


def test_the_explorer_refuses_what_it_cannot_show():
    with pytest.raises(ValueError, match="no curves over the angle"):
        explorers.rotation("mnist-2d")
    for wrong in ({"degrees": 91.0}, {"degrees": -1.0}, {"picture": 0}, {"picture": 82}):
        with pytest.raises(traitlets.TraitError):
            explorers.rotation(**wrong)


def test_turning_there_and_back(canvas):
    for found in in_the_browser([{"kind": "turn", "degrees": 30, "z": [1.0, 2.0]}]):
        assert found["there"] == pytest.approx((rotation.rotation_matrix(30.0) @ torch.tensor([1.0, 2.0])).tolist(), abs=1e-6)
        assert found["again"] == pytest.approx([1.0, 2.0])


def test_mig_of_turned_codes_is_the_librarys(canvas):
    codes = np.frombuffer(canvas.codes, "<f2").astype(np.float32).reshape(-1, 2)
    side, classes = canvas.side, canvas.classes
    place = (rotation.lattice(side) * classes).long().numpy()
    job = {"kind": "mig", "codes": base64.b64encode(canvas.codes).decode(), "half": True, "factors": place.T.tolist(), "classes": classes}
    for degrees, found in zip(ANGLES, in_the_browser([{**job, "degrees": degrees} for degrees in ANGLES]), strict=True):
        assert found["mig"] == pytest.approx(mig(codes @ rotation.rotation_matrix(degrees).numpy().T, place), abs=1e-3)


def test_mig_of_known_codes():
    """Units that are the factors: the gap is all there is to know; a constant apart from them: exact counts."""
    first, second = (grid.ravel() for grid in np.meshgrid(np.arange(4), np.arange(4), indexing="ij"))
    codes = np.stack([first, second], 1).astype("<f4")
    job = {"kind": "mig", "codes": base64.b64encode(codes.tobytes()).decode(), "factors": [first.tolist(), second.tolist()], "classes": 4}
    straight, swapped = in_the_browser([{**job, "degrees": 0}, {**job, "degrees": 90}])
    assert straight["mig"] == pytest.approx(1.0)
    assert straight["table"][0] == pytest.approx([math.log(4), 0.0], abs=1e-9)
    assert swapped["mig"] == pytest.approx(1.0)


@pytest.mark.parametrize("degrees", ANGLES)
def test_the_matched_sigma_is_the_turned_models(shipped, degrees):
    model, x = shipped
    q, turned = model.posterior(x), rotation.Rotated(model, degrees)
    jobs = [{"kind": "matched", "sigma": sigma.tolist(), "degrees": degrees} for sigma in q.stddev[::6]]
    for found, sigma, wanted in zip(in_the_browser(jobs), q.stddev[::6], turned.posterior(x[::6]).stddev, strict=True):
        assert found["sigma"] == pytest.approx(wanted.tolist(), rel=1e-5)
        shadow = (turned.matrix @ torch.diag(sigma**2) @ turned.matrix.T).diagonal().sqrt()
        assert found["marginal"] == pytest.approx(shadow.tolist(), rel=1e-5)


@pytest.mark.parametrize("degrees", [0.0, 45.0])
def test_evidence_and_elbo_in_the_browser(canvas, shipped, degrees):
    model, _ = shipped
    grey = torch.frombuffer(bytearray(canvas.pictures), dtype=torch.uint8).view(-1, 1, 28, 28) / 255
    x, rows = grey[[0, 40]], np.frombuffer(canvas.posteriors, "<f4").reshape(-1, 9)[[0, 40]]
    q = model.posterior(x)
    np.testing.assert_allclose(rows[:, :4], torch.cat([q.mean, q.stddev], 1), rtol=1e-5, atol=1e-6)
    common = {
        "kind": "measure", "layers": canvas.decoder_layers, "weights": base64.b64encode(canvas.decoder_weights).decode(),
        "precision": canvas.precision, "noise": canvas.noise, "degrees": degrees,
    }  # fmt: skip
    jobs = [
        {
            **common,
            "image": base64.b64encode(image.numpy().astype("<f4").tobytes()).decode(),
            "mu": row[:2].tolist(),
            "sigma": row[2:4].tolist(),
        }
        for image, row in zip(x, rows, strict=True)
    ]
    turned = rotation.Rotated(model, degrees)
    expected = zip(rotation.log_evidence(turned, x).tolist(), rotation.diagonal_elbo(turned, x).tolist(), strict=True)
    for found, (log_evidence, elbo) in zip(in_the_browser(jobs), expected, strict=True):
        assert found["logEvidence"] == pytest.approx(log_evidence, abs=0.01)  # float32 sums over 784 pixels, in another order
        assert found["elbo"] == pytest.approx(elbo, abs=0.01)
        assert found["size"] < 1_500
        assert found["calls"] == math.ceil(found["size"] / 40)
        assert found["elbo"] < found["logEvidence"]


def test_the_true_posteriors_are_on_the_canvas(canvas, shipped):
    """Mean and covariance by the quadrature of another module."""
    model, _ = shipped
    grey = torch.frombuffer(bytearray(canvas.pictures), dtype=torch.uint8).view(-1, 1, 28, 28) / 255
    row = np.frombuffer(canvas.posteriors, "<f4").reshape(-1, 9)[12]
    grid = grid_posterior(model, grey[12])
    weight = grid.log_density.double().softmax(0)
    mean = weight @ grid.z.double()
    away = grid.z - mean
    covariance = (away * weight[:, None]).T @ away
    np.testing.assert_allclose(row[4:6], mean, atol=1e-3)
    np.testing.assert_allclose(row[6:], covariance.flatten()[[0, 1, 3]], rtol=0.03, atol=1e-5)
