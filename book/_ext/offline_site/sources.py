"""A page's output depends on the package's code, and its HTML on this extension, not only on the page: tell Sphinx so."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PACKAGE = Path(__file__).parents[3] / "vae_tutorial"
EXTENSIONS = Path(__file__).parents[1]


def depend_on_package(app: Sphinx, docname: str, source: list[str]) -> None:
    """Run a notebook again when any file of the package has changed since its last run."""
    if not app.env.doc2path(docname).endswith(".ipynb"):
        return
    for path in PACKAGE.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
            app.env.note_dependency(str(path))


def own_files() -> str:
    """Return a digest of the book's extensions: Python, JavaScript and styles."""
    paths = sorted(path for kind in ("py", "js", "css") for path in EXTENSIONS.rglob(f"*.{kind}") if "slides" not in path.parts)
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()
