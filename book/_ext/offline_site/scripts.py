"""Which scripts a page loads: local ones, once, and only where the page needs them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes

from . import files, widget_files

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
PROJECTED = "teaching/session"  # the page for a projector
NAMES_A_SETTING = 'document.documentElement.toggleAttribute("data-set", location.hash.includes("="));'
TYPESET = re.compile(r"\$[^$]+\$|\\\(")  # what MathJax would turn into a formula
NO_SCRIPT = (
    '<noscript><p class="admonition vae-noscript">The explorers on this page compute in your browser: '
    "switch JavaScript on to move their sliders.</p></noscript>\n"
)
# The search page reads the pages it found for their first lines, which browsers forbid between plain files.
NO_SUMMARY_FROM_FILES = 'if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;'


def use_local_scripts(app: Sphinx, config: Config) -> None:
    """Keep myst-nb from adding its widget runtime (this extension adds its own), and load the site's own MathJax."""
    config.nb_ipywidgets_js = {}
    config.mathjax_path = files.FORMULAS
    config.mathjax_options = {"defer": "defer", "fetchpriority": "low"}  # on a slow line the explorers come first
    app.set_html_assets_policy("always")  # MathJax for widgets' labels too; choose_scripts drops it where nothing needs it
    config.myst_update_mathjax = False  # formulas.js knows by itself what is a formula
    config.html_context = {"default_mode": "auto", **(config.html_context or {})}


def disconnect_thebe(app: Sphinx) -> None:
    """Unhook sphinx-thebe, which Jupyter Book 1.x always loads and which asks a CDN for its code on every page."""
    for listeners in app.events.listeners.values():
        for listener in list(listeners):
            if getattr(listener.handler, "__module__", "") == "sphinx_thebe":
                app.disconnect(listener.id)


def choose_scripts(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Drop MathJax from pages without mathematics; where there are explorers, let the first of them come before everything else."""
    loaded = context["script_files"]
    states = [script for script in loaded if script.attributes.get("type") == WIDGET_STATE]
    models: widget_files.Models = {}
    for state in states:
        models |= json.loads(state.attributes["body"])["state"]
    mathjax = [script for script in loaded if is_mathjax(script)]
    wanted = has_mathematics(doctree) or any(TYPESET.search(label) for label in widget_labels(models))
    dropped = [*states, *mathjax] if states or not wanted else []  # beside explorers it is their runtime that loads MathJax
    loaded[:] = [script for script in loaded if script not in dropped]
    context["css_files"][:] = [style for style in context["css_files"] if "sphinx-thebe" not in str(style.filename)]
    if "<img" in context.get("body", ""):
        app.add_js_file(files.FIGURES, defer="defer")
    if pagename == PROJECTED:
        app.add_js_file(None, body=NAMES_A_SETTING)
        app.add_js_file(files.PROJECTOR, defer="defer")
        app.add_css_file(files.PROJECTOR_STYLE, media=files.PROJECTOR_MEDIA)
        context["body"] = context["body"].replace('id="session-page"', 'id="session-page" class="vae-projector"', 1)
    if pagename == "search":
        app.add_js_file(None, body=NO_SUMMARY_FROM_FILES)
    if states:
        app.add_js_file(files.DEEP_LINKS, defer="defer")
        app.add_css_file(files.WIDGETS_STYLE)
        up = "../" * pagename.count("/")
        first = move_widgets(models, context, Path(app.outdir), up)
        runtime, formulas = (f"{up}_static/{files.versioned(name)}" for name in (files.WIDGETS, files.FORMULAS))
        context["metatags"] += early_scripts(runtime, first, formulas if wanted else "")
    if any("anywidget" in model["model_module"] for model in models.values()):
        context["body"] = NO_SCRIPT + context["body"]


def move_widgets(models: widget_files.Models, context: dict[str, Any], site: Path, up: str) -> list[str]:
    """Write the files of a page's widgets and name them in its text; returns the addresses that its first explorer needs."""
    shown = widget_files.shown_widgets(context["body"])
    first = widget_files.first_explorer(models, shown)
    needed, contents = widget_files.divide(models, shown)
    for name, content in contents.items():
        (site / name).parent.mkdir(exist_ok=True)
        (site / name).write_text(content, encoding="utf8")
    context["body"] = widget_files.name_files(context["body"], models, needed, first, up)
    return [up + name for name in needed.get(first, ())]


def early_scripts(runtime: str, first: list[str], formulas: str) -> str:
    """Return the elements, for the top of the page, that fetch the widgets' runtime and what the first explorer needs.

    The runtime loads the formulas' script itself, when the first explorer stands.
    """
    scripts = [f'<script async fetchpriority="high" src="{runtime}" data-then="{formulas}"></script>']
    scripts += [f'<script async fetchpriority="high" src="{address}" onerror="this.remove()"></script>' for address in first]
    return "\n    ".join(["", *scripts])


def has_mathematics(doctree: nodes.document | None) -> bool:
    """Tell whether the page's own text holds a formula (Sphinx asks its whole table of contents)."""
    return doctree is not None and any(doctree.findall(lambda node: isinstance(node, nodes.math | nodes.math_block)))


def is_mathjax(script: Any) -> bool:
    """Tell whether a script is the site's MathJax."""
    return files.FORMULAS in str(script.filename)


def widget_labels(models: widget_files.Models) -> list[str]:
    """Return the texts that a page's widgets show and that may hold a formula."""
    shown = (model["state"].get(key) for model in models.values() for key in ("description", "value", "placeholder"))
    return [text for text in shown if isinstance(text, str)]
