"""Constrained training: one of rate and distortion is held at a target, and the price between them is found on the way.

Both classes are objectives with a state, `fit(model, x, HoldRate(12.0), …)`: each step descends in the weights and ascends in
the logarithm of the multiplier, which so stays positive. `fit` stores the multiplier with the training state.
"""

import torch
from torch import Tensor, nn

from vae_tutorial.models import VAE
from vae_tutorial.objectives import Terms, rate_distortion


class _Multiplier(nn.Module):
    """A multiplier ν > 0 that grows while a quantity lies above its target and shrinks while it lies below."""

    log_multiplier: Tensor
    most = float("inf")  # relative excess that a step counts

    def __init__(self, target: float, step: float) -> None:
        super().__init__()
        if not (target > 0 and step > 0):
            raise ValueError(f"target and step must be positive, got {target} and {step}")
        self.target, self.step = target, step
        self.register_buffer("log_multiplier", torch.zeros(()))

    def _ascend(self, constrained: Tensor) -> Tensor:
        """ν as it was; log ν then moves by `step` times the relative excess, only where gradients are recorded."""
        multiplier = self.log_multiplier.exp()
        if torch.is_grad_enabled():
            excess = (constrained.detach().mean() - self.target) / self.target
            self.log_multiplier = self.log_multiplier + self.step * excess.clamp(-self.most, self.most)
        return multiplier


class HoldRate(_Multiplier):
    """The least distortion with a rate of `target` nats: dual ascent on log β (the Lagrangian of Higgins et al. 2017, eq. 3).

    Each training step minimises distortion + β·rate in the weights, then moves log β by `step`·(rate − target)/target.
    Where the target is met, β is the price of a nat, −d distortion/d rate; where no rate reaches it, β falls towards 0.

    Raises:
        ValueError: a target or step that is not positive.
    """

    def __init__(self, target: float, step: float = 0.01) -> None:
        super().__init__(target, step)

    def forward(self, model: VAE, x: Tensor) -> Terms:
        """Terms (B,); β moves only where gradients are recorded, so measuring does not change it."""
        rate, distortion = rate_distortion(model, x)
        beta = self._ascend(rate)
        return {"loss": distortion + beta * rate, "rate": rate, "distortion": distortion, "beta": beta.expand(len(x))}


class HoldDistortion(_Multiplier):
    """The least rate with a distortion of `target` nats (GECO, Rezende & Viola 2018, algorithm 1), the mirror of `HoldRate`.

    Each training step minimises rate + ν·distortion in the weights, then moves log ν by `step`·(distortion − target)/target.
    `"beta"` is 1/ν, the same price as that of `HoldRate`. Before training the distortion is several times its target: an excess
    counts as a tenth of the target at most, else ν has grown so far by then that it takes longer than the training to come
    back. (The paper smooths the excess over steps instead.)

    Raises:
        ValueError: a target or step that is not positive (negative log-densities of Gaussian pixels: add a constant).
    """

    most = 0.1

    def __init__(self, target: float, step: float = 0.05) -> None:
        super().__init__(target, step)

    def forward(self, model: VAE, x: Tensor) -> Terms:
        """Terms (B,); ν moves only where gradients are recorded, so measuring does not change it."""
        rate, distortion = rate_distortion(model, x)
        multiplier = self._ascend(distortion)
        terms = {"loss": rate + multiplier * distortion, "rate": rate, "distortion": distortion}
        return terms | {"beta": (1 / multiplier).expand(len(x))}
