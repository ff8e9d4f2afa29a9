"""The repository's address: one command writes it everywhere, and the notebooks' first cell installs from it."""

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


def test_make_writes_it_by_any_python_and_installs_nothing(fork):
    """`-I -S`: the standard library alone."""
    (fork / "book" / "_ext").mkdir()
    shutil.copy(repository_address.__file__, fork / "book" / "_ext")
    shutil.copy(ROOT / "Makefile", fork)

    def make(*arguments: str) -> str:
        bare = {"PATH": os.environ["PATH"]}  # without what a `make unit` around it hands on
        command = ["make", "address", f"URL={URL}", *arguments]
        return subprocess.run(command, cwd=fork, env=bare, capture_output=True, text=True, check=True, timeout=60).stdout

    assert make("-n") == f'python3 book/_ext/repository_address.py "{URL}"\n'
    assert re.search(r"^[2-9] files changed$", make(f"PYTHON={sys.executable} -I -S"), re.M)
    assert yaml.safe_load((fork / "_config.yml").read_text("utf-8"))["repository"]["url"] == URL
    assert not (fork / ".venv").exists()


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
    with pytest.raises(ModuleNotFoundError, match=r"pip install its wheel \(page Run it anywhere\) or, in a clone, run `make lab`"):
        run_set_up(fork / "book/foundations/code.ipynb", monkeypatch, installed=False)
