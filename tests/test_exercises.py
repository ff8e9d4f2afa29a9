"""Exercises and quizzes: the checks say what to do whatever they are given, and pages, checks and quizzes belong together."""

import ast
import itertools
import json
import re
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch

from vae_tutorial import exercises, explorers
from vae_tutorial.exercises import agrees, check, choice, close, exercise, numbers, ranking
from vae_tutorial.explorers.quiz import FOLDER, Quiz, read_quiz, shuffled

ROOT = Path(__file__).parents[1]
BOOK = ROOT / "book"
NAMES = exercises.exercise_names()
QUIZZES = sorted(path.stem for path in FOLDER.glob("*.json"))
TEACHERS = ["before-the-session", "after-the-session"]  # both on the page "quizzes"
PAGES = {path.stem: path for path in sorted(BOOK.rglob("*.ipynb")) if not any(part.startswith((".", "_")) for part in path.parts)}
GARBAGE = {
    "none": None,
    "text": "soup",
    "bytes": b"soup",
    "true": True,
    "complex": 1 + 2j,
    "object": object(),
    "class": object,
    "function": lambda *_: 1 / 0,
    "nan": float("nan"),
    "infinity": float("-inf"),
    "far": -987654321.0,
    "empty list": [],
    "ragged list": [1, [2, 3]],
    "mixed list": [1, "two", None],
    "dict": {"answer": 1},
    "set": {1, 2},
    "generator": (i for i in range(3)),
    "objects": np.array([object()]),
    "words": np.array(["a", "b"]),
    "NaN tensor": torch.full((2, 3), torch.nan),
    "gradient": torch.ones(5, 4, 3, requires_grad=True),
    "boolean tensor": torch.tensor([True]),
    "sparse": torch.eye(3).to_sparse(),
    "meta": torch.ones(2, device="meta"),
    "module": torch.nn.ReLU(),
    "exception": ValueError("soup"),
}


@pytest.fixture
def registered(monkeypatch):
    """A register of its own, so that exercises made up here do not stay."""
    monkeypatch.setattr(exercises, "_checks", dict(exercises._checks))


# ---------------------------------------------------------------- every exercise of the book


@pytest.mark.parametrize("name", NAMES)
def test_three_dots_are_not_answered_yet(name):
    for unanswered in (..., (..., 1.0), [1.0, ...], {"a": ...}):
        verdict = check(name, unanswered)
        assert not verdict.passed
        assert verdict.message.startswith("Not answered yet")


def test_three_dots_deep_in_an_answer_are_named():
    for unanswered in (..., [1.0, [2.0, ...]], ((..., 1.0),)):
        assert "still three dots" in close(unanswered, 1.0, 0.1)


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("name", NAMES)
def test_garbage_meets_a_hint_and_never_raises(name, garbage):
    verdict = check(name, GARBAGE[garbage])
    assert not verdict.passed
    assert re.match(r"Not yet: \S.{10,}", verdict.message, re.S)
    assert "cannot be checked here" not in verdict.message, "the check raised: use the comparators, or `numbers`, to read the answer"


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_its_page_and_its_idea(name):
    page = name.split("/")[0]
    assert page in PAGES
    assert exercises._checks[name].__module__ == f"vae_tutorial.exercises.{page.replace('-', '_')}"


# ---------------------------------------------------------------- pages and their exercises


def checked_names(cell):
    """The names that a code cell hands to `check`, and those whose verdict it asserts."""
    tree = ast.parse(cell.source)
    calls = {node: node.args[0].value for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("check")}
    calls = {node: name for node, name in calls.items() if isinstance(name, str)}
    asserted = {
        calls[node.test.value]
        for node in ast.walk(tree)
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Attribute) and node.test.attr == "passed" and node.test.value in calls
    }
    return set(calls.values()), asserted


