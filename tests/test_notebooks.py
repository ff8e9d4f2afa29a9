"""Every page as it is committed: cells, tags, kept outputs, alt texts, links, citations and colours. Nothing runs here."""

import ast
import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
import yaml
from colours import is_neutral

from vae_tutorial.plotting import PALETTE

ROOT = Path(__file__).parents[1]
BOOK = ROOT / "book"
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
CONTENTS = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
LONGEST_CELL = 30  # lines; 20 is the measure


def pages(suffix: str) -> list[Path]:
    """The book's own files of a kind, without those that tools leave behind."""
    found = (path.relative_to(BOOK) for path in BOOK.rglob(f"*{suffix}"))
    return sorted(BOOK / path for path in found if not any(part.startswith((".", "_")) for part in path.parts))


def relative(path: Path) -> str:
    return path.relative_to(BOOK).as_posix()


NOTEBOOKS = pages(".ipynb")
for_each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=relative)
for_each_page = pytest.mark.parametrize("path", [*NOTEBOOKS, *pages(".md")], ids=relative)


def cells(path: Path, kind: str) -> list[nbformat.NotebookNode]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def tags(cell: nbformat.NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))


@cache
def prose(path: Path) -> str:
    """A page's text without code: Markdown cells, or the file without its fenced blocks."""
    text = "\n\n".join(cell.source for cell in cells(path, "markdown")) if path.suffix == ".ipynb" else path.read_text("utf-8")
    return re.sub(r"^(```+)[^`\n]*\n.*?^\1$", "", text, flags=re.M | re.S)


# ---------------------------------------------------------------- the book


def entries(node: object) -> list[str]:
    """Every `file:` of the table of contents, at any depth."""
    if isinstance(node, list):
        return [name for item in node for name in entries(item)]
    if isinstance(node, dict):
        return [node["file"], *entries(list(node.values()))] if "file" in node else entries(list(node.values()))
    return []


LISTED = [CONTENTS["root"], *entries(CONTENTS["parts"])]


@pytest.mark.parametrize("name", LISTED)
def test_a_listed_page_exists_once(name):
    assert [suffix for suffix in (".ipynb", ".md") if (BOOK / f"{name}{suffix}").is_file()] in ([".ipynb"], [".md"])


@for_each_page
def test_a_page_is_listed_once(path):
    assert LISTED.count(path.relative_to(BOOK).with_suffix("").as_posix()) == 1


@for_each_page
def test_a_page_has_one_title_at_its_top(path):
    text = prose(path).lstrip()
    assert text.startswith("# ") or (path.suffix == ".md" and re.match(r"(---\n.*?\n---\s+)?(\([\w-]+\)=\s+)?# ", text, re.S))
    assert len(re.findall(r"^# ", text, re.M)) == 1


# ---------------------------------------------------------------- cells


