"""The book's Sphinx extension: its pure functions, and one small book built with it."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import node
import pydata_sphinx_theme
import pytest
from fontTools.ttLib import TTFont
from offline_site import address, files, icons, markup, palette, pictures, scripts
from PIL import Image

ROOT = Path(__file__).parents[1]
CSS = '.fa-sun:before{content:"\\f185"}.fa-cut:before,.fa-scissors:before{content:"\\f0c4"}.menu:after{content:"\\f107"}a{color:red}'
PAGE = """# A page

{text}

```{{code-cell}} python
import ipywidgets
ipywidgets.VBox([ipywidgets.FloatSlider(description="{label}")])
```
"""
FIGURE = """
```{code-cell} python
import numpy
from vae_tutorial import plotting
figure, axes = plotting.figure()
axes.imshow(numpy.random.default_rng(0).uniform(size=(60, 60)))
plotting.show(figure, alt="noise")
```
"""
HEAD = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n  display_name: Python 3\n---\n\n"


def test_palette_becomes_variables_for_both_themes() -> None:
    css = palette.palette_css({"q": {"light": "#0067a5", "dark": "#56b4e9"}})
    light, dark = css.split("}\n")[:2]
    assert light.startswith(":root {")
    assert "--vae-q: #0067a5;" in light
    assert dark.startswith('html[data-theme="dark"] {')
    assert "--vae-q: #56b4e9;" in dark


def test_coloured_formula_changes_colour_in_dark_mode() -> None:
    rule = palette.palette_css({"q": {"light": "#0067a5", "dark": "#56b4e9"}}).splitlines()[-1]
    assert '[style*="color: rgb(0, 103, 165)"]' in rule
    assert rule.endswith("{ color: var(--vae-q) !important; }")


def test_palette_reaches_contrast_on_its_background() -> None:
    for name, colour in palette.load_palette().items():
        assert contrast(colour["light"], "#ffffff") >= 4.5, name
        assert contrast(colour["dark"], "#121212") >= 4.5, name


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two ``#rrggbb`` colours, as WCAG 2 defines it."""
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_only_shown_icons_are_kept() -> None:
    kept = icons.keep_icons(CSS, icons.icon_names('<i class="fa-solid fa-scissors"></i>'))
    assert "fa-sun" not in kept
    assert ".fa-cut:before,.fa-scissors:before" in kept
    assert "a{color:red}" in kept
    assert icons.glyphs(kept) == {0xF0C4, 0xF107}


def test_subset_font_has_just_the_wanted_glyphs() -> None:
    font = next(Path(pydata_sphinx_theme.__file__).parent.rglob("fa-solid-900.woff2")).read_bytes()
    subset = icons.subset_font(font, {0xF185, 0xF107})
    assert len(subset) < len(font) / 50
    assert set(TTFont(BytesIO(subset)).getBestCmap()) == {0xF185, 0xF107}


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ('<button class="btn search-button-field" aria-label="Search" id="s">', '<button class="btn search-button-field" id="s">'),
        ('<div class="citation" id="id2" role="doc-biblioentry">', '<div class="citation" id="id2" role="listitem">'),
        ("<tr><th></th><th>a</th></tr>", "<tr><td></td><th>a</th></tr>"),
        ('<summary aria-label="Toggle hidden content">', "<summary>"),
    ],
)
def test_theme_is_mended(written: str, wanted: str) -> None:
    assert markup.mend(written) == wanted


def test_mending_twice_changes_nothing_more() -> None:
    redirect = '\n<meta http-equiv="Refresh" content="0; url=intro.html" />\n'
    for page in (redirect, '<div id="pst-primary-sidebar" class="bd-sidebar">'):
        once = markup.mend(page)
        assert once != page
        assert markup.mend(once) == once


def test_search_index_is_dropped() -> None:
    page = '<p>\n  <script src="../_static/searchtools.js?v=1"></script>\n  <script src="../searchindex.js"></script></p>'
    assert markup.drop_search_scripts(page) == "<p></p>"


