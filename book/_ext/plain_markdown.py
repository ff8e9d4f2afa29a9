"""Markdown that every notebook viewer shows: numbers of equations, names of authors and terms in place of MyST's roles.

The site knows `{eq}`, `{cite:p}` and `{term}`, and the label behind a formula; JupyterLab and Colab would print them as they stand.
Links to headings lead to where JupyterLab has them, links that set an explorer say what they would set, and colours can be read on
light ground and on dark.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import nbformat
import yaml
from pybtex import PybtexEngine, database
from pybtex.richtext import Text
from slides.guide import SETTING_LINK, with_settings

BOOK = Path(__file__).parents[1]
CONTENTS, REFERENCES = BOOK.parent / "_toc.yml", BOOK / "references.bib"
LABELLED = re.compile(r"\$\$((?:(?!\$\$).)*?)(\s*)\$\$ \((eq-[\w-]+)\)", re.DOTALL)
REFERENCE = re.compile(r"\{eq\}`(eq-[\w-]+)`")
ANCHOR = re.compile(r"(?<=\]\()([^)#\s:]*)#([\w-]+)(?=\))")  # of a link to a heading of a page that is a notebook
CITATION = re.compile(r"\{cite:([pt])\}`([\w, -]+)`")
NEXT_TO_IT = re.compile(r"(\{cite:p\}`[^`]+)`\s+\{cite:p\}`")
COLOUR = re.compile(r"\\color\{#([0-9a-f]{6})\}")
TERM = re.compile(r"\{term\}`([^`<]+?)(?:\s*<[^`]*>)?`")
GLOSSARY = re.compile(r"^```\{glossary\}\n(.*?)^```$", re.DOTALL | re.MULTILINE)
MIDDLE = 0.18  # the luminance whose contrast is above 4 : 1 on white and on JupyterLab's dark ground


@cache
def page_paths() -> tuple[Path, ...]:
    """The book's notebooks, in the order of its contents."""
    contents = yaml.safe_load(CONTENTS.read_text("utf-8"))
    names = [contents["root"], *re.findall(r"file: (\S+)", yaml.safe_dump(contents, sort_keys=False))]
    return tuple(path for name in names if (path := BOOK / f"{name}.ipynb").is_file())


def plain(source: str, page: Path) -> str:
    """Return Markdown of a page of the book in Markdown that needs neither Sphinx nor MyST.

    Raises:
        KeyError: no equation, or no entry of the bibliography, has this name.
    """
    source = LABELLED.sub(lambda found: f"$${found[1]} \\tag{{{equations()[found[3]][1]}}}{found[2]}$$", source)
    source = ANCHOR.sub(lambda link: f"{link[1]}#{_anchor(link[2], (page.parent / link[1]).resolve() if link[1] else page)}", source)
    source = SETTING_LINK.sub(lambda link: with_settings(link[2], link[1]), source)
    source = REFERENCE.sub(lambda found: _reference(found[1], page), source)
    while NEXT_TO_IT.search(source):
        source = NEXT_TO_IT.sub(r"\1,", source)
    source = CITATION.sub(lambda found: _cited(found[1], found[2].split(",")), source)
    source = GLOSSARY.sub(lambda found: _definitions(found[1]), source)
    return COLOUR.sub(lambda found: on_any_ground(found[1]), TERM.sub(r"\1", source))


def _reference(label: str, page: Path) -> str:
    home, number = equations()[label]
    return f"({number})" if home == page.resolve() else f"({number}) of *{title(home)}*"


def _cited(role: str, keys: list[str]) -> str:
    """In brackets, "(Kingma and Welling, 2014)", or as part of the sentence, "Kingma and Welling (2014)"."""
    names = [citations()[key.strip()] for key in keys]
    return f"({'; '.join(names)})" if role == "p" else " and ".join(re.sub(r", (\d+)$", r" (\1)", name) for name in names)


def _definitions(entries: str) -> str:
    """A glossary: each entry's names in bold, and below them what they mean."""
    named = re.sub(r"^(\S.*)\n(?=\S)", r"\1, ", entries, flags=re.MULTILINE)
    return re.sub(r"^(\S.*)\n", r"**\1**\n\n", named, flags=re.MULTILINE).replace("\n  ", "\n")


@cache
def on_any_ground(colour: str) -> str:
    """The command for a colour, mixed with white until it is of middle luminance; none for near-black, which the theme should choose."""
    linear = [(part / 255 / 12.92) if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in bytes.fromhex(colour)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    if luminance < 0.03 and max(linear) - min(linear) < 0.03:
        return ""
    white = max(0.0, (MIDDLE - luminance) / (1 - luminance))
    mixed = [part + white * (1 - part) for part in linear]
    encoded = [12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055 for part in mixed]
    return rf"\color{{#{''.join(f'{round(255 * part):02x}' for part in encoded)}}}"


def _anchor(name: str, page: Path) -> str:
    """JupyterLab's name of a heading, which keeps its capitals and signs: "Exercises" for the site's "exercises"."""
    headings = re.findall(r"^#+ (.+)$", markdown(page), re.MULTILINE) if page.suffix == ".ipynb" and page.is_file() else []
    return next((heading.replace(" ", "-") for heading in headings if slug(heading) == slug(name)), name)


def slug(text: str) -> str:
    """What tells one heading from another, whoever names it: "the-rate-of-a-gaussian" and "The rate of a Gaussian" alike."""
    return re.sub(r"[^a-z0-9]+", "", text.lower())


def title(page: Path) -> str:
    """The heading of a page."""
    return re.search(r"^# (.+)$", markdown(page), re.MULTILINE)[1]


@cache
def markdown(page: Path) -> str:
    """All text of a page that is a notebook."""
    return "\n\n".join(cell.source for cell in nbformat.read(page, as_version=4).cells if cell.cell_type == "markdown")


@cache
def equations() -> dict[str, tuple[Path, int]]:
    """Every label of an equation, with its page and its number, which is the site's: they are counted through the whole book."""
    labels = [(found[3], page.resolve()) for page in page_paths() for found in LABELLED.finditer(markdown(page))]
    return {label: (page, number) for number, (label, page) in enumerate(labels, 1)}


@cache
def citations() -> dict[str, str]:
    """Every entry of the bibliography as its authors and its year: "Kingma and Welling, 2014"."""
    entries = database.parse_file(str(REFERENCES)).entries
    return {key: f"{_authors(entry)}, {entry.fields['year']}" for key, entry in entries.items()}


def bibliography() -> str:
    """The works that the book names, as a page in Markdown."""
    listed = PybtexEngine().format_from_file(str(REFERENCES), style="plain", output_backend="markdown")
    return "# Bibliography\n\n" + re.sub(r"\\([-.+()])", r"\1", re.sub(r"^\[\d+\] ", "- ", listed, flags=re.MULTILINE))


def _authors(entry: database.Entry) -> str:
    names = [str(Text.from_latex(" ".join([*person.prelast_names, *person.last_names]))) for person in entry.persons["author"]]
    return f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