@for_each_notebook
def test_a_notebook_is_valid_and_runs_on_any_python_3(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    identifiers = [cell.id for cell in notebook.cells]
    assert len(set(identifiers)) == len(identifiers)


@for_each_notebook
def test_code_parses_and_cells_are_short(path):
    for cell in cells(path, "code"):
        ast.parse(cell.source)
        assert len(cell.source.splitlines()) <= LONGEST_CELL, cell.source[:80]


@for_each_notebook
def test_outputs_are_kept_only_where_they_are_checked(path):
    for cell in cells(path, "code"):
        kept = {"keep_output", "nbval-check-output"} & tags(cell)
        if not kept:
            assert cell.outputs == [], f"not tagged keep_output: {cell.source[:80]}"
            continue
        assert kept == {"keep_output", "nbval-check-output"}, cell.source[:80]
        assert cell.execution_count is not None
        assert cell.outputs
        for output in cell.outputs:
            text = output.get("text") or output.get("data", {}).get("text/plain")
            assert text, "kept outputs are text"
            assert output.get("name") != "stderr"
            assert len(text) < 2_000
            assert not re.search(r"\d\.\d{5,}", text), "to three digits"


@for_each_notebook
def test_only_set_up_plots_and_solutions_are_hidden(path):
    for number, cell in enumerate(cells(path, "code")):
        hidden = {"hide-input", "hide-cell", "remove-input", "remove-cell"} & tags(cell)
        assert hidden <= {"hide-input", "hide-cell"}
        if hidden:
            assert cell.metadata.get("jupyter", {}).get("source_hidden"), "hidden in JupyterLab, too"
            assert cell.metadata.get("cellView") == "form", "hidden on Colab, too"
            drawn = path.parent.name == "reference" or "plotting." in cell.source or "explorers." in cell.source  # or set as a table
            assert number == 0 or "solution" in tags(cell) or drawn, cell.source[:80]
        if "solution" in tags(cell):
            assert "hide-cell" in tags(cell)


@for_each_notebook
def test_a_notebook_alone_with_the_wheel_finds_what_it_reads(path):
    """Colab and a student's folder have no clone around the page."""
    for cell in cells(path, "code"):
        assert '"../' not in cell.source
        assert "benchmarks/" not in cell.source.replace("python benchmarks/", "")


def test_the_set_up_cell_is_the_same_everywhere_and_knows_the_books_address():
    set_ups = {relative(path): cells(path, "code")[0] for path in NOTEBOOKS}
    assert len({cell.source for cell in set_ups.values()}) == 1, sorted(set_ups)
    cell = next(iter(set_ups.values()))
    assert all("hide-cell" in tags(cell) for cell in set_ups.values())
    assigned = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(cell.source).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    assert assigned == {"REPOSITORY": CONFIG["repository"]["url"]}
    assert 'find_spec("vae_tutorial") is None' in cell.source


def test_without_an_address_there_are_no_launch_buttons():
    buttons = [key for key in ("use_repository_button", "use_issues_button", "use_edit_page_button") if CONFIG["html"][key]]
    launches = [address for name, address in CONFIG["launch_buttons"].items() if name.endswith("_url") and address]
    assert CONFIG["repository"]["url"] or not (buttons or launches)


# ---------------------------------------------------------------- pictures


@for_each_notebook
def test_every_figure_says_what_it_shows(path):
    for cell in cells(path, "code"):
        assert "matplotlib.pyplot" not in cell.source, "plotting.figure and plotting.show keep style and alt text"
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "plotting.show":
                given = [word.value for word in node.keywords if word.arg == "alt"] + node.args[1:]
                assert given, f"no alt text: {ast.unparse(node)[:80]}"
                if isinstance(given[0], ast.Constant):
                    assert len(given[0].value) >= 20


@for_each_notebook
def test_no_figure_is_lost(path):
    """What `plotting.show` gives back appears as a cell's last value; as a bare statement anywhere else it is dropped."""
    for cell in cells(path, "code"):
        tree = ast.parse(cell.source)
        for node in ast.walk(tree):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "plotting.show":
                assert node is tree.body[-1], f"never shown: {ast.unparse(node)[:80]}"


@for_each_page
def test_every_picture_in_the_text_says_what_it_shows(path):
    for text, target in re.findall(r"!\[([^\]]*)\]\(([^)\s]+)", prose(path)):
        assert len(text) >= 20, f"no alt text: {target}"
    for tag in re.findall(r"<img\b[^>]*>", prose(path)):
        assert re.search(r'alt="[^"]{20,}"', tag), tag[:80]


def palette(theme: str) -> set[str]:
    return {entry[theme] for entry in PALETTE.values()}


@pytest.mark.parametrize("path", sorted(BOOK.rglob("*.svg")), ids=relative)
def test_diagrams_use_the_palette_and_greys_only(path):
    text = path.read_text("utf-8")
    colours = {colour.lower() for colour in re.findall(r"#[0-9a-fA-F]{3,8}\b", re.sub(r"url\(#[^)]*\)|href=\"#[^\"]*\"", "", text))}
    foreign = {colour for colour in colours - palette("light") - palette("dark") if not is_neutral(colour)}
    assert foreign == set()
    painted = re.findall(r"(?:fill|stroke|stop-color|color)(?:=\"|:\s*)([a-zA-Z]+)\b(?!\()", text)
    assert set(painted) <= {"none", "currentColor", "white", "black", "inherit", "transparent", "url", "context"}
    assert "viewBox" in text
    assert "<script" not in text


@for_each_page
def test_formulas_use_the_palettes_light_colours(path):
    colours = {colour.lower() for colour in re.findall(r"\\color\{(#[0-9a-fA-F]+)\}", prose(path))}
    assert colours <= palette("light")


# ---------------------------------------------------------------- text that reads well anywhere


@for_each_notebook
def test_notebook_text_needs_no_myst_but_citations_and_equation_labels(path):
    text = "\n\n".join(cell.source for cell in cells(path, "markdown"))
    assert re.findall(r"^\s*(?:```+|:::+)\s*\{.*", text, re.M) == []
    roles = set(re.findall(r"\{([a-z][\w:.-]*)\}`", text))
    assert roles <= {"cite:p", "cite:t", "cite", "eq"}
    assert re.findall(r"^\([\w-]+\)=\s*$", text, re.M) == []


def targets(path: Path) -> list[str]:
    """The link targets of a page, in Markdown and HTML."""
    text = re.sub(r"`[^`\n]*`", "", prose(path))
    inline = re.findall(r"\]\(<?([^)\s>]+)", text)
    return inline + re.findall(r"""(?:href|src)=["']([^"']+)""", text)


@for_each_page
def test_links_lead_somewhere(path):
    for target in targets(path):
        if re.match(r"[a-z]+:", target):
            assert target.startswith(("https://", "mailto:", "data:")), target
            continue
        name = unquote(target.split("#")[0])
        assert not name.startswith("/"), target
        if name.endswith(".html"):  # a deep link to an explorer names the page as the site has it
            assert path.suffix == ".md", f"{target}: dead in JupyterLab"
            name = next((source for source in (f"{name[:-5]}.ipynb", f"{name[:-5]}.md") if (path.parent / source).is_file()), name)
        if name:
            assert (path.parent / name).is_file(), target
            assert BOOK in (path.parent / name).resolve().parents or name.startswith("../"), target


@for_each_page
def test_citations_are_in_the_bibliography(path):
    known = set(re.findall(r"^@\w+\{([^,\s]+),", (BOOK / "references.bib").read_text("utf-8"), re.M))
    cited = {key.strip() for keys in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", prose(path)) for key in keys.split(",")}
    assert cited <= known


@for_each_page
def test_every_displayed_equation_has_a_label(path):
    between = prose(path).split("$$")
    assert len(between) % 2, "an equation is not closed"
    for equation, after in zip(between[1::2], between[2::2], strict=True):
        assert re.match(r" \(eq-[\w-]+\)(\n|$)", after), f"no label: {equation[:80]}"


@for_each_page
def test_equation_labels_are_unique_and_referred_to(path):
    book = "\n\n".join(prose(page) for page in {*NOTEBOOKS, *pages(".md"), path})
    for label in re.findall(r"^\$\$ \(([\w-]+)\)", prose(path), re.M):
        assert book.count(f"$$ ({label})") == 1, label
        assert f"{{eq}}`{label}`" in book, f"nothing refers to {label}"
    for label in re.findall(r"\{eq\}`([^`]+)`", prose(path)):
        assert f"$$ ({label})" in book, f"no such equation: {label}"


@for_each_page
def test_no_path_or_address_of_one_machine(path):
    text = path.read_text("utf-8")
    assert re.findall(r"""["'\s(=](?:/home/(?!jovyan\b)|/root/|/work/|/tmp/|/Users/|[A-Z]:\\\\)\S*""", text) == []
    assert re.findall(r"\b(?:localhost|127\.0\.0\.1)\b", text) == []
    assert re.findall(r"\b(?:TODO|FIXME|XXX|lorem ipsum)\b", text, re.I) == []


# ---------------------------------------------------------------- the tests above can fail


def page_with(folder: Path, cell: nbformat.NotebookNode) -> Path:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A page"), cell])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, folder / "page.ipynb")
    return folder / "page.ipynb"


def markdown(text: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_markdown_cell(text)


def code(text: str, *names: str, output: str = "", **fields: object) -> nbformat.NotebookNode:
    outputs = [nbformat.v4.new_output("stream", text=output)] if output else []
    return nbformat.v4.new_code_cell(text, metadata={"tags": list(names)}, outputs=outputs, **fields)


FAULTS = {
    "second title": (test_a_page_has_one_title_at_its_top, markdown("# Another")),
    "long cell": (test_code_parses_and_cells_are_short, code("x = 1\n" * 31)),
    "stray output": (test_outputs_are_kept_only_where_they_are_checked, code("1", output="1", execution_count=1)),
    "half a tag": (test_outputs_are_kept_only_where_they_are_checked, code("1", "keep_output", output="1", execution_count=1)),
    "no output": (test_outputs_are_kept_only_where_they_are_checked, code("1", "keep_output", "nbval-check-output", execution_count=1)),
    "no count": (test_outputs_are_kept_only_where_they_are_checked, code("1", "keep_output", "nbval-check-output", output="1")),
    "hidden code": (test_only_set_up_plots_and_solutions_are_hidden, code("loss = 1", "hide-cell")),
    "no alt": (test_every_figure_says_what_it_shows, code("plotting.show(fig)")),
    "short alt": (test_every_figure_says_what_it_shows, code("plotting.show(fig, alt='a plot')")),
    "lost figure": (test_no_figure_is_lost, code("def draw():\n    plotting.show(fig, alt='a plot of the loss')\ndraw()")),
    "pyplot": (test_every_figure_says_what_it_shows, code("import matplotlib.pyplot as plt")),
    "picture without alt": (test_every_picture_in_the_text_says_what_it_shows, markdown("![](figures/a.svg)")),
    "img without alt": (test_every_picture_in_the_text_says_what_it_shows, markdown('<img src="figures/a.svg">')),
    "foreign colour": (test_formulas_use_the_palettes_light_colours, markdown(r"$\color{#ff0000}{q}$")),
    "directive": (test_notebook_text_needs_no_myst_but_citations_and_equation_labels, markdown("```{note}\nRead this.\n```")),
    "colon directive": (test_notebook_text_needs_no_myst_but_citations_and_equation_labels, markdown(":::{proof}\n:::")),
    "role": (test_notebook_text_needs_no_myst_but_citations_and_equation_labels, markdown("{glue}`number`")),
    "dead link": (test_links_lead_somewhere, markdown("[there](nowhere.ipynb)")),
    "plain http": (test_links_lead_somewhere, markdown("[there](http://example.org)")),
    "unknown citation": (test_citations_are_in_the_bibliography, markdown("{cite:p}`nobody1900`")),
    "equation without label": (test_every_displayed_equation_has_a_label, markdown("$$\nx = 1\n$$\n")),
    "label on the next line": (test_every_displayed_equation_has_a_label, markdown("$$\nx = 1\n$$\n(eq-late)\n")),
    "label used twice": (test_equation_labels_are_unique_and_referred_to, markdown("$$\nx = 1\n$$ (eq-bound)\n")),
    "lonely equation": (test_equation_labels_are_unique_and_referred_to, markdown("$$\nx = 1\n$$ (eq-lonely)\n")),
    "unknown equation": (test_equation_labels_are_unique_and_referred_to, markdown("See {eq}`eq-nowhere`.")),
    "path of a machine": (test_no_path_or_address_of_one_machine, code("open('/tmp/file')")),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_noticed(fault, tmp_path):
    notice, cell = FAULTS[fault]
    with pytest.raises(AssertionError):
        notice(page_with(tmp_path, cell))
