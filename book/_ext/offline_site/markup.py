"""Mends of the pages that the theme writes: what is too heavy for a reader, or wrong for a screen reader.

Each mend is one pattern and what takes its place; ``axe-core`` names the rule that the page would break without it.
"""

from __future__ import annotations

import re

MENDS: dict[str, tuple[str, str]] = {
    "icons need no JavaScript: style sheet and font draw them (1.5 MB)": (
        r"\s*<!-- So that users can add custom icons -->\s*<script[^>]*scripts/fontawesome\.js[^>]*></script>",
        "",
    ),
    "label-content-name-mismatch: the button says more than its label": (
        r'(<button class="btn search-button[^>]*?)\s+aria-label="Search"',
        r"\1",
    ),
    "label-content-name-mismatch: the summary says what it opens": (
        r'<summary aria-label="Toggle hidden content">',
        "<summary>",
    ),
    "region: the sidebar with the logo is a landmark": (
        r'<div id="pst-primary-sidebar"(?! role)',
        '<div id="pst-primary-sidebar" role="navigation" aria-label="Book"',
    ),
    "aria-required-children, aria-deprecated-role: a bibliography is a list": (
        r'role="doc-biblioentry"',
        'role="listitem"',
    ),
    "document-title, html-has-lang, and a request for /favicon.ico: the redirect to the first page": (
        r'\A\s*<meta http-equiv="Refresh" content="0; url=([^"]+)" />\s*\Z',
        '<!DOCTYPE html>\n<html lang="en-GB">\n<meta charset="utf-8">\n<title>Variational Autoencoders, Live</title>\n'
        '<link rel="icon" href="data:,">\n<meta http-equiv="refresh" content="0; url=\\1">\n'
        '<a href="\\1">To the book</a>\n</html>\n',
    ),
    "link-name: the button that saves the notebook says so without its tooltip, too": (
        r'(<a href="[^"]*") (target="_blank"\s+class="btn btn-sm btn-notebook-button"\s+title="([^"]*)")',
        r'\1 download aria-label="\3" \2',
    ),
    "empty-table-header: the corner of a table, pandas' or Markdown's": (
        r'<th(?: class="head")?>(?:<p></p>)?</th>',
        "<td></td>",
    ),
}

# Scripts in the head that no other script there waits for: they may come while the page is read, and run after it.
PATIENT = r"doctools|sphinx_highlight|clipboard\.min|copybutton|sphinx-book-theme|togglebutton|design-tabs"
PATIENT_SCRIPT = re.compile(rf'<script (?!defer)((?:[\w-]+="[^"]*" )*src="[^"]*/(?:{PATIENT})\.js[^"]*">)')
PRELOAD = re.compile(r'\s*(?:<!-- Pre-loaded scripts[^>]*-->\s*)?<link rel="preload" as="script"[^>]*>')
SEARCH_SCRIPT = re.compile(r'\s*<script src="[^"]*(?:searchtools|language_data|searchindex)\.js[^"]*"></script>')


def drop_search_scripts(html: str) -> str:
    """Return a page without the search's scripts and index, which only the search page uses."""
    return SEARCH_SCRIPT.sub("", html)


def let_scripts_wait(html: str) -> str:
    """Return a page whose reading no script of the theme holds up: the text and the first explorer come before them.

    The search page is none for it: its scripts want `doctools.js` at once.
    """
    return PATIENT_SCRIPT.sub(r"<script defer \1", PRELOAD.sub("", html))


def mend(html: str) -> str:
    """Return the page with every mend applied; applying them twice changes nothing more."""
    for pattern, replacement in MENDS.values():
        html = re.sub(pattern, replacement, html)
    return html
