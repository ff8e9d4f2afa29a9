"""The zip for a USB stick, and the wheel in it: whatever a downloaded notebook needs travels along."""

import ast
import email
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import classroom
import nbformat
import offline_bundle
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The package's wheel, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    source = folder / "source"
    source.mkdir()
    for name in ("vae_tutorial", "pyproject.toml", "README.md", "LICENSE"):  # setuptools leaves its build folder beside what it reads
        (source / name).symlink_to(ROOT / name)
    run = subprocess.run([*command, "--wheel-dir", str(folder), str(source)], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    [made] = folder.glob("*.whl")
    return made


@pytest.fixture
def parts(tmp_path) -> dict[str, Path]:
    """A site and notebooks in miniature."""
    made = ("site/index.html", "site/_static/x.js", "site/.buildinfo", "slides/index.html", "notebooks/student/a.ipynb")
    for name in (*made, "notebooks/solutions/a.ipynb"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "vae_tutorial-1-py3-none-any.whl").write_text("wheel")
    folders = {name: tmp_path / name for name in ("site", "slides", "notebooks")}
    return folders | {"wheel": tmp_path / "vae_tutorial-1-py3-none-any.whl"}


def test_the_wheel_carries_all_that_a_page_reads(wheel):
    inside = set(zipfile.ZipFile(wheel).namelist())
    package = ROOT / "vae_tutorial"
    read = [path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts and ".partial" not in path.name]
    missing = {path.relative_to(ROOT).as_posix() for path in read} - inside
    assert not missing


def test_the_wheel_alone_runs_the_package(wheel, tmp_path):
    """Unpacked somewhere else, it finds its weights, records, quizzes and scripts."""
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = (
        "import vae_tutorial; from vae_tutorial import checkpoints, data, explorers; from vae_tutorial.experiments import records;"
        "print(vae_tutorial.__file__); checkpoints.load_model('mnist-2d'); data.load_images('fashion-mnist', 'test');"
        "explorers.beta_calculator(); explorers.quiz('code')"
    )
    surroundings = {"PYTHONPATH": str(tmp_path), "PATH": "", "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=surroundings, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    assert str(tmp_path) in run.stdout


def test_the_wheel_asks_for_what_pyproject_says(wheel):
    archive = zipfile.ZipFile(wheel)
    [name] = [name for name in archive.namelist() if name.endswith("METADATA")]
    said = email.message_from_bytes(archive.read(name))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert sorted(said["Requires-Python"].split(",")) == sorted(project["requires-python"].split(","))
    core = [line for line in said.get_all("Requires-Dist") if "extra ==" not in line]
    assert len(core) == len(project["dependencies"])


def distributions(nodes: set[ast.AST]) -> set[str]:
    """What has to be installed for the imports among these nodes."""
    imports = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    imports += [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
    modules = {name.split(".")[0] for name in imports} - set(sys.stdlib_module_names) - {"vae_tutorial"}
    owners = packages_distributions()
    return {canonicalize_name(name) for module in modules for name in owners[module]}


def test_the_package_asks_for_what_it_and_the_pages_import_and_for_nothing_else():
    """An extra's packages may be imported by the functions that need them, never when a module is."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = {Requirement(line).name for line in project["dependencies"]}
    extra = {Requirement(line).name for line in project["optional-dependencies"]["cluster"]} - asked
    sources = [path.read_text("utf-8") for path in (ROOT / "vae_tutorial").rglob("*.py")]
    cells = [cell for path in classroom.page_paths() for cell in nbformat.read(path, as_version=4).cells]
    trees = [ast.parse(source) for source in sources + [cell.source for cell in cells if cell.cell_type == "code"]]
    every = {node for tree in trees for node in ast.walk(tree)}
    later = {inner for node in every if isinstance(node, ast.FunctionDef) for inner in ast.walk(node)}
    ever, at_once = distributions(every), distributions(every - later)
    assert ever - extra == asked
    assert not extra & at_once


def test_the_zip_holds_the_parts_under_one_folder(parts, tmp_path):
    to = tmp_path / "out" / "book.zip"
    count = offline_bundle.write(to, **parts)
    archive = zipfile.ZipFile(to)
    assert archive.testzip() is None
    (tmp_path / "any").touch()
    assert to.stat().st_mode == (tmp_path / "any").stat().st_mode  # readable by whom other files are
    names = {name.removeprefix(f"{offline_bundle.TOP}/") for name in archive.namelist()}
    assert names == {
        "index.html", "READ-ME.txt", "vae_tutorial-1-py3-none-any.whl", "site/index.html", "site/_static/x.js",
        "slides/index.html", "student/a.ipynb", "solutions/a.ipynb",
    }  # fmt: skip
    assert count == len(names)
    assert "site/index.html" in archive.read(f"{offline_bundle.TOP}/index.html").decode()


@pytest.mark.parametrize(("make", "folder"), [("python3.12 -m venv vae", "vae/bin/"), ("py -3.12 -m venv vae", "vae\\Scripts\\")])
def test_the_zip_tells_how_to_make_an_environment_and_to_stay_in_it(parts, tmp_path, make, folder):
    offline_bundle.write(tmp_path / "book.zip", **parts)
    lines = zipfile.ZipFile(tmp_path / "book.zip").read(f"{offline_bundle.TOP}/READ-ME.txt").decode().splitlines()
    told = [line.strip() for line in lines]
    place = told.index(make)
    rest = ("pip install vae_tutorial-1-py3-none-any.whl jupyterlab", "python -m vae_tutorial.doctor", "jupyter lab student")
    assert told[place + 1 : place + 4] == [folder + command for command in rest]
    if make.startswith("python"):
        assert "sudo apt install python3.12-venv" in told[place - 1]


def test_the_same_parts_make_the_same_zip(parts, tmp_path):
    one, two = tmp_path / "one.zip", tmp_path / "two.zip"
    offline_bundle.write(one, **parts)
    offline_bundle.write(two, **parts)
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("missing", ["site", "notebooks", "slides", "wheel"])
def test_a_missing_part_is_named_and_nothing_is_written(parts, tmp_path, missing):
    parts[missing] = tmp_path / "elsewhere"
    with pytest.raises(FileNotFoundError, match=r"elsewhere.* is missing: run `make"):
        offline_bundle.write(tmp_path / "book.zip", **parts)
    assert not list(tmp_path.glob("book.zip*"))


# ---------------------------------------------------------------- how make calls it


def test_make_clean_leaves_nothing_of_a_build(tmp_path):
    """A wheel's `build/lib` above all, which the next wheel would take its modules from."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("build/lib/vae_tutorial/gone.py", "vae_tutorial.egg-info/SOURCES.txt", "_build/html/index.html", "book/intro.ipynb"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    subprocess.run(["make", "clean"], cwd=tmp_path, env={"PATH": os.environ["PATH"]}, capture_output=True, check=True, timeout=60)
    assert {path.name for path in tmp_path.iterdir()} == {"Makefile", "book"}


@pytest.fixture(scope="module")
def recipe(tmp_path_factory) -> list[str]:
    """What `make published` would run, `make bundle` before it, in a clone whose environment is there already."""
    clone = tmp_path_factory.mktemp("clone")
    shutil.copy(ROOT / "Makefile", clone)
    ready = (".venv/bin/python", "requirements.txt", "pyproject.toml", ".venv/ready", "package.json", "package-lock.json")
    for place, name in enumerate((*ready, "node_modules/ready", ".cache/widgets.js")):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).touch()
        os.utime(clone / name, (place, place))  # each newer than what it is made from
    bare = {"PATH": os.environ["PATH"]}  # without what a `make unit` around it hands on
    told = subprocess.run(["make", "-n", "published"], cwd=clone, env=bare, capture_output=True, text=True, check=True, timeout=60)
    return re.sub(r"\\\n\s*", "", told.stdout).splitlines()


def test_make_builds_the_parts_before_it_packs_them(recipe):
    order = (
        r"jupyter-book build book .*--path-output \. ", r"classroom\.py _build/classroom$", r"slides/make\.py$",
        r"^rm -rf build _build/wheel$", r"-m pip wheel .*--wheel-dir _build/wheel \.$", r"offline_bundle\.py ", r"published_site\.py ",
    )  # fmt: skip
    steps = [line for line in recipe if not line.startswith("make")]
    assert [bool(re.search(wanted, step)) for wanted, step in zip(order, steps, strict=True)] == [True] * len(order)


def test_the_scripts_take_what_make_hands_them(recipe, tmp_path):
    """Run as make runs them, on parts in miniature where the steps before them leave theirs."""
    wheel = "vae_tutorial-1-any.whl"
    for name in ("html/index.html", "slides/index.html", "classroom/student/a.ipynb", "classroom/solutions/a.ipynb", f"wheel/{wheel}"):
        path = tmp_path / "_build" / name
        path.parent.mkdir(parents=True)
        path.write_text('<div class="extra_footer">\n</div>')
    for line in recipe[-2:]:
        words = line.replace("*.whl", wheel).replace(".venv/bin/python", sys.executable)
        script = str(ROOT / "book" / "_ext")
        subprocess.run(shlex.split(words.replace("book/_ext", script)), cwd=tmp_path, check=True, capture_output=True, timeout=60)
    archive = zipfile.ZipFile(tmp_path / "_build" / f"{offline_bundle.TOP}.zip")
    inside = {name.removeprefix(f"{offline_bundle.TOP}/") for name in archive.namelist()}
    assert {"site/index.html", "slides/index.html", "student/a.ipynb", "solutions/a.ipynb", wheel} < inside
    downloads = tmp_path / "_build" / "published" / "downloads"
    assert {path.name for path in downloads.iterdir()} == {f"{offline_bundle.TOP}.zip", wheel}
