"""The repository's address: one command writes it everywhere, the notebooks' first cell installs from it, a fork's site has its buttons."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import repository_address
import yaml

ROOT = Path(__file__).parents[1]
URL = "https://github.com/teacher/vae-book"
PAGES = ("intro.ipynb", "foundations/code.ipynb", "teaching/run-anywhere.ipynb")


@pytest.fixture
def fork(tmp_path) -> Path:
    """A few files of the book, without an address."""
    for name in ("_config.yml", *(f"book/{page}" for page in PAGES)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    repository_address.write_address("", tmp_path)
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def set_up_cell(page: Path) -> str:
    return next(cell.source for cell in nbformat.read(page, 4).cells if cell.cell_type == "code")


def test_one_command_writes_it_everywhere_and_takes_it_out_again(fork):
    before = contents(fork)
    pages_with_cells = [page for page in PAGES if b"REPOSITORY = " in before[f"book/{page}"]]
    assert len(repository_address.write_address(URL, fork)) == 1 + len(pages_with_cells) > 2
    config = yaml.safe_load((fork / "_config.yml").read_text("utf-8"))
    assert config["repository"] == {"url": URL, "path_to_book": "book", "branch": "main"}
    launched = {name: address for name, address in config["launch_buttons"].items() if name.endswith("_url")}
    assert launched == {"colab_url": "https://colab.research.google.com", "binderhub_url": "https://mybinder.org"}
    assert config["html"]["use_repository_button"] is config["html"]["use_issues_button"] is True
    for page in pages_with_cells:
        assert f'REPOSITORY = "{URL}"' in set_up_cell(fork / "book" / page)
    repository_address.write_address("", fork)
    assert contents(fork) == before


@pytest.mark.parametrize("given", [f"{URL}.git", f"{URL}/", f"{URL}.git/", f" {URL}\n"])
def test_what_git_and_browsers_put_at_its_end_is_left_out(given, fork):
    repository_address.write_address(given, fork)
    assert yaml.safe_load((fork / "_config.yml").read_text("utf-8"))["repository"]["url"] == URL
    assert f'REPOSITORY = "{URL}"' in set_up_cell(fork / "book" / "foundations" / "code.ipynb")


def test_colab_opens_no_other_host_and_gets_no_button_for_it(fork):
    repository_address.write_address("https://gitlab.com/school/group/vae-book", fork)
    config = yaml.safe_load((fork / "_config.yml").read_text("utf-8"))
    assert config["repository"]["url"] == "https://gitlab.com/school/group/vae-book"
    assert config["launch_buttons"]["colab_url"] == ""
    assert config["launch_buttons"]["binderhub_url"] == "https://mybinder.org"


@pytest.mark.parametrize(
    "url",
    [
        "github.com/me/book", "https://github.com", 'https://github.com/me/b"; import os', "git@host:me/b.git", "/", ".git",
        "https://github.com/me", "https://github.com/me/", "https://github.com/me/.git", "https://github.com/me/book/tree/main",
        "https://github.com/me/book?tab=readme", "https://gitlab.com/me", "https://example.org/me/book",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_and_nothing_is_written(url, fork):
    before = contents(fork)
    with pytest.raises(
        ValueError, match=r"is no repository's address: give it as https://github\.com/YOU/REPOSITORY with nothing behind it"
    ):
        repository_address.write_address(url, fork)
    assert contents(fork) == before


# ---------------------------------------------------------------- the site of a fork


@pytest.fixture(scope="module")
def page_of_a_fork(tmp_path_factory) -> Path:
    """A page of a book with an address, built with the book's own settings and strictness; its cells do not run."""
    fork = tmp_path_factory.mktemp("fork")
    page = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A page"), nbformat.v4.new_code_cell("1 + 1")])
    page.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "language_info": {"name": "python"}}
    (fork / "book" / "part").mkdir(parents=True)
    nbformat.write(page, fork / "book" / "part" / "page.ipynb")
    shutil.copy(ROOT / "book" / "references.bib", fork / "book")
    (fork / "book" / "_ext").symlink_to(ROOT / "book" / "_ext")
    (fork / "_toc.yml").write_text("format: jb-book\nroot: part/page\n")
    settings = (ROOT / "_config.yml").read_text("utf-8")
    (fork / "_config.yml").write_text(settings.replace("execute_notebooks: force", "execute_notebooks: 'off'"), "utf-8")
    repository_address.write_address(URL, fork)
    program = str(Path(sys.executable).with_name("jupyter-book"))
    command = [program, "build", "book", "--config", "_config.yml", "--toc", str(fork / "_toc.yml"), "--path-output", "."]
    surroundings = os.environ | {"PYTHONPATH": str(ROOT / "book" / "_ext")}
    done = subprocess.run([*command, "-W", "-n", "--keep-going"], cwd=fork, env=surroundings, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return fork / "_build" / "html" / "part" / "page.html"


def test_a_forks_page_can_be_launched(page_of_a_fork):
    text = page_of_a_fork.read_text("utf-8")
    launched = dict(re.findall(r'<a href="([^"]+)"[^>]*title="Launch on (\w+)"', text))
    assert launched == {
        "https://mybinder.org/v2/gh/teacher/vae-book/main?urlpath=lab/tree/book/part/page.ipynb": "Binder",
        "https://colab.research.google.com/github/teacher/vae-book/blob/main/book/part/page.ipynb": "Colab",
    }
    assert f'<a href="{URL}" ' in text
    assert f'<a href="{URL}/issues/new?' in text


def test_a_forks_page_asks_no_other_server(page_of_a_fork):
    site = page_of_a_fork.parents[1]
    for page in site.rglob("*.html"):
        loaded = re.findall(r'<(?:script|link|img|iframe|source)\b[^>]*?\s(?:src|href)="([^"]+)"', page.read_text("utf-8"))
        assert not [address for address in loaded if re.match(r"([a-z]+:)?//", address)], page.name
    shown = re.findall(r'<img alt="(?:Binder|Colab) logo" src="([^"]+)"', page_of_a_fork.read_text("utf-8"))
    assert len(shown) == 2
    assert all((page_of_a_fork.parent / name).is_file() for name in shown)


def test_a_forks_page_can_be_saved_with_its_address(page_of_a_fork):
    [name] = re.findall(r'<a href="([^"]+\.ipynb)" download ', page_of_a_fork.read_text("utf-8"))
    assert [cell.source for cell in nbformat.read(page_of_a_fork.parent / name, as_version=4).cells] == ["# A page", "1 + 1"]


# ---------------------------------------------------------------- what the first cell does


def run_set_up(page: Path, monkeypatch, installed: bool) -> list[list[str]]:
    """Run the cell where the package is installed or not; the commands it started."""
    started = []
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if installed else None)
    monkeypatch.setattr(subprocess, "run", lambda command, check: started.append(command))
    exec(set_up_cell(page), {})
    return started


def test_where_the_package_is_installed_nothing_happens(fork, monkeypatch):
    repository_address.write_address(URL, fork)
    assert run_set_up(fork / "book/foundations/code.ipynb", monkeypatch, installed=True) == []


def test_where_it_is_missing_it_is_installed_and_nothing_is_upgraded(fork, monkeypatch):
    repository_address.write_address(URL, fork)
    started = run_set_up(fork / "book/foundations/code.ipynb", monkeypatch, installed=False)
    assert started == [[sys.executable, "-m", "pip", "install", "-q", f"git+{URL}"]]


def test_without_an_address_the_cell_says_what_to_do(fork, monkeypatch):
    with pytest.raises(ModuleNotFoundError, match="run `make lab` in the book's clone, or pip install its wheel"):
        run_set_up(fork / "book/foundations/code.ipynb", monkeypatch, installed=False)
