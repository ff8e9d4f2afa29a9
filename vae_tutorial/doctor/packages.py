"""The packages that the book needs: which are there, fit and can be imported, and pip's command for those that do not."""

import importlib
import importlib.metadata
import operator
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from vae_tutorial.doctor import environment
from vae_tutorial.doctor.findings import INSTALL, PIP, Finding

MODULES = {"scikit-learn": "sklearn", "pillow": "PIL", "ipython": "IPython"}  # where a package's module has another name
PAIR = ("torch", "torchvision")  # each torchvision is built for one torch: pip must choose both


def wanted() -> dict[str, str]:
    """Each package that the book needs, with its limits: by its metadata, in a clone that is not installed by `pyproject.toml`."""
    project = Path(environment.ROOT) / "pyproject.toml"
    try:
        lines = importlib.metadata.requires("vae_tutorial") or []
    except importlib.metadata.PackageNotFoundError:
        lines = tomllib.loads(project.read_text("utf-8"))["project"]["dependencies"] if project.is_file() else []
    return dict(re.match(r"([\w.-]+)\s*([^;]*)", line).groups() for line in lines if "extra ==" not in line)


def surroundings() -> Iterator[Finding]:
    """What is wrong with this environment as a whole, if it is not the book's or lacks several packages."""
    asked = wanted()
    missing = [name for name in asked if not _is_installed(name)]
    is_environment = sys.prefix != sys.base_prefix
    if not missing or (len(missing) == 1 and is_environment):
        return
    pythons = environment.others([MODULES.get(name, name) for name in asked])
    here = f"not installed in {sys.prefix}: {', '.join(missing)}"
    if pythons or not (is_environment or 2 * len(missing) < len(asked)):  # a server's Python or Colab's has most of them
        yield Finding("environment", f"this is not the book's; {here}", environment.way(pythons))
    elif len(missing) > 1:
        yield Finding("environment", f"not complete; {here}", INSTALL)


def packages() -> Iterator[Finding]:
    """Every package against its limits, and imported."""
    if not _is_installed("vae_tutorial"):
        yield Finding("vae_tutorial", "found in a folder, not installed", f"install it, with what it needs: {INSTALL}")
    asked = wanted()
    deadly = _deadly(asked)
    for name, limits in asked.items():
        if name in deadly:
            sys.modules[MODULES.get(name, name)] = None  # for the checks that follow: it cannot be imported
            told = f"built for another processor, or damaged: {_reinstall(name, asked)}"
            advice = f"{told}; if that does not help, an older version of it, or another machine"
            yield Finding(name, f"ends Python when it is imported ({deadly[name]})", advice)
            continue
        try:
            yield from _fits(name, importlib.metadata.version(name), limits, f"{PIP} --upgrade {_together(name, asked)}")
            importlib.import_module(MODULES.get(name, name))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, "not installed", f"{PIP} {_together(name, asked)}")
        except Exception as error:  # whatever a half-installed package raises
            told = f"installed, but cannot be imported ({type(error).__name__}: {error})"
            yield Finding(name, told, _reinstall(name, asked))


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _together(name: str, asked: dict[str, str]) -> str:
    """A package for pip's command line, within its limits; torch and torchvision as a pair."""
    return " ".join(f'"{one}{asked.get(one, "")}"' for one in (PAIR if name in PAIR else (name,)))


def _reinstall(name: str, asked: dict[str, str]) -> str:
    """With what it needs only where versions must be chosen together: pip would fetch all of that again."""
    return f"{PIP} --force-reinstall {'' if name in PAIR else '--no-deps '}{_together(name, asked)}"


def _deadly(names: Iterable[str]) -> dict[str, str]:
    """The packages whose import ends the process itself, each with the way it ended: tried in another process."""
    waiting, deadly = list(names), {}
    while waiting:
        lines = [f"try: import {MODULES.get(name, name)}\nexcept BaseException: pass\nprint({name!r}, flush=True)" for name in waiting]
        tried = subprocess.run([sys.executable, "-W", "ignore", "-c", "\n".join(lines)], capture_output=True, text=True)
        reached = [line for line in tried.stdout.splitlines() if line in waiting]
        if waiting[-1] in reached:
            break  # whatever happened afterwards
        fatal = waiting[len(reached)]
        deadly[fatal] = f"signal {-tried.returncode}" if tried.returncode < 0 else f"exit code {tried.returncode}"
        waiting = waiting[len(reached) + 1 :]
    return deadly


def _fits(name: str, version: str, limits: str, advice: str) -> Iterator[Finding]:
    """A version against limits such as `>=3.11,<3.14`; what is no number in it (`rc1`, `+cpu`) counts for nothing."""
    compare = {">=": operator.ge, "<=": operator.le, "<": operator.lt, ">": operator.gt, "==": operator.eq, "!=": operator.ne}
    holds = [compare[sign](_numbers(version), _numbers(limit)) for sign, limit in re.findall(r"([<>=!]=|[<>])\s*([\w.]+)", limits or "")]
    yield Finding(name, version, "" if all(holds) else f"wanted {limits}: {advice}")


def _numbers(version: str) -> list[int]:
    """`2.14.1+cpu` → [2, 14, 1]."""
    return [int(number) for number in re.findall(r"\d+", version.partition("+")[0])]
