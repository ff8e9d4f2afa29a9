"""The palette as CSS: one variable per quantity, and formulas that change colour with the theme."""

from __future__ import annotations

import json
from pathlib import Path

PALETTE = Path(__file__).parents[3] / "vae_tutorial" / "palette.json"
DARK = 'html[data-theme="dark"]'

Palette = dict[str, dict[str, str]]


def load_palette(path: Path = PALETTE) -> Palette:
    """Read the palette: quantity → ``light``, ``dark`` (both ``#rrggbb``), ``line`` and ``meaning``."""
    return json.loads(path.read_text(encoding="utf8"))


def palette_css(palette: Palette) -> str:
    r"""Return the variables ``--vae-QUANTITY`` for both themes, and the dark colours of inline-coloured formulas.

    A page writes ``\color{#0067a5}``, which every front end understands; MathJax turns it into an inline style, which a
    browser stores as ``rgb(…)``. In dark mode a rule replaces that inline colour by the variable.
    """
    light = "".join(f"  --vae-{name}: {colour['light']};\n" for name, colour in palette.items())
    dark = "".join(f"  --vae-{name}: {colour['dark']};\n" for name, colour in palette.items())
    formulas = "".join(_formula_rule(name, colour["light"]) for name, colour in palette.items())
    return f":root {{\n{light}}}\n{DARK} {{\n{dark}}}\n{formulas}"


def _formula_rule(name: str, light: str) -> str:
    red, green, blue = (int(light[i : i + 2], 16) for i in (1, 3, 5))
    written = (light, f"rgb({red}, {green}, {blue})")
    selectors = ", ".join(f'{DARK} mjx-container [style*="color: {colour}"]' for colour in written)
    return f"{selectors} {{ color: var(--vae-{name}) !important; }}\n"
