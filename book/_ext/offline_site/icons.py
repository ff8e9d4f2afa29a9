"""The theme's icons: it ships 2,000 of them and shows two dozen."""

from __future__ import annotations

import logging
import re
from io import BytesIO

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

logging.getLogger("fontTools").setLevel(logging.WARNING)  # it reports every table of a font

RULE = re.compile(r'((?:\.fa-[\w-]+:before,?)+)\{content:"((?:\\[0-9a-f]+|[^"])+)"\}')
NAME = re.compile(r"fa-([\w-]+)")
GLYPH = re.compile(r'"(?:\\([0-9a-f]{4})|([\ue000-\uf8ff]))"')


def icon_names(text: str) -> set[str]:
    """Return the names of all icons that some HTML or JavaScript mentions: ``fa-sun`` → ``sun``."""
    return set(NAME.findall(text))


def keep_icons(css: str, names: set[str]) -> str:
    """Return the style sheet without the rules of icons that no page shows."""
    return RULE.sub(lambda rule: rule[0] if names & icon_names(rule[1]) else "", css)


def glyphs(css: str) -> set[int]:
    """Return the code points in Unicode's private area that a style sheet draws, written plainly or as an escape."""
    return {int(escape, 16) if escape else ord(plain) for escape, plain in GLYPH.findall(css)}


def subset_font(font: bytes, code_points: set[int]) -> bytes:
    """Return the WOFF2 font with only those glyphs."""
    options = Options(flavor="woff2", layout_features=[])
    loaded = TTFont(BytesIO(font))
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=code_points)
    subsetter.subset(loaded)
    loaded.flavor = "woff2"
    target = BytesIO()
    loaded.save(target)
    return target.getvalue()
