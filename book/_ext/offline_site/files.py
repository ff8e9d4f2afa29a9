"""The site's own files: widget runtime, MathJax with its fonts, style sheet."""

from __future__ import annotations

import hashlib
import shutil
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sphinx.errors import ExtensionError

from .palette import load_palette, palette_css

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

FOLDER = "book"  # below _static
STYLE = f"{FOLDER}/book.css"
WIDGETS = f"{FOLDER}/widgets.js"
WIDGETS_STYLE = f"{FOLDER}/widgets.css"
FORMULAS = f"{FOLDER}/formulas.js"
DEEP_LINKS = f"{FOLDER}/deep_links.js"
FIGURES = f"{FOLDER}/figures.js"
PRINT = f"{FOLDER}/print.js"
PROJECTOR = f"{FOLDER}/projector.js"
PROJECTOR_STYLE = f"{FOLDER}/projector.css"
PROJECTOR_MEDIA = "screen and (min-width: 800px) and (min-height: 440px)"  # no phone; a small projector, though zoomed

ROOT = Path(__file__).parents[3]
STATIC = Path(__file__).parent / "static"
BUNDLE = ROOT / ".cache"
FONTS = ROOT / "node_modules" / "mathjax-full" / "es5" / "output" / "chtml" / "fonts" / "woff-v2"


def copy_assets(app: Sphinx) -> None:
    """Put the files that pages load under ``_static/book``.

    Raises:
        ExtensionError: the JavaScript has not been built yet.
    """
    if app.builder.format != "html":
        return
    target = Path(app.outdir) / "_static" / FOLDER
    for source, name in bundled_files():
        destination = target / name
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, destination)
    for own in (*STATIC.glob("*.js"), STATIC / "projector.css"):
        shutil.copyfile(own, target / own.name)
    style = palette_css(load_palette()) + (STATIC / "book.css").read_text(encoding="utf8")
    (target / "book.css").write_text(style, encoding="utf8")


def bundled_files() -> Iterator[tuple[Path, str]]:
    """Yield each third-party file with its name below ``_static/book``; raise ExtensionError where one is missing."""
    wanted = [(BUNDLE, "widgets.js", ""), (BUNDLE, "widgets.css", ""), (BUNDLE, "formulas.js", ""), (FONTS, "*.woff", "fonts/")]
    for folder, pattern, prefix in wanted:
        found = sorted(folder.glob(pattern))
        if not found:
            raise ExtensionError(f"{pattern} is missing in {folder.relative_to(ROOT)}: run 'make widgets' first.")
        for path in found:
            yield path, prefix + path.name


@cache
def versioned(name: str) -> str:
    """Return a script's name with the mark of its content, so that no browser runs an older one that it has kept."""
    content = (BUNDLE / Path(name).name).read_bytes()
    return f"{name}?v={hashlib.sha256(content).hexdigest()[:8]}"
