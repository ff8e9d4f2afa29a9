"""The widgets' state leaves the page: what a displayed widget needs stands in files that load when the reader comes near it.

A file is a script, not JSON, because a page that was opened from a disk may load scripts and nothing else:

    (window.widgetFiles ??= {})["NAME"] = {"models": {ID: model, …}, "texts": {HASH: text, …}};

Widgets that refer to each other (a box, its sliders, their links) stand in one file. A long text that several models hold, such
as a network's weights, is written once, as one of the `texts`; in its places is `{"shared": HASH}`. Texts of several files have
a file of their own. Bytes are deflated before they become base64 text: gzip, which sees the text, finds less in it.
`widgets/files.mjs` puts it all together again.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Models = dict[str, dict[str, Any]]  # by their id, as ipywidgets saves them: state, buffers, class
FOLDER = "_widgets"
DEFLATED = "deflate"  # beside ipywidgets' own "base64" and "hex"
LONG = 1_000  # characters of a text that is worth sharing
REFERENCE = re.compile(r"IPY_MODEL_(\w+)")
ADDRESS = re.compile(rf"\b{FOLDER}/(\w+\.js)")
VIEW = re.compile(r'<script type="application/vnd\.jupyter\.widget-view\+json">(\s*\{[^<]*\}\s*)</script>')


def shown_widgets(html: str) -> list[str]:
    """Return the ids of the widgets that a page displays, in their order."""
    return [json.loads(view)["model_id"] for view in VIEW.findall(html)]


def name_files(html: str, models: Models, needed: dict[str, list[str]], first: str, up: str) -> str:
    """Return the page with an area for each displayed widget, about as high as it will be, and its files' addresses beside it.

    The view of the widget `first` has the attribute `data-first`.
    """
    tied = {identity: group for group in connected(models) for identity in group}

    def area(found: re.Match[str]) -> str:
        identity = json.loads(found[1])["model_id"]
        addresses = " ".join(up + name for name in needed.get(identity, ()))
        marks = f'{"data-first " if identity == first else ""}data-files="{addresses}"'
        height = height_of([models[each] for each in tied.get(identity, ())])
        view = found[0].replace("<script", f"<script {marks}", 1)
        return f'<div class="widget-subarea vae-waits" style="--vae-height: {height}rem"></div>{view}'

    return VIEW.sub(area, html)


def named_files(html: str) -> set[str]:
    """Return the names, without their folder, of the widgets' files that a finished page loads, at once or later."""
    return set(ADDRESS.findall(html))


def height_of(group: list[dict[str, Any]]) -> int:
    """Return about how high a widget stands on a wide page, in rem: a row for each control, and what the book's canvases take."""
    rows = sum(model["model_name"].endswith(("SliderModel", "ProgressModel")) for model in group)
    canvases = [model["state"] for model in group if model["model_module"] == "anywidget"]
    return 2 * rows + sum(22 * len(state["questions"]) if "questions" in state else 46 for state in canvases)


def first_explorer(models: Models, shown: list[str]) -> str:
    """Return the id of the first displayed widget with a canvas of its own, or else of the first one; "" where there is none."""
    canvases = {identity for identity, model in models.items() if model["model_module"] == "anywidget"}
    tied = {identity: group for group in connected(models) for identity in group}
    return next((identity for identity in shown if tied.get(identity, set()) & canvases), shown[0] if shown else "")


def divide(models: Models, shown: list[str]) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Return the files that each displayed widget needs, its own first, and the content of each file by its name.

    A model that no displayed widget refers to, or is linked with, is left out.
    """
    for model in models.values():
        model["buffers"] = [deflated(buffer) for buffer in model.get("buffers", ())]
    groups = [group for group in connected(models) if group & set(shown)]
    holders = [[place for identity in sorted(group) for place in texts_of(models[identity])] for group in groups]
    users: dict[str, list[int]] = defaultdict(list)
    for number, places in enumerate(holders):
        for holder, key in places:
            users[holder[key]].append(number)
    texts: dict[frozenset[int], dict[str, str]] = defaultdict(dict)  # who shares them → the texts by their hash
    for text, numbers in users.items():
        if len(numbers) > 1:
            texts[frozenset(numbers)][digest(text)] = text
    for holder, key in (place for places in holders for place in places):
        if len(users[holder[key]]) > 1:
            holder[key] = {"shared": digest(holder[key])}
    contents: dict[str, str] = {}
    needed: dict[str, list[str]] = {}
    common = {numbers: _add(contents, {}, shared) for numbers, shared in texts.items() if len(numbers) > 1}
    for number, group in enumerate(groups):
        own = _add(contents, {identity: models[identity] for identity in sorted(group)}, texts.get(frozenset([number]), {}))
        names = [own, *(name for numbers, name in common.items() if number in numbers)]
        needed |= {identity: names for identity in shown if identity in group}
    return needed, contents


def connected(models: Models) -> list[set[str]]:
    """Return the models in groups: all that refer to each other, directly or through others."""
    group_of = {identity: {identity} for identity in models}
    for identity, model in models.items():
        for other in REFERENCE.findall(json.dumps(model["state"])):
            if other in models and group_of[other] is not group_of[identity]:
                joined = group_of[identity] | group_of[other]
                group_of |= dict.fromkeys(joined, joined)
    return list({id(group): group for group in group_of.values()}.values())


def deflated(buffer: dict[str, Any]) -> dict[str, Any]:
    """Return a model's buffer with its data deflated (zlib's format) and its `encoding` saying so, where that makes it smaller."""
    if buffer["encoding"] != "base64":
        return buffer
    data = base64.b64encode(zlib.compress(base64.b64decode(buffer["data"]), 9)).decode()
    return {**buffer, "data": data, "encoding": DEFLATED} if len(data) < len(buffer["data"]) else buffer


def texts_of(model: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield where a model's long texts stand: the dictionary and the key, for its state and for the data of each buffer."""
    for holder, keys in _holders(model):
        yield from ((holder, key) for key in keys if isinstance(holder[key], str) and len(holder[key]) >= LONG)


def digest(text: str) -> str:
    """Return a short name for a text, made from its content."""
    return hashlib.sha256(text.encode("utf8")).hexdigest()[:16]


def _holders(model: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Iterable[str]]]:
    yield model["state"], list(model["state"])
    yield from ((buffer, ("data",)) for buffer in model.get("buffers", ()))


def _add(contents: dict[str, str], models: Models, texts: dict[str, str]) -> str:
    """Write one more file into `contents`; returns its name below the site's root."""
    body = json.dumps({"models": models, "texts": texts}, separators=(",", ":"))
    name = f"{digest(body)}.js"
    contents[f"{FOLDER}/{name}"] = f'(window.widgetFiles ??= {{}})["{name}"] = {body};\n'
    return f"{FOLDER}/{name}"
