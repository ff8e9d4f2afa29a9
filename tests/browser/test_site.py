"""Every page of the built site: complete, quiet, readable and accessible, from a server's sub-folder and as plain files."""

from __future__ import annotations

import re

import nbformat
import pytest
from built_site import ROOT, SITE, complaint, explorers, is_outside, page_names, read
from live_explorer import PHONE
from playwright.sync_api import expect
from waiting import next_frame, settle
from watch import Watch

pytestmark = pytest.mark.browser

WINDOWS = {"wide": {"width": 1280, "height": 900}, "phone": PHONE["viewport"]}
FRONT_DOOR, FIRST = "index.html", "intro.html"  # the one leads to the other
PAGES = [name for name in page_names() if name != FRONT_DOOR] or [FIRST]  # without a build the fixture `site` says what to do
CHAPTERS = [name for name in PAGES if name not in ("search.html", "genindex.html", "py-modindex.html")]  # what Sphinx makes has no author
EVERY_PAGE = pytest.mark.parametrize("name", PAGES)

LUMINANCE = """() => {
    const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).map(Number);
    return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
}"""

# What reaches beyond the window's right edge without a scroll bar of its own.
CUT_OFF = """() => {
    const scrolls = (node) => node && node !== document.body
        && (/auto|scroll/.test(getComputedStyle(node).overflowX) || scrolls(node.parentElement));
    const hidden = (node) => node.closest('mjx-assistive-mml, .visually-hidden, .vae-live');
    return [...document.querySelectorAll('main article *')]
        .filter((node) => node.getBoundingClientRect().right > innerWidth + 1 && !scrolls(node) && !hidden(node))
        .map((node) => node.outerHTML.slice(0, 120)).slice(0, 5);
}"""

# The links to the pages before and after, if their words reach out of them or of the window.
CUT_LINKS = """() => [...document.querySelectorAll('.prev-next-area a')].filter((link) => {
    const words = document.createRange(), room = link.getBoundingClientRect();
    words.selectNodeContents(link);
    const { left, right } = words.getBoundingClientRect();
    return left < Math.max(room.left, 0) - 1 || right > Math.min(room.right, innerWidth) + 1;
}).map((link) => link.textContent.trim())"""

# The theme's sidebar slides in and out, and the page beside it with it: here at once.
AT_REST = "*, ::before, ::after { transition: none !important; }"

# How many characters of printed output fit beside one another, where that is least.
CHARACTERS = """() => Math.min(...[...document.querySelectorAll('section > .cell .cell_output pre')].map((pre) => {
    const style = getComputedStyle(pre), pen = document.createElement('canvas').getContext('2d');
    pen.font = style.font;
    return (pre.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight)) / pen.measureText('0').width;
}))"""

# Formulas that scroll, those in folded derivations too; these are folded again.
SCROLLING_FORMULAS = """async () => {
    const folded = [...document.querySelectorAll('main details:not([open])')];
    folded.forEach((node) => { node.open = true; });
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const found = [...document.querySelectorAll('main mjx-container[display="true"]')]
        .filter((node) => node.scrollWidth > node.clientWidth).map((node) => node.closest('.math').id);
    folded.forEach((node) => { node.open = false; });
    return found;
}"""

# Between themes only colours change, and pictures that are for one of them: the other rules need not run twice on one page.
OF_A_THEME = ["color-contrast", "link-in-text-block", "image-alt", "svg-img-alt", "role-img-alt"]
AXE = """(rules) => axe.run({ preload: false, selectors: false, resultTypes: ['violations'], ...(rules && { runOnly: rules }) })
    .then(({ violations }) => violations.flatMap(({ id, impact, nodes }) => nodes.map(({ html, any, all, none }) =>
        `${id} (${impact}): ${html.slice(0, 160)} | ${[...any, ...all, ...none][0]?.message ?? ''}`)))"""


@pytest.mark.parametrize("name", [FRONT_DOOR, *PAGES])
def test_links_lead_somewhere(site, name):
    page = read(name)
    dead = {f"{link} ({why})" for link in page.links + page.loads if (why := complaint(name, link))}
    assert not dead, f"{name}: dead links: {sorted(dead)}"


