"""The machine: Python, folders, widgets."""

import importlib
import importlib.util
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from vae_tutorial.doctor.findings import PIP, Finding


def python() -> Iterator[Finding]:
    """This Python and the system it runs on."""
    yield Finding("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores")


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


def _labextensions() -> list[Path]:
    """Where JupyterLab looks for extensions: the environment's and the user's folders."""
    if not importlib.util.find_spec("jupyter_core"):
        return [Path(sys.prefix) / "share" / "jupyter" / "labextensions"]
    return [Path(path) for path in importlib.import_module("jupyter_core.paths").jupyter_path("labextensions")]
