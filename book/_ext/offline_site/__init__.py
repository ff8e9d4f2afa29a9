"""The book's own Sphinx extension: the site serves every script, style sheet and font itself.

Jupyter Book's pages ask other servers for the widget runtime, MathJax and Thebe. A reader without a network, or one who
double-clicks ``index.html``, would get none of them. This extension puts bundled copies in their place (made by ``make widgets``),
loads each only where a page needs it, moves pictures into files that load when the reader is near, colours the quantities of
the book, keeps punctuation with its formula, lets long lines of code wrap and every notebook be saved, and mends what the theme
leaves inaccessible.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import address, files, finish, notebooks, punctuation, scripts, sources

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect the extension's steps to the events of a build, in the order in which they happen."""
    app.connect("config-inited", address.use_base_url, priority=1)
    app.connect("config-inited", scripts.use_local_scripts, priority=900)
    app.connect("builder-inited", scripts.disconnect_thebe, priority=1)
    app.connect("builder-inited", files.copy_assets)
    app.connect("source-read", sources.depend_on_package)
    app.connect("doctree-resolved", punctuation.keep_with_formula)
    app.connect("html-page-context", notebooks.offer_notebook, priority=900)  # when the theme has its own buttons
    app.connect("html-page-context", scripts.choose_scripts, priority=900)
    app.connect("build-finished", notebooks.write_notebooks)
    app.connect("build-finished", finish.finish_site, priority=900)
    app.add_config_value("offline_site_files", sources.own_files(), "html")  # another value: every page is written anew, none runs again
    app.add_css_file(files.STYLE)
    app.add_js_file(files.PRINT, defer="defer")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
