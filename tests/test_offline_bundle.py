"""The zip for a USB stick, and the wheel in it: whatever a downloaded notebook needs travels along."""

import email
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import offline_bundle
import pytest

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


@pytest.mark.parametrize(("make", "folder"), [("python3 -m venv vae", "vae/bin/"), ("py -m venv vae", "vae\\Scripts\\")])
def test_the_zip_tells_how_to_make_an_environment_and_to_stay_in_it(parts, tmp_path, make, folder):
    offline_bundle.write(tmp_path / "book.zip", **parts)
    lines = zipfile.ZipFile(tmp_path / "book.zip").read(f"{offline_bundle.TOP}/READ-ME.txt").decode().splitlines()
    told = [line.strip() for line in lines]
    place = told.index(make)
    rest = ("pip install vae_tutorial-1-py3-none-any.whl jupyterlab", "python -m vae_tutorial.doctor", "jupyter lab student")
    assert told[place + 1 : place + 4] == [folder + command for command in rest]


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
