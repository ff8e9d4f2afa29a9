"""Inpainting: covers, the gridded posterior of visible pixels against quadrature, its modes; the explorer and its JavaScript."""

import base64
import math
from pathlib import Path

import node
import numpy as np
import pytest
import torch
import traitlets

from vae_tutorial import checkpoints, explorers, inpainting
from vae_tutorial.data import Images
from vae_tutorial.explorers.canvas import Canvas
from vae_tutorial.models import VAE
from vae_tutorial.quadrature import grid_posterior

JOBS = Path(__file__).parent / "js" / "visible.mjs"


@pytest.fixture(scope="module")
def shipped():
    model = checkpoints.load_model("mnist-2d").requires_grad_(False)
    return model, inpainting.CodeGrid(model)


@pytest.mark.parametrize(
    ("side", "corner"),
    [("left", (0, slice(0, 3))), ("right", (1, slice(25, 28))), ("top", (2, slice(0, 3))), ("bottom", (3, slice(25, 28)))],
)
def test_a_cover_hides_what_it_says_here_and_in_the_browser(side, corner):
    place, hidden = corner
    expected = torch.ones(28, 28, dtype=torch.bool)
    expected[(slice(None), hidden) if side in ("left", "right") else (hidden, slice(None))] = False
    assert torch.equal(inpainting.visible(side, 3), expected)
    jobs = [{"kind": "seen", "side": place, "covered": covered} for covered in (0, 3, 28)]
    none, three, all_ = node.ask(JOBS, jobs)
    assert len(none) == 784
    assert three == expected.flatten().nonzero().flatten().tolist()
    assert all_ == []


def test_covers_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="unknown side 'middle'"):
        inpainting.visible("middle", 3)
    with pytest.raises(ValueError, match="0 … 28 pixels can be covered, not 29"):
        inpainting.visible("top", 29)


def test_only_flat_codes_of_bernoulli_pixels_are_gridded():
    for model in (VAE(3, (8,)), VAE(2, (8,), likelihood="gaussian")):
        with pytest.raises(ValueError, match="wants d = 2 and Bernoulli pixels"):
            inpainting.CodeGrid(model)
    with pytest.raises(ValueError, match="not for gaussian ones"):
        inpainting.VisiblePixels(VAE(2, (8,), likelihood="gaussian"), inpainting.visible("top", 3))


def test_likelihood_of_visible_pixels_is_the_library_s(shipped, test_digits):
    model, grid = shipped
    seen, x = inpainting.visible("bottom", 10), test_digits.x[:3]
    found = grid.log_likelihood(x, seen)
    p = model.likelihood(grid.z[::500]).base_dist  # each pixel on its own
    for n in range(3):
        expected = p.log_prob(x[n])[:, 0, seen].sum(1)
        torch.testing.assert_close(found[n, ::500], expected, atol=2e-3, rtol=1e-4)
    whole = grid.log_likelihood(x, seen) + grid.log_likelihood(x, ~seen)
    torch.testing.assert_close(whole[:, ::500].T, model.likelihood(grid.z[::500][:, None]).log_prob(x), atol=2e-3, rtol=1e-4)


def test_the_coarse_grid_has_the_mean_of_the_fine_one(shipped, test_digits):
    """Against the adaptive quadrature of another module: the mean of p(z|visible) to a fraction of a cell, log p(x_V) to a nat."""
    model, grid = shipped
    seen = inpainting.visible("right", 14)
    part = inpainting.VisiblePixels(model, seen)
    for x in test_digits.x[:3]:
        fine = grid_posterior(part, part.of(x))
        mean = fine.log_density.double().softmax(0) @ fine.z.double()
        coarse = grid.log_posterior(x[None], seen)[0].double().exp() @ grid.z.double()
        cell = 2 * inpainting.EXTENT / inpainting.POINTS
        assert (mean - coarse).abs().max() < cell
        log_joint = grid.log_likelihood(x[None], seen)[0] + model.prior.log_prob(grid.z)
        assert float(log_joint.double().logsumexp(0)) + 2 * math.log(cell) == pytest.approx(fine.log_evidence, abs=1.0)


def test_nothing_seen_leaves_the_prior(shipped, test_digits):
    _, grid = shipped
    nothing = grid.log_posterior(test_digits.x[:2], torch.zeros(28, 28, dtype=torch.bool))
    torch.testing.assert_close(nothing, grid.log_prior.expand(2, -1))
    (mode,) = grid.modes(nothing[0])
    assert mode.mass == pytest.approx(1.0, abs=1e-5)
    assert mode.z.norm() < 0.1


def two_hills(points: int) -> torch.Tensor:
    axis = torch.linspace(-3, 3, points)
    x, y = torch.meshgrid(axis, axis, indexing="xy")
    hill = torch.exp(-((x - 1.5) ** 2 + y**2) / 0.3) + 3 * torch.exp(-((x + 1.5) ** 2 + y**2) / 0.3)
    return (hill / hill.sum()).flatten().double()


