"""Student and solution notebooks, as `make classroom` writes them."""

import ast
import builtins
import re
from pathlib import Path

import classroom
import nbformat
import pytest
from cell_names import loaded, stored
from nbclient import NotebookClient

from vae_tutorial import exercises

PAGES = {path.relative_to(classroom.BOOK).as_posix(): nbformat.read(path, as_version=4) for path in classroom.handed_out()}
WITH_EXERCISES = [name for name, page in PAGES.items() if any(map(classroom.is_question, page.cells))]


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    to = tmp_path_factory.mktemp("classroom") / "made"
    assert classroom.write(to) == len(PAGES) == len(classroom.page_paths()) - 2
    return to


def read(folder: Path, name: str) -> nbformat.NotebookNode:
    notebook = nbformat.read(folder / name, as_version=4)
    nbformat.validate(notebook)
    return notebook


def code(page: nbformat.NotebookNode) -> list[str]:
    return [cell.source for cell in page.cells if cell.cell_type == "code"]


def prose(page: nbformat.NotebookNode) -> str:
    return "\n\n".join(cell.source for cell in page.cells if cell.cell_type == "markdown")


def imports(page: nbformat.NotebookNode) -> dict:
    """What the page imports, by its name."""
    found = [node for source in code(page) for node in ast.walk(ast.parse(source)) if isinstance(node, (ast.Import, ast.ImportFrom))]
    names: dict = {}
    exec("\n".join(map(ast.unparse, found)), names)
    return names


def registered(name: str) -> set[str]:
    """The exercises of a page."""
    return {known for known in exercises.exercise_names() if known.split("/")[0] == Path(name).stem}


def verdicts(source: str, names: dict) -> list[exercises.Verdict]:
    """Run a question's cell as it waits for an answer, with the page's imports, and hand over what its checks said.

    Of its statements those run that are the learner's: definitions, what is set to three dots, and the check.
    """
    said = []
    tree = ast.parse(source)
    kinds = (ast.FunctionDef, ast.ClassDef)
    tree.body = [node for node in tree.body if isinstance(node, kinds) or re.search(r"\.\.\.|exercises\.check\(", ast.unparse(node))]

    class Listening:
        def check(self, *arguments):
            said.append(exercises.check(*arguments))
            return said[-1]

    exec(compile(tree, "<cell>", "exec"), names | {"exercises": Listening()})
    return said


@pytest.mark.parametrize("name", WITH_EXERCISES)
def test_a_students_page_fails_every_check_until_it_is_answered(written, name):
    page = read(written / "student", name)
    asked = [cell.source for cell in page.cells if classroom.is_question(cell)]
    known, names = imports(page), set()
    for source in asked:
        said = verdicts(source, known)
        assert said, source
        assert not any(verdict.passed for verdict in said), source
        names |= {verdict.name for verdict in said}
    assert names == registered(name), "every exercise of the page is asked"


@pytest.mark.parametrize("name", WITH_EXERCISES)
def test_a_students_page_tells_no_solution(written, name):
    page = read(written / "student", name)
    assert not any(map(classroom.is_solution, page.cells))
    assert "<summary>Solution" not in prose(page)
    assert "assert exercises.check(" not in "\n".join(code(page))
    if "<summary>Solution" in prose(PAGES[name]):
        assert len(prose(page)) < len(prose(PAGES[name]))


@pytest.mark.parametrize("name", PAGES)
def test_a_students_page_has_no_part_for_teachers(written, name):
    """The quizzes' notes and the sheet's answers stand on pages without exercises."""
    assert not classroom.PROSE_SOLUTION.search(prose(read(written / "student", name)))


def test_the_book_has_parts_for_teachers_on_pages_without_exercises():
    assert {name for name, page in PAGES.items() if classroom.PROSE_SOLUTION.search(prose(page))} - set(WITH_EXERCISES)


def test_a_students_page_runs_from_top_to_bottom_unanswered(written):
    name = "applications/constrained.ipynb"  # a quick one; what all have in common is tested below
    page = read(written / "student", name)
    assert any(map(classroom.is_question, page.cells))
    NotebookClient(page, timeout=300, resources={"metadata": {"path": str((written / "student" / name).parent)}}).execute()


