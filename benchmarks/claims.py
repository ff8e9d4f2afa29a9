"""Do the pages' claims hold on seeds that nobody had looked at when their margins were set, and on a GPU?

    python -m vae_tutorial.experiments NAME --add-to-seeds 100 --to FOLDER [--data DATA]     # for one or more experiments
    python benchmarks/claims.py FOLDER
    python benchmarks/claims.py --second-device

Runs the pages' own cells, in a kernel each, and lists the assertions that fail. The prose speaks of the shipped seeds; the
assertions are what it claims of all. With a folder, every page that reads one of its records has it in place of the shipped
one. With `--second-device`, every page that trains on a GPU where there is one finds the tests' stand-in for it.
"""

import argparse
import ast
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from tqdm import tqdm

from vae_tutorial.experiments import records

BOOK = Path(__file__).parents[1] / "book"
TESTS = Path(__file__).parents[1] / "tests"
sys.path.insert(0, str(BOOK / "_ext"))
from classroom import page_paths  # noqa: E402

FAILED = "claim that fails: "
OTHER_RECORDS = """
from pathlib import Path
from vae_tutorial.experiments import records
shipped = records.load_record
def load_record(name, folder=None):
    folder = Path({folder!r})
    return shipped(name, *([folder] if (folder / f"{{name}}.json").is_file() else []))
records.load_record = load_record
"""
OTHER_DEVICE = f"""
import sys
sys.path.insert(0, {str(TESTS)!r})
import second_device, torch
gpu = second_device.standing_in(always=False)
gpu.__enter__()
"""
CHOICE = ('"cuda" if torch.cuda.is_available()', "second_device.NAME if True")  # of a page that chooses by itself


class Claims(ast.NodeTransformer):
    """Turns `assert claim` into a line that prints a claim that fails, and goes on."""

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        """`assert claim` → `print(…) if not claim else None`."""
        said = ast.Call(ast.Name("print", ast.Load()), [ast.Constant(FAILED + ast.unparse(node.test))], [])
        return ast.Expr(ast.IfExp(node.test, ast.Constant(None), said))


def code_of(page: Path) -> str:
    """All code of a page."""
    return "\n".join(cell.source for cell in nbformat.read(page, 4).cells if cell.cell_type == "code")


def reads(code: str, names: list[str]) -> bool:
    """Whether a page's code loads one of these records."""
    return any(f'load_record("{name}")' in code or f'RECORDS["{name}"]' in code for name in names)


def asks_for_a_gpu(code: str) -> bool:
    """Whether a page's code trains on a GPU where there is one."""
    return '"fastest"' in code or CHOICE[0] in code


def examine(page: Path, prelude: str) -> tuple[int, list[str]]:
    """The number of assertions in a page's cells, and those that fail, with the errors of cells that did not run to their end.

    The prelude is code that runs before them.
    """
    notebook, asserted = nbformat.read(page, 4), 0
    for cell in notebook.cells:
        if cell.cell_type == "code":
            tree = ast.parse(cell.source.replace(*CHOICE) if prelude == OTHER_DEVICE else cell.source)
            asserted += sum(isinstance(node, ast.Assert) for node in ast.walk(tree))
            cell.source = ast.unparse(ast.fix_missing_locations(Claims().visit(tree)))
    notebook.cells.insert(0, nbformat.v4.new_code_cell(prelude))
    NotebookClient(notebook, timeout=1200, allow_errors=True, resources={"metadata": {"path": str(page.parent)}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    printed = "".join(output.text for output in outputs if output.output_type == "stream")
    errors = [f"{output.ename}: {output.evalue}" for output in outputs if output.output_type == "error"]
    return asserted, [line.removeprefix(FAILED) for line in printed.splitlines() if line.startswith(FAILED)] + errors


def choose(folder: Path | None) -> tuple[list[Path], str]:
    """The pages to run, and what runs before their cells: those that read a record of the folder or, without one, that ask for a GPU."""
    if folder is None:
        return [page for page in page_paths() if asks_for_a_gpu(code_of(page))], OTHER_DEVICE
    names = [path.stem for path in folder.glob("*.json")]
    if not names:
        raise SystemExit(f"no record in {folder}: make one with --to {folder}, as above")
    unknown = sorted(set(names) - {path.stem for path in records.RECORDED.glob("*.json")})
    if unknown:
        raise SystemExit(f"{', '.join(unknown)} in {folder}: no page reads such a record")
    return [page for page in page_paths() if reads(code_of(page), names)], OTHER_RECORDS.format(folder=str(folder.resolve()))


def main() -> int:
    """Print a line for each page and for each claim that fails; the exit code says whether there was one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("folder", type=Path, nargs="?", help="of the records from other seeds")
    which.add_argument("--second-device", action="store_true", help="train on the stand-in for a GPU")
    pages, prelude = choose(parser.parse_args().folder)
    failing = 0
    for page in tqdm(pages, unit="page"):
        asserted, failed = examine(page, prelude)
        tqdm.write(f"{page.relative_to(BOOK)}: {asserted} assertions, {len(failed)} of them fail")
        for claim in failed:
            tqdm.write(f"    {claim}")
        failing += len(failed)
    return min(failing, 1)


if __name__ == "__main__":
    raise SystemExit(main())
