"""What the explorers of the applications should show, computed by PyTorch from the settings on the screen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from built_site import Explorer
from shipped import Expected, Shown, load, pictures

from vae_tutorial.denoisers import median


def denoising(explorer: Explorer) -> Callable[[Shown], Expected]:
    """The noise from the draws shown, then what SciPy and the shipped networks make of the noisy digit shown, and their errors."""
    denoiser, vae = load("mnist-denoising"), load("mnist-16d")
    samples = pictures(explorer, "samples").flatten(1).numpy()

    def expected(shown: Shown) -> Expected:
        x, noisy, draws = (np.array(shown[name], dtype=np.float32) for name in ("input", "noisy", "noise"))
        level, kind = np.float32(shown["sliders"]["level"]), shown["kind"]
        spots = np.where(draws < level, (draws < level / 2) * (kind == 1), x)
        y = torch.from_numpy(noisy).view(1, 1, 28, 28)
        images = {"noisy": y, "median": median(y), "decoded": denoiser(y), "vae": vae.likelihood(vae.encode(y.clamp(0, 1))[0]).mean}
        terms = {name: image.flatten().numpy() for name, image in images.items()}
        errors = np.array([np.mean((image - x) ** 2) for image in terms.values()])
        known = {} if shown["digit"] < 0 else {"input": samples[shown["digit"]]}
        return terms | {"noisy": spots if kind else x + level * draws, "errors": errors, **known}

    return torch.no_grad()(expected)
