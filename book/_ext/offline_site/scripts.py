"""Which scripts a page loads: local ones, once, and only where the page needs them."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from docutils import nodes

from . import files

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
TYPESET = re.compile(r"\$[^$]+\$|\\\(")  # what MathJax would turn into a formula
BEFORE_MATHJAX = 100  # Sphinx loads scripts by rising priority; MathJax has 500
LONG = 1_000  # characters of a text that is worth sharing
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
    """Drop MathJax from pages without mathematics; move the widgets' state behind the text that the reader waits for."""
    loaded = context["script_files"]
    states = [script for script in loaded if script.attributes.get("type") == WIDGET_STATE]
    labels = [label for state in states for label in widget_labels(json.loads(state.attributes["body"]))]
    dropped = list(states)
    if not has_mathematics(doctree) and not any(TYPESET.search(label) for label in labels):
        dropped += [script for script in loaded if is_mathjax(script)]
    loaded[:] = [script for script in loaded if script not in dropped]
    context["css_files"][:] = [style for style in context["css_files"] if "sphinx-thebe" not in str(style.filename)]
    if pagename == "search":
        app.add_js_file(None, body=NO_SUMMARY_FROM_FILES)
    if states:
        app.add_js_file(files.WIDGETS, priority=BEFORE_MATHJAX, defer="defer", fetchpriority="high")
        app.add_js_file(files.DEEP_LINKS, defer="defer")
        app.add_css_file(files.WIDGETS_STYLE)
        context["body"] += "".join(state_tag(share_repeated(json.loads(state.attributes["body"]))) for state in states)
    if any('"anywidget"' in state.attributes["body"] for state in states):
        context["body"] = NO_SCRIPT + context["body"]


def has_mathematics(doctree: nodes.document | None) -> bool:
    """Tell whether the page's own text holds a formula (Sphinx asks its whole table of contents)."""
    return doctree is not None and any(doctree.findall(lambda node: isinstance(node, nodes.math | nodes.math_block)))


def is_mathjax(script: Any) -> bool:
    """Tell whether a script is the site's MathJax."""
    return files.FORMULAS in str(script.filename)


def widget_labels(state: dict[str, Any]) -> list[str]:
    """Return the texts that a page's widgets show and that may hold a formula."""
    shown = (model["state"].get(key) for model in state["state"].values() for key in ("description", "value", "placeholder"))
    return [text for text in shown if isinstance(text, str)]


def share_repeated(state: dict[str, Any]) -> str:
    """Return the widgets' state as JSON with each long text that several models hold, such as a network's weights, only once.

    They stand in the list `shared`; in their places is `{"shared": INDEX}`, which `widgets/shared.mjs` fills in again.
    """
    models = state["state"].values()
    places = [(holder, key) for model in models for holder, key in [*((model["state"], key) for key in model["state"]), *buffers_of(model)]]
    texts = [holder[key] for holder, key in places if isinstance(holder[key], str) and len(holder[key]) >= LONG]
    shared = [text for text, count in Counter(texts).items() if count > 1]
    for holder, key in places:
        if holder[key] in shared:
            holder[key] = {"shared": shared.index(holder[key])}
    return json.dumps({**state, "shared": shared})


def buffers_of(model: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """Return where a model's bytes stand: each buffer and the key of its data."""
    return [(buffer, "data") for buffer in model.get("buffers", ())]


def state_tag(body: str) -> str:
    """Return the element that carries the widgets' state; ``<`` is escaped, so that no text in it can end the element."""
    escaped = body.replace("<", "\\u003c")
    return f'<script type="{WIDGET_STATE}">{escaped}</script>\n'