def exercises_of(path):
    """The names in a notebook's learner cells and those asserted in its solutions."""
    asked, solved = set(), set()
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code" and "exercises.check(" in cell.source:
            called, asserted = checked_names(cell)
            if "solution" in cell.metadata.get("tags", []):
                solved |= asserted
                assert called == asserted, f"a solution ends with `assert exercises.check(…).passed`: {called - asserted}"
            else:
                asked |= called
                assert "..." in cell.source, "the learner's cell has three dots in place of the answer"
    return asked, solved


@pytest.mark.parametrize("page", PAGES)
def test_a_pages_exercises_are_those_that_it_asks_and_solves(page):
    registered = {name for name in NAMES if name.startswith(f"{page}/")}
    asked, solved = exercises_of(PAGES[page])
    assert asked == registered, "asked on the page, and registered in vae_tutorial/exercises/"
    assert solved == registered, "asserted in a solution, and registered in vae_tutorial/exercises/"


def named_in_text(text):
    """Exercises that a text names by number and title, [exercise 2](#exercises), *Its title*, and those that it poses: pairs of words."""
    named = re.findall(r"\[[Ee]xercise (\d+)\]\(#exercises\), \*([^*]+)\*", text)
    posed = re.findall(r"^\*\*(\d+)\. ([^*]+?)\.?\*\*", text, re.M)
    return named, posed


@pytest.mark.parametrize("page", PAGES)
def test_an_exercise_named_in_the_text_has_this_number_and_title(page):
    cells = nbformat.read(PAGES[page], as_version=4).cells
    named, posed = named_in_text("\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown"))
    assert set(named) <= set(posed)


def test_a_wrong_number_of_an_exercise_is_found():
    named, posed = named_in_text("See [exercise 1](#exercises), *Gaussian pixels*.\n\n**1. Before.** How?\n\n**2. Gaussian pixels.** Now?")
    assert named == [("1", "Gaussian pixels")]
    assert posed == [("1", "Before"), ("2", "Gaussian pixels")]


# ---------------------------------------------------------------- what check says


def test_a_verdict_is_as_true_as_its_answer_and_reads_well(registered):
    exercise("test/half")(lambda answer: close(answer, 0.5, tolerance=0.01, hints={2.0: "1 < 2 & `exp(x)` turned over."}))
    right, wrong = check("test/half", torch.tensor([0.5], requires_grad=True)), check("test/half", 2)
    assert right
    assert right.passed
    assert not wrong
    assert (repr(right), repr(wrong)) == ("✓ Right.", "○ Not yet: 1 < 2 & `exp(x)` turned over.")
    assert "<b>Not yet:</b> 1 &lt; 2 &amp; <code>exp(x)</code> turned over." in wrong._repr_html_()
    with pytest.raises(AttributeError):
        wrong.passed = True


def test_an_unknown_name_is_told_the_close_ones(registered):
    exercise("test/monte-carlo")(lambda _: None)
    assert "Did you mean `test/monte-carlo`?" in check("test/montecarlo", 1).message
    assert "`test/monte-carlo`" in check("test/something-else", 1).message
    for name in ("nowhere/at-all", "", "../code/x", "_comparators/close", 3, None, ["code"]):
        assert not check(name, 1).passed
        assert "exercise" in check(name, 1).message


def test_a_check_that_raises_gives_a_verdict(registered):
    exercise("test/broken")(lambda answer: answer.no_such_thing)
    assert "int cannot be checked here (AttributeError)" in check("test/broken", 1).message
    exercise("test/called")(lambda answer: answer())
    assert "cannot be checked here (SystemExit)" in check("test/called", sys.exit).message


def test_names_and_owners_are_checked(registered):
    for name in ("Test/x", "test", "test/two words", "test/x/y", "test_/x"):
        with pytest.raises(ValueError, match="page/exercise"):
            exercise(name)
    exercise("test/x")(lambda _: None)

    def other(_):
        return None

    with pytest.raises(ValueError, match="two exercises named 'test/x'"):
        exercise("test/x")(other)
    other.__module__ = "vae_tutorial.exercises.code"
    with pytest.raises(ValueError, match="belongs into exercises/test"):
        exercise("test/y")(other)


# ---------------------------------------------------------------- comparators


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (2.0, None),
        (2, None),
        (np.float32(2.009), None),
        (torch.tensor([[2.0]]), None),
        (2.02, "too large"),
        (1.9, "too small"),
        (-2.0, "the sign is not"),
        (2 / np.log(2), "in bits"),
        (200, "per cent"),
        (4.0, "that is the variance"),
        ([1.0, 2.0], "both ends"),
        ([2.0, 2.0], r"its shape is \(2,\), and a single number"),
    ],
)
def test_close_to_a_number(answer, said):
    hint = close(answer, 2.0, tolerance=0.01, hints=[(4.0, "that is the variance."), ([1.0, 2.0], "both ends, not one.")])
    assert (hint is None) if said is None else re.search(said, hint)
    assert "2.0" not in (hint or "")


