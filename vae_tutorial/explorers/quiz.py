"""A page's quiz: questions whose wrong answers are well-known mistakes, and why each of them is one. It reports nothing to anyone."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import ipywidgets
import traitlets

from vae_tutorial.explorers.canvas import Canvas, stack
from vae_tutorial.explorers.javascript import join_modules

FOLDER = Path(__file__).parent.parent / "quizzes"
QUESTION = {"question": str, "choices": list, "misconception": (int, type(None))}
CHOICE = {"text": str, "right": bool, "because": str}


class Quiz(Canvas):
    """The panel of `quiz`: plain HTML, no canvas."""

    _esm = join_modules("quiz.js")
    shown = ("page",)
    page = traitlets.Unicode().tag(sync=True)
    questions = traitlets.List(traitlets.Dict()).tag(sync=True)


def quiz(page: str) -> ipywidgets.VBox:
    """The quiz of a page: choose, check, and read why; then the reasons of all choices, if you ask for them.

    Args:
        page: the page's name, as its file has it: "code".

    Raises:
        ValueError: there is no such quiz, or its file does not have the form that `read_quiz` describes.
    """
    return stack(Quiz(page=page, questions=shuffled(read_quiz(page))), [])


def shuffled(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The questions with their choices in an order that depends on nothing but the words.

    The right choice takes every place about equally often: chance alone may put it first five times in a row.
    """
    places: list[int] = []
    arranged = []
    for question in questions:
        choices = sorted(question["choices"], key=lambda choice: _digest(question["question"], choice["text"]))
        used = [places.count(place) for place in range(len(choices))]
        free = [place for place, count in enumerate(used) if count == min(used)]
        places.append(free[_digest(question["question"]) % len(free)])
        choices.sort(key=lambda choice: choice["right"])
        choices.insert(places[-1], choices.pop())
        arranged.append(question | {"choices": choices})
    return arranged


def _digest(*texts: str) -> int:
    return int.from_bytes(hashlib.sha256("\n".join(texts).encode()).digest()[:8], "big")


def read_quiz(page: str, folder: Path = FOLDER) -> list[dict[str, Any]]:
    """The questions of a page, from `quizzes/PAGE.json`, checked.

    The file is a list of questions: `{"question": …, "choices": [{"text": …, "right": true, "because": …}, …], "misconception": 20}`.
    Exactly one choice is right, every choice says why, and all is plain text with Unicode for mathematics.

    Args:
        page: the page's name.
        folder: where the files are.

    Raises:
        ValueError: no such file, no JSON, or another form; file and question are named.
    """
    names = sorted(path.stem for path in folder.glob("*.json"))
    if page not in names:
        raise ValueError(f"there is no quiz {page!r} in {folder.name}/: choose from {names}")
    try:
        questions = json.loads((folder / f"{page}.json").read_text("utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{page}.json is not JSON: {error}") from None
    if not isinstance(questions, list) or not questions:
        raise ValueError(f"{page}.json must hold a list of questions")
    for number, question in enumerate(questions, 1):
        fault = _fault(question)
        if fault:
            raise ValueError(f"{page}.json, question {number}: {fault}")
    return questions


def _fault(question: Any) -> str | None:
    """What is wrong with a question, or None."""
    fault = _wrong_fields(question, QUESTION)
    if fault:
        return fault
    choices = question["choices"]
    for number, choice in enumerate(choices, 1):
        fault = _wrong_fields(choice, CHOICE)
        if fault:
            return f"choice {number}: {fault}"
    right = sum(choice["right"] for choice in choices)
    if right != 1 or len(choices) < 2:
        return f"of at least two choices exactly one must be right; {right} of {len(choices)} are"
    if len({choice["text"].strip() for choice in choices}) < len(choices):
        return "two choices have the same text"
    return None


def _wrong_fields(found: Any, wanted: dict[str, Any]) -> str | None:
    """What is wrong with one object of the file, or None."""
    if not isinstance(found, dict) or set(found) != set(wanted):
        have = sorted(found) if isinstance(found, dict) else type(found).__name__
        return f"it must have the fields {sorted(wanted)}, and has {have}"
    for name, kind in wanted.items():
        value = found[name]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            return f"{name!r} has the wrong type, {type(value).__name__}"
        if isinstance(value, str) and not value.strip():
            return f"{name!r} is empty"
        if isinstance(value, str) and re.search(r"[$\\]", value):
            return f"{name!r} must be plain text: write σ², ε, log p(x) instead of TeX"
    return None
