"""Markdown that every notebook viewer shows: numbers of equations and names of authors in place of MyST's roles.

The site knows `{eq}` and `{cite:p}`, and the label behind a formula; JupyterLab and Colab would print them as they stand. Links
to headings lead to where JupyterLab has them.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import nbformat
from pybtex import database
from pybtex.richtext import Text

BOOK = Path(__file__).parents[1]
LABELLED = re.compile(r"\$\$((?:(?!\$\$).)*?)(\s*)\$\$ \((eq-[\w-]+)\)", re.DOTALL)
REFERENCE = re.compile(r"\{eq\}`(eq-[\w-]+)`")
ANCHOR = re.compile(r"(?<=\]\()([^)#\s:]*)#([\w-]+)(?=\))")  # of a link to a heading of a page that is a notebook
CITATION = re.compile(r"\{cite:p\}`([\w, -]+)`")


def page_paths() -> list[Path]:
    """The book's notebooks, without those that tools leave behind."""
    return [path for path in sorted(BOOK.rglob("*.ipynb")) if not re.search(r"/[._]", f"/{path.relative_to(BOOK).as_posix()}")]


def plain(source: str, page: Path) -> str:
    """Return a Markdown cell of a page of the book in Markdown that needs neither Sphinx nor MyST.

    Raises:
        KeyError: no equation, or no entry of the bibliography, has this name.
    """
    source = LABELLED.sub(lambda found: f"$${found[1]} \\tag{{{equations()[found[3]][1]}}}{found[2]}$$", source)
    source = ANCHOR.sub(lambda link: f"{link[1]}#{_anchor(link[2], (page.parent / link[1]).resolve() if link[1] else page)}", source)
    source = REFERENCE.sub(lambda found: _reference(found[1], page), source)
    return CITATION.sub(lambda found: f"({'; '.join(citations()[key.strip()] for key in found[1].split(','))})", source)


def _reference(label: str, page: Path) -> str:
    home, number = equations()[label]
    return f"({number})" if home == page.resolve() else f"({number}) of *{title(home)}*"


def _anchor(name: str, page: Path) -> str:
    """JupyterLab's name of a heading, which keeps its capitals and signs: "Exercises" for the site's "exercises"."""
    headings = re.findall(r"^#+ (.+)$", markdown(page), re.MULTILINE) if page.suffix == ".ipynb" and page.is_file() else []
    return next((heading.replace(" ", "-") for heading in headings if _slug(heading) == _slug(name)), name)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def title(page: Path) -> str:
    """The heading of a page."""
    return re.search(r"^# (.+)$", markdown(page), re.MULTILINE)[1]


@cache
def markdown(page: Path) -> str:
    """All text of a page that is a notebook."""
    return "\n\n".join(cell.source for cell in nbformat.read(page, as_version=4).cells if cell.cell_type == "markdown")


@cache
def equations() -> dict[str, tuple[Path, int]]:
    """Every label of an equation, with its page and its number there."""
    found = {}
    for page in page_paths():
        for number, formula in enumerate(LABELLED.finditer(markdown(page)), 1):
            found[formula[3]] = page.resolve(), number
    return found


@cache
def citations() -> dict[str, str]:
    """Every entry of the bibliography as its authors and its year: "Kingma and Welling, 2014"."""
    entries = database.parse_file(str(BOOK / "references.bib")).entries
    return {key: f"{_authors(entry)}, {entry.fields['year']}" for key, entry in entries.items()}


def _authors(entry: database.Entry) -> str:
    names = [str(Text.from_latex(" ".join([*person.prelast_names, *person.last_names]))) for person in entry.persons["author"]]
    return f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
