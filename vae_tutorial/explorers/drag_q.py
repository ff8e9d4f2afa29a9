"""Drag q: a Gaussian q(z|x) moved over the true posterior of a VAE with d = 1; K and L change, their sum does not."""

from math import log

import ipywidgets
import torch
import traitlets
from torch import Tensor

from vae_tutorial.explorers.canvas import Canvas, FiniteFloat, slider, stack
from vae_tutorial.explorers.javascript import join_modules
from vae_tutorial.explorers.weights import float32_bytes
from vae_tutorial.models import VAE

EXTENT, POINTS = 12.0, 2401  # the grid of z: any q of the sliders has less than a millionth of its mass outside
MU, LOG_SIGMA, BETA = (-4.0, 4.0), (-3.5, 0.5), (0.0, 3.0)  # the sliders' ranges
MOST = 8  # images: more are no choice but a search
RESOLUTION = 0.01  # nats by which log p(x) may move when every second grid point is left out
CURVE = torch.linspace(-4.5, 4.5, 181)  # codes whose decoded means the plane shows


class DragQ(Canvas):
    """The canvas of `drag_q`: q = N(mu, exp(log_sigma)²) for image number `point`, counted from 1."""

    _esm = join_modules("drag_q.js")
    shown = ("point", "mu", "log_sigma", "beta")
    point = traitlets.Int(1, min=1).tag(sync=True)
    mu = FiniteFloat(0.0, min=MU[0], max=MU[1]).tag(sync=True)
    log_sigma = FiniteFloat(-0.5, min=LOG_SIGMA[0], max=LOG_SIGMA[1]).tag(sync=True)
    beta = FiniteFloat(1.0, min=BETA[0], max=BETA[1]).tag(sync=True)
    extent = FiniteFloat(EXTENT).tag(sync=True)
    log_likelihoods = traitlets.Bytes().tag(sync=True)  # float32 (N, K): log p(x|z) on the grid
    encoder_mu = traitlets.List(FiniteFloat()).tag(sync=True)  # (N,)
    encoder_log_sigma = traitlets.List(FiniteFloat()).tag(sync=True)  # (N,)
    images = traitlets.Bytes().tag(sync=True)  # float32 (N, 2) where x is a point in the plane, else empty
    curve = traitlets.Bytes().tag(sync=True)  # float32 (181, 2): the decoder's means, or empty
    noise = FiniteFloat(0.0).tag(sync=True)  # standard deviation of p(x|z) in the plane

    @traitlets.validate("point")
    def _known(self, proposal: traitlets.Bunch) -> int:
        if self.encoder_mu and proposal["value"] > len(self.encoder_mu):
            raise traitlets.TraitError(f"point must lie in 1 … {len(self.encoder_mu)}, not {proposal['value']}")
        return proposal["value"]


def drag_q(model: VAE, x: Tensor, point: int = 1, mu: float = 0.0, log_sigma: float = -0.5, beta: float = 1.0) -> ipywidgets.VBox:
    """Drag q(z|x) over the true posterior: K = KL(q‖p(z|x)) and L trade places, their sum log p(x) stands still.

    Try: make K as small as you can by hand, then press "best q"; press "encoder's q": what is left is the amortisation
    gap. For an x between two arms, find both humps with "best q". Set β below 1 and press "best q": L_β stands above
    log p(x), so it bounds nothing.

    Args:
        model: latent dimension 1; where its images are two numbers, the plane with the decoder's curve is shown too.
        x: up to eight images (N, C, H, W).
        point: which of them is shown first, from 1.
        mu: mean of q at the start, −4 … 4.
        log_sigma: logarithm of q's standard deviation, −3.5 … 0.5.
        beta: weight of the rate in L_β, 0 … 3.

    Raises:
        ValueError: another latent dimension, no image or too many, a point that is not there, or a p(z|x) too narrow
            for the browser's grid.
        TraitError: a number outside its range.
    """
    if model.latent_dim != 1:
        raise ValueError(f"the model has a latent dimension of {model.latent_dim}: q is dragged along one axis")
    if not 1 <= len(x) <= MOST:
        raise ValueError(f"x may hold 1 … {MOST} images, not {len(x)}")
    if not 1 <= point <= len(x):
        raise ValueError(f"point must lie in 1 … {len(x)}, not {point}")
    with torch.no_grad():
        log_likelihood = _on_grid(model, x)
        encoder_mu, encoder_log_var = model.encode(x)
        planar = x[0].numel() == 2
        curve = model.decode(CURVE[:, None]).flatten(1) if planar else torch.empty(0)
    canvas = DragQ(
        encoder_mu=encoder_mu.flatten().tolist(),
        encoder_log_sigma=(encoder_log_var / 2).flatten().tolist(),
        point=point,
        mu=mu,
        log_sigma=log_sigma,
        beta=beta,
        log_likelihoods=float32_bytes(log_likelihood),
        images=float32_bytes(x.float() if planar else torch.empty(0)),
        curve=float32_bytes(curve.float()),
        noise=float(torch.as_tensor(model.sigma).detach()) if planar and model.family == "gaussian" else 0.0,
    )
    number = ipywidgets.IntSlider(description="x", min=1, max=len(x), value=point, layout={"width": "auto", "max_width": "840px"})
    sliders = [
        (slider("μ", *MU, 0.01, mu), "mu"),
        (slider("log σ", *LOG_SIGMA, 0.01, log_sigma), "log_sigma"),
        (slider("β", *BETA, 0.05, beta), "beta"),
    ]
    links = [*([(number, "point")] if len(x) > 1 else []), *sliders]
    for control, _ in links:
        control.style.description_width = "3.2em"
    return stack(canvas, links)


def _on_grid(model: VAE, x: Tensor) -> Tensor:
    """log p(x|z) of every image on the browser's grid, (N, K), float32."""
    z = torch.linspace(-EXTENT, EXTENT, POINTS)
    likelihood = model.likelihood(z[:, None])  # of K images
    log_likelihood = torch.stack([likelihood.log_prob(image) for image in x]).float()
    log_joint = log_likelihood.double() - z.double().square() / 2
    coarse = log_joint[:, ::2].logsumexp(1) + log(2)
    worst = float((coarse - log_joint.logsumexp(1)).abs().max())
    if not worst < RESOLUTION:
        raise ValueError(f"p(z|x) is too narrow for {POINTS} points: log p(x) is uncertain by {worst:.2g} nats")
    return log_likelihood
