"""A line of code that is longer than its box goes on below, under itself, instead of out of sight."""

from __future__ import annotations

import html
import re

WRITTEN = "ipython3|python|bash|bat|yaml"  # what cells print has no language, and keeps its columns
CODE = re.compile(rf'(<div class="highlight-(?:{WRITTEN}) notranslate"><div class="highlight"><pre><span></span>)(.*?)</pre>', re.DOTALL)
OPENED = re.compile(r'(<span class="p">[^<]*[(]</span>)')  # a bracket with something in it
TAG = re.compile(r"<[^>]+>")
DEEPEST = 12  # characters: a phone has room for 40


def let_lines_wrap(page: str) -> str:
    """Return a page whose lines of code are elements of their own, each of which knows its indentation and may end after a bracket.

    The line breaks stay between them, so that what is copied is what was written. Done twice, it changes nothing more.
    """
    return CODE.sub(lambda block: block[1] + "\n".join(map(_line, block[2].split("\n"))) + "</pre>", page)


def _line(line: str) -> str:
    text = html.unescape(TAG.sub("", line))
    if not text.strip() or line.startswith('<span class="vae-code-line"'):
        return line
    indentation = min(len(text) - len(text.lstrip()), DEEPEST)
    breakable = OPENED.sub(r"\1<wbr>", line)
    return f'<span class="vae-code-line" style="--indentation: {indentation}">{breakable}</span>'
