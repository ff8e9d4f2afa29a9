"""log p(x) of the 10,000 official test images under `mnist-likelihood`: importance sampling with 5,000 codes each, in 20 parts."""

import torch

from vae_tutorial.checkpoints import load_model, model_card
from vae_tutorial.evaluation import estimate_evidence
from vae_tutorial.local_inference import fit_posteriors, gaussian_elbo
from vae_tutorial.models import VAE
from vae_tutorial.recipes.measuring import MEASURING_SEED, held_out
from vae_tutorial.sweeps import grid

NAME = "likelihood"
DATA = "mnist"
PARTS = 20
CODES = 5_000  # the field's habit
WIDENED = 1.2  # of 1, 1.1, 1.2, 1.3 the steadiest weights on 100 embedded digits; the field draws from q itself, 1
STEPS = 50  # of fitting q to each image; on the same digits 100 and 200 gave no more
WEIGHTS = model_card("mnist-likelihood")["sha256"][:12]  # in every setting: results of other weights are not taken for these
SETTINGS = [
    *grid(part=range(PARTS), widened=WIDENED, products="bfloat16", weights=WEIGHTS),  # codes from the encoder's q, widened
    *grid(part=(0, 10), widened=1.0, products="bfloat16", weights=WEIGHTS),  # the same images, codes from q itself
    *grid(part=range(PARTS), widened=WIDENED, products="bfloat16", steps=STEPS, weights=WEIGHTS),  # from a q fitted to each image, widened
    *grid(part=0, widened=WIDENED, products="float32", weights=WEIGHTS),  # the same codes: what bfloat16 costs
]
MINUTES = 3


def run(part: int, widened: float, products: str, weights: str, steps: int = 0, root: str | None = None) -> dict[str, float]:
    """The shipped model's numbers, see `measure`.

    Raises:
        ValueError: these are not the weights that are shipped.
    """
    if weights != WEIGHTS:
        raise ValueError(f"the shipped mnist-likelihood has weights {WEIGHTS}, not {weights}: take the checkpoint of that time")
    return measure(load_model("mnist-likelihood"), part, widened, products, steps, root)


def measure(model: VAE, part: int, widened: float, products: str, steps: int, root: str | None) -> dict[str, float]:
    """Every 20th image from this one on, binarised once: means over them, nats.

    Fit and measurement draw with one seed, so a few of their numbers are the same. With a seed of its own for the fit, tried on
    seven parts, log p(x) moved by 0.006 nats at most, up and down (0.0001 on average), and the fitted ELBO by 0.03 (0.005).
    """
    x = held_out(DATA, root, binarized=True)["official_test"].x[part::PARTS]
    model = model.to(memory_format=torch.channels_last).requires_grad_(False)
    seed, q, fitted = MEASURING_SEED + part, None, {}
    if steps:
        q = fit_posteriors(model, x, seed, steps=steps, precision=products)
        eps = torch.randn(8, *q.mean.shape, generator=torch.Generator().manual_seed(seed))
        with torch.no_grad():
            parts = zip(x.split(50), q.mean.split(50), q.stddev.log().split(50), eps.split(50, 1), strict=True)
            fitted = {"elbo": round(float(torch.cat([gaussian_elbo(model, *each).mean(0) for each in parts]).mean()), 4)}
    evidence = estimate_evidence(model, x, CODES, seed, progress=False, precision=products, widened=widened, proposal=q)
    return {
        "log_evidence": round(float(evidence.log_evidence.mean()), 4),
        "spread": round(float(evidence.log_evidence.std()), 4),  # over images
        "standard_error": round(float(evidence.standard_error.mean()), 4),  # of one image's estimate, to first order
        "effective": round(float(evidence.effective_samples.median()), 1),
        "images": len(x),
    } | fitted
