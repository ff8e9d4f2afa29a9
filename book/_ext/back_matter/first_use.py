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
    from collections.abc import Iterable, Iterator

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
    "|".join(
        sense.replace(" ", r"\s+")
        for sense in (
            r"source code|same code|code cells?|lines? of code|(?:your|own) code|code in (?:a|the) cell|in code\b|code loads",
            r"(?:change|read) (?:the|its|their) code\b|such codes?",
            r"prior to|learning rates?|maximum likelihood|marginal inference|white card|bits (?:missing|a weight)",
            r"(?:by|up to|to) (?:a|the|what|the same) factors?|the same factor|constant factors?|which factor",
            r"factors? of (?:\d|two|three|four|ten)|per unit of|half a unit|unit ten times|is the unit\b|units high",
            r"(?:natural|same|another) units?|pixels. unit|no unit|unit (?:variance|vectors?)|on the unit\b|the unit cancels",
            r"units? of (?:rate|measure|information)|(?:its|their|the) unit(?= (?:is|of|and)\b|[,;:])",
        )
    ),
    re.IGNORECASE,
)
# Everyday words, terms only on some pages. (There is program text, a slip of paper, a metre, and the rate of a Monte Carlo estimate.)
ONLY_ON = {
    "card": re.compile(r"(?!teaching/).*"),
    "code": re.compile(r"(?!reference/how-this-book-is-made).*"),
    "factor": re.compile(r"experiments/disentanglement|applications/.*"),
    "rate": re.compile(r"(?!foundations/problem-setting).*"),
    "recipe": re.compile(r"intro|reference/.*|teaching/.*"),
    "unit": re.compile(r"(?!foundations/generative-models).*"),
}


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
    by_words = {term.words: term for term in terms}
    found = Finder(by_words)
    linked = []
    for paragraph in list(page.findall(nodes.paragraph)):
        join_lines(paragraph)
    for text in [text for text in page.findall(nodes.Text) if is_prose(text)]:
        pieces = list(_pieces(text.astext(), found, by_words, address))
        linked += [piece.astext() for piece in pieces if isinstance(piece, nodes.reference)]
        if len(pieces) > 1 or isinstance(pieces[0], nodes.reference):
            text.parent.replace(text, pieces)
    return linked


class Finder:
    """Finds the terms that a page has not used yet: a longer term before a shorter one in it, also where the longer is known."""

    def __init__(self, all_words: Iterable[tuple[str, ...]]) -> None:
        self.own = {words: pattern(words) for words in all_words}
        self.any = pattern(word for words in self.own for word in words) if self.own else re.compile(r"(?!)")
        self.waiting = set(self.own)

    def __call__(self, text: str) -> Iterator[tuple[tuple[str, ...], int, int]]:
        """Yield each term used for the first time, with its place."""
        masked = OTHER_SENSES.sub(lambda other: "\0" * len(other[0]), text)
        for found in self.any.finditer(masked):
            words = next(words for words, own in self.own.items() if own.fullmatch(found[0]))
            if words in self.waiting:
                self.waiting.remove(words)
                yield words, found.start(), found.end()


def _pieces(text: str, found: Finder, terms: dict[tuple[str, ...], Term], address: str) -> Iterator[nodes.Node]:
    """Split a text at the terms that are used first in it."""
    done = 0
    for words, start, end in found(text):
        if start > done:
            yield nodes.Text(text[done:start])
        term, shown = terms[words], text[start:end]
        yield nodes.reference("", shown, internal=True, refuri=f"{address}#{term.anchor}", reftitle=term.tooltip, classes=["vae-term"])
        done = end
    if done < len(text) or not text:
        yield nodes.Text(text[done:])


def join_lines(paragraph: nodes.paragraph) -> None:
    """Make one text of each run of them: MyST gives every line of a paragraph its own."""
    joined: list[nodes.Node] = []
    for child in paragraph.children:
        if joined and isinstance(child, nodes.Text) and isinstance(joined[-1], nodes.Text):
            joined[-1] = nodes.Text(joined[-1].astext() + child.astext())
        else:
            joined.append(child)
    paragraph.children = []
    paragraph.extend(joined)


def is_prose(text: nodes.Text) -> bool:
    """Tell whether a text stands in a paragraph that the author wrote, outside links, code, formulas and outputs."""
    before = text.parent.children[: text.parent.index(text)]
    tags = [node.astext() for node in before if isinstance(node, nodes.raw)]
    if sum(tag.startswith("<a ") - tag.startswith("</a") for tag in tags):  # a link written in HTML comes as its two tags
        return False
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
        link_first_uses(doctree, terms_on(docname, glossary_terms(app.env)), app.builder.get_relative_uri(docname, GLOSSARY))


def terms_on(docname: str, terms: Iterable[Term]) -> list[Term]:
    """Return the terms that a page may link."""
    return [term for term in terms if term.words[0] not in ONLY_ON or ONLY_ON[term.words[0]].fullmatch(docname)]


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