@pytest.mark.parametrize("name", WITH_EXERCISES)
def test_what_is_left_of_a_students_page_needs_nothing_from_the_solutions(name):
    """Names that only solutions set are read by no cell that stays."""
    kept, removed = set(), set()
    for cell in PAGES[name].cells:
        if cell.cell_type == "code":
            (removed if classroom.is_solution(cell) else kept).update(stored(cell.source))
    alone = removed - kept - set(dir(builtins))
    for source in code(classroom.student_version(PAGES[name])):
        assert loaded(source) & alone == set(), source


@pytest.mark.parametrize("name", WITH_EXERCISES)
def test_a_solution_page_runs_what_the_books_tests_run(written, name):
    """nbval runs every cell of every page, its solutions' assertions included; here all stand but the learners' answers and checks."""
    source, made = PAGES[name], read(written / "solutions", name)
    cells = [cell for cell in source.cells if cell.cell_type == "code"]
    kept = [classroom.given(cell.source) if classroom.is_question(cell) else cell.source for cell in cells]
    assert code(made) == list(filter(None, kept))
    shown = [cell for cell in made.cells if classroom.is_solution(cell)]
    assert len(shown) == sum(map(classroom.is_solution, source.cells))
    assert not any("hide-cell" in cell.metadata.tags or cell.metadata.get("jupyter") for cell in shown)
    passed = set(re.findall(r'assert exercises\.check\(\s*"([^"]+)"', "\n".join(code(made))))
    assert passed == registered(name)


@pytest.mark.parametrize("name", WITH_EXERCISES)
def test_a_solution_page_knows_every_name_that_it_reads(written, name):
    """Imports and numbers that stand beside a learner's answer are needed by the solution, too."""
    known = set(dir(builtins)) | {"display", "get_ipython"}
    for source in code(read(written / "solutions", name)):
        assert loaded(source) <= known, source
        known |= stored(source)


def test_a_solution_page_runs_from_top_to_bottom(written):
    name = "foundations/the-maths.ipynb"  # the one whose questions come with functions and numbers of their own
    page = read(written / "solutions", name)
    assert [classroom.given(cell.source).count("\n") > 5 for cell in PAGES[name].cells if classroom.is_question(cell)].count(True)
    NotebookClient(page, timeout=300, resources={"metadata": {"path": str((written / "solutions" / name).parent)}}).execute()


@pytest.mark.parametrize("name", WITH_EXERCISES)
def test_a_solution_page_leaves_no_question_open(written, name):
    assert not any(map(classroom.is_question, read(written / "solutions", name).cells))


@pytest.mark.parametrize("name", PAGES)
def test_no_heading_of_a_students_page_has_lost_all_that_stood_under_it(written, name):
    def bare(page: nbformat.NotebookNode) -> int:
        return sum(bool(re.fullmatch(r"\s*(#+ [^\n]*)?\s*", cell.source)) for cell in page.cells if cell.cell_type == "markdown")

    page = read(written / "student", name)
    assert bare(page) == bare(PAGES[name])
    assert not re.search(r"^#+ [^\n]*\s*\Z", prose(page), re.M)


def test_a_student_has_the_homework_without_its_rubric(written):
    folder = written / "student"
    homework = (folder / "teaching" / "homework.md").read_text("utf-8")
    for target in re.findall(r"\]\(([^)\s#]+)[^)]*\)", homework):
        assert (folder / "teaching" / target).exists(), target
    rubric = prose(PAGES["teaching/quizzes.ipynb"]).split("## The homework's rubric")[1].split("</details>")[0]
    sentences = [part.strip() for row in re.findall(r"^\| (?!part |--)(.*)", rubric, re.M) for part in row.split("|")[1:3]]
    assert len(sentences) == 12
    told = {path: path.read_text("utf-8") for path in folder.rglob("*.md")} | {name: prose(read(folder, name)) for name in PAGES}
    for page, text in told.items():
        assert [sentence for sentence in sentences if sentence in text] == [], page
    assert "The homework's rubric" in told["teaching/quizzes.ipynb"]


def test_what_only_the_site_shows_is_in_neither_folder_and_no_page_leads_to_it(written):
    """The guide, whose links lead to explorers, and pages that are directives for Sphinx."""
    for name in classroom.SITE_ONLY:
        assert list(classroom.BOOK.rglob(name)), name
    for path in [*written.rglob("*.md"), *written.rglob("*.ipynb")]:
        assert path.name not in classroom.SITE_ONLY
        assert not [target for target in targets(path.read_text("utf-8")) if Path(target).name in classroom.SITE_ONLY], path
    for name in PAGES:
        assert "Instructor's guide" not in prose(read(written / "student", name)), name