def test_close_to_a_tensor():
    expected = torch.arange(6.0).view(2, 3)
    assert close(expected.numpy(), expected, tolerance=0) is None
    assert close(expected.tolist(), expected, tolerance=0) is None
    assert close(expected.T, expected, tolerance=0).endswith("Rows and columns are exchanged.")
    off = expected.clone()
    off[1, 2] += 1
    assert close(off, expected, tolerance=0.1) == "1 of 6 of its numbers are off. The one at index (1, 2) is too large."
    assert close(expected - 1, expected, tolerance=0.1).startswith("all of its numbers are off. The one at index (0, 0) is too small")


def test_a_hint_beside_the_right_value_is_refused():
    with pytest.raises(ValueError, match="counts as right"):
        close(1, 2.0, tolerance=0.5, hints={2.4: "no."})


def test_of_two_hints_within_the_tolerance_the_nearer_one_is_given():
    assert close(0.06, 45.9, tolerance=0.1, hints={0.0: "not nothing.", 0.058: "a mean over pixels."}) == "a mean over pixels."


def test_numbers_reads_what_people_give():
    for given in (3, 3.0, np.array([3]), torch.tensor(3, dtype=torch.int8), torch.tensor([3.0], dtype=torch.bfloat16), [3]):
        assert numbers(given, ()) == 3
    assert numbers([torch.tensor(1.0), 2]).tolist() == [1, 2]


def test_choice_and_ranking():
    offered = {"b": "b is the other one."}
    assert choice(" A ", "a", offered) is None
    assert choice("B", "a", offered) == "b is the other one."
    assert choice("c", "a", offered) == choice(1, "a", offered) == "answer with one of 'a', 'b'."
    assert ranking(["x", "y", "z"], ("x", "y", "z")) is None
    assert ranking(["x", "z", "y"], ("x", "y", "z")) == "compare 'z' with 'y' once more."
    assert ranking(["y", "x", "z"], ("x", "y", "z"), {("y", "x"): "y is narrower."}) == "y is narrower."
    for unfit in (["x"], ["x", "x", "y"], "xyz", 3, [1, 2, 3]):
        assert ranking(unfit, ("x", "y", "z")).startswith("give a list")


def test_agrees_with_a_function():
    def draw(mu, log_var):
        return mu + (0.5 * log_var).exp() * torch.randn_like(mu)

    def wrong(mu, log_var):
        return mu + log_var.exp() * torch.randn_like(mu)

    def careless(mu, log_var):
        mu += 1
        return draw(mu - 1, log_var)

    cases = [(torch.zeros(2, 3), torch.ones(2, 3)), (torch.ones(1, 2), -torch.ones(1, 2))]
    before = torch.get_rng_state()
    options = {"tolerance": 1e-5, "hints": [(wrong, "that is the variance.")]}
    assert agrees(draw, draw, cases, **options) is None
    assert agrees(careless, draw, cases, **options) is None
    assert cases[0][0].sum() == 0, "the inputs are handed over as copies"
    assert agrees(wrong, draw, cases, **options) == "that is the variance."
    assert agrees(lambda mu, log_var: mu, draw, cases, **options).startswith("for test input 1, ")
    assert "raises TypeError for test input 1" in agrees(lambda mu: mu, draw, cases, **options)
    for nothing in (None, ..., (..., ...), (torch.ones(2, 3), [..., 1.0]), {"z": ...}):
        assert agrees(lambda mu, log_var, given=nothing: given, draw, cases, **options).startswith("your function returns nothing")
    assert agrees(3, draw, cases, **options).startswith("a function is asked for")
    both = [(torch.ones(3),)]
    assert agrees(lambda x: [x, x], lambda x: (x, x), both, 0.0) is None
    assert "at place 2, all of its numbers are off" in agrees(lambda x: (x, 2 * x), lambda x: (x, x), both, 0.0)
    assert agrees(lambda x: x, lambda x: (x, x), both, 0.0).endswith("it should return 2 things.")
    assert torch.equal(before, torch.get_rng_state())


# ---------------------------------------------------------------- quizzes


@pytest.mark.parametrize("page", QUIZZES)
def test_a_quiz_is_complete(page):
    questions = read_quiz(page)
    assert 3 <= len(questions) <= 5
    for question in questions:
        assert question["question"].strip().endswith(("?", ":", "…", "."))
        assert question["misconception"] is None or 1 <= question["misconception"] <= 33
        assert len({choice["because"] for choice in question["choices"]}) == len(question["choices"]), "each choice has a reason of its own"
    assert len({question["question"] for question in questions}) == len(questions)


