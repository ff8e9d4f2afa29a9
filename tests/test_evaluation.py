"""Evidence, units and aggregate posterior against the closed forms of linear-Gaussian models."""

from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch
from linear_gaussian import as_images, example, kl_of_gaussians
from scipy.stats import norm
from torch.distributions import Independent, Laplace

from vae_tutorial import evaluation, likelihoods
from vae_tutorial.checkpoints import load_model
from vae_tutorial.data import binarize
from vae_tutorial.models import VAE


def evidence(model, x, k, seed=0, **options):
    return evaluation.estimate_evidence(model, x, k, seed, progress=False, **options)


def bernoulli_vae(d: int = 2) -> tuple[VAE, torch.Tensor]:
    """An untrained VAE whose logits vary with z, and three binary images."""
    torch.manual_seed(2)
    model = VAE(d, (16,), "tanh").eval()
    with torch.no_grad():
        model.decoder[-1].weight.mul_(3)
    return model, (torch.rand(3, 1, 28, 28) < 0.3).float()


# ---------------------------------------------------------------- log p(x)


def test_evidence_is_exact_where_q_is_the_true_posterior():
    """All weights are then p(x): one code is enough, and nothing is uncertain."""
    truth, x = example(correlated=False)
    found = evidence(truth.vae(), as_images(x), 10)
    np.testing.assert_allclose(found.log_evidence, truth.log_evidence(x), rtol=1e-10)
    np.testing.assert_allclose(found.effective_samples, 10, rtol=1e-9)
    np.testing.assert_allclose(found.standard_error, 0, atol=1e-6)


@pytest.mark.parametrize(("correlated", "stretch", "shift"), [(True, 6.0, 0.0), (False, 2.0, 0.0), (True, 6.0, 0.2)])
def test_evidence_is_that_of_the_closed_form(correlated, stretch, shift):
    truth, x = example(correlated)
    model = truth.vae(variance=stretch / np.diag(truth.precision), shift=shift)
    found = evidence(model, as_images(x), 5_000)
    error = found.standard_error.numpy()
    assert (error > 1e-3).all()
    assert (error < 0.1).all()
    np.testing.assert_array_less(np.abs(found.log_evidence.numpy() - truth.log_evidence(x)), 4 * error)


def test_a_wider_proposal_steadies_what_a_narrow_q_estimates():
    """The same log p(x), with less uncertainty; a factor of 1 is q itself."""
    truth, x = example(correlated=False)
    model, images = truth.vae(variance=0.5 / np.diag(truth.precision)), as_images(x)
    narrow, widened = evidence(model, images, 2_000), evidence(model, images, 2_000, widened=2**0.5)  # the true posterior
    assert (narrow.standard_error > 1e-3).all()
    np.testing.assert_allclose(widened.standard_error, 0, atol=1e-6)
    np.testing.assert_allclose(widened.log_evidence, truth.log_evidence(x), rtol=1e-9)
    with pytest.raises(ValueError, match="must be positive, got 0"):
        evidence(model, images, 5, widened=0)


def test_evidence_is_a_lower_bound_on_average_and_rises_with_k():
    """Burda et al. 2016, theorem 1; at k = 1 the mean is the ELBO, known in closed form."""
    truth, x = example(correlated=True)
    variance, shift = 1 / np.diag(truth.precision), 0.15
    model, images = truth.vae(variance=variance, shift=shift), as_images(x[:1]).expand(200, -1, -1, -1)
    means, errors = [], []
    for k in (1, 4, 16, 64):
        found = torch.cat([evaluation.log_evidence(model, images, k, seed, progress=False) for seed in range(2)])
        means.append(found.mean().item())
        errors.append(found.std().item() / 20)
    mean, exact = truth.posterior_mean(x[:1])[0], truth.log_evidence(x[0]).item()
    assert means[0] == pytest.approx(exact - kl_of_gaussians(mean + shift, variance, mean, truth.covariance), abs=4 * errors[0])
    assert errors[0] < 0.15
    for (fewer, more), error in zip(pairwise(means), errors[:-1], strict=True):
        assert more > fewer + 2 * error
    assert means[-1] < exact - 2 * errors[-1]


