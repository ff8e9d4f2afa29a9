"""How well a β decides the rate: the networks of `beta-separate` at four β, trained for a shorter and a longer time."""

from vae_tutorial.experiments import beta_separate
from vae_tutorial.sweeps import grid

NAME = "beta-epochs"
DATA = beta_separate.DATA
BETAS = (0.1, 3.0, 10.0)  # where one network for all and one for each differ by more than half a nat in their rates
SETTINGS = [*grid(epochs=(15, 30, 120), beta=BETAS, seed=range(3)), *grid(epochs=120, beta=0.3, seed=range(3))]  # `beta-separate` has 60
MINUTES = 3


def run(epochs: int, beta: float, seed: int, root: str | None = None) -> dict[str, float]:
    """As `beta_separate.run`, for so many epochs."""
    return beta_separate.run(beta, seed, root, epochs)
