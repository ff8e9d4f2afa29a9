"""Exercises that answer back: `check(name, answer)` says "Right." or "Not yet: hint", never the answer, and never raises.

A page's checks stand in a module named after it, found by the first half of an exercise's name: "problem-setting/monte-carlo" is in
`exercises/problem_setting.py`. That module imports `exercise` and comparators from here; every comparator returns None
for right and a hint for anything else, so two of them join with `or`.
"""

import difflib
import html
import importlib
import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vae_tutorial.exercises._comparators import UnreadableError, agrees, choice, close, numbers, ranking

__all__ = ["UnreadableError", "Verdict", "agrees", "check", "choice", "close", "exercise", "exercise_names", "numbers", "ranking"]

Check = Callable[[Any], str | None]
NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*/[a-z0-9]+(?:-[a-z0-9]+)*")
_checks: dict[str, Check] = {}


@dataclass(frozen=True)
class Verdict:
    """What `check` found: true in an `if` or `assert` only when the answer is right."""

    name: str
    passed: bool
    message: str

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        return f"{'✓' if self.passed else '○'} {self.message}"

    def _repr_html_(self) -> str:
        # Colours come from the page, so that it reads in light and dark everywhere; mark, border style and words say the rest.
        text = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(self.message, quote=False))
        lead, colon, rest = text.partition(":")
        text = f"<b>{lead}{colon}</b>{rest}" if colon or self.passed else text
        style = f"border-left: 4px {'solid' if self.passed else 'dotted'} currentColor; padding: 2px 12px; margin: 4px 0; max-width: 60em"
        return f'<div style="{style}"><span aria-hidden="true">{"✓" if self.passed else "○"}</span> {text}</div>'


def check(name: str, answer: Any) -> Verdict:
    """Say whether an answer is right, and if it is not, what to look at.

    Nothing raises here: whatever is wrong with name or answer becomes a verdict that says what to do.

    Args:
        name: "page/exercise", as the page's cell has it.
        answer: a number, tensor, array, word, list or function, as the exercise asks for; `...` means "not answered yet".
    """
    try:
        if not _load(name):
            return Verdict(str(name), False, _unknown(name))
    except Exception as error:  # a page's module that does not import
        return Verdict(str(name), False, f"The checks of this page cannot be loaded ({type(error).__name__}: {error}).")
    if _unanswered(answer):
        return Verdict(name, False, "Not answered yet: put your answer in place of the three dots, and run the cell again.")
    try:
        hint = _checks[name](answer)
    except UnreadableError as error:
        hint = str(error)
    except (Exception, SystemExit) as error:  # an answer of a form that nobody thought of
        hint = f"an answer of type {type(answer).__name__} cannot be checked here ({type(error).__name__}). See what form is asked for."
    return Verdict(name, hint is None, "Right." if hint is None else f"Not yet: {hint}")


def exercise(name: str) -> Callable[[Check], Check]:
    """Register the check of an exercise: a function from the answer to None (right) or a hint.

    Args:
        name: "page/exercise", in lower case with hyphens; the page's part names the module, with underscores.

    Raises:
        ValueError: another form of name, a page that belongs to another module, or a name that is taken.
    """
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r}: an exercise is named page/exercise, in lower case with hyphens")

    def register(function: Check) -> Check:
        page, owner = name.split("/")[0], function.__module__
        if owner.startswith(f"{__name__}.") and owner != f"{__name__}.{page.replace('-', '_')}":
            raise ValueError(f"{name!r} belongs into exercises/{page.replace('-', '_')}.py, not into {owner}")
        taken = _checks.get(name)
        if taken and (taken.__module__, taken.__qualname__) != (owner, function.__qualname__):
            raise ValueError(f"there are two exercises named {name!r}: {taken.__qualname__} and {function.__qualname__}")
        _checks[name] = function
        return function

    return register


def exercise_names() -> list[str]:
    """The names of all exercises of all pages."""
    for module in _modules():
        importlib.import_module(f"{__name__}.{module}")
    return sorted(_checks)


def _modules() -> list[str]:
    """The pages' modules, in this package's folder."""
    return [module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")]


def _load(name: Any) -> bool:
    """Import the module of an exercise's page, if there is one; whether the exercise exists."""
    if not isinstance(name, str):
        return False
    module = name.split("/")[0].replace("-", "_")
    if module in _modules():
        importlib.import_module(f"{__name__}.{module}")
    return name in _checks


def _unknown(name: Any) -> str:
    """What to say of a name that no exercise has."""
    if not isinstance(name, str):
        return f"An exercise's name is a text such as 'code/reparameterise', not {type(name).__name__}: copy it from the page."
    names = exercise_names()
    page = name.split("/")[0]
    similar = difflib.get_close_matches(name, names, n=3, cutoff=0.5) or [known for known in names if known.startswith(f"{page}/")]
    advice = f"Did you mean {' or '.join(f'`{known}`' for known in similar)}?" if similar else "Copy its name from the page."
    return f"There is no exercise `{name}`. {advice}"


def _unanswered(answer: Any) -> bool:
    """Whether an answer, or a part of it, is still `...`."""
    if isinstance(answer, dict):
        answer = list(answer.values())
    return answer is ... or (isinstance(answer, (list, tuple)) and any(part is ... for part in answer))
