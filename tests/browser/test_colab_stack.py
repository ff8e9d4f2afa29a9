"""What an explorer needs of its page runs on Colab's versions of all but PyTorch and Python, and hands over canvases with their weights."""

from __future__ import annotations

import tomllib
from pathlib import Path

import nbformat
import pytest
from built_site import ROOT
from colab_stack import PYTHON, VERSIONS, calls_an_explorer, execute, needed
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

pytestmark = pytest.mark.browser


def shows_an_explorer(notebook: Path) -> bool:
    """Whether a code cell of a page calls an explorer."""
    cells = nbformat.read(notebook, as_version=4).cells
    return any(cell.cell_type == "code" and calls_an_explorer(cell.source) for cell in cells)


BOOK = ROOT / "book"
PAGES = [
    notebook for notebook in sorted(BOOK.rglob("*.ipynb")) if ".ipynb_checkpoints" not in notebook.parts and shows_an_explorer(notebook)
]


def test_some_page_has_an_explorer():
    assert PAGES, f"no notebook in {BOOK} calls an explorer"


def test_the_package_installs_nothing_on_colab():
    """Every dependency is there, in a version that our range admits: `pip install` of the wheel leaves Colab's own packages alone."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf8"))["project"]
    assert SpecifierSet(project["requires-python"]).contains(PYTHON)
    for line in project["dependencies"]:
        needed = Requirement(line)
        assert needed.name in VERSIONS, f"{needed.name} is not known to be on Colab"
        assert needed.specifier.contains(VERSIONS[needed.name]), f"{line} does not admit Colab's {VERSIONS[needed.name]}"


def test_a_cells_needs_are_found():
    """Training that no explorer shows is left out, and so is what comes after the last explorer."""
    cells = ["import explorers", "a = 1", "b = a\nb += 1", "def f(x):\n    return x + b", "long = train()", "explorers.quiz(f(2))", "c = 3"]
    assert needed(cells) == [cell for cell in cells if cell not in ("long = train()", "c = 3")]
    assert needed(["a = {}", "a['x'] = 1", "other = 2", "explorers.show(a)"]) == ["a = {}", "a['x'] = 1", "explorers.show(a)"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(BOOK).as_posix())
def test_page_runs_on_colabs_stack(page):
    models = execute(page)
    canvases = {name: model for name, model in models.items() if model["state"].get("_anywidget_id", "").startswith("vae_tutorial.")}
    assert canvases, f"{page.name}: no explorer among the widgets"
    linked = {model["state"]["target"][0].removeprefix("IPY_MODEL_") for model in models.values() if model["model_name"] == "LinkModel"}
    for name, canvas in canvases.items():
        kind = canvas["state"]["_anywidget_id"].rpartition(".")[2]
        sizes = {buffer["path"][0]: len(buffer["data"]) for buffer in canvas.get("buffers", ())}
        networks = [trait for trait, value in canvas["state"].items() if trait.endswith("_layers") and value]
        missing = [trait for trait in networks if sizes.get(trait.replace("_layers", "_weights"), 0) < 5_000]
        assert not missing, f"{page.name}: {kind} has no weights for {missing}"
        assert name in linked or kind == "Quiz", f"{page.name}: no slider is linked to {kind}"
