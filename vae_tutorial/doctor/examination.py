"""Run every check, one after the other, and print what each finds."""

import argparse
import faulthandler
import sys
from collections.abc import Callable, Iterator

from vae_tutorial import doctor
from vae_tutorial.doctor import book, machine, memory, packages
from vae_tutorial.doctor.findings import AGAIN, INSTALL, Finding

MARKS = {"✓": "ok", "✗": "FIX", "→": "->", "−": "-"}  # for a console that cannot show them


def examine(root: str | None = None) -> Iterator[Finding]:
    """Everything, one check after the other; a check that fails is a finding, and the next one runs."""
    yield from _findings("Python", machine.python)
    foreign = list(_findings("environment", packages.surroundings))
    if foreign:
        yield from foreign
        return  # from here on everything would be told of the wrong Python
    checks: list[tuple[str, Callable[[], Iterator[Finding]]]] = [
        ("memory", memory.memory), ("packages", packages.packages), ("room", machine.room), ("widgets", machine.widgets),
        ("files", book.files), ("data", lambda: book.data(root)), ("checkpoints", book.checkpoints),
        ("GPU", book.gpu), ("training", book.training),
    ]  # fmt: skip
    for what, check in checks:  # memory before what fills it
        yield from _findings(what, check)


def _findings(what: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except ModuleNotFoundError as error:
        yield Finding(what, f"{error.name} cannot be imported", f"mend what is named above, or all at once: {INSTALL}")
    except (ImportError, OSError, ValueError, KeyError) as error:  # a file of a package or of the book that is not as it was
        yield Finding(what, f"{type(error).__name__}: {error}", f"mend what is named above; if nothing is, {AGAIN}")
    except Exception as error:  # whatever is broken here, the other checks must still be told
        yield Finding(what, f"{type(error).__name__}: {error}", "mend what is named above; if nothing is, report this line")


def main() -> int:
    """Print every finding; the exit code is the number of problems, 100 at most."""
    parser = argparse.ArgumentParser(prog="python -m vae_tutorial.doctor", description=doctor.__doc__)
    parser.add_argument("--data", metavar="FOLDER", help="where MNIST/raw and FashionMNIST/raw are expected")
    options = parser.parse_args()
    faulthandler.enable()  # a check that ends the process itself is at least named by the stack
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    try:
        "".join(MARKS).encode(getattr(sys.stdout, "encoding", None) or "ascii")
        marks = {}
    except UnicodeEncodeError:
        marks = str.maketrans(MARKS)
    problems = 0
    for finding in examine(options.data):
        problems += bool(finding.advice)
        print(str(finding).translate(marks), flush=True)
    print("\nAll is well: open a page." if not problems else f"\n{problems} to mend: see the arrows above.")
    return min(problems, 100)
