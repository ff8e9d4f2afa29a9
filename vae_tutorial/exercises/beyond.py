"""Checks of the page Beyond the plain VAE."""

import math

import torch
from torch import Tensor

from vae_tutorial.exercises import agrees, close, exercise

WEIGHTS = (1.0, 1.0, 8.0)
CELLS, CODES = 49, 16
REACH = 10  # pixels to a side


@exercise("beyond/effective")
def effective(answer: object) -> str | None:
    """The effective number of three codes whose weights are 1, 1 and 8: (Σw)²/Σw²."""
    total, squares = sum(WEIGHTS), sum(weight**2 for weight in WEIGHTS)
    hints = {
        3.0: "that is how many codes were drawn. The third has most of the weight.",
        1.0: "the two others still count a little.",
        total**2 / total: "the denominator is the sum of the squared weights.",
        squares / total**2: "that is upside down.",
        total / squares: "the sum in the numerator is squared as well: scaling all weights must change nothing.",
        total / max(WEIGHTS): "that is the total in units of the largest weight, another measure, and not the one of the page.",
    }
    return close(answer, total**2 / squares, tolerance=0.01, hints=hints)


@exercise("beyond/bound")
def bound(answer: object) -> str | None:
    """log 1/k Σ exp(log_w), from log_w (k, B) to (B,), without overflow."""
    cases = [(torch.tensor([[0.0, 1.0], [2.0, 1.0], [1.0, 4.0]]),), (torch.tensor([[-900.0], [-901.0]]),), (torch.tensor([[-100.0, 3.0]]),)]
    hints = [
        (lambda w: w.mean(0), "that is the mean of the logarithms, the ELBO. The mean stands inside the logarithm."),
        (lambda w: w.logsumexp(0), "it grows with k even if all weights are alike: a mean divides by k."),
        (lambda w: w.logsumexp(0) / len(w), "dividing by k inside the logarithm is subtracting outside of it."),
        (lambda w: w.logsumexp(1) - math.log(w.shape[1]), "the codes stand along the first axis, the images along the second."),
        (lambda w: w.amax(0), "that is the largest weight alone."),
    ]
    return agrees(answer, lambda w: w.logsumexp(0) - math.log(len(w)), cases, tolerance=1e-4, hints=hints)


@exercise("beyond/grid-cost")
def grid_cost(answer: object) -> str | None:
    """What a grid of 49 cells with 16 codes costs under the uniform prior, in nats: 49 log 16."""
    hints = {
        CELLS * 4.0: "that is in bits. The book counts in nats.",
        math.log(CELLS * CODES): "that is the cost of naming one of 49 · 16 things. Here every cell names one of 16.",
        CELLS * math.log(CODES) / CODES: "there is no division by the number of codes.",
        math.log(CODES): "that is one cell. There are 49.",
        float(CELLS * CODES): "a cost in nats is a logarithm.",
        CODES * math.log(CELLS): "cells and codes are exchanged.",
    }
    return close(answer, CELLS * math.log(CODES), tolerance=0.05, hints=hints)


@exercise("beyond/reach")
def reach(answer: object) -> str | None:
    """To how many pixels a side one code of the page's decoder reaches: 1 → 4 → 10 through two doubling 4×4 convolutions."""
    hints = {
        4.0: "that is its own cell, or what one of the two convolutions does.",
        8.0: "two times four, but the second convolution also reaches beyond the ends.",
        16.0: "the patches of neighbours overlap: they start two pixels apart, not four.",
        12.0: "that is three cells, and it does not reach quite so far.",
        28.0: "there is no layer that mixes the whole image.",
        float(REACH**2): "that is the number of pixels in the square. How long is its side?",
    }
    return close(answer, float(REACH), tolerance=0.1, hints=hints)


@exercise("beyond/straight-through")
def straight_through(answer: object) -> str | None:
    """From z_e and e a tensor with the value of e and the gradient of z_e; e gets no gradient."""
    if not callable(answer):
        return f"a function is asked for, not {type(answer).__name__}: give its name without brackets."
    z_e, e = torch.tensor([[0.3, -1.0], [2.0, 0.1]], requires_grad=True), torch.tensor([[0.5, -1.5], [1.0, 0.0]], requires_grad=True)
    try:
        made = answer(z_e, e)
    except Exception as error:
        return f"your function raises {type(error).__name__}: {error}"
    if not isinstance(made, Tensor) or made.shape != e.shape:
        return "return one tensor of the shape of e."
    if not torch.allclose(made, e):
        same = torch.allclose(made, z_e)
        return "its value is that of z_e: then nothing is rounded." if same else "its value should be that of e."
    if not made.requires_grad:
        return "no gradient reaches z_e: something is detached that should not be."
    made.mul(torch.tensor([[1.0, 2.0], [3.0, 4.0]])).sum().backward()
    if e.grad is not None and e.grad.abs().sum() > 0:
        return "e gets a gradient, and z_e " + ("too." if z_e.grad is not None else "none. Which part is to be detached?")
    if z_e.grad is None or not torch.allclose(z_e.grad, torch.tensor([[1.0, 2.0], [3.0, 4.0]])):
        return "the gradient that comes in should reach z_e unchanged."
    return None
