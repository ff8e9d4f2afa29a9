"""Perplexity: recorded t-SNE maps of codes beside the codes themselves, and what the maps keep of them."""

from pathlib import Path

import ipywidgets
import torch
import traitlets

from vae_tutorial.embeddings import RECORDED, load_clouds
from vae_tutorial.explorers.canvas import LOOK, Canvas, FiniteFloat, label_bytes, stack
from vae_tutorial.explorers.javascript import join_modules
from vae_tutorial.explorers.latent_map import extent_of
from vae_tutorial.explorers.weights import float16_bytes

BLOB_EXTENT = 1.15  # of the widest coordinate: clouds that are no model's codes are shown whole, with room around the cursor
START = 197  # a point at the top of the wide one of the three blobs: the cursor hides no blob


class Perplexity(Canvas):
    """The canvas of `perplexity`: cloud number `cloud` (from 0) at `perplexity`, its point number `point` (from 1) marked."""

    _esm = join_modules("perplexity.js")
    shown = ("cloud", "perplexity", "point")
    cloud = traitlets.Int(0, min=0).tag(sync=True)
    perplexity = FiniteFloat(32.0, min=1.0).tag(sync=True)
    point = traitlets.Int(1, min=1).tag(sync=True)
    perplexities = traitlets.List(FiniteFloat()).tag(sync=True)  # those recorded
    clouds = traitlets.List(traitlets.Dict()).tag(sync=True)  # name, count, d, extent, model; their bytes follow in this order
    codes = traitlets.Bytes().tag(sync=True)  # float16, (count, d) each
    labels = traitlets.Bytes().tag(sync=True)  # uint8, (count,) each
    maps = traitlets.Bytes().tag(sync=True)  # uint8, (P, count, 2) each

    @traitlets.validate("cloud")
    def _known(self, proposal: traitlets.Bunch) -> int:
        if self.clouds and proposal["value"] >= len(self.clouds):
            raise traitlets.TraitError(f"cloud must lie in 0 … {len(self.clouds) - 1}, not {proposal['value']}")
        return proposal["value"]


def perplexity(cloud: str | None = None, perplexity: float = 32.0, point: int | None = None, recorded: Path = RECORDED) -> ipywidgets.VBox:
    """Move t-SNE's perplexity and hold the map against the codes it was made from.

    Try: "three blobs": find the wide one and the far one in the map. "One Gaussian" at a low perplexity: how many clusters
    are there? Then β = 1 against β = 0 in ten dimensions: what does the map say about their scales?

    Maps are recorded at powers of two; in between, the points' positions are interpolated.

    Args:
        cloud: name of the codes shown first; by default the first recorded ones.
        perplexity: at the start, within the recorded range.
        point: number of the point that is marked at the start, from 1; by default one that hides none of the three blobs.
        recorded: file of the maps.

    Raises:
        ValueError: a cloud that is not recorded, a perplexity outside the range, or a point that is not there.
    """
    clouds = load_clouds(recorded)
    names, strengths = list(clouds), next(iter(clouds.values())).perplexities
    if cloud is not None and cloud not in clouds:
        raise ValueError(f"unknown cloud {cloud!r}: choose from {names}")
    if not strengths[0] <= perplexity <= strengths[-1]:
        raise ValueError(f"perplexity must lie in {strengths[0]:g} … {strengths[-1]:g}, not {perplexity}")
    fewest = min(len(each.codes) for each in clouds.values())
    point = min(START, fewest) if point is None else point
    if not 1 <= point <= fewest:
        raise ValueError(f"point must lie in 1 … {fewest}, not {point}")
    start = 0 if cloud is None else names.index(cloud)
    facts = [
        {
            "name": name,
            "count": len(each.codes),
            "d": each.codes.shape[1],
            "extent": extent_of(each.codes[:, :2]) if each.model else BLOB_EXTENT * float(each.codes[:, :2].abs().max()),
            "model": each.model,
        }
        for name, each in clouds.items()
    ]
    canvas = Perplexity(
        clouds=facts,
        cloud=start,
        perplexity=perplexity,
        point=point,
        perplexities=list(strengths),
        codes=b"".join(float16_bytes(each.codes, "codes") for each in clouds.values()),
        labels=b"".join(label_bytes(each.labels) for each in clouds.values()),
        maps=b"".join(each.maps.to(torch.uint8).numpy().tobytes() for each in clouds.values()),
    )
    low, high = (float(torch.tensor(end).log2()) for end in (strengths[0], strengths[-1]))
    strength = ipywidgets.FloatLogSlider(
        description="perplexity", base=2, min=low, max=high, step=0.25, value=perplexity, readout_format=".3g", **LOOK
    )
    number = ipywidgets.IntSlider(description="point", min=1, max=fewest, value=point, **LOOK)
    choice = ipywidgets.Dropdown(description="codes", options=names, index=start, **LOOK)
    box = stack(canvas, [(strength, "perplexity"), (number, "point")])
    ipywidgets.jslink((choice, "index"), (canvas, "cloud"))  # a menu's value stays in Python, its index does not
    for control in (choice, strength, number):
        control.style.description_width = "5.5em"
    box.children = (choice, *box.children)
    return box
