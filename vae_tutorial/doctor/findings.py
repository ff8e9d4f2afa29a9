"""What a check finds, and the words for what to do about it."""

import sys
from dataclasses import dataclass

PIP = f'"{sys.executable}" -m pip install'  # a plain `pip` may be another Python's
INSTALL = f"{PIP} BOOK, where BOOK is the book's folder or its wheel"
AGAIN = f"{PIP} --force-reinstall --no-deps BOOK, where BOOK is the book's folder or its wheel"


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        what: the thing looked at.
        found: what there is, in words.
        advice: what to do about it; empty where all is well.
    """

    what: str
    found: str
    advice: str = ""

    def __str__(self) -> str:
        line = f"{'✗' if self.advice else '✓'} {self.what}: {self.found}"
        return f"{line}\n    → {self.advice}" if self.advice else line
