"""The packages that the book needs: which are there, fit and can be imported, and pip's command for those that do not."""

import importlib
import importlib.metadata
import importlib.util
import operator
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from vae_tutorial.doctor import environment
from vae_tutorial.doctor.findings import INSTALL, MEMORY, PIP, Finding, consequences, culprit, is_memory, reason

MODULES = {"scikit-learn": "sklearn", "pillow": "PIL", "ipython": "IPython"}  # where a package's module has another name
PAIR = ("torch", "torchvision")  # each torchvision is built for one torch: pip must choose both
ENDLESS = "its import does not come to an end"
PATIENCE = 180  # seconds until all packages must have been imported: without memory some never are
JUPYTER = ("ipykernel", "jupyterlab", "notebook")  # some of which shows the pages


def wanted() -> dict[str, str]:
    """Each package that the book needs, with its limits: by its metadata, in a clone that is not installed by `pyproject.toml`."""
    project = Path(environment.ROOT) / "pyproject.toml"
    try:
        lines = importlib.metadata.requires("vae_tutorial") or []
    except importlib.metadata.PackageNotFoundError:
        lines = tomllib.loads(project.read_text("utf-8"))["project"]["dependencies"] if project.is_file() else []
    return dict(re.match(r"([\w.-]+)\s*([^;]*)", line).groups() for line in lines if "extra ==" not in line)


def hidden(mine: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    """The files of your own, (module, path) each, that Python would import instead of a module or package of that name."""
    needed = set(JUPYTER).union(wanted(), *map(_needs, (*wanted(), *JUPYTER)))
    packages = {MODULES.get(name, name).replace("-", "_"): name for name in needed}
    for module, path in mine:
        if module not in packages and module not in sys.stdlib_module_names:
            continue
        spec = importlib.util.find_spec(module)  # what it hides: not what is built in, and not itself, by another way
        if spec is None or (spec.origin not in ("built-in", "frozen") and not Path(spec.origin or "").resolve().is_relative_to(path)):
            what = f"the package {packages[module]}" if module in packages else f"Python's own module {module}"
            kind = "folder" if Path(path).is_dir() else "file"
            yield Finding(Path(path).name, f"your {kind} {path} hides {what}", "rename it, and restart the kernels that run in this folder")


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


def packages(broken: dict[str, str]) -> Iterator[Finding]:
    """Every package against its limits, and imported, those first that others need.

    Args:
        broken: takes in the modules that cannot be imported, each with the package to be mended.
    """
    sys.meta_path.insert(0, _Barrier(broken))
    if not _is_installed("vae_tutorial"):
        yield Finding("vae_tutorial", "found in a folder, not installed", f"install it, with what it needs: {INSTALL}")
    asked = wanted()
    names = sorted(asked, key=lambda name: len(_needs(name) & asked.keys()))  # what needs another has more needs than that one
    deadly, stopped = _deadly(names), []
    for name in names:
        module, found = MODULES.get(name, name), None
        try:
            version = _fits(name, importlib.metadata.version(name), asked[name], f"{PIP} --upgrade {_together(name, asked)}")
            if name in deadly:
                told = f"built for another processor, or damaged: {_reinstall(name, asked)}"
                advice = f"{told}; if that does not help, an older version of it, or another machine"
                found = Finding(name, deadly[name], MEMORY if deadly[name] == ENDLESS else advice)
            else:
                importlib.import_module(module)
                yield version
        except importlib.metadata.PackageNotFoundError:
            found = Finding(name, "not installed", f"{PIP} {_together(name, asked)}")
        except (Exception, SystemExit) as error:  # whatever a half-installed package raises
            cause = culprit(error, broken)
            if cause:
                stopped.append((name, cause))
                broken[module] = cause
            else:
                advice = MEMORY if is_memory(error) else _reinstall(name, asked)
                found = Finding(name, f"{version.found} is installed, but cannot be imported ({reason(error)})", advice)
        if found:
            yield found
            broken[module] = name
        if module in broken:
            sys.modules.pop(module, None)  # for the barrier, with whatever was put there
    yield from consequences(stopped)


class _Barrier:
    """A finder that lets no module be imported a second time once it has failed: a second error is often another one."""

    def __init__(self, broken: dict[str, str]) -> None:
        self.broken = broken

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Leave every other module to the finders that follow.

        Raises:
            ImportError: the module has failed before.
        """
        if name in self.broken:
            raise ImportError(f"{name} cannot be imported", name=name)


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _needs(name: str) -> set[str]:
    """All packages that a package needs, directly or not, by the metadata of those that are installed."""
    needs, waiting = set(), [name]
    while waiting:
        try:
            lines = importlib.metadata.requires(waiting.pop()) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        direct = {re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", line)[0]).lower() for line in lines if "extra ==" not in line}
        waiting += direct - needs
        needs |= direct
    return needs


def _together(name: str, asked: dict[str, str]) -> str:
    """A package for pip's command line, within its limits; torch and torchvision as a pair."""
    return " ".join(f'"{one}{asked.get(one, "")}"' for one in (PAIR if name in PAIR else (name,)))


def _reinstall(name: str, asked: dict[str, str]) -> str:
    """With what it needs only where versions must be chosen together: pip would fetch all of that again."""
    return f"{PIP} --force-reinstall {'' if name in PAIR else '--no-deps '}{_together(name, asked)}"


def _deadly(names: Iterable[str]) -> dict[str, str]:
    """The packages whose import ends the process itself, or never ends, each with what it does: tried in another process."""
    waiting, deadly = list(names), {}
    while waiting:
        lines = [f"import sys; sys.path[:] = {sys.path!r}", *(f"sys.modules[{MODULES.get(name, name)!r}] = None" for name in deadly)]
        lines += [f"try: import {MODULES.get(name, name)}\nexcept BaseException: pass\nprint({name!r}, flush=True)" for name in waiting]
        try:
            tried = subprocess.run([sys.executable, "-W", "ignore", "-c", "\n".join(lines)], capture_output=True, timeout=PATIENCE)
            printed, code = tried.stdout, tried.returncode
        except subprocess.TimeoutExpired as late:
            printed, code = late.stdout or b"", None
        reached = [line for line in printed.decode("utf-8", "replace").splitlines() if line in waiting]
        if waiting[-1] in reached:
            break  # whatever happened afterwards
        fatal, ended = waiting[len(reached)], "its import ends Python"
        deadly[fatal] = ENDLESS if code is None else f"{ended} (signal {-code})" if code < 0 else f"{ended} (exit code {code})"
        waiting = waiting[len(reached) + 1 :]
    return deadly


def _fits(name: str, version: str, limits: str, advice: str) -> Finding:
    """A version against limits such as `>=3.11,<3.14`; what is no number in it (`rc1`, `+cpu`) counts for nothing."""
    compare = {">=": operator.ge, "<=": operator.le, "<": operator.lt, ">": operator.gt, "==": operator.eq, "!=": operator.ne}
    holds = [compare[sign](_numbers(version), _numbers(limit)) for sign, limit in re.findall(r"([<>=!]=|[<>])\s*([\w.]+)", limits or "")]
    return Finding(name, version, "" if all(holds) else f"wanted {limits}: {advice}")


def _numbers(version: str) -> list[int]:
    """`2.14.1+cpu` → [2, 14, 1]."""
    return [int(number) for number in re.findall(r"\d+", version.partition("+")[0])]
