"""What the explorers of the page More uses should show, computed by PyTorch from the settings on the screen."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from built_site import Explorer
from shipped import Expected, Shown, load, pictures

from vae_tutorial import image_quality, inpainting

MODES = 3  # that have a picture


@cache
def code_grid(points: int, extent: float) -> inpainting.CodeGrid:
    """A grid of the shipped 2-D model."""
    return inpainting.CodeGrid(load("mnist-2d"), points, extent)


def completion(explorer: Explorer) -> Callable[[Shown], Expected]:
    """Modes, masses and completions of the digit, side and cover on the screen; the third picture is the pressed place's, if one is."""
    x, grid = pictures(explorer, "digits"), code_grid(explorer.state["points"], explorer.state["extent"])

    def expected(shown: Shown) -> Expected:
        image = x[int(shown["sliders"]["digit"]) - 1]
        seen = inpainting.visible(inpainting.SIDES[shown["side"]], int(shown["sliders"]["covered"]))
        log_posterior = grid.log_posterior(image[None], seen)[0].double()
        modes = grid.modes(log_posterior)
        first, decoded = modes[:MODES], torch.zeros(MODES, 784)
        masses, codes = torch.zeros(MODES), torch.zeros(2, MODES)
        for place, mode in enumerate(first):
            decoded[place], masses[place], codes[:, place] = grid.complete(image, seen, mode.index).flatten(), mode.mass, mode.z
        if shown["held"] >= 0:
            decoded[-1] = grid.complete(image, seen, shown["held"]).flatten()
        terms = {"decoded": decoded.flatten(), "masses": masses, "codes": codes.flatten()}
        entropy = torch.special.entr(log_posterior.exp()).sum()
        return {key: value.numpy() for key, value in terms.items()} | {"entropy": entropy.numpy(), "count": np.array(len(modes))}

    return torch.no_grad()(expected)


def conditional(explorer: Explorer) -> Callable[[Shown], Expected]:
    """The code on the sliders, whose units stand in the order of their rates, as all ten classes, and their slants."""
    model, order = load("mnist-conditional"), explorer.state["order"]

    def expected(shown: Shown) -> Expected:
        z = torch.empty(len(order))
        z[order] = torch.tensor(list(shown["sliders"].values()))
        decoded = model.given(label=torch.arange(10)).likelihood(z.expand(10, -1)).mean
        terms = {"z": z, "decoded": decoded.flatten(), "slants": image_quality.slant(decoded)}
        return {key: value.numpy() for key, value in terms.items()}

    return torch.no_grad()(expected)
