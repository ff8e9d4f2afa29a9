"""The back matter: glossary and its links, API reference, index of explorers, bibliography."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import pytest
from back_matter import api, explorer_index, first_use
from docutils import nodes
from markdown_it import MarkdownIt
from test_architecture import LAYERS, MODULES, PACKAGE, dotted
from test_notebooks import BOOK, CONFIG, LISTED, NOTEBOOKS, cells, pages, prose, relative

from vae_tutorial import explorers

ROOT = Path(__file__).parents[1]
GLOSSARY = BOOK / "reference" / "glossary.md"
PAGES = [path for path in [*NOTEBOOKS, *pages(".md")] if relative(path).rsplit(".", 1)[0] not in first_use.UNLINKED]


def entries(text: str) -> dict[tuple[str, ...], str]:
    """The glossary's terms, synonyms together, and what stands under each; read without the extension's help."""
    found: dict[tuple[str, ...], str] = {}
    for block in re.findall(r"^```\{glossary\}\n(.*?)^```", text, re.M | re.S):
        for entry in re.split(r"\n\n(?=\S)", block.strip()):
            lines = entry.splitlines()
            words = tuple(takewhile(lambda line: not line.startswith(" "), lines))
            found[words] = "\n".join(line[2:] for line in lines[len(words) :])
    return found


ENTRIES = entries(GLOSSARY.read_text("utf-8"))


# ---------------------------------------------------------------- glossary


def paragraphs(path: Path) -> str:
    """A page's own prose: the text of its paragraphs and tables without links, code, formulas and headings."""
    text = re.sub(r"\$\$.*?\$\$", "", prose(path), flags=re.S)
    text = re.sub(r"\{[\w:]+\}`[^`]*`", "", re.sub(r"(?<!\\)\$[^$]+\$", " ", text))
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    kept = []
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type == "inline" and before.type != "heading_open":
            depth = 0
            for child in token.children:
                depth += (child.type == "link_open") - (child.type == "link_close")
                if child.type == "text" and not depth:
                    kept.append(child.content)
                elif child.type in ("softbreak", "hardbreak"):
                    kept.append(" ")
                else:
                    kept.append("\n")
    return "".join(kept)


def test_the_glossary_is_long_and_names_no_term_twice():
    words = [word for entry in ENTRIES for word in entry]
    assert len(ENTRIES) > 60
    assert len({word.lower() for word in words}) == len(words)


@pytest.mark.parametrize("words", ENTRIES, ids=lambda words: words[0])
def test_a_term_is_used_on_some_page(words):
    found = first_use.pattern(words)
    assert any(found.search(paragraphs(path)) for path in PAGES), "no page uses it: leave it out, or give it its home"


@pytest.mark.parametrize("words", ENTRIES, ids=lambda words: words[0])
def test_a_definition_opens_with_a_plain_sentence_and_has_a_home(words):
    definition, *rest = ENTRIES[words].split("\n\n")
    tooltip = first_use.first_sentence(definition)
    assert tooltip.endswith(".")
    assert 20 <= len(re.sub(r"\{term\}`([^`]*)`", r"\1", tooltip)) <= 200
    assert not re.search(r"[$*]|\]\(", tooltip), "the first sentence is the tooltip: plain text"
    assert re.search(r"\]\([\w./-]+", rest[-1]), "its last line leads to its home"


def headings(path: Path) -> set[str]:
    """The anchors of a page's headings."""
    return {explorer_index.slug(title) for title in re.findall(r"^#{1,4} (.+)$", prose(path), re.M)}


@pytest.mark.parametrize("path", [*NOTEBOOKS, *pages(".md")], ids=relative)
def test_links_to_sections_lead_to_headings(path):
    text = path.read_text("utf-8") if path == GLOSSARY else re.sub(r"`[^`\n]*`", "", prose(path))
    for target, anchor in re.findall(r"\]\(([\w./-]*)#([^)\s]+)\)", text):
        page = (path.parent / target).resolve() if target else path
        if page.suffix in (".ipynb", ".md") and "=" not in anchor:  # #beta=4 is an explorer's state
            assert anchor in headings(page), f"{target}#{anchor}"


def paragraph(*parts: str | nodes.Node) -> nodes.paragraph:
    return nodes.paragraph("", "", *(nodes.Text(part) if isinstance(part, str) else part for part in parts))


def page_of(*children: nodes.Node) -> nodes.document:
    document = nodes.document(None, None)
    document += children
    return document


