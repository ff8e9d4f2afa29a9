"""The built site as files: its pages, where their links lead and the explorers saved in them. No browser is needed here."""

from __future__ import annotations

import base64
import json
import os
import zlib
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).parents[2]
SITE = Path(os.environ.get("SITE", ROOT / "_build" / "html"))  # SITE=… tests another build
SESSION = "teaching/session.html"  # the page for a projector
WIDGETS = "application/vnd.jupyter.widget-"
LOADED = {"script": "src", "img": "src", "source": "src", "iframe": "src"}  # what a page fetches, besides <link>


@dataclass
class Page:
    """One HTML file: what the tests ask about it."""

    name: str
    language: str = ""
    title: str = ""
    about: dict[str, str] = field(default_factory=dict)  # <meta> name or property → content
    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)  # where an <a> leads
    loads: list[str] = field(default_factory=list)  # what the page fetches
    alts: dict[str, str | None] = field(default_factory=dict)  # image → its alternative text
    views: list[dict[str, Any]] = field(default_factory=list)  # the notebook's displayed widgets, in their order
    widget_files: list[str] = field(default_factory=list)  # where their models are
    state: dict[str, Any] = field(default_factory=dict)  # every widget's model, by its id


@dataclass(frozen=True)
class Explorer:
    """An explorer as the build saved it: the canvas's class and state, and its place among the page's widgets."""

    page: str
    place: int
    kind: str
    model: dict[str, Any] = field(compare=False, repr=False)

    @property
    def state(self) -> dict[str, Any]:
        """The canvas's traits but for the bytes."""
        return self.model["state"]

    def bytes_of(self, trait: str) -> bytes:
        """A trait that travels as bytes."""
        buffer = next(buffer for buffer in self.model["buffers"] if buffer["path"] == [trait])
        data = base64.b64decode(buffer["data"])
        return zlib.decompress(data) if buffer["encoding"] == "deflate" else data

    def __str__(self) -> str:
        return f"{self.page}#{self.place + 1}-{self.kind}"


class _Reader(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page, self.inside = page, ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.inside = given.get("type") or tag if tag == "script" else tag
        self.page.ids |= {value for key in ("id", "name") if (value := given.get(key))}
        if tag == "html":
            self.page.language = given.get("lang") or ""
        elif tag == "a" and given.get("href"):
            self.page.links.append(given["href"])
        elif tag == "link" and given.get("rel") not in ("canonical", "next", "prev", "search", "index", "genindex"):
            self.page.loads.append(given["href"])
        elif tag == "meta":
            self.page.about[given.get("property") or given.get("name") or ""] = given.get("content") or ""
        elif tag == "img":
            self.page.alts[(given.get("src") or "")[:80]] = given.get("alt")
        self.page.widget_files += (given.get("data-files") or "").split()
        if given.get(LOADED.get(tag, "")):
            self.page.loads.append(given[LOADED[tag]])

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "title" and not self.page.title:  # a diagram may have a title too
            self.page.title = data.strip()
        elif self.inside == f"{WIDGETS}view+json":
            self.page.views.append(json.loads(data))


def models_of(texts: list[str]) -> dict[str, Any]:
    """Every widget's model, by its id, from the texts of their files, with what several share filled in, as `widgets/files.mjs` does it."""
    files = [json.loads(text.partition(" = ")[2].rstrip(";\n")) for text in texts]
    models = {identity: model for file in files for identity, model in file["models"].items()}
    shared = {name: text for file in files for name, text in file["texts"].items()}
    for model in models.values():
        for holder in (model["state"], *model.get("buffers", ())):
            for key, value in holder.items():
                if isinstance(value, dict) and value.keys() == {"shared"}:
                    holder[key] = shared[value["shared"]]
    return models


@cache
def read(name: str) -> Page:
    """Parse one page of the site."""
    page = Page(name)
    _Reader(page).feed((SITE / name).read_text(encoding="utf8"))
    files = dict.fromkeys(((SITE / name).parent / file).resolve() for file in page.widget_files)
    page.state = models_of([file.read_text(encoding="utf8") for file in files if file.is_file()])
    page.loads += page.widget_files
    return page


def page_names() -> list[str]:
    """Every page of the site; the theme's templates under `_static` are none."""
    names = (path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))
    return sorted(name for name in names if not name.startswith("_static/"))


def explorers() -> list[Explorer]:
    """Every explorer of every page, in reading order."""
    found = []
    for name in page_names():
        page = read(name)
        for place, view in enumerate(page.views):
            for model in _descendants(page.state, view["model_id"]):
                identity = model["state"].get("_anywidget_id", "")
                if identity.startswith("vae_tutorial."):
                    found.append(Explorer(name, place, identity.rpartition(".")[2], model))
    return found


def _descendants(state: dict[str, Any], identity: str) -> list[dict[str, Any]]:
    model = state[identity]
    children = (child.removeprefix("IPY_MODEL_") for child in model["state"].get("children", ()))
    return [model, *(found for child in children for found in _descendants(state, child))]


def is_outside(link: str) -> bool:
    """Whether a link leaves the site: an address with a scheme or a host."""
    parts = urlsplit(link)
    return bool(parts.scheme or parts.netloc)


def complaint(page: str, link: str) -> str | None:
    """Say why a link of a page leads nowhere, or None if it is sound or leaves the site."""
    if is_outside(link):
        return None
    parts = urlsplit(link)
    if parts.path.startswith("/"):
        return "starts at the server's root: dead in a sub-folder and on file://"
    target = ((SITE / page).parent / unquote(parts.path)).resolve() if parts.path else SITE / page
    if not target.is_relative_to(SITE.resolve()) and parts.path:
        return "leaves the site's folder"
    if not target.is_file():
        return "no such file"
    anchor = unquote(parts.fragment)
    if not anchor or target.suffix != ".html":
        return None
    known = read(target.resolve().relative_to(SITE.resolve()).as_posix())
    deep_link = "=" in anchor and known.views  # an explorer's settings, #z1=1&z2=-0.5
    return None if anchor in known.ids or deep_link else f"no element has the id {anchor!r}"
