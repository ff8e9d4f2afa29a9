"""Arrays in, matplotlib figure out, in the book's one look; `show` puts a figure on the page with its alt text."""

import base64
import html
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from PIL import Image

HERE = Path(__file__).parent
PALETTE: dict[str, dict[str, str]] = json.loads((HERE / "palette.json").read_text("utf-8"))
INK = {name: entry["light"] for name, entry in PALETTE.items()}  # figures stand on a light card in both themes
LINE_STYLES = {"solid": "-", "dashed": "--", "dotted": ":", "heavy": "-"}
PALETTES = ((64, 4), (256, 12))  # how many colours a PNG may do with, if they miss no pixel's by more than that, of 255
CLASS_COLOURS: list[str] = json.loads((HERE / "class_colours.json").read_text("utf-8"))["light"]


def figure(columns: int = 1, rows: int = 1, width: float = 7.0, height: float = 3.2, **options: Any) -> tuple[Figure, Any]:
    """A figure in the book's style and its axes, as `plt.subplots` gives them, without global state.

    Args:
        columns: axes side by side.
        rows: axes on top of each other.
        width: inches of the whole figure.
        height: inches of the whole figure.
        **options: for `Figure.subplots`.
    """
    with mpl.style.context(HERE / "book.mplstyle"):
        made = Figure(figsize=(width, height))
        return made, made.subplots(rows, columns, **options)


def show(made: Figure, alt: str) -> Any:
    """The figure as an image with alt text, which reads the same in JupyterLab, on Colab and on the site.

    Args:
        made: the figure.
        alt: what is seen, in a sentence or two, for those who cannot see it.

    Raises:
        ValueError: an empty alt text.
    """
    if not alt.strip():
        raise ValueError("say in alt= what the figure shows")
    from IPython.display import HTML

    with mpl.style.context(HERE / "book.mplstyle"):
        buffer = io.BytesIO()
        made.savefig(buffer, format="png", dpi=2 * made.dpi / 1.2)
    pixels = base64.b64encode(smaller_png(buffer.getvalue())).decode()
    width = round(made.get_figwidth() * 96)
    return HTML(f'<img class="vae-figure" width="{width}" alt="{html.escape(alt)}" src="data:image/png;base64,{pixels}">')


def smaller_png(png: bytes) -> bytes:
    """A figure's PNG without transparency and, where no eye sees the difference, with a palette: about a third of the size."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    for colours, most in PALETTES:
        reduced = image.quantize(colours, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        if np.abs(np.asarray(reduced.convert("RGB"), dtype=int) - np.asarray(image, dtype=int)).max() <= most:
            break
    else:
        reduced = image
    buffer = io.BytesIO()
    reduced.save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def line_of(quantity: str) -> dict[str, Any]:
    """Colour and line style of a quantity of the palette, as keyword arguments of `Axes.plot`.

    Raises:
        ValueError: a name that is not in the palette.
    """
    if quantity not in PALETTE:
        raise ValueError(f"unknown quantity {quantity!r}: choose from {list(PALETTE)}")
    style = PALETTE[quantity]["line"]
    return {"color": INK[quantity], "linestyle": LINE_STYLES.get(style, "-"), "linewidth": 2.6 if style == "heavy" else 1.8}


def digit_grid(axes: Axes, images: Any, columns: int, gap: int = 2) -> None:
    """Draw images (N, …, H, W) in [0, 1] as one mosaic, black on white, row by row."""
    pixels = np.asarray(images, dtype=float)
    pixels = pixels.reshape(-1, *pixels.shape[-2:])
    count, height, width = pixels.shape
    rows = -(-count // columns)
    mosaic = np.zeros((rows * (height + gap) - gap, columns * (width + gap) - gap))
    for index, image in enumerate(pixels):
        top, left = (index // columns) * (height + gap), (index % columns) * (width + gap)
        mosaic[top : top + height, left : left + width] = image
    axes.imshow(mosaic, cmap="gray_r", vmin=0, vmax=1)
    axes.set_axis_off()


def class_map(axes: Axes, z: Any, y: Any, size: float = 3.0) -> None:
    """Scatter 2-D codes (N, 2) by class (N,), with each class's digit at its median: colour is never the only sign."""
    z, y = np.asarray(z), np.asarray(y)
    for label in np.unique(y):
        codes = z[y == label]
        colour = CLASS_COLOURS[label % 10]
        axes.scatter(*codes.T, s=size, color=colour, alpha=0.5, linewidths=0)
        axes.annotate(
            str(label), np.median(codes, axis=0), ha="center", va="center", weight="bold", size=12, color="#1f2328",
            bbox={"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": colour, "linewidth": 2},
        )  # fmt: skip
    axes.set_xlabel("$z_1$")
    axes.set_ylabel("$z_2$")
    axes.set_aspect("equal")


def seed_band(axes: Axes, x: Sequence[float], runs: Iterable[Sequence[float]], label: str, **style: Any) -> None:
    """Runs of several seeds as thin lines, their mean heavy and labelled."""
    values = np.asarray(list(runs))
    for run in values:
        axes.plot(x, run, **(style | {"linewidth": 0.7, "alpha": 0.5}))
    axes.plot(x, values.mean(0), label=label, **style)


def information_map(axes: Axes, information: Any, rates: Any, factors: Sequence[str]) -> None:
    """Mutual information of every unit with every factor, the unit with the largest rate on top, each value in its cell.

    Args:
        axes: a heat map of d rows and K columns is drawn here.
        information: (d, K) in nats, row i for unit i.
        rates: (d,) in nats, E KL(q(zᵢ|x)‖p(zᵢ)); they order the rows and stand beside them.
        factors: K names.

    Raises:
        ValueError: shapes that do not fit.
    """
    information, rates = np.asarray(information, dtype=float), np.asarray(rates, dtype=float)
    if information.shape != (len(rates), len(factors)):
        raise ValueError(f"information has shape {information.shape}, but there are {len(rates)} rates and {len(factors)} factors")
    order = np.argsort(-rates, kind="stable")
    darkest = 1 - 0.6 * (1 - np.array(to_rgb(INK["rate"])))  # so that dark text stays legible in every cell
    shades = LinearSegmentedColormap.from_list("information", ["#ffffff", tuple(darkest)])
    axes.imshow(information[order], cmap=shades, vmin=0, vmax=max(float(information.max()), 1e-9), aspect="auto")
    for (row, column), value in np.ndenumerate(information[order]):
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", color=INK["elbo"])
    axes.set_xticks(range(len(factors)), [name.replace("_", " ") for name in factors])
    axes.set_yticks(range(len(order)), [f"$z_{{{unit + 1}}}$   {rates[unit]:.2f}" for unit in order])
    axes.set_ylabel("unit and its rate, nats")
    axes.tick_params(length=0)
