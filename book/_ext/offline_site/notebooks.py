"""Every page that is a notebook can be saved as one: a button at its top, and a file whose drawings are inside it."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from plain_markdown import plain

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

FOLDER = "_notebooks"  # beside the pages, named as they are
LINK = re.compile(r"(?<=\]\()([^):\s#]+)\.(?:ipynb|md)(?=[)#])")  # to another page, by its place beside the page
DRAWING = re.compile(r"(?<=\]\()[^):\s]+\.svg(?=\))")  # in Markdown, by its place beside the page


def offer_notebook(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Give a page the button that saves the notebook it is made from."""
    if context.get("page_source_suffix") != ".ipynb" or "header_buttons" not in context:
        return
    button = {"type": "link", "url": context["pathto"](f"{FOLDER}/{pagename}.ipynb", 1), "icon": "fas fa-download"}
    context["header_buttons"].append(button | {"label": "notebook-button", "tooltip": "Save this page as a notebook"})


def write_notebooks(app: Sphinx, exception: Exception | None) -> None:
    """Write the notebook of every page, of those that this build did not write, too: numbers of equations go through all of them."""
    if exception or app.builder.format != "html":
        return
    for name in sorted(app.env.found_docs):
        source = Path(app.env.doc2path(name))
        if source.suffix == ".ipynb":
            target = Path(app.outdir) / FOLDER / f"{name}.ipynb"
            target.parent.mkdir(parents=True, exist_ok=True)
            base = app.config.html_baseurl
            target.write_text(standalone(source, base and base + name), encoding="utf8")


def standalone(page: Path, address: str = "") -> str:
    """The notebook's text in plain Markdown with each drawing in it, so that it shows all wherever it is opened.

    As an attachment JupyterLab would refuse an SVG. Links to other pages lead to the site, if the page's address on it is known; else
    they stay as they are, good beside the other notebooks.
    """
    notebook = json.loads(page.read_text(encoding="utf8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            source = "".join(cell["source"])
            if address:
                source = LINK.sub(lambda found: urljoin(address, f"{found[1]}.html"), source)
            source = plain(source, page)
            cell["source"] = DRAWING.sub(lambda found: inside(page.parent / found[0]), source)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def inside(drawing: Path) -> str:
    """A drawing as an address that holds it whole."""
    return f"data:image/svg+xml;base64,{base64.b64encode(drawing.read_bytes()).decode()}"