def test_standard_error_is_the_spread_over_seeds():
    truth, x = example(correlated=False)
    model = truth.vae(variance=1.5 / np.diag(truth.precision))
    found = evidence(model, as_images(x[:1]).expand(400, -1, -1, -1), 300)  # each place has noise of its own
    assert found.log_evidence.std().item() == pytest.approx(found.standard_error.mean().item(), rel=0.15)


def test_effective_samples_are_those_of_the_weights():
    truth, x = example(correlated=True)
    model, image = truth.vae(variance=np.array([0.5, 0.5])), as_images(x[:1])
    found = evidence(model, image, 40, seed=3)
    torch.manual_seed(3)
    q = model.posterior(image)
    z = q.sample((40,))
    weight = (model.likelihood(z).log_prob(image) + model.prior.log_prob(z) - q.log_prob(z)).exp()
    assert found.effective_samples.item() == pytest.approx((weight.sum() ** 2 / weight.square().sum()).item())
    assert found.log_evidence.item() == pytest.approx(weight.mean().log().item())


def test_one_code_has_no_standard_error():
    truth, x = example(correlated=True)
    assert evidence(truth.vae(), as_images(x), 1).standard_error.isnan().all()


def test_evidence_of_a_bernoulli_vae_is_the_sum_over_all_images():
    """With 2 × 2 binary pixels the probabilities of all 16 images, estimated one by one, add up to 1."""
    torch.manual_seed(5)
    model = VAE(2, (8,), "tanh", image_shape=(1, 2, 2)).eval()
    with torch.no_grad():
        model.decoder[-1].weight.mul_(4)
    x = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 4).view(16, 1, 2, 2)
    found = evidence(model, x, 4_000)
    probability = found.log_evidence.exp()
    assert probability.std() > 0.01  # not all alike
    assert probability.sum().item() == pytest.approx(1, abs=4 * (probability * found.standard_error).norm().item())
    assert (probability * found.standard_error).norm() < 0.01


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "grey"])
@pytest.mark.parametrize("scale", [0.0, 1.0, 50.0])  # logits of 0, and of some 200: the product of what is added must not overflow
def test_short_cut_for_bernoulli_pixels_is_their_log_prob(scale, binary):
    model, x = bernoulli_vae()
    image = x[:1] if binary else torch.rand(1, 1, 28, 28)
    x_logits = scale * model.decode(torch.randn(50, 1, 2)).detach()
    assert x_logits.abs().max() >= 4 * scale
    p = likelihoods.bernoulli(x_logits)
    torch.testing.assert_close(evaluation.log_likelihood(p, image), p.log_prob(image), rtol=1e-5, atol=1e-3)
    assert evaluation.log_likelihood(p, image).shape == (50, 1)


def test_other_likelihoods_and_posteriors_will_do():
    """No Gaussian anywhere but in the referee: a Laplace q and a Laplace p(x|z), integrated on a line."""

    class LaplaceModel:
        prior = Independent(Laplace(torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64)), 1)

        def posterior(self, x):
            return Independent(Laplace(x.flatten(1) / 2, torch.full((len(x), 1), 0.7, dtype=torch.float64)), 1)

        def likelihood(self, z):
            return Independent(Laplace(z[..., None, None], torch.tensor(0.5, dtype=torch.float64)), 3)

    x = torch.tensor([-1.0, 0.3, 2.0], dtype=torch.float64).view(3, 1, 1, 1)
    found = evidence(LaplaceModel(), x, 20_000)
    line = np.linspace(-40, 40, 800_001)
    for value, estimate, error in zip(x.flatten().numpy(), found.log_evidence, found.standard_error, strict=True):
        density = np.exp(-np.abs(line)) / 2 * np.exp(-np.abs(value - line) / 0.5)
        assert abs(np.log(np.trapezoid(density, line)) - estimate.item()) < 4 * error.item() < 0.1