@pytest.mark.parametrize("name", [FRONT_DOOR, *PAGES])
def test_page_is_complete(site, name):
    page = read(name)
    assert page.language.startswith("en"), f"{name}: <html lang> is {page.language!r}"
    assert page.title, f"{name}: no <title>"
    assert not [load for load in page.loads if is_outside(load) and not load.startswith("data:")], f"{name} loads from other servers"
    unnamed = [image for image, alt in page.alts.items() if not (alt or "").strip()]
    assert not unnamed, f"{name}: images without alternative text: {unnamed}"
    text = (SITE / name).read_text(encoding="utf8")
    assert str(ROOT) not in text, f"{name} tells where it was built"
    assert "Traceback (most recent call last)" not in text, f"{name} shows a failed cell"


@pytest.mark.parametrize("name", CHAPTERS)
def test_page_describes_itself_to_others(site, name):
    page = read(name)
    missing = {"og:title", "og:description", "og:site_name", "description"} - {what for what, said in page.about.items() if said}
    assert not missing, f"{name}: nothing to show on a social card: no {missing}"
    assert any("favicon" in load for load in page.loads), f"{name}: no favicon"


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_front_door_leads_to_the_first_page(context, bases, scheme):
    page = context().new_page()
    watch = Watch(page, bases[scheme])
    page.goto(bases[scheme] + FRONT_DOOR)
    page.wait_for_url(bases[scheme] + FIRST)
    settle(page)
    assert not watch.problems, "\n".join(watch.problems)


@pytest.mark.parametrize("scheme", ["http", "file"])
@EVERY_PAGE
def test_page_is_quiet_and_fits(look, name, scheme):
    page = look(name, scheme)
    raw = page.locator(".math:not(:has(mjx-container)), .math:has(mjx-merror)").all_inner_texts()
    assert not raw, f"{name}, {scheme}: formulas that are not typeset: {raw[:3]}"
    page.add_style_tag(content=AT_REST)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.wait_for_selector(f'html[data-theme="{theme}"]')
        assert (page.evaluate(LUMINANCE) > 0.5) == (theme == "light"), f"{name}, {scheme}: the background does not follow the {theme} theme"
        for size in WINDOWS if scheme == "http" else ["wide"]:  # the layout does not ask where its files come from
            window = WINDOWS[size]
            page.set_viewport_size(window)
            next_frame(page)
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= window["width"], f"{name}, {scheme}: scrolls sideways at {window['width']} px, {theme}: {width} px wide"
            cut = page.evaluate(CUT_OFF) + page.evaluate(CUT_LINKS)
            assert not cut, f"{name}, {scheme}: cut off at {window['width']} px, {theme}: {cut}"
    if scheme == "http":
        wide = page.evaluate(SCROLLING_FORMULAS)
        assert not wide, f"{name}: formulas too wide for a phone: {wide}"


@pytest.mark.parametrize("scheme", ["http", "file"])
@pytest.mark.parametrize("name", ["foundations/autoencoders.html"])
def test_a_small_figure_opens_at_full_size(look, axe_source, name, scheme):
    page = look(name, scheme, **PHONE)
    figure, full = page.locator("main article img.vae-figure").first, page.locator("dialog.vae-full-size")
    button = page.locator("img.vae-figure + .vae-enlarge").first
    figure.tap()
    copy = full.get_by_role("img", name=figure.get_attribute("alt"))
    assert copy.bounding_box()["width"] >= int(figure.get_attribute("width")) > WINDOWS["phone"]["width"]
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('dialog.vae-full-size').scrollLeft > 0")
    page.keyboard.press("Escape")
    expect(full).to_have_count(0)
    button.press("Enter")
    page.evaluate(axe_source)
    violations = page.evaluate(AXE)
    assert not violations, "\n".join(violations)
    page.keyboard.press("Enter")
    expect(full).to_have_count(0)
    expect(button).to_be_focused()
    figure.tap()
    copy.tap(position={"x": 50, "y": 50})
    expect(full).to_have_count(0)
    page.set_viewport_size(WINDOWS["wide"])
    expect(button).to_be_hidden()
    figure.click()
    expect(full).to_have_count(0)


