"""What a check finds, and the words for what to do about it."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

PIP = f'"{sys.executable}" -m pip install'  # a plain `pip` may be another Python's
INSTALL = f"{PIP} BOOK, where BOOK is the book's folder or its wheel"
MEMORY = "there is too little memory for it: see memory above, and start the check again when there is more"
AGAIN = f"{PIP} --force-reinstall --no-deps BOOK, where BOOK is the book's folder or its wheel"


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        what: the thing looked at.
        found: what there is, in words.
        advice: what to do about it; empty where all is well.
        follows: whether it goes by itself when something named before it is mended.
    """

    what: str
    found: str
    advice: str = ""
    follows: bool = False

    def __str__(self) -> str:
        line = f"{'✗' if self.advice or self.follows else '✓'} {self.what}: {self.found}"
        return f"{line}\n    → {self.advice}" if self.advice else line


def reason(error: BaseException) -> str:
    """Where an error began: its type, and the first line of its text that is not empty."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return ": ".join([type(error).__name__, *lines[:1]])


def is_memory(error: BaseException | None) -> bool:
    """Whether an error, or one that it was raised from or while handling, says that there was no memory."""
    while error is not None:
        if isinstance(error, MemoryError) or any(words in str(error) for words in ("failed to map segment", "Cannot allocate memory")):
            return True
        error = error.__cause__ or error.__context__
    return False


def culprit(error: BaseException | None, broken: dict[str, str]) -> str | None:
    """The package to be mended first that an error comes from, if any.

    Args:
        error: with those that it was raised from, or while handling.
        broken: modules that cannot be imported, each with the package to be mended.
    """
    while error is not None:
        module = (getattr(error, "name", None) or "").partition(".")[0] if isinstance(error, ImportError) else ""
        if module in broken:
            return broken[module]
        error = error.__cause__ or error.__context__
    return None


def consequences(stopped: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    """One line for all that a broken package stops, from pairs (what, package)."""
    by_package: dict[str, list[str]] = {}
    for what, package in stopped:
        by_package.setdefault(package, []).append(what)
    for package, whats in by_package.items():
        yield Finding(", ".join(whats), f"{'needs' if len(whats) == 1 else 'need'} {package}, see above", follows=True)