def test_portions_change_rounding_only_and_images_do_not_touch_each_other():
    model, x = bernoulli_vae()
    whole = evidence(model, x, 300, decodings=300).log_evidence
    torch.testing.assert_close(evidence(model, x, 300, decodings=7).log_evidence, whole, rtol=1e-6, atol=0)
    assert torch.equal(evidence(model, x[:2], 300, decodings=300).log_evidence, whole[:2])
    assert not torch.equal(evidence(model, x, 300, seed=1).log_evidence, whole)


def test_no_more_codes_are_decoded_at_once_than_allowed():
    model, x = bernoulli_vae()
    sizes: list[int] = []
    model.decoder.register_forward_pre_hook(lambda _, inputs: sizes.append(inputs[0][..., 0].numel()))
    evidence(model, x, 100, decodings=30)
    assert sizes == [30, 30, 30, 10] * 3


def test_measuring_leaves_the_random_state_and_the_model_alone():
    torch.manual_seed(0)
    model, x = VAE(2, (8,), channels=(2, 3)).train(), torch.rand(3, 1, 28, 28).round()
    weights = {name: (value.clone(), value.stride()) for name, value in model.state_dict().items()}
    before = torch.get_rng_state()
    found = evidence(model, x, 5)
    evaluation.aggregate_posterior(model, x, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    assert found.log_evidence.dtype == torch.float64
    assert not found.log_evidence.requires_grad
    assert model.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, weights[name][0])
        assert value.stride() == weights[name][1]


def test_products_in_bfloat16_change_the_rounding_only(test_digits):
    model, x = load_model("mnist-16d"), binarize(test_digits.x[:100], 0)
    exact, rounded = (evidence(model, x, 100, precision=precision).log_evidence for precision in ("float32", "bfloat16"))
    assert not torch.equal(exact, rounded)
    torch.testing.assert_close(rounded, exact, atol=0.5, rtol=0)  # of some 100 nats
    assert (rounded - exact).mean().abs() < 0.03  # images differ by 0.08 either way
    with pytest.raises(ValueError, match="unknown precision 'half': choose 'float32', 'bfloat16' or 'fast'"):
        evidence(model, x, 1, precision="half")


@pytest.mark.parametrize("options", [{"k": 0}, {"k": 5, "decodings": 0}])
def test_no_codes_are_refused(options):
    model, x = bernoulli_vae()
    with pytest.raises(ValueError, match="at least 1"):
        evidence(model, x, **options)


def test_wrong_pixels_are_refused():
    model, x = bernoulli_vae()
    for measure in (evaluation.rate_per_unit, evaluation.activity, partial(evidence, k=5), partial(evaluation.aggregate_posterior, seed=0)):
        with pytest.raises(ValueError, match="divide 8-bit images"):
            measure(model, 255 * x)
        with pytest.raises(ValueError, match=r"no images|at least 2"):
            measure(model, x[:0])


def test_conditions_are_given_one_at_a_time():
    torch.manual_seed(0)
    model, x = VAE(2, (8,), conditioned_on="label"), torch.rand(3, 1, 28, 28)
    assert evidence(model.given(label=4), x, 20).log_evidence.shape == (3,)
    with pytest.raises(ValueError, match="one condition"):
        evidence(model.given(label=torch.tensor([1, 2, 3])), x, 20)
    torch.manual_seed(0)
    model = VAE(2, (8,), conditioned_on="beta")
    assert evidence(model.given(beta=2), x, 20).log_evidence.shape == (3,)
    with pytest.raises(ValueError, match="one condition"):
        evidence(model.given(beta=torch.tensor([1, 2, 3])), x, 20)


# ---------------------------------------------------------------- units


