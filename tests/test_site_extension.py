"""The book's Sphinx extension: its pure functions, and one small book built with it."""

from __future__ import annotations

import base64
import json
import os
import random
import re
import subprocess
import sys
import zlib
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import nbformat
import node
import pydata_sphinx_theme
import pytest
from docutils import nodes, utils
from fontTools.ttLib import TTFont
from offline_site import address, code_lines, files, finish, icons, markup, notebooks, palette, pictures, punctuation, scripts, widget_files
from PIL import Image
from plain_markdown import plain
from sphinx.highlighting import PygmentsBridge

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
DRAWING = "# Notebook\n\n![A line from left to right](a.svg)"
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


def test_punctuation_stays_with_a_short_formula() -> None:
    document, long = utils.new_document("a page"), "x" * (punctuation.SHORT + 1)
    line = nodes.paragraph()
    for tex, text in (("q", "), so "), ("p", " is"), (long, ".")):
        line += [nodes.math(tex, tex), nodes.Text(text)]
    document += line
    told = line.astext()
    punctuation.keep_with_formula(None, document, "page")
    assert line.astext() == told
    (together,) = document.findall(nodes.inline)
    assert (together.astext(), together["classes"]) == ("q),", ["vae-together"])


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
        (
            '<a href="x.ipynb" target="_blank"\n class="btn btn-sm btn-notebook-button"\n title="Save it">',
            '<a href="x.ipynb" download aria-label="Save it" target="_blank"\n class="btn btn-sm btn-notebook-button"\n title="Save it">',
        ),
    ],
)
def test_theme_is_mended(written: str, wanted: str) -> None:
    assert markup.mend(written) == wanted


def test_mending_twice_changes_nothing_more() -> None:
    redirect = '\n<meta http-equiv="Refresh" content="0; url=intro.html" />\n'
    button = '<a href="x.ipynb" target="_blank"\n   class="btn btn-sm btn-notebook-button"\n   title="Save it">'
    for page in (redirect, '<div id="pst-primary-sidebar" class="bd-sidebar">', button):
        once = markup.mend(page)
        assert once != page
        assert markup.mend(once) == once


CODE = '''def double(x):
    """Twice
      as much."""

    return f"""{x} <
{2 * x}"""  # & nothing else
'''


def test_each_line_of_code_wraps_under_itself() -> None:
    """As Sphinx writes it, with strings over several lines: the text stays, and every line is an element that is closed."""
    page = f'<div class="highlight-ipython3 notranslate">{PygmentsBridge("html").highlight_block(CODE, "ipython3")}</div>'
    wrapped = code_lines.let_lines_wrap(page)
    assert code_lines.TAG.sub("", wrapped) == code_lines.TAG.sub("", page)
    found = re.findall(r'<span class="vae-code-line" style="--indentation: (\d+)">(.*)</span>', wrapped)
    assert [int(indentation) for indentation, _ in found] == [0, 4, 6, 4, 0]
    assert all(line.count("<span") == line.count("</span") for _, line in found)
    assert code_lines.TAG.sub("", wrapped.replace("<wbr>", "|")).count("|") == 1  # may end after a bracket that holds something
    assert "double(|x)" in code_lines.TAG.sub("", wrapped.replace("<wbr>", "|"))
    assert code_lines.let_lines_wrap(wrapped) == wrapped


def test_lines_that_a_cell_printed_are_left_as_they_are() -> None:
    page = '<div class="highlight-none notranslate"><div class="highlight"><pre><span></span>a  b\n</pre></div></div>'
    assert code_lines.let_lines_wrap(page) == page


def test_search_index_is_dropped() -> None:
    page = '<p>\n  <script src="../_static/searchtools.js?v=1"></script>\n  <script src="../searchindex.js"></script></p>'
    assert markup.drop_search_scripts(page) == "<p></p>"


def test_labels_are_read_and_weights_are_not() -> None:
    models = {"a": {"state": {"description": "$z_1$", "value": 0.5}}, "b": {"state": {"_esm": "`${x}` $y$"}}}
    assert scripts.widget_labels(models) == ["$z_1$"]


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
    assert file.read_bytes() == min(data, pictures.webp(data), key=len)
    ends = f'loading="lazy" src="{up}_images/{file.name}">'
    assert moved == (
        f'<p><img class="vae-figure" width="80" alt="a &gt; b" height="40" {ends} and <img alt="c" width="200" height="100" {ends}</p>'
    )
    assert pictures.move_pictures(moved, tmp_path / place, tmp_path) == moved


