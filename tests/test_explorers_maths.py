"""The explorers of the page 'The maths': what they hand over, and the browser's integrals against SciPy, PyTorch and closed forms."""

import base64
import re
from functools import partial
from math import exp, hypot, log, pi, sin, sqrt
from pathlib import Path

import nbformat
import node
import numpy as np
import pytest
import torch
import traitlets
from linear_gaussian import as_images, example, kl_of_gaussians
from naive_estimates import uniforms
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.stats import norm
from torch.distributions import Normal

from vae_tutorial import checkpoints, explorers, laboratory
from vae_tutorial.explorers.canvas import Canvas
from vae_tutorial.explorers.two_densities import FARTHEST, HUMP, SIGMA
from vae_tutorial.models import VAE
from vae_tutorial.quadrature import decompose_evidence, grid_posterior

JOBS = Path(__file__).parent / "js" / "one_latent.mjs"


def in_the_browser(jobs: list[dict]) -> list:
    return node.ask(JOBS, jobs)


def canvas_of(box):
    canvas = box.children[-1]
    assert isinstance(canvas, Canvas)
    assert "0x" not in repr(box)
    return canvas


# ---------------------------------------------------------------- two densities


def log_mixture(z, separation, weight, hump):
    left, right = norm.logpdf(z, -separation / 2, hump), norm.logpdf(z, separation / 2, hump)
    return np.logaddexp(log(weight) + left, log(1 - weight) + right)


def divergences(mu, sigma, **target):
    """KL(p‖q) and KL(q‖p) by SciPy's adaptive quadrature."""
    log_p, log_q = partial(log_mixture, **target), partial(norm.logpdf, loc=mu, scale=sigma)
    half, end = target["separation"] / 2, target["separation"] / 2 + 9 * target["hump"]
    forward, _ = quad(lambda z: np.exp(log_p(z)) * (log_p(z) - log_q(z)), -end, end, points=(-half, 0, half), limit=200)
    reverse, _ = quad(lambda z: np.exp(log_q(z)) * (log_q(z) - log_p(z)), mu - 9 * sigma, mu + 9 * sigma, points=(mu,), limit=200)
    return {"forward": forward, "reverse": reverse}


@pytest.mark.parametrize("separation", [0.0, 1.5, 4.0, 6.0])
def test_both_divergences_agree_with_scipy(separation):
    jobs = [
        {"separation": separation, "weight": weight, "hump": HUMP, "mu": mu, "sigma": sigma}
        for weight, mu, sigma in [(0.6, 0.5, 1.0), (0.05, -5.0, 0.2), (0.95, 5.0, 4.0), (0.5, 2.0, 0.6), (0.3, -1.0, 2.0)]
    ]
    for job, found in zip(jobs, in_the_browser([{"kind": "divergences", **job} for job in jobs]), strict=True):
        assert found == pytest.approx(divergences(**job), rel=1e-5, abs=1e-6), job


def test_divergences_of_gaussians_are_the_closed_forms_of_pytorch():
    job = {"separation": 0.0, "weight": 0.5, "hump": HUMP, "mu": 1.3, "sigma": 0.4}
    p, q = Normal(0.0, HUMP), Normal(1.3, 0.4)
    found = in_the_browser([{"kind": "divergences", **job}])[0]
    assert found["forward"] == pytest.approx(torch.distributions.kl_divergence(p, q).item(), rel=1e-5)
    assert found["reverse"] == pytest.approx(torch.distributions.kl_divergence(q, p).item(), rel=1e-5)


def test_two_densities():
    box = explorers.two_densities(separation=3.0, weight=0.7, mu=-1.0, sigma=0.5)
    canvas = canvas_of(box)
    assert [slider.value for slider in box.children[:-1]] == [3.0, 0.7, -1.0, 0.5]
    assert (canvas.separation, canvas.weight, canvas.mu, canvas.sigma, canvas.hump) == (3.0, 0.7, -1.0, 0.5, HUMP)
    assert hypot(HUMP, FARTHEST / 2) <= SIGMA[1], "the best q for KL(p‖q) must be within the slider's range"
    for trait, value in {"separation": 7.0, "weight": 1.0, "mu": 9.0, "sigma": 0.0}.items():
        with pytest.raises(traitlets.TraitError):
            setattr(canvas, trait, value)
        with pytest.raises(traitlets.TraitError):
            explorers.two_densities(**{trait: value})
        with pytest.raises(traitlets.TraitError, match=f"{trait} must be finite, not nan"):
            explorers.two_densities(**{trait: float("nan")})


