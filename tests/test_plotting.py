"""The palette against the design's values and WCAG, and each plot against what it was given."""

import ast
import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import torch
from colours import contrast, is_neutral
from matplotlib import image
from matplotlib.colors import to_hex
from PIL import Image as Picture

from vae_tutorial import plotting

FOLDER = Path(plotting.__file__).parent

# As the look was designed: quantity → colour on light, colour on dark, line.
DESIGN = {
    "q": ("#0067a5", "#56b4e9", "solid"),
    "posterior": ("#b3261e", "#ff8a7a", "dashed"),
    "prior": ("#5f6368", "#b0b7bf", "dotted"),
    "decoder": ("#a85b00", "#f5a742", "solid"),
    "rate": ("#7b2d8b", "#d39be0", "–"),
    "distortion": ("#00704a", "#4fd1a5", "–"),
    "elbo": ("#1f2328", "#e6edf3", "heavy"),
}
DARK_GROUNDS = ("#0d1117", "#14181e")  # the design's, and the theme's


# ---------------------------------------------------------------- palette


def test_palette_is_the_designs():
    assert {name: (entry["light"], entry["dark"], entry["line"]) for name, entry in plotting.PALETTE.items()} == DESIGN
    assert all(entry["meaning"] for entry in plotting.PALETTE.values())


@pytest.mark.parametrize("quantity", DESIGN)
def test_palette_is_readable_on_light_and_on_dark(quantity):
    light, dark, _ = DESIGN[quantity]
    assert contrast(light, "#ffffff") >= 5
    assert all(contrast(dark, ground) >= 5 for ground in DARK_GROUNDS)


def test_contrast_is_wcags():
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # the well-known grey that just fails AA


def test_figure_style_uses_the_palette_and_neutrals_and_no_small_text():
    style = (FOLDER / "book.mplstyle").read_text("utf-8")
    allowed = {colour.lstrip("#") for colour in plotting.INK.values()}
    colours = re.findall(r":\s*#?([0-9a-f]{6})$", style, re.M)
    assert colours
    assert all(colour in allowed or is_neutral(colour) for colour in colours)
    sizes = [float(size) for size in re.findall(r"size:\s*([\d.]+)$", style, re.M)]
    assert min(sizes) >= 9


@pytest.mark.parametrize("quantity", DESIGN)
def test_line_of_a_quantity_is_the_designs(quantity):
    light, _, line = DESIGN[quantity]
    style = plotting.line_of(quantity)
    assert style["color"] == light
    assert style["linestyle"] == {"dashed": "--", "dotted": ":"}.get(line, "-")
    assert (style["linewidth"] > plotting.line_of("q")["linewidth"]) == (line == "heavy")


def test_an_unknown_quantity_is_refused():
    with pytest.raises(ValueError, match=r"likelihood.*q.*posterior"):
        plotting.line_of("likelihood")


# ---------------------------------------------------------------- figures


