"""The deck of `make slides`: blocks of the guide, cells of the pages, notes, and nothing from other servers. No notebook runs here."""

import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from slides import make as slides

PLAN = slides.blocks(slides.GUIDE.read_text("utf-8"))


def cell_of(title, source="x = 1", kind="slide"):
    return nbformat.v4.new_code_cell(source, metadata={"slideshow": {"slide_type": kind, "block": title}})


def test_blocks_are_those_of_the_ninety_minutes_and_one_has_the_board():
    titles = [block.title for block in PLAN]
    assert titles[:3] == ["Quiz before", "Two maps", "A cloud for each digit"]
    assert titles[-1] == "Close"
    assert [block.title for block in PLAN if block.equation] == ["The board"]
    for block in PLAN:
        assert not re.search(r"<a |\]\(|\{eq\}|\$\$", block.notes), block.title
        assert len(block.notes) > 40


def test_every_tagged_cell_of_the_book_joins_a_block_of_the_guide():
    titles = {block.title for block in PLAN}
    joined = {title for path in slides.pages() for cell in nbformat.read(path, as_version=4).cells if (title := slides.block_of(cell))}
    assert joined <= titles
    assert {"Two maps", "A cloud for each digit", "Frozen noise", "Drag q", "Code, and which β", "The price of a nat", "Close"} <= joined


def test_a_cell_of_an_unknown_block_is_refused():
    with pytest.raises(ValueError, match="Nowhere"):
        slides.deck(PLAN, {"Nowhere": [cell_of("Nowhere")]}, {})


@pytest.fixture(scope="module")
def page():
    made = slides.deck(PLAN, {"Two maps": [cell_of("Two maps")]}, {})
    return BeautifulSoup(slides.html_of(made), "html.parser")


def test_every_block_has_a_slide_and_notes(page):
    assert len(page.select("aside.notes")) == len(PLAN)
    headings = [heading.get_text().strip().rstrip("¶") for heading in page.select(".slides h2")]
    assert [title for title in headings if title != "Two maps"] == [block.title for block in PLAN if block.title != "Two maps"]


def test_the_last_slides_say_what_to_do_and_show_the_exit_card_of_the_quizzes():
    cells, models = slides.tagged_cells([slides.BOOK / "teaching" / "quizzes.ipynb"])
    [card] = cells["Close"]
    made = BeautifulSoup(slides.html_of(slides.deck(PLAN, cells, models)), "html.parser")
    to_do, shown = [slide for slide in made.select(".slides section") if not slide.find("section")][-2:]
    assert to_do.h2.get_text().startswith("Close")
    assert all(task in to_do.get_text() for task in PLAN[-1].tasks)
    assert shown.h2.get_text().startswith("The exit card")
    lines = re.findall(r"^\d\. (.*)", card.source, re.M)
    assert len(lines) == len(shown.select("ol li")) == 5
    for line, item in zip(lines, shown.select("ol li"), strict=True):
        assert line.split("$")[0].replace("*", "") in item.get_text()
    assert shown.select_one("aside.notes")


def test_formulas_are_marked_for_the_sites_mathjax(page):
    board = page.select("div.math")
    assert len(board) == 1
    assert board[0].get_text().startswith(r"\[\begin{aligned}")
    assert page.select("span.math")
    left = [text for text in page.select(".jp-RenderedMarkdown") if "$" in text.get_text()]
    assert left == []


def test_the_deck_asks_no_other_server(page):
    loads = [tag.get("src") or tag.get("href") for tag in page.select("script[src], link[href], img[src]")]
    assert loads
    assert [load for load in loads if re.match(r"(https?:)?//", load)] == []
    assert "require" not in " ".join(loads)
    assert f"reveal/dist/theme/{slides.THEME}.css" in loads
    if slides.REVEAL.is_dir():  # installed by make widgets
        assert "@import" not in (slides.REVEAL / "dist" / "theme" / f"{slides.THEME}.css").read_text("utf-8")
    styles = " ".join(style.get_text() for style in page.select("style"))
    assert not re.search(r"url\(['\"]?https?:", styles)
    assert "@import" not in styles
