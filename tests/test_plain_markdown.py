"""Notebooks that are handed out or saved: what only the site understands is plain Markdown in them."""

import re

import classroom
import nbformat
import pytest
from plain_markdown import citations, equations, plain, title

MATHS = classroom.BOOK / "foundations" / "the-maths.ipynb"
CLUSTERS = classroom.BOOK / "experiments" / "clusters.ipynb"


def told(path) -> str:
    return "\n\n".join(plain(cell.source, path) for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown")


@pytest.mark.parametrize("path", classroom.page_paths(), ids=lambda path: path.stem)
def test_nothing_is_left_that_a_viewer_would_print_as_it_stands(path):
    text = told(path)
    assert not re.search(r"\{[a-z:]+\}`|\(eq-", text)
    assert [int(number) for number in re.findall(r"\\tag\{(\d+)\}", text)] == list(range(1, text.count("\\tag{") + 1))


def test_formulas_are_numbered_and_found_again():
    """Its last line and whatever it stands in, a list, are as they were."""
    first = min((number, label) for label, (page, number) in equations().items() if page == MATHS.resolve())[1]
    assert plain(f"Say:\n\n$$\na = b\n$$ ({first})\n\nBy {{eq}}`{first}`, $c$.", MATHS) == "Say:\n\n$$\na = b \\tag{1}\n$$\n\nBy (1), $c$."
    assert plain(f"- so\n  $$\n  a\n  $$ ({first})", MATHS) == "- so\n  $$\n  a \\tag{1}\n  $$"
    assert plain(f"$$a$$\n\n$$\nb\n$$ ({first})", MATHS) == "$$a$$\n\n$$\nb \\tag{1}\n$$"
    assert plain(f"See {{eq}}`{first}`.", CLUSTERS) == "See (1) of *The maths*."
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


def test_names_are_written_without_tex():
    assert not [name for name in citations().values() if re.search(r"[\\{}]", name)]
    assert "van den Oord et al., 2016" in citations().values()


def test_what_nobody_knows_is_refused():
    with pytest.raises(KeyError, match="eq-nowhere"):
        plain("{eq}`eq-nowhere`", MATHS)
    with pytest.raises(KeyError, match="nobody2000"):
        plain("{cite:p}`nobody2000`", MATHS)