def test_the_smaller_of_png_and_lossless_webp_is_kept(tmp_path: Path) -> None:
    noise = Image.open(BytesIO(png(200, 100)))
    buffer = BytesIO()
    noise.convert("RGB").point([value // 2 for value in range(256)] * 3).save(buffer, format="png")
    pictures.move_pictures(f'<img src="{inside(buffer.getvalue())}">', tmp_path / "page.html", tmp_path)
    (file,) = (tmp_path / "_images").iterdir()
    assert file.stat().st_size < len(buffer.getvalue())
    with Image.open(file) as after, Image.open(buffer) as before:
        assert (after.format, file.suffix) == ("WEBP", ".webp")
        assert after.convert("RGB").tobytes() == before.convert("RGB").tobytes()


def test_a_small_picture_stays_and_so_does_what_is_no_image(tmp_path: Path) -> None:
    large = inside(png(200, 100))
    html = f'<img alt="dot" src="{inside(png(4, 4))}"><a href="{large}">x</a><script>let a = "\\u003cimg src={large}>";</script>'
    assert pictures.move_pictures(html, tmp_path / "page.html", tmp_path) == html
    assert not list(tmp_path.iterdir())


GENERATOR = random.Random(0)
WEIGHTS, STYLE = base64.b64encode(bytes(GENERATOR.choices(range(80), k=2_000))).decode(), "a{color:red}" * 100


def saved_models() -> dict:
    """Two boxes with a slider each that a link ties to it, and a model that nothing shows; both boxes hold the same style and weights."""

    def box(name: str, *buffers: dict) -> dict:
        canvas, slider, link = f"{name}b0", f"{name}51", f"{name}11"
        states = {
            canvas: {"children": [f"IPY_MODEL_{slider}"], "_css": STYLE, "layers": [], "none": None},
            slider: {"value": 0.5, "_esm": name * 1_200, "again": name * 1_200},
            link: {"source": [f"IPY_MODEL_{slider}", "value"], "target": [f"IPY_MODEL_{canvas}", "z"]},
        }
        models = {identity: {"model_module": "controls", "model_name": "Box", "state": state} for identity, state in states.items()}
        models[canvas]["buffers"] = list(buffers)
        return models

    short = {"data": "AAAA", "path": ["v", "deep", 1], "encoding": "base64"}
    first = box("a", {"data": WEIGHTS, "path": ["w"], "encoding": "base64"})
    second = box("b", short, {"data": WEIGHTS, "path": ["w"], "encoding": "base64"}, short | {"data": "00" * 99, "encoding": "hex"})
    return {**first, "c0": {"model_module": "controls", "model_name": "Box", "state": {"_css": STYLE, "title": "shared"}}, **second}


def file_content(text: str) -> dict:
    """What a widgets' file holds."""
    return json.loads(text.partition(" = ")[2].rstrip(";\n"))


def test_a_displayed_widget_has_a_file_with_all_that_it_is_tied_to() -> None:
    needed, contents = widget_files.divide(saved_models(), ["ab0", "bb0", "ab0", "unknown"])
    assert set(needed) == {"ab0", "bb0"}
    own = [file_content(contents[names[0]]) for names in needed.values()]
    assert [sorted(file["models"]) for file in own] == [["a11", "a51", "ab0"], ["b11", "b51", "bb0"]]
    assert not [text for text in contents.values() if "c0" in file_content(text)["models"]], "nothing shows it"
    for name, text in contents.items():
        assert text.startswith(f'(window.widgetFiles ??= {{}})["{Path(name).name}"] = ')
    again = widget_files.divide(saved_models(), ["ab0", "bb0"])
    assert again == (needed, contents), "the names follow from the content"


def test_what_several_widgets_hold_is_written_once_in_a_file_of_its_own() -> None:
    needed, contents = widget_files.divide(saved_models(), ["ab0", "bb0"])
    (common,) = set(needed["ab0"]) & set(needed["bb0"])
    everything = "".join(contents.values())
    assert everything.count(STYLE) == contents[common].count(STYLE) == 1
    (weights,) = (text for text in file_content(contents[common])["texts"].values() if text != STYLE)
    assert len(weights) < len(WEIGHTS)
    assert zlib.decompress(base64.b64decode(weights)) == base64.b64decode(WEIGHTS)
    assert everything.count(weights) == 1
    assert not file_content(contents[common])["models"]
    for name in ("a", "b"):
        assert everything.count(name * 1_200) == contents[needed[f"{name}b0"][0]].count(name * 1_200) == 1
    assert file_content(contents[needed["bb0"][0]])["models"]["bb0"]["buffers"][0]["data"] == "AAAA"  # short, though it may repeat


def test_a_page_names_the_files_beside_each_widget() -> None:
    view = '<script type="application/vnd.jupyter.widget-view+json">{"version_major": 2, "model_id": "ab0"}</script>'
    html = f"<p>{view}</p> and {view.replace('ab0', 'gone')}"
    assert widget_files.shown_widgets(html) == ["ab0", "gone"]
    named = widget_files.name_files(html, saved_models(), {"ab0": ["_widgets/x.js", "_widgets/y.js"]}, "ab0", "../")
    assert re.findall(r'data-first data-files="([^"]*)"', named) == ["../_widgets/x.js ../_widgets/y.js"]
    assert re.findall(r'data-files="([^"]*)"', named) == ["../_widgets/x.js ../_widgets/y.js", ""]
    assert named.count('<div class="widget-subarea vae-waits" style="--vae-height: 0rem"></div><script') == 2
    assert widget_files.shown_widgets(named) == [], "a second time changes nothing"


@pytest.mark.parametrize(("failed", "left"), [(None, "abcd"), (ValueError(), "abcdx")])
def test_a_finished_build_drops_widgets_that_no_page_names(tmp_path: Path, failed: Exception | None, left: str) -> None:
    """Pages that this build did not write keep theirs: they are read where they lie."""
    pages = {
        "index.html": '<script data-first data-files="_widgets/a.js _widgets/b.js">{}</script>',
        "part/page.html": '<script async src="../_widgets/c.js"></script><script data-files="../_widgets/d.js"></script>',
        "plain.html": "<p>x.js</p>",
    }
    for name, text in (pages | {f"_widgets/{name}.js": "" for name in "abcdx"}).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf8")
    finish.finish_site(SimpleNamespace(outdir=tmp_path, builder=SimpleNamespace(format="html")), failed)
    assert sorted(path.stem for path in (tmp_path / "_widgets").iterdir()) == list(left)


def test_an_area_is_about_as_high_as_its_widget() -> None:
    slider = {"model_name": "FloatSliderModel", "model_module": "controls", "state": {}}
    canvas, quiz = ({"model_name": "AnyModel", "model_module": "anywidget", "state": state} for state in ({}, {"questions": [{}, {}]}))
    assert widget_files.height_of([slider]) < 3 < 40 < widget_files.height_of([canvas]) < widget_files.height_of([slider, canvas, slider])
    assert widget_files.height_of([quiz]) == 44


def test_the_first_explorer_is_the_first_with_a_canvas() -> None:
    models = saved_models()
    assert widget_files.first_explorer(models, ["ab0", "bb0"]) == "ab0"
    models["bb0"]["model_module"] = "anywidget"
    assert widget_files.first_explorer(models, ["ab0", "b51", "bb0"]) == "b51", "the slider that is tied to it"
    assert widget_files.first_explorer(models, []) == ""


def test_scripts_of_the_theme_wait_and_what_others_build_on_does_not() -> None:
    page = (
        '<!-- Pre-loaded scripts that we\'ll load fully later -->\n  <link rel="preload" as="script" href="a/bootstrap.js" />'
        '<script src="../_static/documentation_options.js?v=1"></script>\n<script src="../_static/doctools.js?v=1"></script>\n'
        '<script data-prefix="x" src="_static/design-tabs.js"></script>\n<script defer src="x/togglebutton.js"></script>'
    )
    assert markup.let_scripts_wait(page).splitlines() == [
        '<script src="../_static/documentation_options.js?v=1"></script>',
        '<script defer src="../_static/doctools.js?v=1"></script>',
        '<script defer data-prefix="x" src="_static/design-tabs.js"></script>',
        '<script defer src="x/togglebutton.js"></script>',
    ]
    assert markup.let_scripts_wait(markup.let_scripts_wait(page)) == markup.let_scripts_wait(page)


def test_the_page_puts_the_files_together_again() -> None:
    module = (ROOT / "book" / "_ext" / "widgets" / "files.mjs").as_uri()
    script = (
        f"import {{ join }} from {json.dumps(module)};"
        "const plain = (key, value) => value instanceof DataView ? { bytes: [...new Uint8Array(value.buffer)] } : value;"
        "for await (const text of process.stdin) console.log(JSON.stringify(await Promise.all(JSON.parse(text).map(join)), plain));"
    )
    needed, contents = widget_files.divide(saved_models(), ["ab0", "bb0"])
    sent = json.dumps([[file_content(contents[name]) for name in names] for names in needed.values()])
    first, second = json.loads(node.run("--input-type=module", "-e", script, text=sent))
    wanted = saved_models()
    del wanted["c0"]
    for model in wanted.values():
        buffers = model.setdefault("buffers", [])
        for buffer in [buffer for buffer in buffers if buffer["data"] == WEIGHTS]:
            model["state"]["w"] = {"bytes": list(base64.b64decode(WEIGHTS))}
            buffers.remove(buffer)
    assert first | second == wanted


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
    with pytest.raises(files.ExtensionError, match="run 'make widgets' first"):
        list(files.bundled_files())


DRAWN = sorted(
    path for path in (ROOT / "book").rglob("*.ipynb") if ".svg)" in path.read_text(encoding="utf8") and ".ipynb_" not in str(path)
)


@pytest.mark.parametrize("path", DRAWN, ids=lambda path: path.stem)
def test_a_saved_notebook_is_the_page_with_its_drawings_in_it(path: Path) -> None:
    committed = nbformat.read(path, as_version=4)
    saved = nbformat.reads(notebooks.standalone(path), as_version=4)
    nbformat.validate(saved)
    drawn = [target for cell in committed.cells for target in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", cell.source)]
    shown = [target for cell in saved.cells for target in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", cell.source)]
    assert [base64.b64decode(target.partition("svg+xml;base64,")[2]) for target in shown] == [
        (path.parent / name).read_bytes() for name in drawn
    ]
    for name, target in zip(drawn, shown, strict=True):
        for cell in saved.cells:
            cell.source = cell.source.replace(target, name)
    for cell in committed.cells:
        if cell.cell_type == "markdown":
            cell.source = plain(cell.source, path)
    assert saved == committed


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book of four small pages, built with the extension under the book's own strictness."""
    book = tmp_path_factory.mktemp("book")
    pages = {
        "index.md": "# Index\n\nPlain text.\n\n```{toctree}\nwith_label\nplain_widget\nwith_math\npart/notebook\n```\n",
        "with_label.md": HEAD + PAGE.format(text="No formula.", label="$z_1$"),
        "plain_widget.md": HEAD + PAGE.format(text="No formula.", label="speed") + FIGURE,
        "with_math.md": "# Formula\n\n$x^2$\n",
        "conf.py": 'extensions = ["myst_nb", "offline_site"]\nhtml_theme = "sphinx_book_theme"\nmyst_enable_extensions = ["dollarmath"]\n',
    }
    for name, text in pages.items():
        (book / name).write_text(text, encoding="utf8")
    (book / "part").mkdir()
    (book / "part" / "a.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M0 0h8"/></svg>', encoding="utf8"
    )
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(DRAWING)]), book / "part" / "notebook.ipynb")
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
    then = re.findall(r'data-then="([^"]+)"', (site / f"{name}.html").read_text(encoding="utf8"))
    assert any(files.FORMULAS in address for address in [addresses, *then]) is mathjax
    assert (files.WIDGETS in addresses) is widgets


def test_the_first_widget_comes_before_everything_else_and_mathjax_after_it(site: Path) -> None:
    page = (site / "with_label.html").read_text(encoding="utf8")
    early = [re.search(r'src="([^"]+)"', tag)[1] for tag in re.findall(r'<script async fetchpriority="high"[^>]*>', page)]
    assert early[0] == f"_static/{files.versioned(files.WIDGETS)}"
    assert early[1:] == re.search(r'data-files="([^"]+)"', page)[1].split()
    assert page.index(early[-1]) < page.index("stylesheet")
    assert re.findall(r'data-then="([^"]*)"', page) == [f"_static/{files.versioned(files.FORMULAS)}"]
    assert f'src="_static/{files.FORMULAS}' not in page, "the widgets' runtime loads it"
    assert 'data-then=""' in (site / "plain_widget.html").read_text(encoding="utf8")
    assert "widget-state+json" not in page
    for file in early:
        assert (site / file.partition("?")[0]).is_file()


def test_every_page_is_printed_in_the_light_theme(site: Path) -> None:
    for page in site.glob("*.html"):
        assert any(files.PRINT in address for address in loaded(page)), page.name


def test_code_of_a_page_wraps(site: Path) -> None:
    assert '<span class="vae-code-line" style="--indentation: 0"><span' in (site / "with_label.html").read_text(encoding="utf8")


def test_a_figure_is_a_file_that_waits_for_the_reader(site: Path) -> None:
    (image,) = re.findall(r'<img class="vae-figure"[^>]*>', (site / "plain_widget.html").read_text(encoding="utf8"))
    assert 'loading="lazy"' in image
    assert 'alt="noise"' in image
    width, height, source = (re.search(rf'{name}="([^"]+)"', image)[1] for name in ("width", "height", "src"))
    with Image.open(site / source) as picture:
        assert int(height) / int(width) == pytest.approx(picture.height / picture.width, rel=0.005)


def test_pages_with_pictures_load_what_enlarges_them(site: Path) -> None:
    loading = {page.relative_to(site).as_posix() for page in site.rglob("*.html") if files.FIGURES in " ".join(loaded(page))}
    assert loading == {"plain_widget.html", "part/notebook.html"}
    assert (site / "_static" / files.FIGURES).is_file()


@pytest.mark.parametrize("base", ["", "https://host/book/"])
def test_links_of_a_saved_notebook_lead_to_the_site_where_its_address_is_known(tmp_path: Path, base: str) -> None:
    (tmp_path / "part").mkdir()
    text = "[a](other.ipynb#the-rate) [b](../intro.md) [c](https://x.org/a.ipynb) ![d](line.png) [e](#here)"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)]), tmp_path / "part" / "page.ipynb")
    env = SimpleNamespace(found_docs={"part/page"}, doc2path=lambda name: tmp_path / f"{name}.ipynb")
    app = SimpleNamespace(env=env, outdir=tmp_path, builder=SimpleNamespace(format="html"), config=SimpleNamespace(html_baseurl=base))
    notebooks.write_notebooks(app, None)
    [cell] = nbformat.read(tmp_path / "_notebooks" / "part" / "page.ipynb", as_version=4).cells
    online = text.replace("other.ipynb", f"{base}part/other.html").replace("../intro.md", f"{base}intro.html")
    assert cell.source == (online if base else text)