RATE = first_use.Term(("rate", "KL term"), "term-rate", "What it costs.")
CURVE = first_use.Term(("rate–distortion curve",), "term-curve", "All pairs.")
ELBO = first_use.Term(("ELBO",), "term-ELBO", "The bound.")
POSTERIOR = first_use.Term(("posterior",), "term-posterior", "Codes.")
AGGREGATE = first_use.Term(("aggregate posterior",), "term-aggregate", "The mean.")


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("The rate and the rate again.", ["rate"]),
        ("Rates are nats.", ["Rates"]),
        ("The KL term is the rate.", ["KL term"]),  # a synonym is the same term
        ("The rate–distortion curve has a rate.", ["rate–distortion curve", "rate"]),
        ("A rate–distortion plot, accurate or generated.", []),
        ("The learning rate, then the rate.", ["rate"]),  # another sense
        ("elbo is a joint, ELBO a bound.", ["ELBO"]),
        ("An aggregate posterior is not a posterior.", ["aggregate posterior", "posterior"]),
        ("The aggregate posterior; no aggregate posterior is a posterior.", ["aggregate posterior", "posterior"]),
        ("Two\nposteriors.", ["posteriors"]),
    ],
)
def test_the_first_use_of_a_term_is_linked(text, linked):
    page = page_of(paragraph(text))
    assert first_use.link_first_uses(page, [RATE, CURVE, ELBO, POSTERIOR, AGGREGATE], "glossary.html") == linked
    assert page.astext() == text


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("Change the code before you read its code. It says much through its code.", "code"),
        ("No other such code is shorter; such codes have codes.", "codes"),
        ("It is several units high, at the same unit, and another unit has units of its own.", "units"),
        ("The pixels' unit, no unit, the unit cancels; rates with their unit, and unit variance: a unit.", "unit"),
        ("Which factor is it? A factor.", "factor"),
    ],
)
def test_words_in_another_sense_are_left_alone(text, linked):
    page = page_of(paragraph(text))
    terms = [first_use.Term((word,), f"term-{word}", "A term.") for word in ("code", "unit", "factor")]
    assert first_use.link_first_uses(page, terms, "glossary.html") == [linked]
    _, _, after = page.children[0].children
    assert linked not in after.astext(), "the last of them is meant"


@pytest.mark.parametrize(
    ("word", "page", "other"),
    [
        ("recipe", "reference/results", "foundations/autoencoders"),
        ("card", "intro", "teaching/quizzes"),
        ("code", "intro", "reference/how-this-book-is-made"),
        ("factor", "experiments/disentanglement", "foundations/the-maths"),
        ("rate", "intro", "foundations/problem-setting"),
        ("unit", "foundations/the-maths", "foundations/generative-models"),
    ],
)
def test_everyday_words_are_terms_on_their_pages_only(word, page, other):
    term = first_use.Term((word,), f"term-{word}", "A term.")
    assert first_use.terms_on(page, [term, ELBO]) == [term, ELBO]
    assert first_use.terms_on(other, [term, ELBO]) == [ELBO]


def test_everyday_words_are_terms_of_the_glossary():
    assert set(first_use.ONLY_ON) <= {words[0] for words in ENTRIES}


def test_a_term_may_stand_on_two_lines():
    page = page_of(paragraph("The aggregate", "\n", "posterior."))
    assert first_use.link_first_uses(page, [POSTERIOR, AGGREGATE], "glossary.html") == ["aggregate\nposterior"]


def test_only_prose_is_linked_and_only_once_a_page():
    skipped = [
        nodes.section("", nodes.title("", "The rate")),
        paragraph(nodes.reference("", "rate", refuri="x"), nodes.literal("", "rate"), nodes.math("", "rate")),
        nodes.literal_block("", "rate"),
        paragraph(nodes.raw("", '<a href="#x">', format="html"), nodes.Text("a rate"), nodes.raw("", "</a>", format="html")),
        nodes.container("", paragraph("rate"), classes=["cell_output", "docutils"]),
    ]
    page = page_of(*skipped, paragraph("a rate"), paragraph("a rate"))
    assert first_use.link_first_uses(page, [RATE], "../reference/glossary.html") == ["rate"]
    (link,) = [node for node in page.findall(nodes.reference) if "vae-term" in node["classes"]]
    assert link.parent is page.children[-2]
    assert (link["refuri"], link["reftitle"]) == ("../reference/glossary.html#term-rate", "What it costs.")


# ---------------------------------------------------------------- API reference


def listed_modules(text: str) -> list[str]:
    return [line for block in re.findall(r"^```\{modules\}\n(.*?)^```", text, re.M | re.S) for line in block.split()]


LISTED_MODULES = listed_modules((BOOK / "reference" / "api.md").read_text("utf-8"))


def test_every_public_module_is_in_the_api_reference_once():
    top = {dotted(path).split(".")[0] for path in MODULES if dotted(path) != "__init__"}
    public = {name for name in top - {"recipes", "experiments"} if not name.startswith("_")}
    assert public - set(LISTED_MODULES) == set(), "add a line to a modules block of book/reference/api.md"
    assert len(set(LISTED_MODULES)) == len(LISTED_MODULES)
    for name in LISTED_MODULES:
        assert api.source_of(name).is_file()


