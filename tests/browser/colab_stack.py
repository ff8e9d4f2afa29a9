"""Colab's versions of what the package needs, but for PyTorch, laid over this environment, and notebooks executed by them.

Of a notebook only the cells run that lead to an explorer, and on this environment's Python: the tests' own is 3.11, Colab's 3.12.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
from built_site import ROOT
from nbclient import NotebookClient
from nbformat import NotebookNode

REQUIREMENTS = Path(__file__).with_name("colab-requirements.txt")
VERSIONS = dict(line.split("==") for line in REQUIREMENTS.read_text(encoding="utf8").splitlines() if "==" in line)
PYTHON = "3.12"
TOO_LARGE = ("torch", "torchvision")  # gigabytes
LAID_OVER = {name: version for name, version in VERSIONS.items() if name not in TOO_LARGE}
STATE = "application/vnd.jupyter.widget-state+json"

# Colab's own module, as far as anywidget uses it: it asks for the manager that can show third-party widgets.
BEFORE = """
import sys, types
output = types.ModuleType("google.colab.output")
output.enabled = 0
def enable_custom_widget_manager():
    output.enabled += 1
output.enable_custom_widget_manager = enable_custom_widget_manager
output._widgets = types.SimpleNamespace(_installed_url="https://colab.invalid/manager.js")
google, colab = types.ModuleType("google"), types.ModuleType("google.colab")
google.colab, colab.output = colab, output
sys.modules |= {"google": google, "google.colab": colab, "google.colab.output": output}
"""
AFTER = f"""
import importlib.metadata, sys
found = {{name: importlib.metadata.version(name) for name in {list(LAID_OVER)}}}
assert found == {LAID_OVER}, f"the kernel has {{found}}"
assert sys.modules["google.colab.output"].enabled, "Colab's manager for third-party widgets was never enabled"
"""


def overlay() -> Path:
    """The folder with Colab's versions, made at the first call and kept in `.cache`.

    Raises:
        RuntimeError: the packages could not be installed, or the interpreter does not run.
    """
    version = subprocess.run([sys.executable, "--version"], capture_output=True, text=True, check=False)
    if version.returncode:
        raise RuntimeError(f"{sys.executable} --version fails: {version.stderr}")
    key = hashlib.sha256(REQUIREMENTS.read_bytes() + version.stdout.encode()).hexdigest()[:12]
    folder = ROOT / ".cache" / f"colab-{key}"
    if folder.is_dir():
        return folder
    scratch = folder.with_name(f".{folder.name}.{os.getpid()}")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run([*pip, "--target", scratch, *map("==".join, LAID_OVER.items())], capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(scratch, ignore_errors=True)
        raise RuntimeError(f"Colab's versions ({REQUIREMENTS.name}) cannot be installed, so its stack cannot be tested:\n{done.stderr}")
    try:
        scratch.rename(folder)
    except OSError:  # another process was faster
        shutil.rmtree(scratch, ignore_errors=True)
        if not folder.is_dir():
            raise
    return folder


def execute(notebook: Path) -> dict[str, Any]:
    """Run a notebook's explorers, with all that they need, on Colab's stack in a process of its own; return its widgets' states.

    Raises:
        RuntimeError: a cell failed, or the kernel does not have Colab's versions.
    """
    for _ in range(3):
        done = subprocess.run([sys.executable, __file__, notebook], capture_output=True, text=True, check=False)
        if "Address already in use" not in done.stderr:  # else another process took the port that Jupyter had found free
            break
    if done.returncode:
        raise RuntimeError(f"{notebook.name} fails on Colab's stack:\n{done.stderr[-4000:]}")
    return json.loads(done.stdout)


def main(notebook: Path) -> None:
    """Execute a notebook and print the states of its widgets as JSON."""
    page = nbformat.read(notebook, as_version=4)
    page.cells = [_cell(BEFORE), *map(_cell, needed([cell.source for cell in page.cells if cell.cell_type == "code"])), _cell(AFTER)]
    environment = os.environ | {"PYTHONPATH": str(overlay()), "OMP_NUM_THREADS": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    client = NotebookClient(page, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(notebook.parent)}})
    client.execute(env=environment)
    json.dump(page.metadata.widgets[STATE]["state"], sys.stdout)


def calls_an_explorer(source: str) -> bool:
    """Whether a cell shows an explorer."""
    return bool(re.search(r"\bexplorers\.\w+\(", source))


def needed(sources: list[str]) -> list[str]:
    """The cells that call an explorer and, before each, those that its names come from: nbval runs the others on the book's own stack."""
    kept: list[str] = []
    wanted: set[str] = set()
    for source in reversed(sources):
        nodes = list(ast.walk(ast.parse(source)))
        if calls_an_explorer(source) or "import " in source or wanted & set().union(*map(_names_set_by, nodes)):
            kept.insert(0, source)
            wanted |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return kept


def _names_set_by(node: ast.AST) -> set[str]:
    """Names that a piece of a cell sets, or changes in place: `table["x"] = …`, `rows.append(…)`."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store()) | ast.Attribute(value=ast.Name(id=name), ctx=ast.Store()):
            return {name}
        case ast.Attribute(value=ast.Name(id=name), attr="append" | "extend" | "update"):
            return {name}
    return set()


def _cell(source: str) -> NotebookNode:
    return nbformat.v4.new_code_cell(source)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
