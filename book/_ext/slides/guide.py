"""The guide as the deck needs it: its blocks in order, and their text as notes for a speaker who has slides and no links."""

from __future__ import annotations

import re
from dataclasses import dataclass

BLOCK = re.compile(r"^### (?:(\d+–\d+)|If there is time) · (.+)$", re.M)
ROW = re.compile(r"^\| (\d+) \| \d+ \| (.+?) \| (.+?) \|$", re.M)  # of the session's table: minute, length, what happens, what to show
DISPLAYED = re.compile(r"\$\$(.+?)\$\$ \(eq-[\w-]+\)", re.S)
SETTING_LINK = re.compile(r'<a href="[^"#]*#([^"]*)">(.*?)</a>', re.S)
LABELS = {  # names in an address → what stands beside the slider
    "z1": "z₁", "z2": "z₂", "eps1": "ε₁", "eps2": "ε₂", "z_mu": "μ", "z_sigma": "σ", "samples": "n", "epoch": "epoch",
    "x": "x", "q_mu": "μ", "q_log_sigma": "log σ", "q_beta": "β", "beta": "β", "d": "d",
}  # fmt: skip
# The guide speaks of links and of other pages; the deck has neither.
ON_SLIDES = (
    ("with the recorded training still on the screen", "before the calculator's slide is on the screen"),
    (" (the links above have moved its β as well)", ""),
    (": scroll past the first cell, to the box that begins with `q = model.posterior(x)`. There are", ":"),
)


@dataclass(frozen=True)
class Block:
    """A block of the session: the guide's text on it, the equation that goes on the board, if there is one, and its rows in the table."""

    title: str
    time: str  # such as "7–18"
    notes: str
    equation: str | None
    tasks: list[str]  # what the class is to do, a sentence for each row
    show: list[str]  # what the speaker is to show, row by row


def blocks(guide: str) -> list[Block]:
    """The session's blocks in the guide's order."""
    session = guide.split("\n## Three sessions")[0]
    table, *parts = BLOCK.split(session)
    rows = [(int(minute), task, show) for minute, task, show in ROW.findall(table)]
    found = []
    for time, title, body in zip(*(iter(parts),) * 3, strict=True):
        start, end = map(int, time.split("–")) if time else (0, 0)
        here = [(task, show) for minute, task, show in rows if start <= minute < end]
        shown = DISPLAYED.search(body)
        block = Block(
            title.strip(),
            time or "if there is time",
            for_speaker(DISPLAYED.sub("", body)).strip(),
            shown[1].strip() if shown else None,
            [task_of(task, title.strip()) for task, _ in here],
            [for_speaker(show) for _, show in here],
        )
        found.append(block)
    return found


def task_of(text: str, title: str) -> str:
    """The first sentence of a row, or the second where the first is the block's title, without the title in front of it."""
    sentences = re.split(r"(?<=[.?!]) ", text.replace("**", ""))
    first = sentences[1] if sentences[0].rstrip(".") == title and len(sentences) > 1 else sentences[0]
    task = first.removeprefix(f"{title}: ")
    return task[0].upper() + task[1:]


def for_speaker(text: str) -> str:
    """The guide's text without links and references; what a link would have set stands in brackets behind its words."""
    text = SETTING_LINK.sub(lambda link: with_settings(link[2], link[1]), text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"\{eq\}`[^`]+`", "the board", text)
    for on_page, on_slide in ON_SLIDES:
        text = text.replace(on_page, on_slide)
    return text


def with_settings(words: str, address: str) -> str:
    """A link's words and, in brackets, what it sets: "the middle (z₁ = 0, z₂ = 0)"; the words alone where they say it themselves."""
    told = settings(address)
    return words if told in ("", words) else f"{words} ({told})"


def settings(address: str) -> str:
    """What an address such as "two-maps&z1=-1.1&z2=-1.1" sets, by the sliders' labels: "z₁ = −1.1, z₂ = −1.1".

    Raises:
        KeyError: no slider has this name.
    """
    return ", ".join(setting(*pair.split("=")) for pair in address.split("&")[1:])


def setting(name: str, value: str) -> str:
    """One setting in words: the pictures to draw over have no slider, they are counted from the left."""
    return f"picture {int(value) + 1} of the row" if name == "digit" else f"{LABELS[name]} = {value.replace('-', '−')}"
