"""The prior N(0, I), a mixture fitted to the codes after training, and one trained with the networks: bounds, and bad samples."""

import torch
from sklearn.mixture import GaussianMixture

from vae_tutorial.evaluation import estimate_evidence
from vae_tutorial.image_quality import digit_confidence
from vae_tutorial.mixture_prior import MixturePriorVAE, sampled_rate_elbo
from vae_tutorial.models import VAE
from vae_tutorial.recipes.measuring import MEASURING_SEED, at_hand, training_images
from vae_tutorial.schedules import one_cycle
from vae_tutorial.sweeps import grid
from vae_tutorial.training import evaluate, fit

NAME = "priors"
DATA = "mnist"
LATENT_DIM = 8
HIDDEN = (256,)
COMPONENTS = 40
TRAINING_IMAGES = 10_000
EPOCHS = 16
BATCH_SIZE = 128
PEAK_LEARNING_RATE = 2e-3
FITTED = 10_000  # codes that the later mixture is fitted to
CODES, MEASURED = 500, 400  # of the importance-sampled log p(x), and held-out digits
MADE = 1_000  # samples of each kind
SHARE = 0.05  # of reconstructions that count as bad
SETTINGS = grid(prior=("standard", "mixture"), seed=range(5))
MINUTES = 0.2


@torch.no_grad()
def run(prior: str, seed: int, root: str | None = None) -> dict[str, float]:
    """Train one model on digits binarised anew each time; measure held-out ones, binarised once, nats."""
    x, held = training_images(DATA, root, seed).x[:TRAINING_IMAGES], at_hand(DATA, binarized=True).x
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = VAE(LATENT_DIM, HIDDEN) if prior == "standard" else MixturePriorVAE(LATENT_DIM, HIDDEN, COMPONENTS)
    with torch.enable_grad():
        fit(
            model, x, sampled_rate_elbo, epochs=EPOCHS, batch_size=BATCH_SIZE, learning_rate=one_cycle(PEAK_LEARNING_RATE),
            transform=torch.bernoulli, seed=seed, progress=False,
        )  # fmt: skip
    numbers = evaluate(model, held, sampled_rate_elbo, seed=MEASURING_SEED)
    evidence = estimate_evidence(model, held[:MEASURED], CODES, MEASURING_SEED, progress=False).log_evidence
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(MEASURING_SEED + seed)
        fitted, codes = model.posterior(x[:FITTED].bernoulli()).sample(), model.posterior(held).sample()
        made = {"codes": codes[:MADE], "prior": model.prior.sample((MADE,))}
    later = GaussianMixture(COMPONENTS, covariance_type="diag", tol=3e-3, reg_covar=1e-4, max_iter=300, random_state=seed)
    later.fit(fitted.double().numpy())
    made["later"] = torch.from_numpy(later.sample(MADE)[0]).float()
    gain = torch.from_numpy(later.score_samples(codes.double().numpy())) - model.prior.log_prob(codes)
    confidence = {name: digit_confidence(model.likelihood(z).mean) for name, z in made.items()}
    bad = confidence["codes"].quantile(SHARE)
    results = {f"{name}_unsure": round(float((values < bad).float().mean()), 4) for name, values in confidence.items()}
    results |= {name: round(value, 3) for name, value in numbers.items()}
    return results | {"log_evidence": round(float(evidence.mean()), 3), "later_gain": round(float(gain.mean()), 3)}
