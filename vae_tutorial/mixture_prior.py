"""A VAE whose prior is learned: a mixture of Gaussians in place of N(0, I), trained together with both networks.

The VampPrior (Tomczak & Welling 2018) builds such a mixture from the encoder's answers to learned pseudo-inputs. Here the means,
variances and weights are free parameters: the same idea without the pseudo-inputs.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from vae_tutorial.models import VAE
from vae_tutorial.objectives import Terms


class MixturePriorVAE(VAE):
    """A `VAE` with p(z) = Σ πⱼ N(mⱼ, diag(sⱼ²)); all of π, m and s are trained.

    Args:
        latent_dim: d, the length of z.
        hidden: widths of the encoder's hidden layers; the decoder mirrors them.
        components: how many Gaussians. They start at random places of N(0, I), each with σ = 1.
        activation: see `networks.ACTIVATIONS`.

    Raises:
        ValueError: no component.
    """

    def __init__(self, latent_dim: int, hidden: Sequence[int], components: int, activation: str = "relu") -> None:
        if components < 1:
            raise ValueError(f"a mixture has at least one component, got {components}")
        super().__init__(latent_dim, hidden, activation)
        self.configuration = {"latent_dim": latent_dim, "hidden": list(hidden), "components": components, "activation": activation}
        self.means = nn.Embedding(components, latent_dim).weight  # drawn from N(0, I)
        self.log_vars = nn.Parameter(torch.zeros(components, latent_dim))
        self.weight_logits = nn.Parameter(torch.zeros(components))

    @property
    def prior(self) -> MixtureSameFamily:
        """p(z) over (d,): a mixture, so that its KL has no closed form."""
        each = Independent(Normal(self.means, torch.exp(0.5 * self.log_vars), validate_args=False), 1, validate_args=False)
        return MixtureSameFamily(Categorical(logits=self.weight_logits, validate_args=False), each, validate_args=False)


def sampled_rate_elbo(model: VAE, x: Tensor, beta: float = 1.0) -> Terms:
    """Loss terms, each (B,) nats: β·rate + distortion with the rate log q(z|x) − log p(z) at the one sample z.

    On average it is KL(q(z|x)‖p(z)), for any prior that has a density, and may be negative for a single z.
    """
    q = model.posterior(x)
    z = q.rsample()
    distortion = -model.likelihood(z).log_prob(x)
    rate = q.log_prob(z) - model.prior.log_prob(z)
    return {"loss": beta * rate + distortion, "rate": rate, "distortion": distortion}
