"""Losses against hand computations, and the ELBO against the exact evidence of linear-Gaussian models."""

from functools import partial

import numpy as np
import pytest
import torch
from linear_gaussian import as_images, example, kl_of_gaussians
from scipy import stats
from torch.distributions import kl_divergence

from vae_tutorial import objectives
from vae_tutorial.mixture_prior import sampled_rate_elbo
from vae_tutorial.models import VAE, Autoencoder
from vae_tutorial.networks import BETA_RANGE


@pytest.fixture
def cubature(monkeypatch):
    """Replace ε by the 2d points ±√d eᵢ, over which the mean of a quadratic is its exact Gaussian expectation."""

    def points(shape: torch.Size, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
        count, d = shape
        assert count == 2 * d
        return torch.cat([torch.eye(d, dtype=dtype), -torch.eye(d, dtype=dtype)]) * d**0.5

    monkeypatch.setattr("torch.distributions.normal._standard_normal", points)


def exact_elbo(model: VAE, x: np.ndarray) -> np.ndarray:
    """E_q of `objectives.elbo` for images x (N, D): no noise is left under `cubature`."""
    points = 2 * model.latent_dim
    return np.array([objectives.elbo(model, as_images(row[None]).expand(points, -1, -1, -1)).detach().mean().item() for row in x])


@pytest.mark.parametrize("d", [1, 2])
def test_elbo_is_the_evidence_where_the_posterior_is_diagonal(d, cubature):
    truth, x = example(correlated=False, d=d)
    np.testing.assert_allclose(exact_elbo(truth.vae(), x), truth.log_evidence(x), atol=1e-9)


def test_elbo_of_the_best_diagonal_q_is_short_by_half_the_log_ratio_of_determinants(cubature):
    truth, x = example(correlated=True)
    precision = truth.precision
    gap = (np.log(np.diag(precision)).sum() - np.linalg.slogdet(precision)[1]) / 2
    assert gap > 0.1
    np.testing.assert_allclose(truth.log_evidence(x) - exact_elbo(truth.vae(), x), gap, atol=1e-9)


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.1, 2.0])
def test_no_other_diagonal_q_comes_closer(factor, cubature):
    truth, x = example(correlated=True)
    best, variance = exact_elbo(truth.vae(), x), 1 / np.diag(truth.precision)
    for i in range(2):
        changed = variance.copy()
        changed[i] *= factor
        assert (exact_elbo(truth.vae(variance=changed), x) < best).all()


@pytest.mark.parametrize("correlated", [False, True])
@pytest.mark.parametrize(("variance", "shift"), [((1.0, 1.0), 0.0), ((0.01, 0.5), 0.3), ((2.0, 0.1), -1.0)])
def test_elbo_falls_short_by_the_divergence_from_the_true_posterior(correlated, variance, shift, cubature):
    truth, x = example(correlated)
    model = truth.vae(variance=np.array(variance), shift=shift)
    means = truth.posterior_mean(x)
    gaps = [kl_of_gaussians(mean + shift, np.array(variance), mean, truth.covariance) for mean in means]
    found = exact_elbo(model, x)
    assert (found < truth.log_evidence(x)).all()
    np.testing.assert_allclose(truth.log_evidence(x) - found, gaps, rtol=1e-9)


def test_rate_is_torchs_scipys_and_the_samples_kl():
    model, x = VAE(4, (16,)).double(), torch.rand(3, 1, 28, 28, dtype=torch.float64)
    rate, _ = objectives.rate_distortion(model, x)
    q = model.posterior(x)
    mean, variance = q.mean.detach(), q.variance.detach()
    expected = [kl_of_gaussians(m, v, np.zeros(4), np.eye(4)) for m, v in zip(mean.numpy(), variance.numpy(), strict=True)]
    np.testing.assert_allclose(rate.detach().numpy(), expected, rtol=1e-9)
    torch.testing.assert_close(rate, kl_divergence(q.base_dist, torch.distributions.Normal(0.0, 1.0)).sum(-1))
    z = q.sample((50_000,))
    ratio = (q.log_prob(z) - model.prior.log_prob(z)).detach()
    assert ((ratio.mean(0) - rate).abs() < 4 * ratio.std(0) / 50_000**0.5).all()