def test_modes_of_two_hills_hold_a_quarter_and_three_quarters(shipped):
    """Here and in the browser."""
    _, grid = shipped
    mass = two_hills(inpainting.POINTS)
    found = grid.modes(mass.log())
    assert [mode.mass for mode in found] == pytest.approx([0.75, 0.25], abs=2e-3)
    mirrored = grid.modes(mass.view(inpainting.POINTS, -1).flip(1).flatten().log())  # the heavier one first, left or right
    assert [mode.mass for mode in mirrored] == pytest.approx([0.75, 0.25], abs=2e-3)
    (browser,) = node.ask(JOBS, [{"kind": "modes", "mass": mass.tolist(), "points": inpainting.POINTS, "least": 0.02}])
    assert [mode["index"] for mode in browser] == [mode.index for mode in found]
    assert [mode["mass"] for mode in browser] == pytest.approx([mode.mass for mode in found], abs=1e-9)


def test_completion_begins_with_an_image_that_is_there(test_digits):
    for digit in (0, 25):
        with pytest.raises(ValueError, match=f"of the 20 images is shown, from 1; {digit} is none of them"):
            explorers.completion(checkpoints.load_model("mnist-2d"), test_digits, digit=digit)


def test_completions_keep_what_is_seen(shipped, test_digits):
    model, grid = shipped
    seen, x = inpainting.visible("left", 12), test_digits.x[4]
    made = grid.complete(x, seen, torch.tensor([7, 900]))
    assert made.shape == (2, 1, 28, 28)
    assert torch.equal(made[:, 0, seen], x[0, seen].expand(2, -1))
    torch.testing.assert_close(made[1, 0, ~seen], model.likelihood(grid.z[900]).mean[0, ~seen])


def test_the_price_of_covered_pixels_is_a_ratio_of_evidences(shipped, test_digits):
    """−log p(x_H|x_V) = log p(x_V) − log p(x), both summed over the same grid."""
    _, grid = shipped
    seen, x = inpainting.visible("top", 14), test_digits.x[:5]
    everything = torch.ones(28, 28, dtype=torch.bool)
    evidence = {
        name: (grid.log_likelihood(x, pixels) + grid.log_prior).logsumexp(1) for name, pixels in (("seen", seen), ("all", everything))
    }
    found = inpainting.hidden_nats(grid, x, seen, grid.log_posterior(x, seen))
    torch.testing.assert_close(found, evidence["seen"] - evidence["all"], atol=1e-2, rtol=1e-4)


# ---------------------------------------------------------------- the explorer


@pytest.fixture(scope="module")
def box(shipped, test_digits):
    return explorers.completion(shipped[0], test_digits, digit=3, side="top", covered=9)


def canvas_of(box) -> Canvas:
    assert "0x" not in repr(box)
    assert isinstance(box.children[-1], Canvas)
    return box.children[-1]


def test_controls_and_canvas_start_together(box):
    number, choice, cover, canvas = box.children
    assert (number.value, choice.index, cover.value) == (canvas.digit, canvas.side, canvas.covered) == (3, 2, 9)
    assert len(canvas.digits) == 20 * 784
    assert canvas.precision == "int8"
    assert len(canvas.decoder_weights) < 260_000


def test_what_the_explorer_cannot_show_is_refused(shipped, test_digits):
    model = shipped[0]
    with pytest.raises(ValueError, match="a map needs 2"):
        explorers.completion(VAE(3, (8,)), test_digits)
    with pytest.raises(ValueError, match="unknown side"):
        explorers.completion(model, test_digits, side="middle")
    with pytest.raises(ValueError, match="at most 30"):
        explorers.completion(model, test_digits, chosen=range(31))
    with pytest.raises(traitlets.TraitError):
        explorers.completion(model, test_digits, covered=29)
    some = (test_digits.y != 3) & (test_digits.y != 8)
    with pytest.raises(ValueError, match=r"images have none of \[3, 8\]"):
        explorers.completion(model, Images(test_digits.x[some], test_digits.y[some], "eight classes"))


@pytest.mark.parametrize(("side", "covered"), [("right", 14), ("top", 20), ("left", 0)])
def test_the_browser_finds_the_same_posterior_and_modes(box, shipped, side, covered):
    model, _ = shipped
    canvas, points = canvas_of(box), 24
    grid = inpainting.CodeGrid(model, points)
    x = torch.frombuffer(bytearray(canvas.digits), dtype=torch.uint8).view(-1, 1, 28, 28)[[5]] / 255
    job = {
        "kind": "posterior", "layers": canvas.decoder_layers, "weights": base64.b64encode(canvas.decoder_weights).decode(),
        "precision": canvas.precision, "points": points, "extent": canvas.extent, "x": x.flatten().tolist(),
        "side": inpainting.SIDES.index(side), "covered": covered, "least": 0.02,
    }  # fmt: skip
    (found,) = node.ask(JOBS, [job])
    np.testing.assert_allclose(np.array(found["codes"]).reshape(-1, 2), grid.z, atol=1e-6)
    log_posterior = grid.log_posterior(x, inpainting.visible(side, covered))[0]
    np.testing.assert_allclose(found["mass"], log_posterior.exp(), atol=2e-3)
    modes = grid.modes(log_posterior)
    assert [mode["index"] for mode in found["modes"]] == [mode.index for mode in modes]
    assert [mode["mass"] for mode in found["modes"]] == pytest.approx([mode.mass for mode in modes], abs=2e-3)


def test_the_browser_draws_cells_by_their_mass():
    mass = [0.1, 0.0, 0.6, 0.3]
    (counts,) = node.ask(JOBS, [{"kind": "draws", "mass": mass, "count": 20_000, "seed": 3}])
    assert counts[1] == 0
    np.testing.assert_allclose(np.array(counts) / 20_000, mass, atol=0.015)