@pytest.mark.parametrize("name", ["notation.html"])
def test_notation_does_not_scroll_sideways_on_a_phone(look, name):
    page = look(name, **PHONE)
    boxes = page.locator(".pst-scrollable-table-container")
    assert boxes.count() > 5
    wide = boxes.evaluate_all("all => all.filter((box) => box.scrollWidth > box.clientWidth).map((box) => box.innerText.slice(0, 80))")
    assert not wide, wide
    parts = boxes.locator("td :is(code, mjx-math, a)")
    over = parts.evaluate_all("""all => {
        const end = (node) => node.getBoundingClientRect().right;
        return all.filter((part) => end(part) > end(part.closest('td'))).map((part) => part.textContent);
    }""")
    assert not over, f"they reach over their neighbours: {over}"
    broken = boxes.locator("td code .pre").evaluate_all("all => all.map((name) => [name.getClientRects().length, name.textContent])")
    assert not [name for lines, name in broken if lines > 1 and " " not in name]


@pytest.mark.parametrize("name", ["foundations/autoencoders.html"])
def test_printed_lines_fit_a_phone(look, name):
    assert look(name, **PHONE).evaluate(CHARACTERS) >= 42


@EVERY_PAGE
def test_no_print_is_wider_than_its_box(look, name):
    page = look(name)
    boxes = page.evaluate("""async () => {
        const folded = [...document.querySelectorAll('main details:not([open])')];
        folded.forEach((node) => { node.open = true; });
        await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        const found = [...document.querySelectorAll('.cell_output pre')]
            .map((box) => [box.scrollWidth, box.clientWidth, box.textContent.slice(0, 60)]);
        folded.forEach((node) => { node.open = false; });
        return found;
    }""")
    source = (ROOT / "book" / name).with_suffix(".ipynb")
    assert boxes or not source.is_file() or "print(" not in source.read_text("utf8"), f"{name}: where is what it prints?"
    assert all(room for _, room, _ in boxes), f"{name}: a printed output takes no room, so nothing is known of its width"
    wide = [text for needed, room, text in boxes if needed > room + 1]
    assert not wide, f"{name}: printed outputs that scroll sideways at {WINDOWS['wide']['width']} px: {wide}"


@pytest.mark.parametrize("name", ["logo.svg", "logo-dark.svg"])
def test_the_logos_words_fit_in_it_in_whatever_serif_there_is(look, name):
    page = look(f"_static/{name}", "file")  # a server would be asked for a favicon
    ends = page.evaluate("""() => [...document.querySelectorAll('text')].map((text) => {
        const { x, width } = text.getBBox();
        return [text.textContent, x + width];
    })""")
    assert [text for text, _ in ends] == ["Variational", "Autoencoders,", "Live"]
    right = page.evaluate("document.documentElement.viewBox.baseVal.width")
    assert right > 200
    assert not [text for text, end in ends if end > right], ends


@pytest.mark.parametrize("size", WINDOWS)
@EVERY_PAGE
def test_no_line_of_code_runs_out_of_its_box(look, name, size):
    page = look(name, **(PHONE if size == "phone" else {}))
    boxes = page.evaluate("""() => {
        document.querySelectorAll('main details:not([open])').forEach((node) => { node.open = true; });
        return [...document.querySelectorAll('div[class*=highlight-]:has(.vae-code-line) pre')]
            .map((box) => [box.scrollWidth, box.clientWidth, box.textContent.slice(0, 60)]);
    }""")
    source = (ROOT / "book" / name).with_suffix(".ipynb")
    assert boxes or not source.is_file() or "import vae_tutorial" not in source.read_text("utf8"), f"{name}: where is its code?"
    wide = [text for needed, room, text in boxes if needed > room + 1]
    assert not wide, f"{name}: code that scrolls sideways, {size}: {wide}"


@EVERY_PAGE
def test_nothing_is_cut_on_paper(look, name):
    page = look(name)
    page.set_viewport_size({"width": 718, "height": 1047})  # A4 without the browser's margins, in pixels
    page.emulate_media(media="print")
    cut = page.evaluate("""() => [...document.querySelectorAll('.bd-article :is(pre, table, .cell_output, div.math)')]
        .filter((box) => box.checkVisibility() && !box.closest('.vae-live'))
        .filter((box) => box.getBoundingClientRect().right > innerWidth + 1
            || getComputedStyle(box).overflowX !== 'visible' && box.scrollWidth > box.clientWidth + 1)
        .map((box) => `${box.localName}.${box.className} ${box.textContent.trim().slice(0, 60)}`)""")
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 1280, "height": 900})
    assert not cut, f"{name}: cut off on paper: {cut}"


