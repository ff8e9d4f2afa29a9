"""``make slides``: the deck of the 90-minute session, made from the pages themselves, with live explorers and speaker notes.

There is one source. The guide's blocks ("### 5–15 · Two maps") give the order, and their text the speaker notes. A cell of any page
joins a block by its metadata: ``"slideshow": {"slide_type": "slide", "block": "Two maps"}``. Pages whose cells show something are run.
Each cell is a slide of its own, so that a question stands alone until the class has answered; the explorer comes with the next slide.
A block without code among its cells begins with what is to be done, from the guide's table.
The deck in ``_build/slides`` needs no server: reveal.js, the widgets' runtime and MathJax lie beside it.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

import nbformat
from bs4 import BeautifulSoup, NavigableString
from nbclient import NotebookClient
from nbconvert import SlidesExporter
from nbformat import NotebookNode
from traitlets.config import Config

from vae_tutorial.explorers.quiz import read_quiz, shuffled

sys.path.insert(0, str(Path(__file__).parents[1]))  # this file is run as a script
from plain_markdown import page_paths

from slides.guide import Block, blocks, for_speaker

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
BOOK, CACHE, OUTPUT = ROOT / "book", ROOT / ".cache", ROOT / "_build" / "slides"
GUIDE = BOOK / "teaching" / "instructors-guide.md"
THEME = "serif"  # one that asks no server for its fonts
REVEAL = ROOT / "node_modules" / "reveal.js"
WIDGETS = "application/vnd.jupyter.widget-state+json"
OPENING = (
    "A question has a slide of its own: all commit, then you turn to its explorer. Brackets behind **Show** say what to set there: click "
    "the number beside the slider, type, Enter. While a slider has the focus, arrow keys move it; Page Down turns the slide."
)
QUESTION = "**The question.** Everyone commits before you turn the slide: the next one may show the answer."
LINES = "Each press brings the next line."
QUIZ = re.compile(r'explorers\.quiz\("([\w-]+)"\)')
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+)\$", re.S)


def block_of(cell: NotebookNode) -> str | None:
    """The block that a cell's metadata name."""
    return cell.metadata.get("slideshow", {}).get("block")


def tagged_cells(found: Iterable[Path]) -> tuple[dict[str, list[NotebookNode]], dict[str, Any]]:
    """Every page's cells that belong to a block, run where they show something, and the widgets' models by their id."""
    cells: dict[str, list[NotebookNode]] = {}
    models: dict[str, Any] = {}
    for path in found:
        page = nbformat.read(path, as_version=4)
        if not any(map(block_of, page.cells)):
            continue
        if any(block_of(cell) and "explorers." in cell.source and not QUIZ.search(cell.source) for cell in page.cells):
            resources = {"metadata": {"path": str(path.parent)}}
            NotebookClient(page, timeout=180, kernel_name="python3", resources=resources, store_widget_state=True).execute()
            models |= page.metadata.get("widgets", {}).get(WIDGETS, {}).get("state", {})
        for cell in page.cells:
            if title := block_of(cell):
                cells.setdefault(title, []).extend(slide_cells(cell))
    return cells, models


def slide_cells(cell: NotebookNode) -> list[NotebookNode]:
    """The cell itself; of a quiz one for each question, its answers under the letters of the page, and no word on which is right."""
    quiz = QUIZ.search(cell.source)
    if not quiz:
        return [cell]
    found = []
    for number, question in enumerate(shuffled(read_quiz(quiz[1])), 1):
        answers = "".join(f"<li>{escape(choice['text'])}</li>" for choice in question["choices"])
        source = f"## Question {number}\n\n{question['question']}\n\n<ol type=\"A\">{answers}</ol>"
        found.append(nbformat.v4.new_markdown_cell(source, metadata={"slideshow": {"slide_type": "slide"}}))
    return found


def deck(plan: list[Block], cells: dict[str, list[NotebookNode]], models: dict[str, Any]) -> NotebookNode:
    """One notebook of slides, each block with its cells and its notes.

    Raises:
        ValueError: a cell names a block that the guide does not have.
    """
    strangers = set(cells) - {block.title for block in plan}
    if strangers:
        raise ValueError(f"cells name blocks that the guide does not have: {sorted(strangers)}")
    state = {"version_major": 2, "version_minor": 0, "state": models}  # nbconvert shows no widget without it
    made = nbformat.v4.new_notebook(metadata={"title": "Variational Autoencoders, Live", "widgets": {WIDGETS: state}})
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}

    def add(source: str, kind: str = "slide") -> None:
        made.cells.append(nbformat.v4.new_markdown_cell(source, metadata={"slideshow": {"slide_type": kind}}))

    def say(block: Block, heading: str, first: str = "") -> None:
        where = " · ".join(dict.fromkeys((block.time, block.title, heading)))
        add("\n\n".join(filter(None, (f"**{where}**", first, block.notes))), "notes")

    add("# Variational Autoencoders, Live\n\nPredict, observe, explain.")
    add(OPENING, "notes")
    for block in plan:
        shown, heading, places = cells.get(block.title, []), block.title, ""
        if block.equation:
            add(f"## {heading}\n\n$${block.equation}$$")
            say(block, heading, LINES)
        elif all(cell.cell_type == "markdown" for cell in shown):
            add(f"## {heading}\n\n" + "\n\n".join(block.tasks))
            say(block, heading, f"**To show:** {'; '.join(block.show)}")
        for cell in shown:
            if cell.cell_type == "markdown":
                text, link, rest = cell.source.partition('\n\n<a href="#')
                places = f"**Places:** {for_speaker(link.lstrip() + rest)}" if link else ""
                if text.startswith("## "):
                    heading, text = text.removeprefix("## ").split("\n", 1)
                add(f"## {heading}\n\n{text.strip()}")
                say(block, heading, QUESTION if "**Predict:**" in text else "")
            else:
                add(f"## {heading}")
                made.cells.append(nbformat.from_dict(cell | {"metadata": cell.metadata | {"slideshow": {"slide_type": "-"}}}))
                say(block, heading, places)
    return made