# ---------------------------------------------------------------- drag q


@pytest.fixture(scope="module")
def linear():
    """A linear-Gaussian VAE with d = 1, its truth and four images; its q is three times too wide, and shifted."""
    truth, x = example(correlated=False, d=1)
    return truth, truth.vae(variance=9 / np.diag(truth.precision), shift=0.1, dtype=torch.float32), as_images(x, torch.float32)


@pytest.fixture(scope="module")
def planar():
    """A VAE of points in the plane whose decoder folds: an x on the fold's axis has two codes."""
    torch.manual_seed(0)
    model = VAE(1, (8,), "tanh", "gaussian", 0.2, (1, 1, 2)).eval()
    with torch.no_grad():
        for layer in (model.decoder[0], model.decoder[2]):
            layer.weight.zero_()
            layer.bias.zero_()
        model.decoder[0].weight[:2] = torch.tensor([[2.0], [2.0]])
        model.decoder[0].bias[:2] = torch.tensor([2.0, -2.0])
        model.decoder[2].weight[0, :2] = torch.tensor([1.0, -1.0])  # a hump in z: two codes for most heights
        model.decoder[2].weight[1, :2] = torch.tensor([0.1, 0.1])
    return model, torch.tensor([[1.0, 0.0], [0.5, 0.1], [1.9, 0.0]]).view(3, 1, 1, 2)


def evidence_jobs(canvas, point, settings):
    text = base64.b64encode(canvas.log_likelihoods).decode()
    job = {"kind": "evidence", "logLikelihoods": text, "extent": canvas.extent, "count": len(canvas.encoder_mu)}
    return in_the_browser([{**job, "point": point, "settings": settings}])[0]


def test_evidence_of_a_linear_model_is_the_closed_form(linear):
    truth, model, x = linear
    canvas = canvas_of(explorers.drag_q(model, x))
    for point, image in enumerate(x.double().flatten(1).numpy()):
        settings = [(0.0, -0.5, 1.0), (-4.0, 0.5, 0.5), (4.0, -3.5, 2.0), (0.3, 0.0, 0.0)]
        mean = truth.posterior_mean(image[None])[0]
        for (mu, log_sigma, beta), found in zip(settings, evidence_jobs(canvas, point, settings), strict=True):
            variance = np.array([exp(2 * log_sigma)])
            rate = kl_of_gaussians(np.array([mu]), variance, np.zeros(1), np.eye(1))
            expected = -truth.expected_distortion(image[None], np.array([[mu]]), variance[None]).item()
            assert found["logEvidence"] == pytest.approx(truth.log_evidence(image).item(), abs=1e-3)
            assert found["gap"] == pytest.approx(kl_of_gaussians(np.array([mu]), variance, mean, truth.covariance), rel=1e-4, abs=1e-3)
            assert found["elbo"] == pytest.approx(expected - rate, rel=1e-4, abs=1e-3)
            assert found["elboBeta"] == pytest.approx(expected - beta * rate, rel=1e-4, abs=1e-3)


def test_the_encoders_q_decomposes_as_the_library_says(linear, planar):
    for model, x in (linear[1:], planar):
        canvas = canvas_of(explorers.drag_q(model, x))
        for point in range(len(x)):
            truth = decompose_evidence(model, x[point], grid_posterior(model, x[point]))
            found = evidence_jobs(canvas, point, [(canvas.encoder_mu[point], canvas.encoder_log_sigma[point], 1.0)])[0]
            assert found["logEvidence"] == pytest.approx(truth.log_evidence, abs=2e-3)
            assert found["gap"] == pytest.approx(truth.gap, abs=3e-3)
            assert found["elbo"] == pytest.approx(truth.elbo, abs=3e-3)
            assert found["gap"] + found["elbo"] == pytest.approx(found["logEvidence"], abs=1e-3)