def test_notebooks_of_pages_that_a_build_did_not_write_are_written_too(tmp_path: Path) -> None:
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A page")]), tmp_path / "page.ipynb")
    env = SimpleNamespace(found_docs={"page", "text"}, doc2path=lambda name: tmp_path / f"{name}.{'ipynb' if name == 'page' else 'md'}")
    settings = SimpleNamespace(html_baseurl="")
    app = SimpleNamespace(env=env, outdir=tmp_path / "site", builder=SimpleNamespace(format="html"), config=settings)
    notebooks.write_notebooks(app, None)
    assert [path.name for path in (tmp_path / "site" / "_notebooks").iterdir()] == ["page.ipynb"]


def test_a_page_that_is_a_notebook_can_be_saved_and_no_other(site: Path) -> None:
    saving = re.compile(
        r'<a href="([^"]+)" download aria-label="Save this page as a notebook"[^>]*>\s*<span[^>]*>\s*<i class="fas fa-download"></i>'
    )
    offered = {page.relative_to(site).as_posix(): saving.findall(page.read_text(encoding="utf8")) for page in site.rglob("*.html")}
    assert {name: targets for name, targets in offered.items() if targets} == {"part/notebook.html": ["../_notebooks/part/notebook.ipynb"]}
    assert [path.name for path in (site / "_notebooks").rglob("*.*")] == ["notebook.ipynb"]
    [cell] = nbformat.read(site / "_notebooks" / "part" / "notebook.ipynb", as_version=4).cells
    assert cell.source.startswith("# Notebook\n\n![A line from left to right](data:image/svg+xml;base64,")


def test_the_icon_of_the_button_is_among_those_that_are_kept(site: Path) -> None:
    drawn = {
        code
        for style in site.rglob("*.css")
        for code in icons.glyphs("".join(re.findall(r"\.fa-download:before\{[^}]*\}", style.read_text("utf8"))))
    }
    assert drawn == {0xF019}
    assert 0xF019 in TTFont(BytesIO(next(site.rglob("fa-solid-900.woff2")).read_bytes())).getBestCmap()


def test_every_icon_script_and_map_is_gone(site: Path) -> None:
    assert not list(site.rglob("fontawesome.js*"))
    assert not list(site.rglob("*.map"))
