"""A page's output depends on the package's code, not only on the page: tell Sphinx so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PACKAGE = Path(__file__).parents[3] / "vae_tutorial"


def depend_on_package(app: Sphinx, docname: str, source: list[str]) -> None:
    """Run a notebook again when any file of the package has changed since its last run."""
    if not app.env.doc2path(docname).endswith(".ipynb"):
        return
    for path in PACKAGE.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
            app.env.note_dependency(str(path))