def test_best_q_is_a_summit_and_beta_below_one_is_no_bound(planar):
    model, x = planar
    canvas = canvas_of(explorers.drag_q(model, x, point=2))
    starts = [(mu, log_sigma, beta) for beta in (0.3, 1.0, 2.0) for mu in (-2.0, 2.0) for log_sigma in (-1.0, 0.0)]
    reached = evidence_jobs(canvas, 1, starts)
    bests = [(found["best"]["mu"], found["best"]["logSigma"], beta) for found, (_, _, beta) in zip(reached, starts, strict=True)]
    at_best = evidence_jobs(canvas, 1, bests)
    assert {round(best[0] > 0) for best in bests} == {0, 1}, "two humps, and the start decides between them"
    for (mu, log_sigma, beta), found in zip(bests, at_best, strict=True):
        around = [(mu + dx, log_sigma + dy, beta) for dx, dy in ((0.02, 0), (-0.02, 0), (0, 0.02), (0, -0.02))]
        assert all(other["elboBeta"] <= found["elboBeta"] for other in evidence_jobs(canvas, 1, around))
        assert found["elboBeta"] <= found["highest"] + 1e-6
        if beta >= 1:
            assert found["elboBeta"] <= found["logEvidence"]
    assert max(found["elboBeta"] - found["logEvidence"] for found in at_best) > 0.1


def test_best_q_agrees_with_scipy(planar):
    model, x = planar
    canvas = canvas_of(explorers.drag_q(model, x))

    steps = torch.linspace(-8, 8, 4001, dtype=torch.float64)

    def minus_bound(parameters):
        mu, log_sigma = parameters
        z = (mu + exp(log_sigma) * steps).float()[:, None]
        with torch.no_grad():
            log_joint = (model.likelihood(z).log_prob(x[1]) + model.prior.log_prob(z)).double()
        weight = torch.exp(-steps.square() / 2) / sqrt(2 * pi) * (steps[1] - steps[0])
        return -float((weight * log_joint).sum()) - log_sigma

    found = evidence_jobs(canvas, 1, [(-1.0, -1.0, 1.0)])[0]["best"]
    expected = minimize(minus_bound, (-1.0, -1.0), method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-6}).x
    assert (found["mu"], found["logSigma"]) == pytest.approx(tuple(expected), abs=5e-3)


def test_drag_q(planar, linear):
    model, x = planar
    box = explorers.drag_q(model, x, point=3, mu=0.5, log_sigma=-1.0, beta=0.5)
    canvas = canvas_of(box)
    assert [slider.value for slider in box.children[:-1]] == [3, 0.5, -1.0, 0.5]
    assert (canvas.point, canvas.mu, canvas.log_sigma, canvas.beta, canvas.noise) == (3, 0.5, -1.0, 0.5, pytest.approx(0.2))
    assert np.frombuffer(canvas.images, "<f4").tolist() == pytest.approx(x.flatten().tolist())
    curve = np.frombuffer(canvas.curve, "<f4").reshape(-1, 2)
    with torch.no_grad():
        np.testing.assert_allclose(curve[[0, 90]], model.decode(torch.tensor([[-4.5], [0.0]])).flatten(1), rtol=1e-5)
        mu, log_var = model.encode(x)
    assert canvas.encoder_mu == pytest.approx(mu.flatten().tolist())
    assert canvas.encoder_log_sigma == pytest.approx((log_var / 2).flatten().tolist())
    with pytest.raises(traitlets.TraitError, match="point must lie in 1 … 3"):
        canvas.point = 4
    alone = explorers.drag_q(linear[1], linear[2][:1])
    assert len(alone.children) == 4, "one image needs no slider to choose it"
    assert canvas_of(alone).images == canvas_of(alone).curve == b""


def test_drag_q_carries_the_laboratory():
    model, x = checkpoints.load_model("spiral-1d"), laboratory.spiral(4, seed=5)
    canvas = canvas_of(explorers.drag_q(model, x))  # its σ is learned: a parameter
    assert canvas.noise == pytest.approx(model.log_sigma.exp().item())
    for point in range(len(x)):
        truth = decompose_evidence(model, x[point], grid_posterior(model, x[point]))
        found = evidence_jobs(canvas, point, [(canvas.encoder_mu[point], canvas.encoder_log_sigma[point], 1.0)])[0]
        assert (found["logEvidence"], found["gap"], found["elbo"]) == pytest.approx((truth.log_evidence, truth.gap, truth.elbo), abs=3e-3)


def test_drag_q_refuses_what_it_cannot_show(planar):
    model, x = planar
    with pytest.raises(ValueError, match="latent dimension of 2"):
        explorers.drag_q(VAE(2, (8,), image_shape=(1, 1, 2)), x)
    with pytest.raises(ValueError, match="1 … 8 images, not 9"):
        explorers.drag_q(model, x[:1].expand(9, -1, -1, -1))
    with pytest.raises(ValueError, match="point must lie in 1 … 3"):
        explorers.drag_q(model, x, point=4)
    with pytest.raises(traitlets.TraitError):
        explorers.drag_q(model, x, mu=5.0)
    narrow, _ = example(correlated=False, d=1, sigma=0.001)
    with pytest.raises(ValueError, match="too narrow"):
        explorers.drag_q(narrow.vae(dtype=torch.float32), as_images(narrow.bias[None] + 0.1, torch.float32))