def test_elbo_of_a_bernoulli_vae_is_the_hand_computed_one():
    model, x = VAE(2, (8,)), torch.rand(5, 1, 28, 28)
    torch.manual_seed(1)
    found = objectives.elbo(model, x, beta=0.7)
    torch.manual_seed(1)
    eps = torch.randn(5, 2)
    mu, log_var = model.encoder(x.flatten(1)).split(2, dim=1)
    pixels = torch.sigmoid(model.decoder(mu + torch.exp(log_var / 2) * eps)).view_as(x)
    likelihood = (x * pixels.log() + (1 - x) * (1 - pixels).log()).sum((1, 2, 3))
    rate = 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1)
    torch.testing.assert_close(found, likelihood - 0.7 * rate)
    torch.manual_seed(1)
    torch.testing.assert_close(objectives.negative_elbo(model, x, beta=0.7)["loss"], -found)


def test_terms_are_per_image():
    model, x = VAE(2, (8,)), torch.rand(5, 1, 28, 28)
    terms = objectives.negative_elbo(model, x, beta=2.0)
    assert {name: term.shape for name, term in terms.items()} == dict.fromkeys(("loss", "rate", "distortion"), (5,))
    autoencoder = Autoencoder(2, (8,))
    for loss in (objectives.cross_entropy, objectives.squared_error, objectives.nested_dropout):
        assert loss(autoencoder, x)["loss"].shape == (5,)


def test_autoencoder_losses_are_the_textbook_sums():
    model, x = Autoencoder(3, (8,)).double(), torch.rand(5, 1, 28, 28, dtype=torch.float64)
    pixels, target = model(x).detach().numpy(), x.numpy()
    entropy = -(target * np.log(pixels) + (1 - target) * np.log(1 - pixels)).sum((1, 2, 3))
    np.testing.assert_allclose(objectives.cross_entropy(model, x)["loss"].detach().numpy(), entropy)
    np.testing.assert_allclose(objectives.squared_error(model, x)["loss"].detach().numpy(), ((target - pixels) ** 2).sum((1, 2, 3)))


def test_cross_entropy_refuses_a_decoder_without_logits():
    with pytest.raises(ValueError, match="output='sigmoid', not 'none'"):
        objectives.cross_entropy(Autoencoder(2, output="none"), torch.rand(3, 1, 28, 28))


@pytest.mark.parametrize(
    ("loss", "settings", "message"),
    [
        (objectives.negative_elbo, {"beta": -1.0}, "beta is the price of a nat and must not be negative"),
        (objectives.negative_elbo, {"beta": float("nan")}, "must not be negative, got nan"),
        (objectives.free_bits, {"floor": -0.1}, "the floor is a number of nats"),
        (objectives.controlled_capacity, {"capacity": -1.0}, "capacity .nats. and gamma must not be negative"),
        (objectives.controlled_capacity, {"capacity": 1.0, "gamma": -1.0}, "must not be negative"),
        (objectives.elbo, {"beta": -1.0}, "must not be negative, got -1.0"),
        (objectives.total_correlation, {"images": 4}, "at most N = 4 of them, got 5"),
        (objectives.total_correlation, {"images": 9, "beta": -3.0}, "must not be negative, got -3.0"),
        (objectives.sparse, {"weight": -1.0}, "weight is the price of a unit of .z. and must not be negative, got -1.0"),
    ],
)
def test_settings_that_mean_nothing_are_refused(loss, settings, message):
    model = Autoencoder(2, (8,)) if loss is objectives.sparse else VAE(2, (8,))
    with pytest.raises(ValueError, match=message):
        loss(model, torch.rand(5, 1, 28, 28), **settings)


def test_a_total_correlation_wants_two_images():
    with pytest.raises(ValueError, match="at least 2 images in a batch"):
        objectives.total_correlation(VAE(2, (8,)), torch.rand(1, 1, 28, 28), images=100)


def test_a_beta_that_is_fixed_already_is_not_overruled():
    model, x = VAE(2, (8,), conditioned_on="beta"), torch.rand(5, 1, 28, 28)
    with pytest.raises(ValueError, match="β is fixed already"):
        objectives.negative_elbo(model.given(beta=30.0), x)
    torch.manual_seed(0)
    rate, distortion = objectives.rate_distortion(model.given(beta=30.0), x)
    torch.manual_seed(0)
    torch.testing.assert_close(objectives.negative_elbo(model, x, beta=30.0)["loss"], 30 * rate + distortion)


