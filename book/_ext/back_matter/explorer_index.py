"""The index of explorers, from their docstrings, their JavaScript and the pages that show them."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import yaml
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[3]
SCRIPTS = ROOT / "vae_tutorial" / "explorers" / "js"
NO_EXPLORERS = {"quiz"}  # a factory of the same package, shown on every page
CALL = re.compile(r"\bexplorers\.(\w+)\(")
HEADING = re.compile(r"^#{1,4} (.+)$", re.M)
READ_HASH = re.compile(r"parseHash\(location\.hash, \[([^\]]*)\]")
FOLLOWED = re.compile(r"followHash\(\w+, (?:\{([^}]*)\}|(\w+))")
KEY = re.compile(r"(?:^|[,{])\s*(\w+):")


class Use(NamedTuple):
    """A section of a page that shows an explorer."""

    page: str  # "foundations/code", without its suffix
    title: str  # the page's
    section: str  # the heading over the cell; the page's title where it stands above all others


class Explorers(SphinxDirective):
    """A section for each explorer, in the order in which the pages show them first."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        listed = pages_in_order(Path(self.config.external_toc_path))
        uses = uses_of_explorers(Path(self.env.srcdir), listed)
        for page in listed:
            self.env.note_dependency(str(Path(self.env.srcdir) / f"{page}.ipynb"))
        for path in [*SCRIPTS.glob("*.js"), *SCRIPTS.parent.glob("*.py")]:
            self.env.note_dependency(str(path))
        return [self.section(name, uses.get(name, [])) for name in in_order(factories(), uses)]

    def section(self, name: str, uses: list[Use]) -> nodes.section:
        """Return an explorer's section."""
        docstring = importlib.import_module("vae_tutorial.explorers").__dict__[name].__doc__
        text = entry(docstring, link_keys(name), uses, self.env.docname.count("/"))
        section = nodes.section("", nodes.title("", "", nodes.literal("", name)), ids=[nodes.make_id(f"explorer-{name}")])
        section += self.parse_text_to_nodes(text)
        return section


def factories() -> list[str]:
    """Return the names of all explorers that the package offers."""
    return [name for name in importlib.import_module("vae_tutorial.explorers").__all__ if name not in NO_EXPLORERS]


def in_order(names: Iterable[str], uses: dict[str, list[Use]]) -> list[str]:
    """Return the names in the order of their first use, those that no page shows last."""
    shown = list(uses)
    return sorted(names, key=lambda name: (shown.index(name) if name in uses else len(shown), name))


def entry(docstring: str, keys: list[str], uses: list[Use], depth: int) -> str:
    """Return an explorer's entry in Markdown: what it does, what to try, where it stands, how its state is linked."""
    paragraphs = [" ".join(text.split()) for text in docstring.split("\n\n")]
    summary, *others = [text for text in paragraphs if not re.match(r"(?:Args|Raises|Returns):", text)]
    tries = [text[text.index("Try:") :] for text in others if "Try:" in text]
    parts = [summary, *(re.sub(r"^Try:", "**Try:**", text) for text in tries)]
    if uses:
        parts.append("**Where:** " + "; ".join(link(use, depth) for use in uses) + ".")
    if keys:
        pattern = "&".join(f"{key}=…" for key in keys)
        parts.append(f"**In an address:** `#{pattern}` at the end of a page's address sets it; leave out what may stay.")
    return "\n\n".join(parts)


def link(use: Use, depth: int) -> str:
    """Return a Markdown link to a section, from a page that lies `depth` folders deep."""
    words = use.title if use.section == use.title else f"{use.title}: {use.section}"
    anchor = "" if use.section == use.title else f"#{slug(use.section)}"
    return f"[{words}]({'../' * depth}{use.page}.ipynb{anchor})"


def slug(heading: str) -> str:
    """Return a heading's anchor, as GitHub and MyST write it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def link_keys(name: str, folder: Path = SCRIPTS) -> list[str]:
    """Return the names that an explorer's JavaScript reads from the page's address, in the order in which it names them."""
    text = (folder / f"{name}.js").read_text("utf-8")
    found = [key for names in READ_HASH.findall(text) for key in re.findall(r'"(\w+)"', names)]
    for written, constant in FOLLOWED.findall(text):
        declared = re.search(rf"^const {constant} = (\{{[^}}]*\}})", text, re.M) if constant else None
        found += KEY.findall(declared[1] if declared else written)
    return list(dict.fromkeys(found))


def pages_in_order(contents: Path) -> list[str]:
    """Return the pages of a table of contents, in reading order."""
    listed: list[str] = []

    def visit(node: object) -> None:
        if isinstance(node, dict):
            listed.extend(str(node[key]) for key in ("root", "file") if key in node)
        for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            visit(child)

    visit(yaml.safe_load(contents.read_text("utf-8")))
    return listed


def uses_of_explorers(book: Path, pages: Iterable[str]) -> dict[str, list[Use]]:
    """Return, for each explorer, the sections of the pages that show it, in reading order."""
    uses: dict[str, list[Use]] = {}
    for page in pages:
        path = book / f"{page}.ipynb"
        if not path.is_file():
            continue
        headings: list[str] = []
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            text = "".join(cell["source"])
            if cell["cell_type"] == "markdown":
                headings += HEADING.findall(re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
            else:
                for name in dict.fromkeys(CALL.findall(text)):
                    use = Use(page, headings[0], headings[-1])
                    if name not in NO_EXPLORERS and use not in uses.setdefault(name, []):
                        uses[name].append(use)
    return uses