class Image(HTMLParser):
    """The attributes of the one <img> of a piece of HTML."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag == "img"
        self.attributes = dict(attrs)


def shown(figure, alt: str) -> dict[str, str]:
    parser = Image()
    parser.feed(plotting.show(figure, alt=alt).data)
    return parser.attributes


def test_figures_have_a_light_card_whatever_the_surroundings():
    dark = dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), "black")
    with mpl.rc_context(dark | {"savefig.transparent": True}):
        figure, axes = plotting.figure(2, 1, 6, 3)
        attributes = shown(figure, "an empty figure")
    assert len(axes) == 2
    assert figure.get_size_inches().tolist() == [6, 3]
    pixels = image.imread(io.BytesIO(base64.b64decode(attributes["src"].split(",")[1])))
    np.testing.assert_array_equal(pixels[0, 0], [1, 1, 1, 1])
    np.testing.assert_array_equal(pixels[-1, -1], [1, 1, 1, 1])


def test_the_style_stays_inside():
    before = dict(mpl.rcParams)
    figure, axes = plotting.figure()
    axes.plot([0, 1], [0, 1], **plotting.line_of("rate"))
    shown(figure, "a line")
    assert dict(mpl.rcParams) == before


def test_a_figure_is_an_image_with_alt_text_twice_as_sharp_as_it_is_wide():
    figure, axes = plotting.figure(width=5, height=2.5)
    axes.plot([0, 1], [0, 1])
    alt = 'rate < 5 nats & "falling"'
    attributes = shown(figure, alt)
    assert attributes["alt"] == alt
    assert attributes["src"].startswith("data:image/png;base64,")
    pixels = image.imread(io.BytesIO(base64.b64decode(attributes["src"].split(",")[1])))
    assert int(attributes["width"]) == 480
    assert pixels.shape[1] >= 1.7 * 480


def full_colour(figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=2 * figure.dpi / 1.2)
    return buffer.getvalue()


def pixels_of(png: bytes) -> np.ndarray:
    return np.asarray(Picture.open(io.BytesIO(png)).convert("RGB"), dtype=int)


def greys(axes):
    ramp = np.linspace(0, 1, 400)
    plotting.digit_grid(axes, np.outer(ramp, ramp), columns=1)


def heat(axes):
    axes.imshow(np.add.outer(np.linspace(0, 1, 300), np.linspace(0, 1, 300)), cmap="viridis")


def scatter(axes):
    z = np.random.default_rng(0).normal(0, 1, (1_500, 2)) + np.arange(1_500)[:, None] % 10 / 2
    plotting.class_map(axes, z, np.arange(1_500) % 10)


def lines(axes):
    for quantity in DESIGN:
        axes.plot([0, 1], np.random.default_rng(len(quantity)).uniform(0, 1, 2), label=quantity, **plotting.line_of(quantity))
    axes.legend()


def all_colours(axes):
    red, green = np.meshgrid(np.linspace(0, 1, 250), np.linspace(0, 1, 250))
    axes.imshow(np.stack([red, green, 1 - red], -1))


@pytest.mark.parametrize(
    ("draw", "most", "size"), [(greys, 4, 0.6), (heat, 12, 0.6), (lines, 12, 0.6), (scatter, 12, 1), (all_colours, 0, 1)]
)
def test_a_smaller_png_looks_the_same(draw, most, size):
    figure, axes = plotting.figure()
    draw(axes)
    whole = full_colour(figure)
    smaller = plotting.smaller_png(whole)
    error = np.abs(pixels_of(smaller) - pixels_of(whole)).max(-1)
    assert error.max() <= most
    assert error.mean() <= 1
    assert np.array_equal(pixels_of(smaller)[0, 0], [255, 255, 255])  # the card stays white
    assert len(smaller) < size * len(whole)


def test_a_figure_that_needs_more_colours_keeps_them_all():
    figure, axes = plotting.figure()
    all_colours(axes)
    assert Picture.open(io.BytesIO(plotting.smaller_png(full_colour(figure)))).mode == "RGB"


def test_a_shown_figure_is_the_smaller_png():
    figure, axes = plotting.figure()
    lines(axes)
    png = base64.b64decode(shown(figure, "lines")["src"].split(",")[1])
    assert Picture.open(io.BytesIO(png)).mode == "P"
    assert np.abs(pixels_of(png)[0, 0] - 255).max() == 0


@pytest.mark.parametrize("alt", ["", "  "])
def test_a_figure_without_alt_text_is_refused(alt):
    with pytest.raises(ValueError, match="alt"):
        plotting.show(plotting.figure()[0], alt=alt)


def test_importing_plotting_opens_no_window_and_no_sibling():
    tree = ast.parse((FOLDER / "plotting.py").read_text("utf-8"))
    imported = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
    }
    assert not any(name.startswith("vae_tutorial") or name == "matplotlib.pyplot" for name in imported)


# ---------------------------------------------------------------- plots


@pytest.mark.parametrize("shape", [(5, 1, 4, 3), (5, 4, 3)])
def test_digit_grid_places_each_image_row_by_row_on_white(shape):
    images = torch.rand(shape)
    _, axes = plotting.figure()
    plotting.digit_grid(axes, images, columns=2, gap=1)
    drawn = axes.images[0]
    mosaic = drawn.get_array()
    assert mosaic.shape == (3 * 4 + 2, 2 * 3 + 1)
    np.testing.assert_allclose(mosaic[0:4, 0:3], images[0].reshape(4, 3))
    np.testing.assert_allclose(mosaic[0:4, 4:7], images[1].reshape(4, 3))
    np.testing.assert_allclose(mosaic[5:9, 0:3], images[2].reshape(4, 3))
    np.testing.assert_allclose(mosaic[10:14, 0:3], images[4].reshape(4, 3))
    assert mosaic[10:14, 4:7].max() == 0  # the empty place
    np.testing.assert_allclose(drawn.cmap(drawn.norm(0.0)), (1, 1, 1, 1), atol=1e-6)  # 0 is paper
    np.testing.assert_allclose(drawn.cmap(drawn.norm(1.0)), (0, 0, 0, 1), atol=1e-6)
    assert not axes.axison


def test_class_map_writes_each_class_at_its_median():
    z = np.concatenate([np.random.default_rng(label).normal(3 * label, 0.1, (21, 2)) for label in range(4)])
    y = np.repeat(np.arange(4), 21)
    _, axes = plotting.figure()
    plotting.class_map(axes, torch.from_numpy(z), torch.from_numpy(y))
    assert [text.get_text() for text in axes.texts] == ["0", "1", "2", "3"]
    for label, text in enumerate(axes.texts):
        np.testing.assert_allclose(text.xy, np.median(z[y == label], axis=0))
    assert sum(len(points.get_offsets()) for points in axes.collections) == 84
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("$z_1$", "$z_2$")
    assert axes.get_aspect() == 1


def test_seed_band_draws_every_run_thin_and_their_mean_heavy():
    runs = [[1.0, 2.0, 3.0], [3.0, 2.0, 4.0]]
    _, axes = plotting.figure()
    plotting.seed_band(axes, [0, 1, 2], runs, "ELBO", **plotting.line_of("elbo"))
    *thin, heavy = axes.lines
    np.testing.assert_allclose([line.get_ydata() for line in thin], runs)
    np.testing.assert_allclose(heavy.get_ydata(), [2.0, 2.0, 3.5])
    assert all(line.get_linewidth() < heavy.get_linewidth() for line in thin)
    assert heavy.get_label() == "ELBO"


def test_information_map_writes_every_value_in_its_cell_the_largest_rate_on_top():
    information, rates = np.arange(12).reshape(4, 3) / 10, [0.5, 3.0, 0.001, 3.0]
    _, axes = plotting.figure()
    plotting.information_map(axes, torch.from_numpy(information), rates, ["shape", "scale", "position_x"])
    order = [1, 3, 0, 2]  # of equal rates the earlier unit first
    np.testing.assert_allclose(axes.images[0].get_array(), information[order])
    written = {text.get_position(): text.get_text() for text in axes.texts}
    assert written == {(k, row): f"{information[unit, k]:.2f}" for row, unit in enumerate(order) for k in range(3)}
    units = [label.get_text() for label in axes.get_yticklabels()]
    assert units == ["$z_{2}$   3.00", "$z_{4}$   3.00", "$z_{1}$   0.50", "$z_{3}$   0.00"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["shape", "scale", "position x"]
    drawn = axes.images[0]
    np.testing.assert_allclose(drawn.cmap(drawn.norm(0.0))[:3], (1, 1, 1))
    for value in information.flat:
        assert contrast(axes.texts[0].get_color(), to_hex(drawn.cmap(drawn.norm(value)))) >= 4.5


def test_information_map_refuses_shapes_that_do_not_fit():
    _, axes = plotting.figure()
    with pytest.raises(ValueError, match=r"shape \(4, 3\), but there are 4 rates and 2 factors"):
        plotting.information_map(axes, np.zeros((4, 3)), [1.0] * 4, ["shape", "scale"])