def html_of(made: NotebookNode) -> str:
    """The deck as one page, with formulas marked as the site's MathJax looks for them."""
    settings = Config()
    settings.TagRemovePreprocessor.enabled = True
    settings.TagRemovePreprocessor.remove_input_tags = {"hide-input"}
    exporter = SlidesExporter(config=settings, template_name="template", extra_template_basedirs=[str(HERE)])
    exporter.reveal_url_prefix, exporter.reveal_theme = "reveal", THEME
    text, _ = exporter.from_notebook_node(made)
    soup = BeautifulSoup(text, "html.parser")
    soup.select_one(".reveal")["class"].append("vae-projector")
    for state in soup.find_all("script", type=WIDGETS):
        state.decompose()  # `write` puts it into files
    for link in soup.select("a.anchor-link"):  # a question and its explorer have the same heading
        del link.parent["id"]
        link.decompose()
    for rendered in soup.select(".jp-RenderedMarkdown"):
        for string in list(rendered.find_all(string=FORMULA)):
            string.replace_with(*marked(string, soup))
    return str(soup)


def marked(text: str, soup: BeautifulSoup) -> list[Any]:
    """A text with its formulas in elements of the class "math"."""
    parts, at = [], 0
    for formula in FORMULA.finditer(text):
        parts.append(NavigableString(text[at : formula.start()]))
        element = soup.new_tag("div" if formula[1] else "span", attrs={"class": "math"})
        element.string = rf"\[{formula[1]}\]" if formula[1] else rf"\({formula[2]}\)"
        parts.append(element)
        at = formula.end()
    return [*parts, NavigableString(text[at:])]


def write(text: str, models: dict[str, Any]) -> Path:
    """Write the deck with all that it loads beside it, the widgets' models (by their id) in files as on the site.

    Raises:
        FileNotFoundError: the JavaScript is missing.
    """
    if not REVEAL.is_dir() or not (CACHE / "widgets.js").is_file():
        raise FileNotFoundError("reveal.js or the widgets' bundle is missing: run 'make widgets' first")
    from offline_site.files import PROJECTOR, PROJECTOR_STYLE, STATIC, bundled_files
    from offline_site.palette import load_palette, palette_css
    from offline_site.scripts import move_widgets

    shutil.rmtree(OUTPUT, ignore_errors=True)
    for folder in ("dist", "plugin/notes"):
        shutil.copytree(REVEAL / folder, OUTPUT / "reveal" / folder, ignore=shutil.ignore_patterns("*.map", "*.esm.js", "fonts"))
    for style in (OUTPUT / "reveal" / "dist" / "theme").glob("*.css"):
        if style.stem != THEME:
            style.unlink()
    for source, name in bundled_files():
        (OUTPUT / "book" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, OUTPUT / "book" / name)
    shutil.copyfile(STATIC / Path(PROJECTOR).name, OUTPUT / PROJECTOR)
    styles = (style.read_text("utf-8") for style in (STATIC / Path(PROJECTOR_STYLE).name, HERE / "slides.css"))
    (OUTPUT / "book" / "slides.css").write_text(palette_css(load_palette()) + "".join(styles), "utf-8")
    page = {"body": text}
    move_widgets(models, page, OUTPUT, "")
    (OUTPUT / "index.html").write_text(page["body"], "utf-8")
    return OUTPUT / "index.html"


def print_pdf(page: Path) -> Path | None:
    """Print the deck with Chromium, one slide a page, if there is a Chromium."""
    sys.path.insert(0, str(ROOT / "tests"))
    from chromium import executable
    from playwright.sync_api import sync_playwright

    path = executable()
    if path is None:
        return None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        sheet = browser.new_page(viewport={"width": 1280, "height": 720})
        sheet.goto(f"{page.as_uri()}?print-pdf")
        sheet.wait_for_function("() => document.querySelector('.pdf-page')")
        sheet.wait_for_function("() => dispatchEvent(new Event('beforeprint')) && document.documentElement.dataset.widgetsReady")
        sheet.wait_for_function("() => [...document.querySelectorAll('.widget-subarea')].every((area) => area.dataset.fits)")
        for explorer in sheet.locator(".vae-explorer").all():  # some fill their pictures once they are seen
            explorer.scroll_into_view_if_needed()
            sheet.wait_for_timeout(500)
            sheet.wait_for_function("(el) => el.dataset.filled !== 'false'", arg=explorer.element_handle(), timeout=120_000)
        sheet.pdf(path=page.with_name("slides.pdf"), prefer_css_page_size=True, print_background=True)
        browser.close()
    return page.with_name("slides.pdf")


def main() -> None:
    """Make the deck and its PDF, and say where they are."""
    cells, models = tagged_cells(page_paths())
    page = write(html_of(deck(blocks(GUIDE.read_text("utf-8")), cells, models)), models)
    print(page)
    print(print_pdf(page) or "no PDF: no Chromium was found")


if __name__ == "__main__":
    main()
