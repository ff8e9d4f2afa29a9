"""Explorers: ipywidgets sliders above one anywidget canvas that runs the network in the reader's browser."""

from vae_tutorial.explorers.beta_calculator import beta_calculator
from vae_tutorial.explorers.bottleneck import bottleneck
from vae_tutorial.explorers.code_grid import code_grid
from vae_tutorial.explorers.completion import completion
from vae_tutorial.explorers.conditional import conditional
from vae_tutorial.explorers.continuous_beta import continuous_beta
from vae_tutorial.explorers.denoising import denoising
from vae_tutorial.explorers.drag_q import drag_q
from vae_tutorial.explorers.draw_digit import draw_digit
from vae_tutorial.explorers.importance_bound import importance_bound
from vae_tutorial.explorers.interpolation import interpolation
from vae_tutorial.explorers.latent_map import latent_map
from vae_tutorial.explorers.mean_and_sample import mean_and_sample
from vae_tutorial.explorers.monte_carlo import monte_carlo
from vae_tutorial.explorers.perplexity import perplexity
from vae_tutorial.explorers.quiz import quiz
from vae_tutorial.explorers.reparameterise import reparameterise
from vae_tutorial.explorers.rotation import rotation
from vae_tutorial.explorers.training_replay import training_replay
from vae_tutorial.explorers.traversal import traversal
from vae_tutorial.explorers.two_densities import two_densities

__all__ = [
    "beta_calculator",
    "bottleneck",
    "code_grid",
    "completion",
    "conditional",
    "continuous_beta",
    "denoising",
    "drag_q",
    "draw_digit",
    "importance_bound",
    "interpolation",
    "latent_map",
    "mean_and_sample",
    "monte_carlo",
    "perplexity",
    "quiz",
    "reparameterise",
    "rotation",
    "training_replay",
    "traversal",
    "two_densities",
]