@pytest.mark.parametrize("name", ["foundations/the-maths.html"])
def test_paper_is_light_and_open_whatever_the_screen_shows(look, name):
    page = look(name)
    state = "() => [document.documentElement.dataset.theme, document.querySelectorAll('.bd-article details[open]').length]"
    page.evaluate("document.querySelectorAll('.bd-article details[open]').forEach((aside) => { aside.open = false; })")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    before = page.evaluate(state)
    for _ in range(2):  # a browser may say it twice
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
    theme, opened = page.evaluate(state)
    folded = page.locator(".bd-article details:not([open], .hide) > summary").all_text_contents()
    assert theme == "light"
    assert opened > before[1] + 5
    assert folded
    assert all(text.strip().startswith("Solution") for text in folded)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(state) == before
    page.evaluate("document.documentElement.dataset.theme = 'light'")


@pytest.mark.parametrize("name", ["experiments/clusters.html"])
def test_code_is_copied_as_it_was_written(look, name):
    """A line that goes on below is still one line to whoever copies it, by hand as well."""
    page = look(name)
    cells = [cell.source for cell in nbformat.read((ROOT / "book" / name).with_suffix(".ipynb"), 4).cells if cell.cell_type == "code"]
    longest = max(cells, key=lambda source: max(map(len, source.split("\n"))))
    assert max(map(len, longest.split("\n"))) > 120
    box = page.locator(".cell_input pre").filter(has_text=longest.split("\n")[-1]).first
    assert box.evaluate("box => box.textContent").strip() == longest.strip()
    selected = box.evaluate("""box => {
        for (let node = box.parentElement; node; node = node.parentElement) if (node.tagName === 'DETAILS') node.open = true;
        getSelection().selectAllChildren(box);
        return getSelection().toString();
    }""")
    assert selected.strip() == longest.strip()


@pytest.mark.parametrize("size", WINDOWS)
@EVERY_PAGE
def test_axe_finds_no_violation(look, axe_source, name, size):
    page = look(name, **(PHONE if size == "phone" else {}))
    page.evaluate(axe_source)
    for theme, rules in (("light", None), ("dark", OF_A_THEME)):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # colours must not be on their way
        page.wait_for_selector(f'html[data-theme="{theme}"]')
        next_frame(page)
        violations = page.evaluate(AXE, rules)
        assert not violations, f"{name}, {theme}, {size}:\n" + "\n".join(violations)


@pytest.mark.parametrize("name", CHAPTERS)
def test_text_is_readable_without_javascript(visit, name):
    page = visit(name, java_script_enabled=False)
    article = page.locator("main article")
    assert article.locator("h1").is_visible(), f"{name}: no heading without JavaScript"
    hidden = [each.text_content() for each in article.locator("section > p:not(:empty)").all() if not each.is_visible()]
    assert not hidden, f"{name}: paragraphs hidden without JavaScript: {hidden[:3]}"
    told = article.locator(".vae-noscript").count()
    needed = any(explorer.page == name for explorer in explorers())
    assert bool(told) == needed, f"{name}: a page says that its explorers need JavaScript if it has some"


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_search_finds_a_word(visit, bases, scheme):
    page = visit("search.html?q=autoencoder", scheme)
    results = page.locator("#search-results li a")
    results.first.wait_for()
    page.wait_for_function("() => /found/.test(document.querySelector('#search-results .search-summary').textContent)")
    targets = results.evaluate_all("links => links.map((link) => link.href)")
    assert all(target.startswith(bases[scheme]) for target in targets), f"search.html leads out of the site: {targets}"
    assert any(re.search(r"intro|autoencoders", target) for target in targets), f"search.html finds the wrong pages: {targets}"


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_search_box_leads_to_results(visit, scheme):
    page = visit(FIRST, scheme)
    page.keyboard.press("Control+k")
    page.locator("dialog input[type=search]:visible, .search-button__search-container input:visible").first.fill("autoencoder")
    page.keyboard.press("Enter")
    page.locator("#search-results li a").first.wait_for()


def test_theme_button_switches(visit):
    page = visit(FIRST, color_scheme="light")
    button = page.locator(".theme-switch-button:visible").first
    seen = set()
    for _ in range(3):  # automatic, light, dark
        button.click()
        seen.add(page.evaluate("document.documentElement.dataset.theme"))
    assert seen == {"light", "dark"}
