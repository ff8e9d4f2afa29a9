"""Each page links a term of the glossary where its prose uses it first: the notebooks stay plain, the site does the work.

The terms are those of the glossary directive on the page `GLOSSARY`. A link carries the definition's first sentence as its
tooltip. Headings, links, code, formulas, outputs and the pages in `UNLINKED` are left alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from docutils import nodes
from sphinx import addnodes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

GLOSSARY = "reference/glossary"
UNLINKED = {GLOSSARY, "reference/api", "reference/bibliography"}
NOT_PROSE = (
    *(nodes.title, nodes.reference, nodes.literal, nodes.literal_block, nodes.math, nodes.math_block, nodes.raw, nodes.citation),
    *(addnodes.pending_xref, addnodes.desc),
)
# Words of a term in another sense: they neither become a link nor count as its first use.
OTHER_SENSES = re.compile(
    r"source code|code cells?|lines? of code|(?:the|this|in|whose|its) code (?:cell|below|above|page)|prior to|by rate"
    r"|learning rates?|units? of (?:rate|measure)|\bone's units?\b",
    re.IGNORECASE,
)


class Term(NamedTuple):
    """An entry of the glossary."""

    words: tuple[str, ...]  # the term and its synonyms
    anchor: str
    tooltip: str


def terms_of(glossary: nodes.document) -> list[Term]:
    """Return the glossary page's terms, in its order."""
    found = []
    for directive in glossary.findall(addnodes.glossary):
        for item in directive.findall(nodes.definition_list_item):
            names = [child for child in item.children if isinstance(child, nodes.term)]
            words = tuple(name.astext() for name in names)
            found.append(Term(words, names[0]["ids"][0], first_sentence(next(item.findall(nodes.definition)).astext())))
    return found


def first_sentence(text: str) -> str:
    """Return what stands before the first full stop that ends a sentence; white space becomes single spaces."""
    return re.split(r"(?<=[.!?])\s", " ".join(text.split()), maxsplit=1)[0]


def pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Return what finds any of the words in prose, longest first, in the singular or plural, as whole words.

    A word without capitals may begin a sentence; one with capitals (`ELBO`) is found as it stands. Hyphens and dashes join:
    `rate` is not found in `rate–distortion`.
    """
    forms = [_form(word) for word in sorted(words, key=len, reverse=True)]
    return re.compile(rf"(?<![\w–-])(?:{'|'.join(forms)})(?![\w–-])")


def _form(word: str) -> str:
    written = r"\s+".join(re.escape(part) for part in word.split())
    if word == word.lower() and word[0].isalpha():
        written = f"[{word[0]}{word[0].upper()}]{written[1:]}"
    if word.endswith("y"):
        return f"{written[:-1]}(?:y|ies)"
    return written if word.endswith("s") else f"{written}(?:s|es)?"


def link_first_uses(page: nodes.document, terms: Iterable[Term], address: str) -> list[str]:
    """Turn the first use of every term on a page into a link to `address#anchor`; return the words linked, in order."""
    waiting = {term.words: term for term in terms}
    linked = []
    for text in [text for text in page.findall(nodes.Text) if is_prose(text)]:
        if not waiting:
            break
        pieces = list(_pieces(text.astext(), waiting, address))
        linked += [piece.astext() for piece in pieces if isinstance(piece, nodes.reference)]
        if len(pieces) > 1 or isinstance(pieces[0], nodes.reference):
            text.parent.replace(text, pieces)
    return linked


def _pieces(text: str, waiting: dict[tuple[str, ...], Term], address: str) -> Iterable[nodes.Node]:
    """Split a text at the terms that are used first in it, longer terms before shorter ones; forget those in `waiting`."""
    everything = pattern(word for words in waiting for word in words)
    own = {words: pattern(words) for words in waiting}
    masked = OTHER_SENSES.sub(lambda found: "\0" * len(found[0]), text)
    done = 0
    for found in everything.finditer(masked):
        words = next((words for words in waiting if own[words].fullmatch(found[0])), None)
        if words is None:  # linked a moment ago
            continue
        term = waiting.pop(words)
        if found.start() > done:
            yield nodes.Text(text[done : found.start()])
        shown = text[found.start() : found.end()]
        yield nodes.reference("", shown, internal=True, refuri=f"{address}#{term.anchor}", reftitle=term.tooltip, classes=["vae-term"])
        done = found.end()
    if done < len(text) or not text:
        yield nodes.Text(text[done:])


def is_prose(text: nodes.Text) -> bool:
    """Tell whether a text stands in a paragraph that the author wrote, outside links, code, formulas and outputs."""
    within, node = False, text.parent
    while node is not None:
        if isinstance(node, NOT_PROSE) or "cell_output" in getattr(node, "attributes", {}).get("classes", ()):
            return False
        within = within or isinstance(node, nodes.paragraph)
        node = node.parent
    return within


# ---------------------------------------------------------------- in a build


def link_page(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Link one page, once its other references are resolved."""
    if app.builder.format == "html" and docname not in UNLINKED and GLOSSARY in app.env.found_docs:
        link_first_uses(doctree, glossary_terms(app.env), app.builder.get_relative_uri(docname, GLOSSARY))


def glossary_terms(env: BuildEnvironment) -> list[Term]:
    """Read the glossary once a build."""
    if not hasattr(env, "vae_terms"):
        env.vae_terms = terms_of(env.get_doctree(GLOSSARY))
    return env.vae_terms


def note_changed(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Remember whether this build reads the glossary anew."""
    env.vae_glossary_changed = GLOSSARY in docnames
    vars(env).pop("vae_terms", None)


def rewrite_all(app: Sphinx, env: BuildEnvironment) -> Iterable[str]:
    """Write every page again when the glossary has changed."""
    return sorted(env.found_docs) if vars(env).pop("vae_glossary_changed", False) else []
