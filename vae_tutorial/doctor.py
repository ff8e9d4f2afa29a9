"""Set-up check before a class: `python -m vae_tutorial.doctor` says what works here, and what to do about what does not.

It needs nothing but Python to start, so that it can name whatever is missing. No network is used.
"""

from __future__ import annotations  # an older Python must get as far as being told so

import argparse
import importlib
import importlib.metadata
import importlib.util
import json
import operator
import os
import platform
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

MEMORY = 2.0  # GB free: a page's kernel stays under 1 GB, and the browser wants its own
SECONDS = 1.0  # of training
MODULES = {"scikit-learn": "sklearn"}  # where a package's module has another name
PIP = f'"{sys.executable}" -m pip install'  # a plain `pip` may be another Python's
INSTALL = f"{PIP} BOOK, where BOOK is the book's folder or its wheel"
AGAIN = f"{PIP} --force-reinstall --no-deps BOOK, where BOOK is the book's folder or its wheel"
MARKS = {"✓": "ok", "✗": "FIX", "→": "->", "−": "-"}  # for a console that cannot show them


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
    for wanted in importlib.metadata.requires("vae_tutorial") or []:
        name, limits = re.match(r"([\w.-]+)\s*([^;]*)", wanted).groups()
        if "extra ==" in wanted:
            continue
        try:
            yield from _fits(name, importlib.metadata.version(name), limits, f'{PIP} --upgrade "{name}{limits}"')
            importlib.import_module(MODULES.get(name, name))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, "not installed", f'{PIP} "{name}{limits}"')
        except Exception as error:  # whatever a half-installed package raises
            told = f"installed, but cannot be imported ({type(error).__name__}: {error})"
            yield Finding(name, told, f'{PIP} --force-reinstall --no-deps "{name}"')


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
    if "google.colab" in sys.modules:
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


def data(root: str | None = None) -> Iterator[Finding]:
    """The embedded images; the whole sets where they are (they are needed only to remake checkpoints)."""
    from vae_tutorial.data import OFFICIAL_CLASSES, load_images

    yield Finding("digits", repr(load_images("mnist", "train")))
    yield Finding("garments", repr(load_images("fashion-mnist", "test")))
    if root is not None and not Path(root).is_dir():
        yield Finding("data", f"{root} is no folder", "look for a typing error in --data, or make the folder")
    for name in OFFICIAL_CLASSES:
        for split in ("train", "test"):
            what = f"all of {name}, {split}"
            try:
                yield Finding(what, repr(load_images(name, split, full=True, root=root, download=False)))
            except FileNotFoundError:
                yield Finding(what, "not here; no page needs it, and full=True downloads it")
            except (ValueError, OSError) as error:  # the other sets must still be looked at
                yield Finding(what, "damaged", str(error))


def checkpoints() -> Iterator[Finding]:
    """Every shipped checkpoint, read and compared with its sha256."""
    from vae_tutorial.checkpoints import load_model
    from vae_tutorial.recipes.__main__ import load_recipes

    names = load_recipes()  # one checkpoint each
    for name in names:
        try:
            load_model(name)
        except (ValueError, KeyError, OSError) as error:
            yield Finding(name, "missing or damaged", f"{error}; the quick way: {AGAIN}")
    yield Finding("checkpoints", f"{len(names)} looked at")


def training() -> Iterator[Finding]:
    """A VAE trained for a second: it must learn."""
    import torch

    from vae_tutorial.data import load_images
    from vae_tutorial.models import VAE
    from vae_tutorial.objectives import negative_elbo
    from vae_tutorial.training import evaluate, fit

    images = load_images("mnist", "train")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = VAE(2, (64,))
    before = evaluate(model, images.x[:500], negative_elbo, seed=0)["loss"]
    started, passes = time.perf_counter(), 0
    while not passes or time.perf_counter() - started < SECONDS:
        fit(model, images.x, negative_elbo, epochs=1, seed=passes, progress=False)
        passes += 1
    after = evaluate(model, images.x[:500], negative_elbo, seed=0)["loss"]
    speed = passes * len(images) / (time.perf_counter() - started)
    learnt = after < before - 100
    advice = "" if learnt else f"something is wrong with this PyTorch: reinstall it ({INSTALL}), and report this line"
    yield Finding("training", f"−ELBO {before:.0f} → {after:.0f} nats after {passes} passes, {speed:,.0f} digits a second", advice)


def examine(root: str | None = None) -> Iterator[Finding]:
    """Everything, one check after the other; a check that fails is a finding, and the next one runs."""
    checks: list[tuple[str, Callable[[], Iterator[Finding]]]] = [
        ("Python", python), ("packages", packages), ("memory", memory), ("room", room), ("widgets", widgets),
        ("data", lambda: data(root)), ("checkpoints", checkpoints), ("training", training),
    ]  # fmt: skip
    for what, check in checks:
        try:
            yield from check()
        except ModuleNotFoundError as error:
            yield Finding(what, f"{error.name} cannot be imported", f"mend what is named above, or all at once: {INSTALL}")
        except (ImportError, OSError, ValueError, KeyError) as error:  # a file of a package or of the book that is not as it was
            yield Finding(what, f"{type(error).__name__}: {error}", f"mend what is named above; if nothing is, {AGAIN}")
        except Exception as error:  # whatever is broken here, the other checks must still be told
            yield Finding(what, f"{type(error).__name__}: {error}", "report this line")


def _numbers(version: str) -> list[int]:
    """`2.14.1+cpu` → [2, 14, 1]."""
    return [int(number) for number in re.findall(r"\d+", version.partition("+")[0])]


def _labextensions() -> list[Path]:
    """Where JupyterLab looks for extensions: the environment's and the user's folders."""
    if not importlib.util.find_spec("jupyter_core"):
        return [Path(sys.prefix) / "share" / "jupyter" / "labextensions"]
    return [Path(path) for path in importlib.import_module("jupyter_core.paths").jupyter_path("labextensions")]


def main() -> int:
    """Print every finding; the exit code is the number of problems, 100 at most."""
    parser = argparse.ArgumentParser(prog="python -m vae_tutorial.doctor", description=__doc__)
    parser.add_argument("--data", metavar="FOLDER", help="where MNIST/raw and FashionMNIST/raw are expected")
    options = parser.parse_args()
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


if __name__ == "__main__":
    raise SystemExit(main())
