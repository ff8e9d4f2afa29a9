"""The API reference: a section for each module named in a `modules` block, and a list of a package's programs."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import stringify_annotation

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PACKAGE = Path(__file__).parents[3] / "vae_tutorial"
CODE = re.compile(r"(`[^`\n]+`)")
CITATION = re.compile(  # Kingma & Ba 2015; Chen et al. (2018); Vincent et al. 2008, 2010
    r"((?!The |In )[A-ZÅØ][\w’-]+)(?: et al\.| (?:&|and) [A-ZÅØ][\w’-]+)?,? \(?((?:19|20)\d\d(?:, (?:19|20)\d\d)*)\b"
)
ASCII = str.maketrans("åäáéèíïñóöøü", "aaaeeiinooou")
EMPHASIS = re.compile(r"((?<![\w*])\*\w[^*\n]*(?<=\w)\*(?![\w*]))")
EXAMPLE = "    "  # how a line of code begins in a module's docstring
MARKUP = re.compile(r"([*|\\]|_(?!\w))")  # what reStructuredText would read as emphasis, substitution, escape or link


class Modules(SphinxDirective):
    """One line for each module, `objectives` for `vae_tutorial.objectives`; autodoc writes its section from the docstrings."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the sections, in the order of the lines."""
        return [self.section(name.strip()) for name in self.content if name.strip()]

    def section(self, name: str) -> nodes.section:
        """Return a module's section: its name as the heading, its docstring, its public names."""
        self.env.note_dependency(str(source_of(name)))
        heading = nodes.title("", "", nodes.literal("", name))
        section = nodes.section("", heading, ids=[nodes.make_id(f"module-{name}")], names=[f"module-{name}"])
        section += self.parse_text_to_nodes(f"```{{eval-rst}}\n.. automodule:: vae_tutorial.{name}\n   :members:\n```")
        return section


class Papers(SphinxDirective):
    """The papers that the package's docstrings cite, as links to the bibliography, by key."""

    def run(self) -> list[nodes.Node]:
        """Return one paragraph."""
        keys = set[str]()
        for path in sorted(PACKAGE.rglob("*.py")):
            self.env.note_dependency(str(path))
            keys |= {key for text in docstrings(path) for key in cited(text)}
        return self.parse_text_to_nodes("; ".join(f"{{cite:t}}`{key}`" for key in sorted(keys)) + ".")


class Programs(SphinxDirective):
    """The modules of a package that are run by name: a list of names, each with its docstring's first line."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the list in alphabetical order."""
        lines = []
        for name, path in programs(PACKAGE / self.arguments[0]):
            self.env.note_dependency(str(path))
            summary = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").split("\n\n")[0]
            lines.append(f"- `{name}`: {' '.join(summary.split())}")
        return self.parse_text_to_nodes("\n".join(lines))


def programs(folder: Path) -> list[tuple[str, Path]]:
    """Return the modules of a folder that name themselves, `NAME = "mnist-2d"`, by that name."""
    found = []
    for path in folder.glob("*.py"):
        named = re.search(r'^NAME = "([\w-]+)"', path.read_text("utf-8"), re.M)
        if named:
            found.append((named[1], path))
    return sorted(found)


def docstrings(path: Path) -> list[str]:
    """Return the docstrings of a file: the module's, its classes' and its functions'."""
    nodes_with = (ast.Module, ast.ClassDef, ast.FunctionDef)
    found = (ast.get_docstring(node) for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, nodes_with))
    return [text for text in found if text]


def cited(text: str) -> list[str]:
    """Return the bibliography's keys of the papers a docstring cites: `van den Oord et al. (2016)` → `oord2016`."""
    found = [(name, year) for name, years in CITATION.findall(" ".join(text.split())) for year in re.findall(r"\d{4}", years)]
    return [re.sub(r"[^a-z]", "", name.lower().translate(ASCII)) + year for name, year in found]


def source_of(name: str) -> Path:
    """Return the file of a module of the package.

    Raises:
        ValueError: there is no such module.
    """
    path = PACKAGE.joinpath(*name.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return file
    raise ValueError(f"there is no module vae_tutorial.{name}: see the modules blocks of the API page")


def write_as_rst(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Turn a docstring, whose only markup is `code` in single backticks and *emphasis*, into reStructuredText; a module's has examples."""
    written, within = list[str](), False
    for line in lines:
        example = what == "module" and line.startswith(EXAMPLE)
        if example and not within:
            written += ["::", ""]
        within = example or (within and not line.strip())
        written.append(line if example else as_rst(line))
    lines[:] = written
    if what in ("property", "attribute", "data"):
        lines[:0] = ["..", ""]  # an empty comment: napoleon would take what stands before a colon in the first line for a type


def shorten_types(
    app: Sphinx, what: str, name: str, thing: object, options: object, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Write `ArrayLike` where a signature would list the eight types that NumPy means by it."""
    return tuple(text and text.replace(spelt_out(), "~numpy.typing.ArrayLike") for text in (signature, returns))


@cache
def spelt_out() -> str:
    """Return `ArrayLike` as Sphinx writes it into signatures."""
    from numpy.typing import ArrayLike

    return stringify_annotation(ArrayLike, "smart")


def as_rst(line: str) -> str:
    """Return a line with its code doubly quoted, its emphasis kept and everything else taken literally."""
    return "".join(f"`{part}`" if CODE.fullmatch(part) else literally(part) for part in CODE.split(line))


def literally(text: str) -> str:
    """Return a text with its emphasis kept and everything else taken literally."""
    return "".join(part if EMPHASIS.fullmatch(part) else MARKUP.sub(r"\\\1", part) for part in EMPHASIS.split(text))
