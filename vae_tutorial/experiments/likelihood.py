"""log p(x) of the 10,000 official test images under `mnist-likelihood`: importance sampling with 5,000 codes each, in 20 parts."""

from vae_tutorial.checkpoints import load_model
from vae_tutorial.evaluation import estimate_evidence
from vae_tutorial.recipes.measuring import MEASURING_SEED, held_out
from vae_tutorial.sweeps import grid

NAME = "likelihood"
DATA = "mnist"
PARTS = 20
CODES = 5_000  # the field's habit
WIDENED = 1.2  # of 1, 1.1, 1.2, 1.3 the steadiest weights on 100 embedded digits; the field draws from q itself, 1
SETTINGS = [
    *grid(part=range(PARTS), widened=WIDENED, products="bfloat16"),
    *grid(part=(0, 10), widened=1.0, products="bfloat16"),  # the same images, codes from q
    *grid(part=0, widened=WIDENED, products="float32"),  # the same codes: what bfloat16 costs
]
MINUTES = 2


def run(part: int, widened: float, products: str, root: str | None = None) -> dict[str, float]:
    """Every 20th image from this one on, binarised once: means over them, nats."""
    x, model = held_out(DATA, root, binarized=True)["official_test"].x[part::PARTS], load_model("mnist-likelihood")
    evidence = estimate_evidence(model, x, CODES, MEASURING_SEED + part, progress=False, precision=products, widened=widened)
    return {
        "log_evidence": round(float(evidence.log_evidence.mean()), 4),
        "spread": round(float(evidence.log_evidence.std()), 4),  # over images
        "standard_error": round(float(evidence.standard_error.mean()), 4),  # of one image's estimate, to first order
        "effective": round(float(evidence.effective_samples.median()), 1),
        "images": len(x),
    }
