"""A comma or full stop after a short formula stays on the formula's line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx

SHORT = 30  # characters of TeX: a longer formula may need the whole line of a phone
FOLLOWING = re.compile(r"[,.;:!?)\]’”]+")


def keep_with_formula(_: Sphinx, document: nodes.document, __: str) -> None:
    """Join every short formula and the punctuation right after it into one span that does not break."""
    for formula in list(document.findall(nodes.math)):
        text = formula.next_node(descend=False, siblings=True)
        found = FOLLOWING.match(text) if isinstance(text, nodes.Text) and len(formula.astext()) <= SHORT else None
        if found:
            together = nodes.inline("", "", classes=["vae-together"])
            formula.replace_self(together)
            together += [formula, nodes.Text(found[0])]
            text.parent.replace(text, nodes.Text(text[found.end() :]))