def test_the_api_reference_has_the_layers_in_order():
    beside_models = ("hierarchical", "autoregressive", "mixture_prior")  # with the other models, whatever they import
    places = [LAYERS.index(name) for name in LISTED_MODULES if "." not in name and name not in beside_models]
    groups = [name for name in LISTED_MODULES if "." not in name]
    assert groups[0] == "data"
    assert places == sorted(places)


def test_what_explorers_are_built_from_is_in_the_api_reference():
    building = {
        dotted(path)
        for path in MODULES
        if dotted(path).startswith("explorers.") and not path.stem.startswith("_") and path.stem not in explorers.__all__
    }
    assert building - set(LISTED_MODULES) == set()


@pytest.mark.parametrize("package", ["recipes", "experiments"])
def test_every_program_is_listed(package):
    named = set()
    for path in (PACKAGE / package).glob("*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "NAME":
                named.add((ast.literal_eval(node.value), path))
    assert len(named) >= 8
    assert set(api.programs(PACKAGE / package)) == named


def test_a_module_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match=r"no module vae_tutorial\.nowhere"):
        api.source_of("nowhere")


@pytest.mark.parametrize(
    ("written", "rst"),
    [
        ("the code `z`, (B, d)", "the code ``z``, (B, d)"),
        ("σ*ε and |zⱼ| for x_", r"σ\*ε and \|zⱼ\| for x\_"),
        ("`a * b` * c", r"``a * b`` \* c"),
        ("    log_var: of q", "    log_var: of q"),
        ("the density of *all* codes, 2*d*k", r"the density of *all* codes, 2\*d\*k"),
    ],
)
def test_docstrings_are_taken_literally_but_for_code_and_emphasis(written, rst):
    assert api.as_rst(written) == rst


def test_an_example_in_a_modules_docstring_is_a_block_of_code():
    lines = ["Noise:", "", "    y = noise(x)", "", "    z = y * 2", "", "More of x*y."]
    api.write_as_rst(None, "module", "", None, None, lines)
    assert lines == ["Noise:", "", "::", "", "    y = noise(x)", "", "    z = y * 2", "", r"More of x\*y."]


# ---------------------------------------------------------------- explorers

USES = explorer_index.uses_of_explorers(BOOK, LISTED)


def test_every_explorer_is_in_the_index_and_on_a_page():
    assert set(explorer_index.factories()) == set(explorers.__all__) - {"quiz"}
    assert set(explorer_index.factories()) - set(USES) == set(), "no page shows it"
    assert set(USES) - set(explorer_index.factories()) == set(), "not in explorers.__all__"


def test_the_index_finds_every_call_on_every_page():
    calls = {(node.func.attr, path) for path in NOTEBOOKS for cell in cells(path, "code") for node in ast.walk(ast.parse(cell.source))
             if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("explorers.")}  # fmt: skip
    found = {(name, BOOK / f"{use.page}.ipynb") for name, uses in USES.items() for use in uses}
    assert {(name, path) for name, path in calls if name != "quiz"} == found


@pytest.mark.parametrize("name", explorer_index.factories())
def test_an_explorers_entry_says_what_to_try_where_and_how_to_link(name):
    entry = explorer_index.entry(getattr(explorers, name).__doc__, explorer_index.link_keys(name), USES[name], depth=1)
    assert "**Try:**" in entry
    assert "**In an address:** `#" in entry
    for target, anchor in re.findall(r"\]\(\.\./([\w./-]+)#([^)\s]+)\)", entry):
        assert anchor in headings(BOOK / target)


def test_keys_of_an_address_are_read_from_javascript(tmp_path):
    (tmp_path / "a.js").write_text(
        'const LINKS = { z_mu: "mu", S: "samples" };\nfollowHash(model, LINKS, {});\nfollowHash(model, { from: "start" }, {});\n'
        'parseHash(location.hash, ["d", "from"]);\n'
    )
    assert explorer_index.link_keys("a", tmp_path) == ["d", "from", "z_mu", "S"]


# ---------------------------------------------------------------- bibliography

REFERENCES = (BOOK / "references.bib").read_text("utf-8")
KEYS = re.findall(r"^@\w+\{([^,\s]+),", REFERENCES, re.M)


def test_an_entry_is_there_once_and_has_its_fields():
    assert len(set(KEYS)) == len(KEYS)
    for entry in re.findall(r"^@\w+\{.*?^\}", REFERENCES, re.M | re.S):
        fields = dict(re.findall(r"^  (\w+)\s*= \{(.*)\},?$", entry, re.M))
        key = re.match(r"@\w+\{(\w+)", entry)[1]
        assert {"author", "title", "year"} <= set(fields), key
        assert key.endswith(fields["year"]), key
        assert re.search(r"journal|booktitle|publisher|institution|note", entry), f"{key}: where did it appear?"
        assert re.fullmatch(r"(?:\d{4}\.\d{4,5})?", "".join(re.findall(r"arXiv:([^}]*)", fields.get("note", "")))), key


