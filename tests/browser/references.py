"""What each explorer should show, by its name."""

from __future__ import annotations

from collections.abc import Callable

from built_site import Explorer
from references_applications import denoising
from references_beyond import code_grid, importance_bound
from references_experiments import continuous_beta, interpolation, perplexity, rotation_of_z, training_replay, traversal
from references_foundations import (
    beta_calculator,
    bottleneck,
    drag_q,
    draw_digit,
    latent_map,
    mean_and_sample,
    monte_carlo,
    reparameterise,
    two_densities,
)
from references_more_uses import completion, conditional
from shipped import Expected, Shown


def reference(explorer: Explorer) -> Callable[[Shown], Expected]:
    """The function from what an explorer shows (sliders, input) to the numbers that PyTorch gives for it."""
    return REFERENCES[explorer.kind](explorer)


REFERENCES = {
    **{"LatentMap": latent_map, "Bottleneck": bottleneck, "DrawDigit": draw_digit, "BetaCalculator": beta_calculator},
    **{"MonteCarlo": monte_carlo, "MeanAndSample": mean_and_sample},
    **{"TwoDensities": two_densities, "DragQ": drag_q, "Reparameterise": reparameterise},
    **{"Interpolation": interpolation, "Perplexity": perplexity},
    **{"ContinuousBeta": continuous_beta, "TrainingReplay": training_replay},
    **{"Denoising": denoising},
    **{"Traversal": traversal, "Rotation": rotation_of_z},
    **{"Completion": completion, "Conditional": conditional},
    **{"CodeGrid": code_grid, "ImportanceBound": importance_bound},
}
