"""The book's own Sphinx extension for its back matter: glossary links, API reference, index of explorers.

Each of the three is made from what stands elsewhere: the glossary's terms, the package's docstrings, the pages' own cells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import api, explorer_index, first_use

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directives and connect the glossary's links to the events of a build."""
    app.setup_extension("sphinx.ext.autodoc")
    app.add_directive("modules", api.Modules)
    app.add_directive("papers", api.Papers)
    app.add_directive("programs", api.Programs)
    app.add_directive("explorers", explorer_index.Explorers)
    app.connect("autodoc-process-docstring", api.write_as_rst, priority=100)  # before napoleon reads its sections
    app.connect("autodoc-process-signature", api.shorten_types)
    app.connect("env-before-read-docs", first_use.note_changed)
    app.connect("env-updated", first_use.rewrite_all)
    app.connect("doctree-resolved", first_use.link_page)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