# ---------------------------------------------------------------- reparameterise


def objective(z):
    return z.square() / 2 + torch.sin(2 * z)


@pytest.mark.parametrize(("mu", "sigma"), [(1.0, 0.7), (-3.0, 0.1), (3.0, 2.0), (0.0, 1.0)])
def test_gradient_estimates_are_pytorchs(mu, sigma):
    eps = torch.randn(40, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found = in_the_browser([{"kind": "gradients", "eps": eps.tolist(), "mu": mu, "sigma": sigma}])[0]
    m, s = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (mu, sigma))
    pathwise = torch.autograd.grad(objective(m + s * eps).mean(), (m, s))
    z = (m + s * eps).detach()
    score = torch.autograd.grad((objective(z) * Normal(m, s).log_prob(z)).mean(), (m, s))
    expected = {"value": objective(z).mean(), "pathMu": pathwise[0], "pathSigma": pathwise[1], "scoreMu": score[0], "scoreSigma": score[1]}
    assert found["here"] == pytest.approx({name: value.item() for name, value in expected.items()}, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("mu", "sigma"), [(1.0, 0.7), (-3.0, 0.1), (3.0, 2.0), (0.0, 1.0)])
def test_exact_gradient_and_spreads_agree_with_quadrature(mu, sigma):
    found = in_the_browser([{"kind": "gradients", "eps": [0.0], "mu": mu, "sigma": sigma}])[0]

    def expect(f):
        return quad(lambda e: norm.pdf(e) * f(mu + sigma * e, e), -9, 9, limit=400)[0]

    def value(z, e):
        return z * z / 2 + sin(2 * z)

    def slope(z, e):
        return z + 2 * np.cos(2 * z)

    terms = {
        "value": value,
        "pathMu": slope,
        "pathSigma": lambda z, e: slope(z, e) * e,
        "scoreMu": lambda z, e: value(z, e) * e / sigma,
        "scoreSigma": lambda z, e: value(z, e) * (e * e - 1) / sigma,
    }
    means = {name: expect(term) for name, term in terms.items()}
    exact = found["exact"]
    assert exact["value"] == pytest.approx(means["value"], abs=1e-7)
    assert exact["mu"] == pytest.approx(means["pathMu"], abs=1e-7) == pytest.approx(means["scoreMu"], abs=1e-6)
    assert exact["sigma"] == pytest.approx(means["pathSigma"], abs=1e-7) == pytest.approx(means["scoreSigma"], abs=1e-6)
    spreads = {name: sqrt(expect(lambda z, e, term=term, name=name: (term(z, e) - means[name]) ** 2)) for name, term in terms.items()}
    assert found["spread"] == pytest.approx(spreads, rel=1e-5)


def test_reparameterise():
    box = explorers.reparameterise(mu=-1.0, sigma=0.5, samples=30, seed=4)
    canvas = canvas_of(box)
    assert [slider.value for slider in box.children[:-1]] == [-1.0, 0.5, 30]
    assert (canvas.mu, canvas.sigma, canvas.samples, canvas.fresh, canvas.seed) == (-1.0, 0.5, 30, False, 4)
    for trait, value in {"mu": 4.0, "sigma": 0.0, "samples": 0}.items():
        with pytest.raises(traitlets.TraitError):
            explorers.reparameterise(**{trait: value})


def test_the_sheet_has_the_explorers_samples():
    """What a class draws on paper can be laid beside what the projector shows."""
    cells = nbformat.read(Path(__file__).parents[1] / "book" / "teaching" / "sheet.ipynb", as_version=4).cells
    (told,) = re.findall(r"eps = torch\.tensor\(\[(.*)\]\)", "\n".join(cell.source for cell in cells))
    u = uniforms(0, 24).reshape(12, 2)  # Box and Muller, as in random.js
    expected = np.sqrt(-2 * np.log(1 - u[:, 0])) * np.cos(2 * np.pi * u[:, 1])
    np.testing.assert_allclose([float(number) for number in told.split(",")], expected, atol=0.005)
