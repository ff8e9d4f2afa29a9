"""The deck of `make slides`: blocks of the guide, cells of the pages, notes, and nothing from other servers. No notebook runs here."""

import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from plain_markdown import page_paths
from slides import guide
from slides import make as slides

from vae_tutorial import explorers

PLAN = slides.blocks(slides.GUIDE.read_text("utf-8"))


def cell_of(title, source="x = 1"):
    return nbformat.v4.new_code_cell(source, metadata={"slideshow": {"slide_type": "slide", "block": title}})


@pytest.fixture(scope="module")
def tagged():
    """The book's own cells for the deck by their block, as written, not run."""
    cells = {}
    for path in page_paths():
        for cell in nbformat.read(path, as_version=4).cells:
            if title := slides.block_of(cell):
                cells.setdefault(title, []).extend(slides.slide_cells(cell))
    return cells


@pytest.fixture(scope="module")
def made(tagged):
    """The deck's slides in order, each a list of cells."""
    found = []
    for cell in slides.deck(PLAN, tagged, {}).cells:
        if cell.metadata.slideshow.slide_type == "slide":
            found.append([])
        found[-1].append(cell)
    return found


def text_of(slide):
    return "\n".join(cell.source for cell in slide if cell.metadata.slideshow.slide_type != "notes")


def note_of(slide):
    [note] = [cell.source for cell in slide if cell.metadata.slideshow.slide_type == "notes"]
    return note


def test_blocks_are_those_of_the_ninety_minutes_and_one_has_the_board():
    titles = [block.title for block in PLAN]
    assert titles[:3] == ["Quiz before", "Two maps", "A cloud for each digit"]
    assert titles[-1] == "Close"
    assert [block.title for block in PLAN if block.equation] == ["The board"]
    assert [(block.time, block.tasks, block.show) for block in PLAN if block.title == "Stand up"] == [
        ("53–56", ["In pairs: explain K to your neighbour without a formula."], ["nothing"])
    ]
    for block in PLAN:
        assert not re.search(r"<a |\]\(|\{eq\}|\$\$", block.notes), block.title
        assert len(block.notes) > 40


def test_every_tagged_cell_of_the_book_joins_a_block_of_the_guide_as_a_slide_of_its_own(tagged):
    assert set(tagged) <= {block.title for block in PLAN}
    shown = {"Two maps", "A cloud for each digit", "Frozen noise", "Drag q", "Code, and which β", "The price of a nat", "Close"}
    assert shown <= set(tagged)
    kinds = [cell.metadata.slideshow.slide_type for cells in tagged.values() for cell in cells]
    assert set(kinds) == {"slide"}


def test_a_cell_of_an_unknown_block_is_refused():
    with pytest.raises(ValueError, match="Nowhere"):
        slides.deck(PLAN, {"Nowhere": [cell_of("Nowhere")]}, {})


def test_a_question_stands_alone_and_its_explorer_comes_with_the_next_slide(made):
    explored = [place for place, slide in enumerate(made) if "explorers." in text_of(slide)]
    questions = [place for place, slide in enumerate(made) if "**Predict" in text_of(slide)]
    assert len(questions) == 7
    assert explored == [place + 1 for place in questions]
    for place in questions:
        question, explorer = text_of(made[place]), text_of(made[place + 1])
        assert "?" in question
        assert "?" not in explorer
        assert explorer.startswith(question.split("\n")[0] + "\n"), "the explorer's slide has another heading"
        assert "<a" not in question, "links by the names of what they show give it away"
        assert slides.QUESTION in note_of(made[place])


def test_the_quiz_before_is_read_from_the_deck_by_the_letters_of_the_page(made):
    quiz = explorers.quiz("before-the-session").children[-1].questions
    asked = [slide for slide in made if text_of(slide).startswith("## Question")]
    assert len(asked) == len(quiz) == 5
    for slide, question in zip(asked, quiz, strict=True):
        shown = BeautifulSoup(text_of(slide), "html.parser")
        assert question["question"] in shown.get_text()
        assert shown.ol["type"] == "A"
        assert [answer.get_text() for answer in shown.select("li")] == [choice["text"] for choice in question["choices"]]
        assert not any(choice["because"] in str(shown) for choice in question["choices"])


