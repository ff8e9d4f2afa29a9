"""Student and solution notebooks, made from the book's pages: `make classroom`.

Both folders hold every page and what it links to, so that they open anywhere. A student's page has the exercises and their
checks and no solutions; a solution page shows each solution in the place of the learner's answer. What only the site can show is in
neither: the instructor's guide, whose links lead to explorers, the page for the projector and the one for the printer, the pages
that are made when it is built, and cells with the tag `site-only`. Numbers of equations and names of authors stand in plain Markdown.
"""

import argparse
import ast
import re
import shutil
from copy import deepcopy
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from plain_markdown import BOOK, bibliography, page_paths, plain, slug

TOLD = "Solution|Answers|What you want to read|For the teacher"  # how a folded part begins that is not for a student's page
PROSE_SOLUTION = re.compile(rf"\n*<details>\s*<summary>(?:{TOLD})\b.*?</summary>(.*?)</details>", re.S)
BLOCK = re.compile(r"\||\$\$|```|[-*] |\d+\. |#|>")  # how a text begins that is more than a paragraph
NOTHING_LEFT = re.compile(r"\s*(?:#+ [^\n]*)?\s*")  # of a cell: no text, or a heading alone
SITE_ONLY = ("instructors-guide.md", "session.ipynb", "sheet.ipynb", "api.md", "explorers.md", "how-this-book-is-made.md")
TO_SITE_ONLY = re.compile(rf"\[([^\]]*)\]\((?:[^)]*/)?(?:{'|'.join(map(re.escape, SITE_ONLY))})[^)]*\)")
TO_SECTION = re.compile(r"\[([^\]]*)\]\(#([^)]*)\)")  # of the same page
FOR_TEACHERS = re.compile(r"(?:^|(?<=[.?!] ))[^.?!]*\]\([^)]*instructors-guide\.md[^.?!]*[.?!](?: |$)", re.M)  # a sentence with the guide
START = """

**Start here.** Choose *Run*, then *Run All Cells*: the explorer appears below this text. Then go on with the pages in the order of the
table at the end. What the pages call *the site* is the same book, to be read in a browser."""


def student_version(page: NotebookNode) -> NotebookNode:
    """The page without its solutions, those in prose included; a heading that had nothing else under it goes with them."""
    kept = []
    for cell in map(_copied, page.cells):
        if cell.cell_type == "markdown":
            told = PROSE_SOLUTION.sub("", cell.source)
            if told != cell.source and NOTHING_LEFT.fullmatch(told):
                continue
            cell.source = told
        if not is_solution(cell):
            kept.append(cell)
    return _notebook(page, kept)


def solution_version(page: NotebookNode) -> NotebookNode:
    """The page with its solutions unfolded, each in the place of the learner's answer and its check."""
    kept = []
    for cell, following in zip(page.cells, [*page.cells[1:], None], strict=True):
        copied = _copied(cell)
        if is_question(cell) and following is not None and is_solution(following):
            copied.source = given(cell.source)
            if not copied.source:
                continue
        kept.append(copied)
        if is_solution(cell):
            kept[-1].metadata = NotebookNode(tags=["solution"])
        elif cell.cell_type == "markdown":
            kept[-1].source = PROSE_SOLUTION.sub(unfolded, kept[-1].source)
    return _notebook(page, kept)


def unfolded(solution: re.Match[str]) -> str:
    """A solution in prose without its fold; a table, a list or a formula keeps a line of its own, or Markdown would not see it."""
    text = solution[1].strip()
    return "\n\n**Solution.**" + ("\n\n" if BLOCK.match(text) else " ") + text


def is_solution(cell: NotebookNode) -> bool:
    """Whether a cell is a solution in code."""
    return "solution" in cell.metadata.get("tags", [])


def is_question(cell: NotebookNode) -> bool:
    """Whether a cell waits for the learner's answer."""
    return cell.cell_type == "code" and "exercises.check(" in cell.source and not is_solution(cell)


def given(question: str) -> str:
    """What a question's cell has besides the dots of the answer and the check, such as imports and numbers; "" if there is nothing."""
    lines = question.splitlines()
    statements = ast.parse(question).body
    asked = [node for node in statements if re.search(r"\.\.\.|exercises\.check\(", ast.unparse(node))]
    for node in reversed(asked):
        del lines[node.lineno - 1 : node.end_lineno]
    return "\n".join(lines).strip() if len(asked) < len(statements) else ""


def handed_out() -> list[Path]:
    """The book's notebooks that both folders have."""
    return [path for path in page_paths() if path.name not in SITE_ONLY]


def write(to: Path) -> int:
    """Write `student/` and `solutions/` into a new folder beside the old one, then swap; return the number of pages."""
    fresh = to.with_name(f"{to.name}.partial")
    shutil.rmtree(fresh, ignore_errors=True)
    pages, works = handed_out(), bibliography()
    for folder, version in (("student", student_version), ("solutions", solution_version)):
        shutil.copytree(BOOK, fresh / folder, ignore=shutil.ignore_patterns("_*", ".*", "*.ipynb", "*.bib", *SITE_ONLY))
        for path in (fresh / folder).rglob("*.md"):
            path.write_text(plain(without_site_only(path.read_text("utf-8")), BOOK / path.relative_to(fresh / folder)), "utf-8")
        (fresh / folder / "reference" / "bibliography.md").write_text(works, "utf-8")
        for path in pages:
            made = version(nbformat.read(path, as_version=4))
            for cell in made.cells:
                if cell.cell_type == "markdown":
                    cell.source = plain(cell.source, path)
            if path == pages[0]:
                made.cells[0].source += START
            nbformat.write(made, fresh / folder / path.relative_to(BOOK))
    shutil.rmtree(to, ignore_errors=True)
    fresh.rename(to)
    return len(pages)


def without_site_only(text: str) -> str:
    """Drop what leads to a page that is left out: rows and items of lists, sentences that name the guide; of other links the words stay."""
    lines = [line for line in text.split("\n") if not (TO_SITE_ONLY.search(line) and line.lstrip().startswith(("| ", "- ")))]
    return TO_SITE_ONLY.sub(r"\1", FOR_TEACHERS.sub("", "\n".join(lines)))


def _copied(cell: NotebookNode) -> NotebookNode:
    """A cell of its own, without outputs, and without links to what is left out."""
    cell = deepcopy(cell)
    if cell.cell_type == "markdown":
        cell.source = without_site_only(cell.source)
    elif cell.cell_type == "code":
        cell.outputs, cell.execution_count = [], None
    return cell


def _notebook(page: NotebookNode, cells: list[NotebookNode]) -> NotebookNode:
    kept = [cell for cell in cells if "site-only" not in cell.metadata.get("tags", [])]
    texts = [cell for cell in kept if cell.cell_type == "markdown"]
    headings = {slug(heading) for cell in texts for heading in re.findall(r"^#+ (.+)$", cell.source, re.M)}
    for cell in texts:  # a section that is left out is not to be linked to
        cell.source = TO_SECTION.sub(lambda link: link[0] if slug(link[2]) in headings else f"{link[1]} (on the site)", cell.source)
    made = nbformat.v4.new_notebook(cells=kept, metadata=page.metadata)
    made.nbformat_minor = page.nbformat_minor
    return made


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("to", type=Path, help="the folder that is made, or made anew")
    to = parser.parse_args().to
    print(f"wrote {write(to)} pages into {to / 'student'} and into {to / 'solutions'}")


if __name__ == "__main__":
    main()