def test_what_is_said_to_readers_of_the_site_is_not_handed_out(written):
    told = prose(read(written / "student", "intro.ipynb"))
    assert "## Three ways in" in prose(PAGES["intro.ipynb"])
    assert "Three ways in" not in told
    assert "**Start here.**" in told.split("## ")[0]
    assert "[Bibliography](reference/bibliography.md)" in told
    assert not re.search(r"Index of explorers|Session page", told)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("One. In a session: the [guide](instructors-guide.md). Two.", "One. Two."),
        ("> **Time:** 5. **Before it:** the [guide](a/instructors-guide.md) says when.", "> **Time:** 5. "),
        ("- a\n- For teachers: [guide](instructors-guide.md).\n- b", "- a\n- b"),
        ("| [Sheet](teaching/sheet.ipynb) | two pages |\n| [Code](code.ipynb) | x |", "| [Code](code.ipynb) | x |"),
        ("The [Sheet](sheet.ipynb) is yours.", "The Sheet is yours."),
    ],
)
def test_of_text_that_leads_to_a_page_of_the_site_what_makes_sense_alone_is_left(text, left):
    assert classroom.without_site_only(text) == left


@pytest.mark.parametrize("name", PAGES)
def test_only_hints_are_folded_under_a_students_exercises(written, name):
    under = prose(read(written / "student", name)).partition("\n## Exercises")[2]
    assert set(re.findall(r"<summary>(.*?)</summary>", under)) <= {"A hint"}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("folder", ["student", "solutions"])
def test_a_page_has_no_outputs(written, folder, name):
    assert not any(cell.get("outputs") for cell in read(written / folder, name).cells)


def targets(text: str) -> list[str]:
    """What Markdown or HTML shows and links to among the files beside it."""
    text = re.sub(r"`[^`]*`", "", text)
    found = re.findall(r"\]\(([^)\s#]+)[^)]*\)", text) + re.findall(r"""(?:href|src)=["']([^"'#]+)""", text)
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def test_links_of_both_kinds_are_seen():
    text = "[a](a.md) `[b](b.md)` [c](https://c) <a href=\"d.html#e=1\">d</a> [f](#f) <img src='g.svg'> <a href=\"#h\">h</a> ![i](i.svg)"
    assert targets(text) == ["a.md", "i.svg", "d.html", "g.svg"]


@pytest.mark.parametrize("folder", ["student", "solutions"])
def test_what_a_page_shows_and_links_to_is_there(written, folder):
    told = {path: path.read_text("utf-8") for path in (written / folder).rglob("*.md")}
    told |= {written / folder / name: prose(read(written / folder, name)) for name in PAGES}
    assert len(told) > len(PAGES)
    dead = {f"{path.name}: {target}" for path, text in told.items() for target in targets(text) if not (path.parent / target).exists()}
    assert not dead


def test_writing_again_replaces_what_was_there(written):
    (written / "student" / "old.ipynb").write_text("old")
    classroom.write(written)
    assert not (written / "student" / "old.ipynb").exists()
    assert not written.with_name(f"{written.name}.partial").exists()


@pytest.mark.parametrize("folder", ["student", "solutions"])
@pytest.mark.parametrize("name", PAGES)
def test_a_link_to_a_section_finds_it_on_its_page(written, folder, name):
    at = written / folder / name
    for target, anchor in re.findall(r"\]\(([^)#\s:]*\.ipynb|)#([\w-]+)\)", prose(read(at.parent, at.name))):
        page = (at.parent / target).resolve() if target else at
        headings = re.findall(r"^#+ (.+)$", prose(read(page.parent, page.name)), re.M)
        assert anchor in [heading.replace(" ", "-") for heading in headings], f"{target}#{anchor}"


def test_a_table_a_list_or_a_formula_of_a_solution_begins_a_line_of_its_own(written):
    lines = [line for name in PAGES for line in prose(read(written / "solutions", name)).splitlines()]
    unfolded = [line for line in lines if line.startswith("**Solution.**")]
    assert not [line for line in unfolded if classroom.BLOCK.match(line.removeprefix("**Solution.**").strip())]
    quizzes = prose(read(written / "solutions", "teaching/quizzes.ipynb"))
    assert quizzes.count("**Solution.**\n\n|") == 2
    assert "**Solution.**\n\n1. " in quizzes