def test_labels_are_read_and_weights_are_not() -> None:
    state = {"state": {"a": {"state": {"description": "$z_1$", "value": 0.5}}, "b": {"state": {"_esm": "`${x}` $y$"}}}}
    assert scripts.widget_labels(state) == ["$z_1$"]


def test_widget_state_cannot_end_its_element() -> None:
    assert scripts.state_tag('"</SCRIPT><!--"').count("<") == 2


def png(width: int, height: int) -> bytes:
    buffer = BytesIO()
    Image.effect_noise((width, height), 50).save(buffer, format="png")
    return buffer.getvalue()


def inside(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


@pytest.mark.parametrize(("place", "up"), [("intro.html", ""), ("part/page.html", "../"), ("a/b/page.html", "../../")])
def test_a_picture_becomes_a_file_named_by_its_content(tmp_path: Path, place: str, up: str) -> None:
    data = png(200, 100)
    html = f'<p><img class="vae-figure" width="80" alt="a &gt; b" src="{inside(data)}"> and <img src="{inside(data)}" alt="c"></p>'
    moved = pictures.move_pictures(html, tmp_path / place, tmp_path)
    (file,) = (tmp_path / "_images").iterdir()
    assert file.read_bytes() == data
    ends = f'loading="lazy" src="{up}_images/{file.name}">'
    assert moved == (
        f'<p><img class="vae-figure" width="80" alt="a &gt; b" height="40" {ends} and <img alt="c" width="200" height="100" {ends}</p>'
    )
    assert pictures.move_pictures(moved, tmp_path / place, tmp_path) == moved


def test_a_small_picture_stays_and_so_does_what_is_no_image(tmp_path: Path) -> None:
    large = inside(png(200, 100))
    html = f'<img alt="dot" src="{inside(png(4, 4))}"><a href="{large}">x</a><script>let a = "\\u003cimg src={large}>";</script>'
    assert pictures.move_pictures(html, tmp_path / "page.html", tmp_path) == html
    assert not list(tmp_path.iterdir())


def saved_state() -> dict:
    """The state of three models: two with the same style and weights."""
    weights, style = base64.b64encode(bytes(range(256)) * 8).decode(), "a{color:red}" * 100
    return {
        "version_major": 2,
        "state": {
            "a": {
                "model_name": "A",
                "state": {"_css": style, "z": 0.5, "layers": [], "none": None},
                "buffers": [{"data": weights, "path": ["w"]}],
            },
            "b": {
                "model_name": "A",
                "state": {"_css": style, "z": 0.5},
                "buffers": [{"data": "AAAA", "path": ["v"]}, {"data": weights, "path": ["w"]}],
            },
            "c": {"model_name": "B", "state": {"_css": style[:-12], "title": "shared"}},
        },
    }


def test_what_several_widgets_hold_is_written_once() -> None:
    text = scripts.share_repeated(saved_state())
    assert text.count("a{color:red}" * 100) == 1
    assert text.count(saved_state()["state"]["a"]["buffers"][0]["data"]) == 1
    written = json.loads(text)
    assert len(written["shared"]) == 2
    assert written["state"]["c"] == saved_state()["state"]["c"]
    assert written["state"]["b"]["buffers"][0]["data"] == "AAAA"  # short, though it may repeat


def test_the_page_fills_in_what_widgets_share() -> None:
    module = (ROOT / "book" / "_ext" / "widgets" / "shared.mjs").as_uri()
    script = (
        f"import {{ restoreShared }} from {json.dumps(module)};"
        "for await (const text of process.stdin) console.log(JSON.stringify(restoreShared(JSON.parse(text)).state));"
    )
    for state in (saved_state(), {"state": {"a": {"state": {"only": "one"}}}}):
        written = scripts.share_repeated(json.loads(json.dumps(state)))
        assert json.loads(node.run("--input-type=module", "-e", script, text=written)) == state["state"]


@pytest.mark.parametrize("given", ["https://school.example/vae", "https://school.example/vae/"])
def test_base_url_ends_with_one_slash(given: str) -> None:
    assert address.base_url(given) == "https://school.example/vae/"
    assert address.base_url("") == ""


@pytest.mark.parametrize("given", ["school.example/vae", "ftp://school.example/", "https:///vae", "https://school.example/?a=1"])
def test_base_url_that_is_none_is_refused(given: str) -> None:
    with pytest.raises(address.ConfigError, match="give it as https://host/folder/"):
        address.base_url(given)


def test_missing_bundle_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "ROOT", tmp_path)
    monkeypatch.setattr(files, "BUNDLE", tmp_path / ".cache")
    with pytest.raises(files.ExtensionError, match="run 'make bundle' first"):
        list(files.bundled_files())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book of three small pages, built with the extension under the book's own strictness."""
    book = tmp_path_factory.mktemp("book")
    pages = {
        "index.md": "# Index\n\nPlain text.\n\n```{toctree}\nwith_label\nplain_widget\nwith_math\n```\n",
        "with_label.md": HEAD + PAGE.format(text="No formula.", label="$z_1$"),
        "plain_widget.md": HEAD + PAGE.format(text="No formula.", label="speed") + FIGURE,
        "with_math.md": "# Formula\n\n$x^2$\n",
        "conf.py": 'extensions = ["myst_nb", "offline_site"]\nhtml_theme = "sphinx_book_theme"\nmyst_enable_extensions = ["dollarmath"]\n',
    }
    for name, text in pages.items():
        (book / name).write_text(text, encoding="utf8")
    command = [sys.executable, "-m", "sphinx", "-W", "-n", "--keep-going", "-b", "html", str(book), str(book / "site")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 0, done.stderr
    return book / "site"


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{ROOT / 'book' / '_ext'}{os.pathsep}{ROOT}"}


def loaded(page: Path) -> list[str]:
    """Every address that a page's elements load."""
    return re.findall(r'<(?:script|link|img)[^>]*?\b(?:src|href)="([^"]+)"', page.read_text(encoding="utf8"))


def test_no_page_asks_another_server(site: Path) -> None:
    for page in site.glob("*.html"):
        assert not [address for address in loaded(page) if re.match(r"(https?:)?//", address)], page.name


@pytest.mark.parametrize(
    ("name", "mathjax", "widgets"),
    [("index", False, False), ("with_label", True, True), ("plain_widget", False, True), ("with_math", True, False)],
)
def test_a_page_loads_only_what_it_needs(site: Path, name: str, mathjax: bool, widgets: bool) -> None:
    addresses = " ".join(loaded(site / f"{name}.html"))
    assert (files.FORMULAS in addresses) is mathjax
    assert (files.WIDGETS in addresses) is widgets


def test_widgets_come_before_mathjax_and_state_after_the_text(site: Path) -> None:
    page = (site / "with_label.html").read_text(encoding="utf8")
    assert page.index(files.WIDGETS) < page.index(files.FORMULAS)
    assert page.index("widget-view+json") < page.index("widget-state+json")


def test_a_figure_is_a_file_that_waits_for_the_reader(site: Path) -> None:
    (image,) = re.findall(r'<img class="vae-figure"[^>]*>', (site / "plain_widget.html").read_text(encoding="utf8"))
    assert 'loading="lazy"' in image
    assert 'alt="noise"' in image
    width, height, source = (re.search(rf'{name}="([^"]+)"', image)[1] for name in ("width", "height", "src"))
    with Image.open(site / source) as picture:
        assert int(height) / int(width) == pytest.approx(picture.height / picture.width, rel=0.005)


def test_every_icon_script_and_map_is_gone(site: Path) -> None:
    assert not list(site.rglob("fontawesome.js*"))
    assert not list(site.rglob("*.map"))
