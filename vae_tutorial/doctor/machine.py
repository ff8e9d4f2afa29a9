"""The machine: Python, packages, memory, folders, widgets."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import json
import operator
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from vae_tutorial.doctor.findings import INSTALL, PIP, Finding

MEMORY = 2.0  # GB free: a page's kernel stays under 1 GB, and the browser wants its own
MODULES = {"scikit-learn": "sklearn", "pillow": "PIL", "ipython": "IPython"}  # where a package's module has another name


def python() -> Iterator[Finding]:
    """This Python and the system it runs on."""
    yield Finding("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores")


def packages() -> Iterator[Finding]:
    """Python and packages against what this package's own metadata ask for (`pyproject.toml` has them from there)."""
    try:
        book = importlib.metadata.metadata("vae_tutorial")
    except importlib.metadata.PackageNotFoundError:
        yield Finding("vae_tutorial", "found in a folder, not installed", f"install it, with what it needs: {INSTALL}")
        return
    yield from _fits("Python", platform.python_version(), book["Requires-Python"], "make an environment with such a Python")
    asked = [wanted for wanted in importlib.metadata.requires("vae_tutorial") or [] if "extra ==" not in wanted]
    limits_of = dict(re.match(r"([\w.-]+)\s*([^;]*)", wanted).groups() for wanted in asked)
    deadly = _deadly(limits_of)
    for name, limits in limits_of.items():
        if name in deadly:
            sys.modules[MODULES.get(name, name)] = None  # for the checks that follow: it cannot be imported
            yield Finding(name, f"ends Python when it is imported ({deadly[name]})", _other_build(name))
            continue
        try:
            yield from _fits(name, importlib.metadata.version(name), limits, f'{PIP} --upgrade "{name}{limits}"')
            importlib.import_module(MODULES.get(name, name))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, "not installed", f'{PIP} "{name}{limits}"')
        except Exception as error:  # whatever a half-installed package raises
            told = f"installed, but cannot be imported ({type(error).__name__}: {error})"
            yield Finding(name, told, f'{PIP} --force-reinstall --no-deps "{name}"')


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


def _other_build(name: str) -> str:
    reinstall = f'{PIP} --force-reinstall --no-deps "{name}"'
    return f"built for another processor, or damaged: {reinstall}; if that does not help, an older version of it, or another machine"


def _fits(name: str, version: str, limits: str, advice: str) -> Iterator[Finding]:
    """A version against limits such as `>=3.11,<3.14`; what is no number in it (`rc1`, `+cpu`) counts for nothing."""
    compare = {">=": operator.ge, "<=": operator.le, "<": operator.lt, ">": operator.gt, "==": operator.eq, "!=": operator.ne}
    holds = [compare[sign](_numbers(version), _numbers(limit)) for sign, limit in re.findall(r"([<>=!]=|[<>])\s*([\w.]+)", limits or "")]
    yield Finding(name, version, "" if all(holds) else f"wanted {limits}: {advice}")


def memory() -> Iterator[Finding]:
    """Memory that is free for a kernel."""
    try:
        free = importlib.import_module("psutil").virtual_memory().available / 1e9  # comes with ipykernel
    except ImportError:
        yield Finding("memory", "unknown (the package psutil is not installed; nothing else needs it)")
        return
    if importlib.util.find_spec("resource"):  # POSIX: a shell or a server may allow less than there is
        resource = importlib.import_module("resource")
        allowed = resource.getrlimit(resource.RLIMIT_AS)[0]
        free = free if allowed == resource.RLIM_INFINITY else min(free, allowed / 1e9)
    advice = "" if free >= MEMORY else f"close other programs and idle kernels: {MEMORY:.0f} GB free are comfortable"
    yield Finding("memory", f"{free:.1f} GB free", advice)


def room() -> Iterator[Finding]:
    """Whether the folders that a kernel writes into take a file."""
    places = {"temporary files": tempfile.gettempdir()}
    if importlib.util.find_spec("jupyter_core"):
        places["Jupyter's own files"] = importlib.import_module("jupyter_core.paths").jupyter_runtime_dir()
    for name, place in places.items():
        try:
            Path(place).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=place) as file:
                file.write(bytes(1_000_000))
        except OSError as error:
            yield Finding(name, f"{place} takes no file ({error})", "make room on this disk, or get the right to write there")
        else:
            yield Finding(name, f"{place} takes them")


def widgets() -> Iterator[Finding]:
    """Whether sliders and canvases can appear in JupyterLab or Notebook."""
    if "COLAB_RELEASE_TAG" in os.environ:  # this process is not the notebook's, which has `google.colab`
        yield Finding("widgets", "Colab's own (anywidget switches them on)")
        return
    absent = [name for name in ("ipykernel", "jupyterlab") if importlib.util.find_spec(name) is None]
    if "ipykernel" in absent or not any(map(importlib.util.find_spec, ("jupyterlab", "notebook"))):
        yield Finding("Jupyter", f"no {' and no '.join(absent)}", f"{PIP} {' '.join(absent)}")
    from vae_tutorial import explorers

    explorers.quiz("code")
    yield Finding("widgets", "can be made")
    paths = _labextensions()
    for distribution, extension in (("jupyterlab-widgets", "@jupyter-widgets/jupyterlab-manager"), ("anywidget", "anywidget")):
        place = next((path for path in paths if (path / extension / "package.json").is_file()), None)
        if place:
            version = json.loads((place / extension / "package.json").read_text("utf-8"))["version"]
            yield Finding(f"JupyterLab's {extension}", version)
        else:
            again = f"{PIP} --force-reinstall --no-deps {distribution}"
            yield Finding(f"JupyterLab's {extension}", "not found", f"sliders would stay blank: {again}, then reload the browser's tab")


def _numbers(version: str) -> list[int]:
    """`2.14.1+cpu` → [2, 14, 1]."""
    return [int(number) for number in re.findall(r"\d+", version.partition("+")[0])]


def _labextensions() -> list[Path]:
    """Where JupyterLab looks for extensions: the environment's and the user's folders."""
    if not importlib.util.find_spec("jupyter_core"):
        return [Path(sys.prefix) / "share" / "jupyter" / "labextensions"]
    return [Path(path) for path in importlib.import_module("jupyter_core.paths").jupyter_path("labextensions")]
