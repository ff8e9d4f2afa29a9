"""The VQ-VAE (van den Oord et al. 2017): an image becomes a small grid of codes, each one of K vectors in a codebook.

q(codes|x) is a point mass, the nearest vector in each cell, so that log p(x) ≥ log p(x|codes) + log p(codes) for any prior over
grids. Training takes the uniform one, whose cost H·W·log K is constant; a better one is fitted to the codes afterwards.
"""

from collections.abc import Sequence
from math import log

import torch
from torch import Tensor, nn
from torch.distributions import Independent
from torch.nn.functional import one_hot

from vae_tutorial.likelihoods import bernoulli
from vae_tutorial.models import checked_shape
from vae_tutorial.networks import ConvTransposeToFew, FlatConvolutions

IMAGES = 1_000  # encoded at once
DECAY = 0.95  # of the codebook's averages: about twenty batches
LEAST = 1.0  # cells of a batch, below which a code starts again


class VectorQuantisedVAE(nn.Module):
    """28 × 28 pixels to a grid of 7 × 7 codes and back, with Bernoulli pixels.

    The decoder has two transposed convolutions and no more: a code reaches the pixels of its own cell and of its
    neighbours, which is what makes single codes readable.

    Args:
        codes: K, the size of the codebook.
        code_dim: length of its vectors.
        channels: of the convolutions.
        image_shape: (C, H, W), with H and W divisible by four.

    Raises:
        ValueError: a size below one, or an image_shape that is not (C, H, W) or does not fall into cells of 4 × 4 pixels.
    """

    bounded = True  # x must lie in [0, 1]
    codebook: Tensor
    counts: Tensor
    sums: Tensor

    def __init__(self, codes: int = 16, code_dim: int = 8, channels: int = 32, image_shape: Sequence[int] = (1, 28, 28)) -> None:
        super().__init__()
        if min(codes, code_dim, channels) < 1:
            raise ValueError(f"codes, code_dim and channels must be at least 1, got {codes}, {code_dim} and {channels}")
        planes, height, width = checked_shape(image_shape)
        if height % 4 or width % 4:
            raise ValueError(f"height and width must be divisible by 4, got image_shape = {tuple(image_shape)}: a code is for 4 × 4 pixels")
        self.configuration = {"codes": codes, "code_dim": code_dim, "channels": channels, "image_shape": list(image_shape)}
        self.image_shape, self.codes = tuple(image_shape), codes
        self.grid = (height // 4, width // 4)
        self.encoder = FlatConvolutions(
            nn.Unflatten(-1, self.image_shape),
            nn.Conv2d(planes, channels, 4, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(channels, channels, 4, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(channels, code_dim, 3, padding=1), nn.Flatten(),
        )  # fmt: skip
        self.decoder = FlatConvolutions(
            nn.Unflatten(-1, (code_dim, *self.grid)),
            nn.ConvTranspose2d(code_dim, channels, 4, stride=2, padding=1), nn.ReLU(),
            ConvTransposeToFew(channels, planes, 4, stride=2, padding=1), nn.Flatten(),
        )  # fmt: skip
        self.register_buffer("codebook", nn.Embedding(codes, code_dim).weight.detach())  # drawn from N(0, I)
        self.register_buffer("counts", torch.ones(codes))  # how many cells lately had each code as their nearest,
        self.register_buffer("sums", self.codebook.clone())  # and the sum of their vectors

    def encode(self, x: Tensor) -> Tensor:
        """x (B, C, H, W) → vectors before rounding, (B, h, w, code_dim)."""
        return self.encoder(x.flatten(-3)).unflatten(-1, (-1, *self.grid)).movedim(-3, -1)

    def nearest(self, vectors: Tensor) -> Tensor:
        """The number of the nearest vector of the codebook for each of the vectors (…, code_dim): int64 (…)."""
        squares = vectors.square().sum(-1, keepdim=True) - 2 * vectors @ self.codebook.T + self.codebook.square().sum(1)
        return squares.argmin(-1)

    @torch.no_grad()
    def quantise(self, x: Tensor) -> Tensor:
        """x (N, C, H, W) → the grids of codes, int64 (N, h, w)."""
        return torch.cat([self.nearest(self.encode(batch)) for batch in x.split(IMAGES)])

    def decode(self, vectors: Tensor) -> Tensor:
        """Grids of vectors (…, h, w, code_dim) → x_logits (…, C, H, W)."""
        return self.decoder(vectors.movedim(-1, -3).flatten(-3)).unflatten(-1, self.image_shape)

    def likelihood(self, codes: Tensor) -> Independent:
        """p(x|codes), for grids of codes (…, h, w)."""
        return bernoulli(self.decode(self.codebook[codes]), len(self.image_shape))

    @torch.no_grad()
    def start_codebook(self, x: Tensor, seed: int) -> None:
        """Set the codebook to vectors of images x that lie far apart (the seeding of k-means++, Arthur & Vassilvitskii 2007).

        From a random start most vectors are nearest to no cell, and stay so.
        """
        vectors = self.encode(x).flatten(0, -2)  # (B·h·w, code_dim)
        generator = torch.Generator().manual_seed(seed)
        away = torch.ones(len(vectors))
        for place in range(self.codes):
            chosen = torch.multinomial(away, 1, generator=generator)
            self.codebook[place] = vectors[chosen[0]]
            distance = (vectors - vectors[chosen]).square().sum(1)
            away = distance if place == 0 else torch.minimum(away, distance)
        self.sums.copy_(self.codebook)

    @torch.no_grad()
    def move_codebook(self, vectors: Tensor, codes: Tensor) -> None:
        """Let each vector of the codebook follow the mean of the vectors (…, code_dim) that it is nearest to.

        A moving average with the weight `DECAY` on the past (van den Oord et al. 2017, appendix A.1). A code that hardly any
        cell wants starts again at one of the vectors.
        """
        flat, chosen = vectors.flatten(0, -2), one_hot(codes.flatten(), self.codes).to(vectors.dtype)  # (n, code_dim), (n, K)
        self.counts.mul_(DECAY).add_(chosen.sum(0), alpha=1 - DECAY)
        self.sums.mul_(DECAY).add_(chosen.T @ flat, alpha=1 - DECAY)
        unwanted = (self.counts < LEAST).nonzero()[:, 0]
        if len(unwanted):
            self.sums[unwanted] = flat[torch.randint(len(flat), (len(unwanted),))]
            self.counts[unwanted] = 1.0
        self.codebook.copy_(self.sums / self.counts[:, None])


def quantisation_loss(model: VectorQuantisedVAE, x: Tensor, commitment: float = 0.25) -> dict[str, Tensor]:
    """Loss terms of a VQ-VAE, each (B,): distortion + commitment·‖z_e − sg[e]‖² (van den Oord et al. 2017, eq. 3).

    z_e is what the encoder gives, e the nearest vector of the codebook, sg the stop of the gradient. The decoder sees e, and the
    encoder receives the decoder's gradient as if it had seen z_e ("straight through"). In place of the loss's middle term,
    ‖sg[z_e] − e‖², the codebook follows the means of its vectors while the model is in training mode and
    gradients are recorded. rate = h·w·log K, nats: the cost of a grid under the uniform prior; it is constant, hence not in the loss.
    """
    vectors = model.encode(x)  # z_e, (B, h, w, code_dim)
    codes = model.nearest(vectors)
    if model.training and torch.is_grad_enabled():  # not while `evaluate` looks
        model.move_codebook(vectors, codes)
    chosen = model.codebook[codes]  # e, a copy
    straight_through = vectors + (chosen - vectors).detach()  # the value of e, the gradient of z_e
    distortion = -bernoulli(model.decode(straight_through), len(model.image_shape)).log_prob(x)
    pull = (vectors - chosen).square().flatten(1).sum(1)
    rate = torch.full_like(distortion, model.grid[0] * model.grid[1] * log(model.codes))
    return {"loss": distortion + commitment * pull, "rate": rate, "distortion": distortion, "pull": pull}


def perplexity(grids: Tensor, codes: int) -> float:
    """exp of the entropy of the codes' frequencies: K if all K are as frequent, 1 if one does all the work."""
    frequency = torch.bincount(grids.flatten(), minlength=codes).double() / grids.numel()
    return float(torch.special.entr(frequency).sum().exp())


class NeighbourPrior:
    """p(codes), cell after cell, each given the codes to its left and above it, from counted frequencies.

    The van den Oord et al. (2017) put a PixelCNN here, which sees all earlier cells. This one is a table, fitted by counting.

    Args:
        grids: the codes that are counted, int64 (N, h, w).
        codes: K.
        smoothing: added to every count, so that nothing is impossible.
    """

    def __init__(self, grids: Tensor, codes: int, smoothing: float = 0.1) -> None:
        self.codes, self.grid = codes, tuple(grids.shape[1:])
        left, above = self._neighbours(grids)
        place = (left * (codes + 1) + above) * codes + grids
        counts = torch.bincount(place.flatten(), minlength=(codes + 1) ** 2 * codes).double().view(codes + 1, codes + 1, codes)
        self.table = (counts + smoothing) / (counts + smoothing).sum(-1, keepdim=True)  # (left, above, code)

    def _neighbours(self, grids: Tensor) -> tuple[Tensor, Tensor]:
        """The codes to the left and above; K where the grid ends."""
        left, above = torch.full_like(grids, self.codes), torch.full_like(grids, self.codes)
        left[..., 1:], above[..., 1:, :] = grids[..., :-1], grids[..., :-1, :]
        return left, above

    def log_prob(self, grids: Tensor) -> Tensor:
        """Of grids (N, h, w): (N,), nats."""
        left, above = self._neighbours(grids)
        return self.table[left, above, grids].log().flatten(1).sum(1)

    def sample(self, count: int, seed: int) -> Tensor:
        """Grids (count, h, w), drawn from the top left to the bottom right."""
        generator, grids = torch.Generator().manual_seed(seed), torch.zeros(count, *self.grid, dtype=torch.int64)
        for row in range(self.grid[0]):
            for column in range(self.grid[1]):
                left, above = (each[:, row, column] for each in self._neighbours(grids))
                grids[:, row, column] = torch.multinomial(self.table[left, above], 1, generator=generator)[:, 0]
        return grids
