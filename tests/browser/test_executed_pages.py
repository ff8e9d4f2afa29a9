"""Every notebook as the strict build ran it, once: all its cells, without an error, and the kept outputs as they are committed."""

from __future__ import annotations

import nbformat
import pytest
from built_site import ROOT, SITE, page_names
from nbformat import NotebookNode

pytestmark = pytest.mark.browser

BOOK, EXECUTED = ROOT / "book", SITE.parent / "jupyter_execute"
# Without a build the fixture `site` says what to do.
NAMES = [name.removesuffix(".html") for name in page_names()]
NOTEBOOKS = [name for name in NAMES if (BOOK / f"{name}.ipynb").is_file()] or ["intro"]


def cells_of(path) -> list[NotebookNode]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def said(outputs: list[NotebookNode]) -> list[object]:
    """What a cell prints, as one text, and after it the data of its other outputs."""
    printed = "".join(output.text for output in outputs if output.output_type == "stream")
    return [printed, *(output.data for output in outputs if output.output_type != "stream")]


def as_run(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """The outputs of an executed cell: the build joins the pieces of a stream in the first one, and leaves the others behind it."""
    streams = [output for output in outputs if output.output_type == "stream"]
    return [output for output in outputs if output.output_type != "stream" or output is streams[0]]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_cell_ran_and_kept_outputs_are_the_committed_ones(site, name):
    executed = EXECUTED / f"{name}.ipynb"
    assert executed.is_file(), f"{name} was not executed: run `make site` first"
    committed, run = cells_of(BOOK / f"{name}.ipynb"), cells_of(executed)
    assert [cell.source for cell in run] == [cell.source for cell in committed], f"{name} has changed since: run `make site` first"
    for cell, ran in zip(committed, run, strict=True):
        tags, start = cell.metadata.get("tags", ()), f"{name}, the cell {cell.source[:80]!r}"
        assert ran.execution_count or not cell.source.strip(), f"{start}: did not run"
        errors = [output for output in ran.outputs if output.output_type == "error"]
        assert bool(errors) == ("raises-exception" in tags), f"{start}: {[error.evalue for error in errors]}"
        if "nbval-check-output" in tags:
            assert said(as_run(ran.outputs)) == said(cell.outputs), f"{start}: the kept output is another one"
