"""A smoke test in Firefox and in Safari's engine.

One page of each kind stands, one explorer of each kind moves and equals PyTorch, a quiz answers, a projector's screen is filled.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from built_site import Explorer
from live_explorer import SNAPSHOT, TOLERANCE, compared, each_kind, parsed
from other_browsers import BROWSERS, Firefox, WebKit
from references import REFERENCES, reference
from selenium.common.exceptions import WebDriverException

pytestmark = pytest.mark.browser

PAGES = ("notation.html", "foundations/the-maths.html", "teaching/sheet.html", "reference/results.html", "search.html")
UNTIL = """const until = async (what, holds) => {
    for (const end = Date.now() + 120_000; !holds(); await new Promise((done) => setTimeout(done, 50))) {
        if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    }
};
await until('the page', () => document.readyState === 'complete');
await until('widgets', () => dispatchEvent(new Event('beforeprint')) && document.documentElement.dataset.widgetsReady  // all of them come
    || !document.querySelector('script[type$="widget-view+json"]'));
dispatchEvent(new Event('afterprint'));  // no paper after all
await until('formulas', () => document.documentElement.dataset.formulasReady || !document.querySelector('.math'));"""
STANDS = f"""(async () => {{
    {UNTIL}
    const shown = (node) => node.getClientRects().length > 0;
    return JSON.stringify({{
        heading: document.querySelector('main h1')?.textContent ?? '',
        raw: [...document.querySelectorAll('.math')].filter((node) => shown(node) && !node.querySelector('mjx-container')).length,
        sideways: document.documentElement.scrollWidth - innerWidth,
        pictures: [...document.images].filter((image) => shown(image) && image.complete && !image.naturalWidth).map((image) => image.src),
    }});
}})()"""
# Three steps into the longer half of the first slider's track, or the first button where there is none.
MOVED = f"""(async () => {{
    {UNTIL}
    const area = document.querySelectorAll('.widget-subarea')[PLACE], el = area.querySelector('.vae-explorer');
    area.scrollIntoView();
    await until('the explorer', () => el.dataset.ready === 'true' && el.dataset.filled !== 'false');
    const shown = () => [...area.querySelectorAll('canvas')].map((canvas) => canvas.toDataURL()).join() + area.textContent;
    const before = shown(), handle = area.querySelector('.noUi-handle');
    if (handle) {{
        const [low, now, high] = ['min', 'now', 'max'].map((end) => Number(handle.getAttribute(`aria-value${{end}}`)));
        const key = now - low > high - now ? 'ArrowLeft' : 'ArrowRight';
        handle.focus();
        const press = () => handle.dispatchEvent(new KeyboardEvent('keydown', {{ key, bubbles: true, cancelable: true }}));
        for (let step = 0; step < 3; step += 1) press();
    }} else {{
        area.querySelector('button').click();
    }}
    await until('another picture', () => shown() !== before);
    const tell = () => ({SNAPSHOT})(el);
    let told = '', still = 0;
    for (let turn = 0; turn < 60; turn += 1) {{  // what takes longer is not a number until it is there; some never are
        await new Promise((done) => setTimeout(done, 500));
        still = tell() === told ? still + 1 : 0;
        told = tell();
        if (el.dataset.filled !== 'false' && (!told.includes('"NaN"') || still > 8)) break;
    }}
    return told;
}})()"""

# Where each explorer of the session page lies when the page has been turned to it, and how much larger its canvas is shown than drawn.
PROJECTED = f"""(async () => {{
    {UNTIL}
    const found = {{}};
    for (const section of document.querySelectorAll('#session-page > section')) {{
        await until(section.id, () => section.querySelector('.widget-subarea[data-fits=true]'));
        section.querySelector('p + p').scrollIntoView({{ behavior: 'instant' }});
        await new Promise((done) => setTimeout(done, 500));
        const box = section.querySelector('.widget-subarea').getBoundingClientRect(), canvas = section.querySelector('canvas');
        found[section.id] = {{ top: box.top, beyond: box.bottom - innerHeight, share: box.width / innerWidth,
            blur: canvas ? canvas.getBoundingClientRect().width * devicePixelRatio / canvas.width : 1 }};
    }}
    return JSON.stringify(found);
}})()"""

# The first question: nothing chosen, then each of the choices in its turn.
ANSWERED = f"""(async () => {{
    {UNTIL}
    const area = document.querySelectorAll('.widget-subarea')[PLACE], el = area.querySelector('.vae-explorer');
    area.scrollIntoView();
    await until('the quiz', () => el.dataset.ready === 'true');
    const form = el.querySelector('form'), said = [];
    const check = () => {{
        form.querySelector('button[type=submit]').click();
        said.push(form.querySelector('[aria-live=polite]').textContent);
    }};
    check();
    for (const radio of form.querySelectorAll('input')) {{
        radio.click();
        check();
    }}
    return JSON.stringify(said);
}})()"""


@pytest.fixture(scope="module", params=BROWSERS)  # closed before other tests go on: WebKit never rests
def other(request: pytest.FixtureRequest, bases: dict[str, str]) -> Iterator[Firefox | WebKit]:
    """The browser, or a skip where it is not installed."""
    kind = BROWSERS[request.param]
    if kind.path() is None:
        pytest.skip(f"{request.param} is not installed (Debian: apt-get install {kind.needs})")
    try:
        running = kind(bases["http"])
    except WebDriverException as failure:
        pytest.skip(f"{request.param} is installed but does not start here: {failure.msg}")
    yield running
    running.close()


@pytest.fixture
def ask(other: Firefox | WebKit, bases: dict[str, str]) -> Callable[[str, str], str]:
    """Run a script on a page; nothing may go wrong on the way."""

    def run(page: str, script: str) -> str:
        answer = other.run(bases["http"] + page, script)
        assert "error" not in answer, f"{page}: {answer['error']}"
        assert not answer["problems"], f"{page}: {answer['problems']}"
        return answer["result"]

    return run


@pytest.mark.parametrize("page", PAGES)
def test_page_stands(ask, page):
    found = json.loads(ask(page, STANDS))
    assert found.pop("heading"), f"{page}: no heading"
    assert found["sideways"] <= 0, f"{page}: scrolls sideways"
    assert not found["raw"], f"{page}: {found['raw']} formulas are not typeset"
    assert not found["pictures"], f"{page}: pictures that did not come"


@each_kind(*REFERENCES)
def test_explorer_moves_and_equals_pytorch(ask, explorer: Explorer):
    shown = parsed(ask(explorer.page, MOVED.replace("PLACE", str(explorer.place))))
    differences = compared(shown, reference(explorer)(shown))
    assert all(difference < TOLERANCE for difference in differences.values()), f"{explorer}: {differences} at {shown['sliders']}"


@each_kind("Quiz")
def test_quiz_answers_with_reasons(ask, explorer: Explorer):
    choices = explorer.state["questions"][0]["choices"]
    verdicts = [f"{'Right.' if choice['right'] else 'Not yet.'} {choice['because']}" for choice in choices]
    assert json.loads(ask(explorer.page, ANSWERED.replace("PLACE", str(explorer.place)))) == ["Choose an answer first.", *verdicts]


def test_on_a_projector_an_explorer_fills_the_screen(ask):
    found = json.loads(ask("teaching/session.html", PROJECTED))
    assert len(found) == 7
    for place, shown in found.items():
        assert shown["top"] > 0, f"{place} begins above the screen: {shown}"
        assert shown["beyond"] <= 0, f"{place} ends below the screen: {shown}"
        assert shown["share"] > 0.9, f"{place} is narrow: {shown}"
        assert shown["blur"] < 1.1, f"{place} is drawn with fewer pixels than it has: {shown}"