@pytest.mark.parametrize("page", QUIZZES)
def test_the_right_choice_is_not_always_in_one_place(page):
    questions = read_quiz(page)
    once, again = shuffled(questions), shuffled([question | {"choices": question["choices"][::-1]} for question in questions])
    assert once == again, "the order depends on the words only"
    places = [[choice["right"] for choice in question["choices"]].index(True) for question in once]
    assert len(set(places)) >= min(3, len(questions))
    for question, arranged in zip(questions, once, strict=True):
        assert sorted(choice["text"] for choice in question["choices"]) == sorted(choice["text"] for choice in arranged["choices"])


def quizzes_shown(path):
    """The quizzes that a notebook shows as the last expression of a cell, with the cells' places."""
    for place, cell in enumerate(nbformat.read(path, as_version=4).cells):
        if cell.cell_type == "code" and "quiz(" in cell.source:
            last = ast.parse(cell.source).body[-1]
            assert isinstance(last, ast.Expr)
            assert ast.unparse(last.value.func) == "explorers.quiz"
            yield place, last.value.args[0].value


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_its_own_quiz_and_no_other(page):
    if PAGES[page].parent.name == "teaching":
        pytest.skip("a session's page may show any")
    shown = list(quizzes_shown(PAGES[page]))
    own = TEACHERS if page == "quizzes" else [page] if page in QUIZZES else []
    assert [name for _, name in shown] == own
    for place, _ in shown:
        after = "\n".join(cell.source for cell in nbformat.read(PAGES[page], as_version=4).cells[place + 1 :])
        assert "## Where to read on" in after


def test_every_quiz_has_a_page():
    assert set(QUIZZES) - set(TEACHERS) <= set(PAGES)


def test_the_widget_carries_the_questions():
    box = explorers.quiz("code")
    (panel,) = box.children
    assert isinstance(panel, Quiz)
    assert repr(panel) == "Quiz(page='code')"
    assert panel.questions == shuffled(read_quiz("code"))
    assert panel.get_state()["questions"] == panel.questions
    with pytest.raises(ValueError, match="there is no quiz 'nowhere'"):
        explorers.quiz("nowhere")


GOOD = {
    "question": "Which?",
    "choices": [{"text": "a", "right": True, "because": "yes."}, {"text": "b", "right": False, "because": "no."}],
    "misconception": None,
}


def with_choice(**fields):
    return [GOOD | {"choices": [GOOD["choices"][0], GOOD["choices"][1] | fields]}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[{", "is not JSON"),
        ([], "must hold a list of questions"),
        ({"question": "?"}, "must hold a list of questions"),
        ([GOOD, "?"], "question 2: it must have the fields .* and has str"),
        ([GOOD | {"hint": "x"}], r"question 1: it must have the fields .* 'hint'"),
        ([GOOD | {"misconception": "20"}], "'misconception' has the wrong type, str"),
        ([GOOD | {"misconception": True}], "'misconception' has the wrong type, bool"),
        ([GOOD | {"choices": GOOD["choices"][:1]}], "exactly one must be right; 1 of 1 are"),
        (with_choice(right=True), "exactly one must be right; 2 of 2 are"),
        (with_choice(right=0), "choice 2: 'right' has the wrong type, int"),
        (with_choice(because=" "), "choice 2: 'because' is empty"),
        (with_choice(text="$z$"), "choice 2: 'text' must be plain text"),
        (with_choice(text="a "), "two choices have the same text"),
    ],
)
def test_a_faulty_quiz_is_refused_with_its_place(tmp_path, content, message):
    (tmp_path / "faulty.json").write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    with pytest.raises(ValueError, match="faulty.json.*" + message):
        read_quiz("faulty", tmp_path)


def test_choices_of_many_quizzes_take_every_place():
    choices = [*GOOD["choices"], {"text": "c", "right": False, "because": "never."}]
    questions = [GOOD | {"question": f"Which {i}?", "choices": choices} for i in range(9)]
    places = [[choice["right"] for choice in question["choices"]].index(True) for question in shuffled(questions)]
    assert all(places.count(place) == 3 for place in range(3))
    assert any((later - earlier) % 3 != 1 for earlier, later in itertools.pairwise(places))