class Rendered:
    """Images made on demand."""

    def __init__(self, x):
        self.x = x

    def __len__(self):
        return len(self.x)

    def __getitem__(self, rows):
        return self.x[rows]


def units_example() -> tuple[VAE, torch.Tensor, np.ndarray, np.ndarray]:
    """A model with d = 2, 2,500 images from it, and its posteriors' means (N, d) and variances (d,)."""
    truth, _ = example(correlated=True)
    draw = np.random.default_rng(3)
    x = truth.bias + draw.normal(size=(2_500, 2)) @ truth.weight.T + truth.sigma * draw.normal(size=(2_500, 5))
    return truth.vae(), as_images(x), truth.posterior_mean(x), 1 / np.diag(truth.precision)


def test_rate_per_unit_is_the_closed_form():
    model, x, mean, variance = units_example()
    expected = 0.5 * (mean**2 + variance - 1 - np.log(variance)).mean(0)
    np.testing.assert_allclose(evaluation.rate_per_unit(model, x), expected, rtol=1e-9)
    np.testing.assert_allclose(evaluation.rate_per_unit(model, Rendered(x)), expected, rtol=1e-9)


def test_activity_is_the_variance_of_the_means():
    model, x, mean, _ = units_example()
    np.testing.assert_allclose(evaluation.activity(model, x), mean.var(0, ddof=1), rtol=1e-9)
    np.testing.assert_allclose(evaluation.activity(model, Rendered(x)), mean.var(0, ddof=1), rtol=1e-9)


def test_active_units_are_those_above_the_threshold():
    """A unit with a constant mean is idle, however far from 0; at 1.01 and 0.99 of the threshold's variance one counts."""
    torch.manual_seed(0)
    model = VAE(3, (), likelihood="gaussian", image_shape=(1, 1, 2))
    x = torch.randn(1_000, 1, 1, 2)
    deviation = x[:, 0, 0].std(0)
    with torch.no_grad():
        model.encoder[0].weight.zero_()
        model.encoder[0].bias.fill_(5)
        model.encoder[0].weight[0, 0] = (0.0101**0.5) / deviation[0]
        model.encoder[0].weight[1, 1] = (0.0099**0.5) / deviation[1]
    assert evaluation.active_units(model, x).tolist() == [True, False, False]
    assert evaluation.active_units(model, x, threshold=0.005).tolist() == [True, True, False]
    assert evaluation.active_units(model, x, threshold=0.0).tolist() == [True, True, False]


# ---------------------------------------------------------------- the aggregate posterior


def linear_encoder(slope: float, sigma: float, images: int, d: int = 1, seed: int = 4) -> tuple[VAE, torch.Tensor]:
    """q(z|x) = N(slope·x, σ²) for x ~ N(0, 1), unit by unit: the aggregate posterior of endlessly many images is N(0, slope² + σ²)."""
    model = VAE(d, (), "none", "gaussian", image_shape=(1, 1, d)).double()
    with torch.no_grad():
        model.encoder[0].weight.copy_(torch.cat([slope * torch.eye(d), torch.zeros(d, d)]))
        model.encoder[0].bias.copy_(torch.cat([torch.zeros(d), torch.full((d,), 2 * np.log(sigma))]))
    return model, as_images(np.random.default_rng(seed).normal(size=(images, d)))


@pytest.mark.parametrize(("slope", "sigma"), [(0.8, 0.6), (1.5, 0.5), (0.3, 0.3)], ids=["q bar = p", "wide", "narrow"])
def test_rate_splits_into_the_closed_forms(slope, sigma):
    """Of a Gaussian channel: I = ½ log(1 + slope²/σ²), and KL(N(0, slope² + σ²)‖N(0, 1))."""
    model, x = linear_encoder(slope, sigma, 4_000)
    found = evaluation.aggregate_posterior(model, x, seed=0)
    variance = slope**2 + sigma**2
    spread = slope**2 * abs(x.numpy().var() - 1)  # what these images differ from endlessly many
    assert found.rate == pytest.approx(evaluation.rate_per_unit(model, x).sum().item())
    assert found.marginal_kl == pytest.approx((variance - 1 - np.log(variance)) / 2, abs=4 * found.standard_error + spread + 0.005)
    assert found.mutual_information == pytest.approx(np.log(1 + slope**2 / sigma**2) / 2, abs=4 * found.standard_error + spread + 0.005)
    assert found.standard_error < 0.02