def test_nested_dropout_keeps_a_first_part_of_the_code_uniformly_for_half_of_the_images_log_uniformly_for_the_others():
    d = 6
    model, x = Autoencoder(d, (8,)).double(), torch.rand(4, 1, 28, 28, dtype=torch.float64)
    z = model.encode(x)
    truncated = []
    for k in range(1, d + 1):
        first = z.clone()
        first[:, k:] = 0
        truncated.append((x - model.reconstruct(first)).square().sum((1, 2, 3)))
    by_width = torch.stack(truncated)  # (d, 4): the error with the first k units
    counts, draws, alike = torch.zeros(d, 4), 600, 0
    for _ in range(draws):
        loss = objectives.nested_dropout(model, x)["loss"]
        match = (by_width - loss).abs() < 1e-12
        assert match.any(0).all()
        counts += match
        alike += int((match[:, 1] & match[:, 3]).any())
    log_uniform = np.log(1 + 1 / np.arange(1, d + 1)) / np.log(d + 1)  # k ≤ (d + 1)^u < k + 1
    for first, chance in ((0, log_uniform), (1, np.full(d, 1 / d))):  # every second image of the batch
        found = counts[:, first::2].sum(1).numpy() / (2 * draws)
        assert (np.abs(found - chance) < 4 * np.sqrt(chance * (1 - chance) / (2 * draws))).all()
    assert abs(alike / draws - 1 / d) < 4 * np.sqrt((1 - 1 / d) / d / draws)  # a width for each image


def test_the_sparse_penalty_is_the_codes_l1_norm():
    model, x = Autoencoder(3, (8,)), torch.rand(5, 1, 28, 28)
    terms = objectives.sparse(model, x, weight=0.3)
    torch.testing.assert_close(terms["penalty"], torch.linalg.vector_norm(model.encode(x), ord=1, dim=1))
    torch.testing.assert_close(terms["loss"], objectives.squared_error(model, x)["loss"] + 0.3 * terms["penalty"])


def test_denoising_compares_the_clean_image_with_the_corrupted_ones_reconstruction():
    model, x = Autoencoder(3, (8,)), torch.rand(5, 1, 28, 28)
    terms = objectives.denoising(model, x, corrupt=lambda batch: 1 - batch)
    torch.testing.assert_close(terms["loss"], (x - model(1 - x)).square().sum((1, 2, 3)))


def test_multi_rate_draws_beta_log_uniformly_for_each_image(monkeypatch):
    model, x, seen = VAE(2, (4,), conditioned_on="beta"), torch.rand(4_000, 1, 28, 28), []
    given = VAE.given
    monkeypatch.setattr(VAE, "given", lambda self, *, beta: seen.append(beta) or given(self, beta=beta))
    terms = objectives.multi_rate(model, x)
    beta = seen[0][:, 0]
    torch.testing.assert_close(terms["loss"], (terms["distortion"] + beta * terms["rate"]) / (1 + beta) ** 0.5)
    low, high = BETA_RANGE
    assert low <= beta.min() < 1.02 * low < 0.98 * high < beta.max() <= high
    middle, width = (np.log(low) + np.log(high)) / 2, np.log(high / low)
    assert beta.log().mean().item() == pytest.approx(middle, abs=4 * width / 12**0.5 / 4_000**0.5)  # of a uniform
    assert beta.log().std().item() == pytest.approx(width / 12**0.5, rel=0.05)


def test_a_conditioned_model_is_given_its_label_or_beta():
    x, label = torch.rand(3, 1, 28, 28), torch.tensor([1, 5, 9])
    by_label, by_beta = VAE(2, (4,), conditioned_on="label"), VAE(2, (4,), conditioned_on="beta")
    with torch.no_grad():
        by_beta.encoder[0].gate.normal_()
    for model, given, settings in [(by_label, {"label": label}, {"label": label, "beta": 2.0}), (by_beta, {"beta": 2.0}, {"beta": 2.0})]:
        torch.manual_seed(3)
        found = objectives.negative_elbo(model, x, **settings)["loss"]
        torch.manual_seed(3)
        torch.testing.assert_close(found, -objectives.elbo(model.given(**given), x, beta=2.0))