def test_every_slide_has_its_blocks_notes(made):
    assert all(note_of(slide) for slide in made)
    spoken = [block for slide in made[1:] for block in PLAN if note_of(slide).endswith(block.notes)]
    assert len(spoken) == len(made) - 1
    assert list(dict.fromkeys(block.title for block in spoken)) == [block.title for block in PLAN]


def brackets(words, note):
    """What stands in brackets behind words in a note."""
    return re.findall(re.escape(words) + r" \(([^)]*)\)", note)


def test_what_a_link_sets_stands_in_the_notes(made, tagged):
    """The guide's **Show**s, and the links under the session page's questions, compared by their numbers."""
    session = slides.GUIDE.read_text("utf-8").split("\n## Three sessions")[0]
    parts = dict(re.findall(r"^### .+? · (.+?)\n(.*?)(?=^### |\Z)", session, re.M | re.S))
    assert set(parts) == {block.title for block in PLAN}
    checked = 0
    for title, body in parts.items():
        notes = "\n".join(note_of(slide) for slide in made if f"· {title}" in note_of(slide))
        below = "".join(cell.source for cell in tagged.get(title, []))
        for address, words in re.findall(r'<a href="[^"#]*#([^"]+)">(.+?)</a>', body + below):
            values = dict(pair.split("=") for pair in address.split("&")[1:])
            values |= {"digit": str(int(values["digit"]) + 1)} if "digit" in values else {}
            numbers = [value.replace("-", "−") for value in values.values()]
            told = [re.findall(r"−?\d+(?:\.\d+)?", bracket) for bracket in brackets(words, notes)] or [re.findall(r"[\d.]+", words)]
            assert numbers in told, f"{title}: {words} sets {values}"
            checked += 1
    assert checked > 30


def test_settings_are_named_like_the_sliders():
    this = '<a href="session.html#two-maps&z1=-1.1&z2=-1.1">this place</a>'
    assert slides.for_speaker(f"**Show** {this}.") == "**Show** this place (z₁ = −1.1, z₂ = −1.1)."
    assert slides.for_speaker('<a href="#a&digit=9&eps1=2">a 4</a>') == "a 4 (picture 10 of the row, ε₁ = 2)"
    assert slides.for_speaker('<a href="#a&beta=16">β = 16</a>') == "β = 16"
    assert slides.for_speaker(r"[Code](code.ipynb): $\mathbb E_q[\log q]$, {eq}`eq-board`") == r"Code: $\mathbb E_q[\log q]$, the board"
    with pytest.raises(KeyError, match="nowhere"):
        slides.for_speaker('<a href="#a&nowhere=1">there</a>')


def test_the_notes_speak_of_slides_not_of_a_page_with_links():
    for block in PLAN:
        assert not re.search(r"\blinks?\b|scroll|Session page", block.notes), block.title
    told = slides.GUIDE.read_text("utf-8")
    for on_page, _ in guide.ON_SLIDES:
        assert on_page in told, "the guide says it in other words now"


def test_the_five_lines_are_those_that_the_notes_name(made):
    [slide] = [slide for slide in made if "```python" in text_of(slide)]
    code = re.search(r"```python\n(.+?)\n```", text_of(slide), re.S)[1]
    told = next(line for line in note_of(slide).splitlines() if "five lines" in line)
    names = re.findall(r"`(\w+)`", told)
    assert len(names) == len(code.splitlines()) == 5
    assert all(name in code for name in names)


@pytest.fixture(scope="module")
def page():
    made = slides.deck(PLAN, {"Two maps": [cell_of("Two maps")]}, {})
    return BeautifulSoup(slides.html_of(made), "html.parser")


def test_every_block_has_a_slide(page):
    headings = [heading.get_text() for heading in page.select(".slides h2")]
    assert headings == [block.title for block in PLAN]
    assert len(page.select("aside.notes")) == len(PLAN) + 1  # the title's, too


def test_the_last_slides_say_what_to_do_and_show_the_exit_card_of_the_quizzes():
    cells, models = slides.tagged_cells([slides.BOOK / "teaching" / "quizzes.ipynb"])
    [card] = cells["Close"]
    made = BeautifulSoup(slides.html_of(slides.deck(PLAN, cells, models)), "html.parser")
    to_do, shown = [slide for slide in made.select(".slides section") if not slide.find("section")][-2:]
    assert to_do.h2.get_text() == "Close"
    assert all(task in to_do.get_text() for task in PLAN[-1].tasks)
    assert shown.h2.get_text() == "The exit card"
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