def cited_on_pages() -> set[str]:
    text = "\n".join(prose(path) for path in [*NOTEBOOKS, *pages(".md")])
    return {key.strip() for keys in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", text) for key in keys.split(",")}


def cited_in_docstrings() -> set[str]:
    return {key for path in MODULES for text in api.docstrings(path) for key in api.cited(text)}


def test_every_entry_is_cited():
    assert set(KEYS) - cited_on_pages() - cited_in_docstrings() == set()


def test_papers_of_the_docstrings_are_in_the_bibliography():
    assert cited_in_docstrings() - set(KEYS) == set()


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Adam (Kingma & Ba 2015; weight decay, Loshchilov & Hutter 2019)", ["kingma2015", "loshchilov2019"]),
        ("Bae et al. (2023, Multi-Rate VAE)", ["bae2023"]),
        ("noise (Vincent et al. 2008, 2010)", ["vincent2008", "vincent2010"]),
        ("Sønderby et\nal. 2016 and van den Oord et al. 2016", ["sonderby2016", "oord2016"]),
        ("Pech-Pacheco et al. 2000; Shoemake (1985)", ["pechpacheco2000", "shoemake1985"]),
        ("of 2000 images", []),
    ],
)
def test_citations_in_docstrings_are_found(text, keys):
    assert api.cited(text) == keys


# ---------------------------------------------------------------- in a build

TINY = {
    "index.md": "# Index\n\n```{toctree}\npart/page\nreference/glossary\nreference/api\n```\n\nA rate.\n",
    "part/page.md": "# The rate\n\nFirst `rate`, then the rate. A rate again.\n",
    "reference/glossary.md": "# Glossary\n\n```{glossary}\nrate\n  What it costs. In nats.\n```\n",
    "reference/api.md": "# API\n\n```{modules}\nschedules\n```\n\n```{programs} experiments\n```\n",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A book of four small pages, built under the book's own strictness."""
    book = tmp_path_factory.mktemp("book")
    for name, text in TINY.items():
        (book / name).parent.mkdir(exist_ok=True)
        (book / name).write_text(text, encoding="utf8")
    outside = CONFIG["sphinx"]["config"]["nitpick_ignore_regex"]
    settings = f'extensions = ["myst_parser", "back_matter", "sphinx.ext.napoleon"]\nnitpick_ignore_regex = {outside!r}\n'
    (book / "conf.py").write_text(settings, encoding="utf8")
    command = [sys.executable, "-m", "sphinx", "-W", "-n", "--keep-going", "-b", "html", str(book), str(book / "site")]
    surroundings = os.environ | {"PYTHONPATH": f"{BOOK / '_ext'}{os.pathsep}{ROOT}"}
    done = subprocess.run(command, capture_output=True, text=True, env=surroundings, check=False)
    assert done.returncode == 0, done.stderr
    return book / "site"


def test_a_built_page_links_the_first_use(site):
    page = (site / "part" / "page.html").read_text("utf-8")
    (link,) = re.findall(r'<a class="([^"]*)" href="([^"]*)" title="([^"]*)">rate</a>', page)
    assert link == ("vae-term reference internal", "../reference/glossary.html#term-rate", "What it costs.")
    assert page.index("then the <a") < page.index("A rate again")
    assert 'id="term-rate"' in (site / "reference" / "glossary.html").read_text("utf-8")
    assert "vae-term" not in (site / "reference" / "glossary.html").read_text("utf-8")


def test_a_built_reference_has_the_modules_public_names(site):
    page = (site / "reference" / "api.html").read_text("utf-8")
    names = re.findall(r'id="vae_tutorial\.schedules\.(\w+)"', page)
    tree = ast.parse((PACKAGE / "schedules.py").read_text("utf-8"))
    assert set(names) == {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")}
    assert "<code" in page
    assert "kl-weight" in page


def test_the_set_up_of_the_site_knows_the_back_matter():
    assert CONFIG["sphinx"]["local_extensions"]["back_matter"] == "book/_ext"
    assert {"sphinx.ext.autodoc", "sphinx.ext.napoleon"} <= set(CONFIG["sphinx"]["extra_extensions"])


def test_array_like_is_written_as_its_name():
    signature = f"(codes: {api.spelt_out()}, bins: int = 20)"
    shortened = api.shorten_types(None, "function", "mig", None, None, signature, None)
    assert shortened == ("(codes: ~numpy.typing.ArrayLike, bins: int = 20)", None)