def test_free_bits_charge_each_unit_its_mean_rate_or_the_floor():
    model, x = VAE(4, (16,)).double(), torch.rand(64, 1, 28, 28, dtype=torch.float64)
    with torch.no_grad():
        model.encoder[-1].bias.copy_(torch.tensor([2.0, 0.0, 0.0, 0.0, -3.0, -2.0, 0.0, 0.0]))
        model.encoder[-1].weight.mul_(5)
    q = model.posterior(x)
    rates = kl_divergence(q.base_dist, torch.distributions.Normal(0.0, 1.0))  # (64, 4)
    per_unit = rates.mean(0)
    assert (per_unit < 0.5).sum() == 2  # two units below the floor, two above
    assert (rates[:, per_unit < 0.5] > 0.5).any()  # though not for every image: the floor is the mean's
    terms = objectives.free_bits(model, x, floor=0.5)
    charged = sum(max(0.5, unit) for unit in per_unit.tolist())
    torch.testing.assert_close(terms["loss"] - terms["distortion"], torch.full((64,), charged, dtype=torch.float64))
    torch.testing.assert_close(terms["rate"].mean(), per_unit.sum())
    gradient = torch.autograd.grad((terms["loss"] - terms["distortion"]).mean(), model.encoder[-1].bias)[0]
    assert (gradient[[2, 3, 6, 7]] == 0).all()  # no push on units that are below it
    assert (gradient[[0, 1, 4, 5]] != 0).all()


@pytest.mark.parametrize(("capacity", "sign"), [(0.0, 1.0), (1_000.0, -1.0)])
def test_controlled_capacity_pulls_the_rate_from_either_side(capacity, sign):
    model, x = VAE(3, (8,)), torch.rand(16, 1, 28, 28)
    terms = objectives.controlled_capacity(model, x, capacity=capacity, gamma=7.0)
    expected = terms["distortion"] + 7.0 * sign * (terms["rate"].mean() - capacity)
    torch.testing.assert_close(terms["loss"], expected)
    terms = objectives.controlled_capacity(model, x, capacity=capacity)  # with the paper's γ
    torch.testing.assert_close(terms["loss"] - terms["distortion"], (1_000 * sign * (terms["rate"].mean() - capacity)).expand(16))


# ---------------------------------------------------------------- total correlation


