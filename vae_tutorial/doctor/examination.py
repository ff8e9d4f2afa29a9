"""Run every check, one after the other, and print what each finds."""

import argparse
import faulthandler
import sys
from collections.abc import Callable, Iterable, Iterator

from vae_tutorial import doctor
from vae_tutorial.doctor import book, machine, memory, packages
from vae_tutorial.doctor.findings import AGAIN, INSTALL, MEMORY, Finding, consequences, culprit, is_memory, reason

MARKS = {"✓": "ok", "✗": "FIX", "→": "->", "−": "-"}  # for a console that cannot show them


def examine(root: str | None, mine: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    """Everything, one check after the other; a check that fails is a finding, and the next one runs.

    Args:
        root: where the whole sets are expected.
        mine: your own files in this folder, (module, path) each.
    """
    broken: dict[str, str] = {}
    stopped: list[tuple[str, str]] = []
    yield from _findings("Python", machine.python, broken, stopped)
    yield from _findings("your files", lambda: packages.hidden(mine), broken, stopped)
    foreign = list(_findings("environment", packages.surroundings, broken, stopped))
    if foreign:
        yield from foreign
        return  # from here on everything would be told of the wrong Python
    checks: list[tuple[str, Callable[[], Iterator[Finding]]]] = [
        ("memory", memory.memory), ("packages", lambda: packages.packages(broken)), ("room", machine.room),
        ("widgets", machine.widgets), ("files", book.files), ("data", lambda: book.data(root)), ("checkpoints", book.checkpoints),
        ("GPU", book.gpu), ("training", book.training),
    ]  # fmt: skip
    for what, check in checks:  # memory before what fills it
        yield from _findings(what, check, broken, stopped)
    yield from consequences(stopped)


def _findings(
    what: str, check: Callable[[], Iterator[Finding]], broken: dict[str, str], stopped: list[tuple[str, str]]
) -> Iterator[Finding]:
    try:
        yield from check()
    except (Exception, SystemExit) as error:  # whatever is broken here, the other checks must still be told
        cause = culprit(error, broken)
        if cause:
            stopped.append((what, cause))
        elif is_memory(error):
            yield Finding(what, reason(error), MEMORY)
        elif isinstance(error, ModuleNotFoundError):
            yield Finding(what, f"{error.name} cannot be imported", f"mend what is named above, or all at once: {INSTALL}")
        else:  # a file of a package or of the book that is not as it was, or a defect
            damaged = isinstance(error, ImportError | OSError | ValueError | KeyError)
            yield Finding(what, reason(error), f"mend what is named above; if nothing is, {AGAIN if damaged else 'report this line'}")


def main(mine: Iterable[tuple[str, str]] = ()) -> int:
    """Print every finding; the exit code is the number of problems, 100 at most.

    Args:
        mine: your own files in this folder, as `environment.step_aside` lists them.
    """
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
    for finding in examine(options.data, mine):
        problems += bool(finding.advice)
        print(str(finding).translate(marks), flush=True)
    print("\nAll is well: open a page." if not problems else f"\n{problems} to mend: see the arrows above.")
    return min(problems, 100)