@pytest.mark.parametrize(("slope", "sigma"), [(1.0, 0.5), (1.0, 0.1), (0.5, 0.5)], ids=["apart", "far apart", "overlapping"])
def test_the_aggregate_of_two_images_is_integrated(slope, sigma):
    """Two posteriors on a line, with q̄ their mixture: KL(q̄‖p) by quadrature, the estimate averaged over seeds."""
    model, x = linear_encoder(slope, sigma, 2)
    mean = slope * x.flatten().numpy()
    line = np.linspace(-8, 8, 40_001)
    log_mixture = np.logaddexp(*norm(mean[:, None], sigma).logpdf(line)) - np.log(2)
    exact = np.trapezoid(np.exp(log_mixture) * (log_mixture + line**2 / 2 + np.log(2 * np.pi) / 2), line)
    found = np.array([evaluation.aggregate_posterior(model, x, seed).marginal_kl for seed in range(1_000)])
    assert found.mean() == pytest.approx(exact, abs=4 * found.std() / len(found) ** 0.5)
    assert found.std() / len(found) ** 0.5 < 0.03


def test_too_few_images_are_seen_from_the_two_estimates():
    """Of 30 images in d = 3, one estimate lies above the truth and the other below: here the truth is KL = 0."""
    found = [evaluation.aggregate_posterior(*linear_encoder(0.95, (1 - 0.95**2) ** 0.5, 30, d=3, seed=seed), seed) for seed in range(20)]
    assert np.mean([one.marginal_kl for one in found]) > 0.3
    assert np.mean([one.held_out for one in found]) < -0.3
    model, x = linear_encoder(0.8, 0.6, 4_000)
    many = evaluation.aggregate_posterior(model, x, 0)
    assert many.held_out == pytest.approx(many.marginal_kl, abs=0.01)
    assert many.held_out < many.marginal_kl


def test_mutual_information_has_the_ceiling_log_n():
    """Whatever codes are drawn: no chance of theirs may lift the estimate over what fifty names can tell."""
    model, x = linear_encoder(1.0, 1e-4, 50, d=4)
    for seed in range(40):
        found = evaluation.aggregate_posterior(model, x, seed)
        assert np.log(50) - 1e-6 < found.mutual_information < np.log(50) + 1e-9
        assert found.standard_error < 1e-6


def test_codes_that_ignore_the_image_carry_nothing():
    model, x = linear_encoder(0.0, 1.0, 100)
    found = evaluation.aggregate_posterior(model, x, 0)
    assert abs(found.rate) < 1e-9
    assert abs(found.marginal_kl) < 1e-9
    assert abs(found.held_out) < 1e-9


def test_standard_error_of_the_marginal_kl_is_its_spread_over_seeds():
    model, x = linear_encoder(1.5, 0.5, 100)
    found = [evaluation.aggregate_posterior(model, x, seed) for seed in range(300)]
    spread = np.std([one.marginal_kl for one in found])
    assert spread < np.mean([one.standard_error for one in found]) < 3 * spread


def test_one_image_has_no_aggregate():
    model, x = linear_encoder(1.0, 1.0, 1)
    with pytest.raises(ValueError, match="at least 2"):
        evaluation.aggregate_posterior(model, x, 0)
    with pytest.raises(ValueError, match="a variance over images wants at least 2 of them, got 1"):
        evaluation.active_units(model, x)