def exact_log_q(model: VAE, x: torch.Tensor, z: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """log q(z) and log ∏ q(zⱼ) of the mixture of the posteriors of all x, by scipy, at z (B, d)."""
    q = model.posterior(x)
    densities = stats.norm(q.mean.detach().numpy(), q.stddev.detach().numpy()).pdf(z.detach().numpy()[:, None])  # (B, N, d)
    return np.log(densities.prod(2).mean(1)), np.log(densities.mean(1)).sum(1)


def test_the_parts_of_the_rate_are_exact_when_the_batch_is_the_whole_data():
    model, x = VAE(3, (8,)).double(), torch.rand(20, 1, 28, 28, dtype=torch.float64)
    torch.manual_seed(5)
    terms = objectives.total_correlation(model, x, images=20, beta=4.0)
    torch.manual_seed(5)
    q = model.posterior(x)
    z = q.rsample()
    log_q, log_product = exact_log_q(model, x, z)
    log_q_x, log_p = q.log_prob(z).detach().numpy(), stats.norm.logpdf(z.detach().numpy()).sum(1)
    np.testing.assert_allclose(terms["mutual_information"].detach().numpy(), log_q_x - log_q)
    np.testing.assert_allclose(terms["total_correlation"].detach().numpy(), log_q - log_product)
    np.testing.assert_allclose(terms["dimension_wise_kl"].detach().numpy(), log_product - log_p)
    whole = objectives.total_correlation
    torch.manual_seed(5)
    plain = whole(model, x, images=20, beta=1.0)
    np.testing.assert_allclose((plain["loss"] - plain["distortion"]).detach().numpy(), log_q_x - log_p)  # nothing lost, nothing twice
    np.testing.assert_allclose((terms["loss"] - plain["loss"]).detach().numpy(), 3 * (log_q - log_product))


def test_from_a_batch_the_aggregate_posteriors_density_is_estimated_without_bias():
    """Averaged over batches around one image, exp of the estimated log q(z) is the mean over all N posteriors."""
    model, everything = VAE(2, (8,)).double(), torch.rand(12, 1, 28, 28, dtype=torch.float64)
    with torch.no_grad():
        model.encoder[-1].weight.mul_(8)
    estimates, exact = [], []
    for seed in range(1_500):
        torch.manual_seed(seed)
        batch = everything[torch.randperm(12)[:4]]
        torch.manual_seed(seed)
        terms = objectives.total_correlation(model, batch, images=12)
        torch.manual_seed(seed)
        q = model.posterior(batch)
        z = q.rsample()
        log_q = q.log_prob(z) - terms["mutual_information"]
        estimates.append(log_q.exp()[0].item())
        exact.append(np.exp(exact_log_q(model, everything, z[:1])[0][0]))
    difference = np.array(estimates) - np.array(exact)
    assert abs(difference.mean()) < 4 * difference.std() / 1_500**0.5
    assert difference.std() > 0.01 * np.mean(exact)  # the batches do differ


# ---------------------------------------------------------------- importance-weighted bound


def test_the_bound_is_the_log_mean_of_the_weights_written_out():
    model, x = VAE(2, (8,)).double(), torch.rand(5, 1, 28, 28, dtype=torch.float64)
    torch.manual_seed(2)
    found = objectives.iwae_bound(model, x, k=3)
    torch.manual_seed(2)
    q = model.posterior(x)
    z = q.rsample((3,))
    pixels = torch.sigmoid(model.decoder(z)).view(3, 5, 1, 28, 28)
    log_p_x = (x * pixels.log() + (1 - x) * (1 - pixels).log()).sum((2, 3, 4)).detach().numpy()
    log_p_z = stats.norm.logpdf(z.detach().numpy()).sum(2)
    log_q = stats.norm(q.mean.detach().numpy(), q.stddev.detach().numpy()).logpdf(z.detach().numpy()).sum(2)
    np.testing.assert_allclose(found.detach().numpy(), np.log(np.exp(log_p_x + log_p_z - log_q).mean(0)))
    torch.manual_seed(2)
    terms = objectives.negative_iwae_bound(model, x, k=3)
    torch.testing.assert_close(terms["loss"], -found)
    np.testing.assert_allclose(terms["negative_elbo"].detach().numpy(), -(log_p_x + log_p_z - log_q).mean(0))


def test_the_bound_rises_with_k_towards_the_evidence_and_never_beyond():
    truth, x = example(correlated=True)
    wide = 1.5 * np.diag(truth.covariance)  # tails beyond the posterior's: the weights keep a finite variance
    model, evidence = truth.vae(wide, shift=0.2), truth.log_evidence(x[:1]).item()
    image, means, errors = as_images(x[:1]).expand(4_000, -1, -1, -1), [], []
    for k in (1, 4, 16, 256):
        bound = objectives.iwae_bound(model, image, k).detach().numpy()
        means.append(bound.mean())
        errors.append(bound.std() / 4_000**0.5)
    assert all(later > earlier + 3 * error for earlier, later, error in zip(means[:-1], means[1:], errors[:-1], strict=True))
    assert all(mean < evidence + 3 * error for mean, error in zip(means, errors, strict=True))
    assert evidence - means[-1] < 0.05


def test_the_bound_wants_a_sample():
    with pytest.raises(ValueError, match="k >= 1"):
        objectives.iwae_bound(VAE(2, (4,)), torch.rand(1, 1, 28, 28), k=0)


DRAWN = {  # objectives through which a gradient passes by way of a draw
    "ELBO": objectives.negative_elbo,
    "free bits": partial(objectives.free_bits, floor=0.01),
    "capacity": partial(objectives.controlled_capacity, capacity=5.0),
    "total correlation": partial(objectives.total_correlation, images=100, beta=3.0),
    "importance-weighted": partial(objectives.negative_iwae_bound, k=3),
    "sampled rate": sampled_rate_elbo,
}


@pytest.mark.parametrize("name", DRAWN)
def test_the_gradient_is_that_of_finite_differences(name):
    torch.manual_seed(0)
    model, x = VAE(3, (8,), "tanh").double(), torch.rand(6, 1, 28, 28, dtype=torch.float64)
    bias = model.encoder[-1].bias

    def loss() -> torch.Tensor:
        torch.manual_seed(1)  # the same noise for every value of the bias
        return DRAWN[name](model, x)["loss"].mean()

    (exact,) = torch.autograd.grad(loss(), bias)
    found = torch.empty_like(exact)
    with torch.no_grad():
        for i in range(len(bias)):
            bias[i] += 1e-5
            above = loss()
            bias[i] -= 2e-5
            found[i] = (above - loss()) / 2e-5
            bias[i] += 1e-5
    torch.testing.assert_close(exact, found, rtol=1e-5, atol=1e-6)
