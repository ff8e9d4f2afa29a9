"""The last step of a build: lighten the theme's files and mend its pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from . import code_lines, icons, markup, pictures, widget_files

if TYPE_CHECKING:
    from sphinx.application import Sphinx

UNUSED = ("**/*.map", "scripts/fontawesome.js*", "vendor/**/*.ttf")


def finish_site(app: Sphinx, exception: Exception | None) -> None:
    """Rewrite every page once, then drop and shrink the files that the pages no longer need."""
    if exception or app.builder.format != "html":
        return
    site = Path(app.outdir)
    for page in site.rglob("*.html"):
        mend_page(page, site)
    static = site / "_static"
    for pattern in UNUSED:
        for path in static.glob(pattern):
            path.unlink()
    shrink_icons(site)
    drop_widgets(site)


def mend_page(page: Path, site: Path) -> None:
    """Apply all mends to one page, and move its pictures out."""
    text = page.read_text(encoding="utf8")
    mended = code_lines.let_lines_wrap(pictures.move_pictures(markup.mend(text), page, site))
    if page.name != "search.html":
        mended = markup.let_scripts_wait(markup.drop_search_scripts(mended))
    if mended != text:
        page.write_text(mended, encoding="utf8")


def drop_widgets(site: Path) -> None:
    """Delete the widgets' files that no page names: a page that ran again has others, and those of the run before stay behind."""
    named = set[str]()
    for page in site.rglob("*.html"):  # those that this build did not write, too
        named |= widget_files.named_files(page.read_text(encoding="utf8"))
    for path in (site / widget_files.FOLDER).glob("*.js"):
        if path.name not in named:
            path.unlink()


def shrink_icons(site: Path) -> None:
    """Keep only the icons that some page or script shows, in the style sheets and in the fonts."""
    static = site / "_static"
    shown = set[str]()
    for path in [*site.rglob("*.html"), *static.rglob("*.js")]:
        shown |= icons.icon_names(path.read_text(encoding="utf8"))
    needed = set[int]()
    for style in static.rglob("*.css"):
        text = style.read_text(encoding="utf8")
        kept = icons.keep_icons(text, shown)
        style.write_text(kept, encoding="utf8")
        needed |= icons.glyphs(kept)
    for font in static.rglob("fa-*.woff2"):
        font.write_bytes(icons.subset_font(font.read_bytes(), needed))
