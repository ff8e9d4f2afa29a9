"""The book's Sphinx extension: its pure functions, and one small book built with it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pydata_sphinx_theme
import pytest
from fontTools.ttLib import TTFont
from offline_site import files, icons, markup, palette, scripts

ROOT = Path(__file__).parents[1]
CSS = '.fa-sun:before{content:"\\f185"}.fa-cut:before,.fa-scissors:before{content:"\\f0c4"}.menu:after{content:"\\f107"}a{color:red}'
PAGE = """# A page

{text}

```{{code-cell}} python
import ipywidgets
ipywidgets.VBox([ipywidgets.FloatSlider(description="{label}")])
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
        "plain_widget.md": HEAD + PAGE.format(text="No formula.", label="speed"),
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
    return {**os.environ, "PYTHONPATH": str(ROOT / "book" / "_ext")}


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


def test_every_icon_script_and_map_is_gone(site: Path) -> None:
    assert not list(site.rglob("fontawesome.js*"))
    assert not list(site.rglob("*.map"))
