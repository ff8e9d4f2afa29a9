"""Notebooks that are handed out or saved: what only the site understands is plain Markdown in them."""

import re

import classroom
import nbformat
import pytest
from plain_markdown import bibliography, citations, equations, on_any_ground, page_paths, plain, title

MATHS = classroom.BOOK / "foundations" / "the-maths.ipynb"
CLUSTERS = classroom.BOOK / "experiments" / "clusters.ipynb"


def told(path) -> str:
    return "\n\n".join(plain(cell.source, path) for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown")


@pytest.mark.parametrize("path", classroom.page_paths(), ids=lambda path: path.stem)
def test_nothing_is_left_that_a_viewer_would_print_as_it_stands(path):
    text = told(path)
    assert not re.search(r"\{[a-z:]+\}`|\(eq-", text)
    numbers = [int(number) for number in re.findall(r"\\tag\{(\d+)\}", text)]
    assert numbers == [number for page, number in equations().values() if page == path.resolve()]


@pytest.mark.parametrize("name", ["notation.md", "reference/glossary.md", "teaching/homework.md"])
def test_nothing_is_left_in_a_page_that_is_no_notebook(name):
    page = classroom.BOOK / name
    assert not re.search(r"\{[a-z:]+\}", re.sub(r"\$[^$]*\$|`[^`{]*`", "", plain(page.read_text("utf-8"), page)))


def test_a_glossary_becomes_paragraphs():
    entries = "encoder\nrecognition model\n  Makes a {term}`code`.\n\n  $z$ · more\n\ncode\n  A {term}`vector <code>`."
    text = f"```{{glossary}}\n{entries}\n```\n\nAfter."
    assert plain(text, MATHS) == (
        "**encoder, recognition model**\n\nMakes a code.\n\n$z$ · more\n\n**code**\n\nA vector.\n\n\nAfter."
    )


def luminance(colour: str) -> float:
    """WCAG 2's relative luminance."""
    parts = [part / 255 for part in bytes.fromhex(colour)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_colour_can_be_read_on_light_ground_and_on_dark():
    colours = {colour for path in page_paths() for colour in re.findall(r"\\color\{#(\w{6})\}", path.read_text("utf-8"))}
    assert len(colours) >= 7
    shown = {colour: re.findall(r"\w{6}(?=\})", on_any_ground(colour)) for colour in colours}
    assert [colour for colour, found in shown.items() if not found] == ["1f2328"]  # JupyterLab's own colour of text
    for found in shown.values():
        for colour in found:
            light, dark = 1.05 / (luminance(colour) + 0.05), (luminance(colour) + 0.05) / (luminance("111111") + 0.05)
            assert min(light, dark) >= 4
    assert plain(r"${\color{#1f2328}{L}}$", MATHS) == "${{L}}$"


def test_formulas_are_numbered_and_found_again():
    """Its last line and whatever it stands in, a list, are as they were."""
    n, first = min((number, label) for label, (page, number) in equations().items() if page == MATHS.resolve())
    assert n > 1  # the pages before it have some
    said = plain(f"Say:\n\n$$\na = b\n$$ ({first})\n\nBy {{eq}}`{first}`, $c$.", MATHS)
    assert said == f"Say:\n\n$$\na = b \\tag{{{n}}}\n$$\n\nBy ({n}), $c$."
    assert plain(f"- so\n  $$\n  a\n  $$ ({first})", MATHS) == f"- so\n  $$\n  a \\tag{{{n}}}\n  $$"
    assert plain(f"$$a$$\n\n$$\nb\n$$ ({first})", MATHS) == f"$$a$$\n\n$$\nb \\tag{{{n}}}\n$$"
    assert plain(f"See {{eq}}`{first}`.", CLUSTERS) == f"See ({n}) of *The maths*."
    assert title(MATHS) == "The maths"


def test_links_to_headings_lead_to_jupyterlabs_anchors():
    anywhere = classroom.BOOK / "teaching" / "run-anywhere.ipynb"
    assert plain("[a](#the-set-up-check)", anywhere) == "[a](#The-set-up-check)"
    assert plain("[a](../foundations/code.ipynb#checked-against-the-library)", anywhere).endswith("code.ipynb#Checked-against-the-library)")
    for kept in ("[a](#no-such-place)", "[a](https://b.org/c#d)", "[a](homework.md#x)", "[a](session.ipynb)"):
        assert plain(kept, anywhere) == kept


def test_no_link_to_a_heading_is_left_with_the_sites_anchor():
    """All that the pages have, but for headings with marks that no anchor keeps."""
    for path in classroom.page_paths():
        for page, anchor in re.findall(r"\]\(([^)#\s:]*)#([\w-]+)\)", told(path)):
            target = (path.parent / page) if page else path
            if target.suffix == ".ipynb":
                text = "\n".join(cell.source for cell in nbformat.read(target, as_version=4).cells if cell.cell_type == "markdown")
                assert re.search(f"^#+ {anchor.replace('-', '[ -]')}$", text, re.MULTILINE), (path.name, anchor)


def test_every_labelled_formula_of_the_pages_has_a_number():
    sources = "\n".join(path.read_text("utf-8") for path in classroom.page_paths())
    assert set(equations()) == set(re.findall(r"\$\$ \((eq-[\w-]+)\)", sources))


@pytest.mark.parametrize(
    ("keys", "shown"),
    [
        ("shannon1948", "(Shannon, 1948)"),
        ("kingma2014", "(Kingma and Welling, 2014)"),
        ("burda2016", "(Burda et al., 2016)"),
        ("kingma2014,rezende2014", "(Kingma and Welling, 2014; Rezende et al., 2014)"),
    ],
)
def test_citations_name_authors_and_year(keys, shown):
    assert plain(f"as shown {{cite:p}}`{keys}`.", MATHS) == f"as shown {shown}."


def test_citations_side_by_side_share_their_brackets_and_one_in_a_sentence_has_its_year_in_them():
    assert plain("so {cite:p}`kingma2014` {cite:p}`rezende2014`.", MATHS) == "so (Kingma and Welling, 2014; Rezende et al., 2014)."
    assert plain("that of {cite:t}`burda2016`'s.", MATHS) == "that of Burda et al. (2016)'s."


def test_every_work_that_a_page_names_is_listed():
    listed = re.sub(r"\\(.)", r"\1", bibliography())
    assert listed.count("\n- ") == len(citations())
    assert "Auto-encoding variational Bayes" in listed


def test_a_link_that_sets_an_explorer_says_what_it_would_set():
    session = classroom.BOOK / "teaching" / "session.ipynb"
    assert plain('<a href="#drag-q&x=1&q_mu=0">a point</a>', session) == "a point (x = 1, μ = 0)"
    assert "<a href" not in told(session)


def test_names_are_written_without_tex():
    assert not [name for name in citations().values() if re.search(r"[\\{}]", name)]
    assert "van den Oord et al., 2016" in citations().values()


def test_what_nobody_knows_is_refused():
    with pytest.raises(KeyError, match="eq-nowhere"):
        plain("{eq}`eq-nowhere`", MATHS)
    with pytest.raises(KeyError, match="nobody2000"):
        plain("{cite:p}`nobody2000`", MATHS)
