"""Every quiz of the built site, answered by keyboard alone; what it says is what its file says."""

from __future__ import annotations

import pytest
from live_explorer import PHONE, each, each_kind
from waiting import all_of, next_frame

pytestmark = pytest.mark.browser

FOCUSED = "(node) => node === document.activeElement"


def places_of(question: dict) -> tuple[int, int]:
    """Where the first wrong and the right choice of a question stand."""
    right = [choice["right"] for choice in question["choices"]].index(True)
    return (0 if right else 1), right


def choose(page, form, place: int) -> None:
    """Walk from the radio group's first stop to a place by arrow keys, and check it by Enter."""
    radios = form.get_by_role("radio")
    stop = radios.first if not form.locator("input:checked").count() else form.locator("input:checked")
    stop.focus()
    page.keyboard.press("Space")
    for _ in range(radios.count()):
        if radios.nth(place).is_checked():
            break
        page.keyboard.press("ArrowDown")
    assert radios.nth(place).is_checked(), "arrow keys do not reach the choice"
    page.keyboard.press("Enter")
    next_frame(page)


@each("Quiz")
def test_quiz_is_answered_by_keyboard(show, explorer):
    answered_by_keyboard(show(explorer), explorer)


@each_kind("Quiz")
def test_quiz_is_answered_on_a_page_opened_as_a_file(show, explorer):
    answered_by_keyboard(show(explorer, scheme="file"), explorer)


def answered_by_keyboard(live, explorer) -> None:
    """Every question wrong, then right: the verdict and its reason."""
    forms, questions = live.el.locator("form"), explorer.state["questions"]
    assert forms.count() == len(questions)
    for number, question in enumerate(questions):
        form, (wrong, right) = forms.nth(number), places_of(question)
        result = form.locator("[aria-live=polite]")
        for place, said in ((wrong, "Not yet."), (right, "Right.")):
            choose(live.page, form, place)
            assert result.text_content() == f"{said} {question['choices'][place]['because']}"
            assert live.el.evaluate("(el) => el.answers")[number]["chosen"] == place
        explain = form.get_by_role("button", name="Explain every answer")
        explain.focus()
        live.page.keyboard.press("Enter")
        reasons = form.locator("li").all_text_contents()
        assert [choice["because"] in reason for choice, reason in zip(question["choices"], reasons, strict=True)].count(False) == 0
    assert live.el.locator(".vae-score").text_content() == f"All {len(questions)} right."
    live.button("Start again").focus()
    live.page.keyboard.press("Enter")
    assert live.el.locator("input:checked, li").count() == 0
    assert {answer["verdict"] for answer in live.el.evaluate("(el) => el.answers")} == {None}


@each_kind("Quiz")
def test_quiz_says_what_is_missing_and_forgets_an_old_verdict(show, explorer):
    live, question = show(explorer), explorer.state["questions"][0]
    form = live.el.locator("form").first
    result = form.locator("[aria-live=polite]")
    form.get_by_role("button", name="Check").click()
    assert result.text_content() == "Choose an answer first."
    assert form.get_by_role("button", name="Explain every answer").is_hidden()
    wrong, right = places_of(question)
    choose(live.page, form, wrong)
    form.locator("label").nth(right).click()
    assert result.text_content() == "", "the verdict was on the old choice"
    group = form.get_by_role("group")
    assert question["question"] in group.locator("legend").text_content()
    assert form.get_by_role("radio").count() == len(question["choices"])


@each_kind("Quiz")
def test_quiz_is_answered_by_finger_in_both_themes(show, explorer):
    live = show(explorer, **PHONE)
    question, form = explorer.state["questions"][0], live.el.locator("form").first
    _, right = places_of(question)
    form.locator("label").nth(right).tap()
    form.get_by_role("button", name="Check").tap()
    assert form.get_attribute("data-verdict") == "right"
    for theme, bright in (("dark", False), ("light", True)):
        live.page.emulate_media(color_scheme=theme)
        live.page.wait_for_selector(f'html[data-theme="{theme}"]')
        next_frame(live.page)
        background = live.el.evaluate("(el) => getComputedStyle(el).backgroundColor")
        assert (max(map(int, background.strip("rgb()").split(","))) > 200) == bright, f"{explorer}: {background} in the {theme} theme"
    assert live.page.evaluate("document.documentElement.scrollWidth") <= 360


@each_kind("Quiz")
def test_focus_moves_through_a_quiz_and_out(show, explorer):
    live = show(explorer, fresh=True)  # after a press of the mouse, focus that a script sets has no ring
    for form in all_of(live.el.locator("form"), len(explorer.state["questions"])):
        radio, check = form.get_by_role("radio").first, form.get_by_role("button", name="Check")
        radio.focus()
        ring = radio.evaluate("(node) => getComputedStyle(node).outlineStyle")
        assert ring != "none", f"{explorer}: no focus ring on a choice"
        live.page.keyboard.press("Tab")
        assert check.evaluate(FOCUSED), f"{explorer}: Tab does not lead from the choices to Check"
    live.button("Start again").focus()
    live.page.keyboard.press("Tab")
    assert not live.box.evaluate("(box) => box.contains(document.activeElement)"), f"{explorer}: Tab cannot leave"
