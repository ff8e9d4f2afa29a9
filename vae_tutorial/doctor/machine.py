"""The machine: Python, folders, widgets."""

import importlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from vae_tutorial.doctor.findings import PIP, Finding

MANAGER = "@jupyter-widgets/jupyterlab-manager"
MANAGERS = {7: (3, "jupyterlab-widgets>=1,<2"), 8: (5, "jupyterlab-widgets>=3,<4")}  # of an ipywidgets: its manager, and what brings it


def python() -> Iterator[Finding]:
    """This Python and the system it runs on."""
    yield Finding("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores")


def room() -> Iterator[Finding]:
    """Whether the folders that a kernel writes into take a file."""
    places = {("temporary files", "TMPDIR"): tempfile.gettempdir()}
    if paths := _jupyter_paths():
        places["Jupyter's own files", "JUPYTER_RUNTIME_DIR"] = paths.jupyter_runtime_dir()
    for (name, variable), place in places.items():
        try:
            Path(place).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=place) as file:
                file.write(bytes(1_000_000))
        except OSError as error:
            advice = f"make room on this disk, get the right to write there, or set {variable} to a folder of yours"
            yield Finding(name, f"{place} takes no file ({error})", advice)
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
    version = importlib.metadata.version("ipywidgets")
    major, bringer = MANAGERS.get(_major(version), (None, "jupyterlab-widgets"))
    yield from _labextension(MANAGER, bringer, major, f"ipywidgets {version}")
    yield from _labextension("anywidget", "anywidget")


def _labextension(extension: str, distribution: str, major: int | None = None, asking: str = "") -> Iterator[Finding]:
    """JupyterLab's side of the widgets: there, of the major version that Python's side asks for, and not switched off."""
    what, again = f"JupyterLab's {extension}", f'{PIP} --force-reinstall --no-deps "{distribution}", then reload the browser\'s tab'
    place = next((folder / extension for folder in _labextensions() if (folder / extension / "package.json").is_file()), None)
    off = {name: path for name, path in _disabled().items() if name.partition(":")[0] == extension}  # all of it, or a plugin of it
    if place is None:
        yield Finding(what, "not found", f"sliders would stay blank: {again}")
    else:
        version = json.loads((place / "package.json").read_text("utf-8"))["version"]
        if major not in (None, _major(version)):
            first = "" if place.is_relative_to(sys.prefix) else f"delete {place}, which is not this environment's; "
            advice = f'sliders would not appear ("model not found"): {first}{again}'
            yield Finding(what, f"{version}, and {asking} needs {major}", advice)
        elif not off:
            yield Finding(what, version)
    for name, path in off.items():
        yield Finding(what, f"{name} is disabled in {path}", _enable(name, path))


def _major(version: str) -> int:
    return int(version.partition(".")[0])


def _enable(name: str, path: Path) -> str:
    """At the user's level what the user's own file disables: there the environment's files count for less."""
    paths = _jupyter_paths()
    level = "--level=user " if paths and path.is_relative_to(paths.jupyter_config_dir()) else ""
    command = f'"{sys.executable}" -m jupyter labextension enable {level}{name}'
    return f"sliders would not appear: {command}, or take it out of that file; then start JupyterLab again"


def _disabled() -> dict[str, Path]:
    """The extensions and plugins that JupyterLab's settings switch off, each with the file that does: the last file decides."""
    disabled: dict[str, Path] = {}
    for path in _page_configs():
        try:
            names = json.loads(path.read_text("utf-8") or "{}").get("disabledExtensions", {})
        except ValueError as error:
            raise ValueError(f"{path} is no JSON: {error}") from None
        for name, is_disabled in names.items() if isinstance(names, dict) else dict.fromkeys(names, True).items():
            disabled.pop(name, None)
            if is_disabled:
                disabled[name] = path
    return disabled


def _page_configs() -> list[Path]:
    """JupyterLab's own `page_config.json` and those of the system, the environment and the user, in the order that Jupyter reads them."""
    lab = os.environ.get("JUPYTERLAB_DIR") or Path(sys.prefix) / "share" / "jupyter" / "lab"
    files, paths = [Path(lab) / "settings" / "page_config.json"], _jupyter_paths()
    for folder in reversed(paths.jupyter_config_path() if paths else []):
        labconfig = Path(folder) / "labconfig"
        files += [*sorted(labconfig.glob("page_config.d/*.json")), labconfig / "page_config.json"]
    return [file for file in files if file.is_file()]


def _labextensions() -> list[Path]:
    """Where JupyterLab looks for extensions: the environment's and the user's folders."""
    paths = _jupyter_paths()
    return [Path(path) for path in paths.jupyter_path("labextensions")] if paths else [Path(sys.prefix) / "share/jupyter/labextensions"]


def _jupyter_paths() -> ModuleType | None:
    return importlib.import_module("jupyter_core.paths") if importlib.util.find_spec("jupyter_core") else None
