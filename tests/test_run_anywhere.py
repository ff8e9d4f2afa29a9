"""The page *Run it anywhere*: what it tells others to type is parsed from it and run, as far as one machine without a network can."""

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import tomllib
import warnings
import zipfile
from pathlib import Path

import classroom
import nbformat
import offline_bundle
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import vae_tutorial
from vae_tutorial import data

with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # of a logger that it imports by its old name
    from repo2docker.__main__ import make_r2d
    from repo2docker.buildpacks import BaseImage

ROOT = Path(__file__).parents[1]
PAGE = nbformat.read(ROOT / "book" / "teaching" / "run-anywhere.ipynb", as_version=4)
PROSE = "\n\n".join(cell.source for cell in PAGE.cells if cell.cell_type == "markdown")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PROSE, re.M | re.S)  # language and text
CHART = yaml.safe_load(next(text for language, text in BLOCKS if language == "yaml"))


def commands(program: str) -> list[list[str]]:
    """The words of every command on the page that begins with a program."""
    lines = [line for language, text in BLOCKS if language == "bash" for line in text.replace("\\\n", " ").splitlines()]
    return [shlex.split(line, comments=True) for line in lines if line.startswith(program)]


def section(title: str) -> str:
    """The text under a heading."""
    return re.split(r"^#+ ", PROSE.split(f"# {title}\n", 1)[1], maxsplit=1, flags=re.M)[0]


# ---------------------------------------------------------------- an environment of one's own


def test_every_wheel_has_the_name_that_pip_gives_it():
    named = re.findall(r"[\w.]+-[\w.]+-[\w-]+\.whl", PROSE)
    assert set(named) == {f"vae_tutorial-{vae_tutorial.__version__}-py3-none-any.whl"}


@pytest.mark.parametrize(
    ("language", "make", "folder"), [("bash", "python3.12 -m venv vae", "vae/bin/"), ("bat", "py -3.12 -m venv vae", "vae\\Scripts\\")]
)
def test_what_follows_the_making_of_an_environment_runs_in_it(language, make, folder):
    [block] = [text.splitlines() for kind, text in BLOCKS if kind == language and text.startswith(make)]
    assert block[0] == make
    assert len(block) > 2
    assert all(line.startswith(folder) for line in block[1:])


README = (ROOT / "README.md").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
SUPPORTED = SpecifierSet(PROJECT["requires-python"])
TELLING = {"the page": section("On the students' machines"), "the README": README, "the zip": offline_bundle.READ_ME}


@pytest.mark.parametrize("text", TELLING.values(), ids=TELLING)
def test_no_environment_is_left_to_the_newest_python(text):
    """Which may be one that PyTorch, and so the package, does not support yet."""
    called = re.findall(r"(?<![\w./\\])(python[\d.]*|py(?: -[\d.]+)?) -m (?:venv|pip)\b", text)
    named = [re.fullmatch(r"(python|py -)(\d\.\d+)", how) for how in called]
    assert all(named), called
    assert {found[1] for found in named} == {"python", "py -"}, "on Linux and macOS, and on Windows"
    assert all(SUPPORTED.contains(found[2]) for found in named)
    assert re.search(r"python3(\.12)?-venv", text), "what Debian keeps apart"


@pytest.mark.parametrize("text", TELLING.values(), ids=TELLING)
def test_a_mac_with_an_intel_processor_is_sent_elsewhere(text):
    """The last PyTorch with a wheel for it is 2.2.2 (its issue 127870), which the package does not take."""
    [torch] = [asked for asked in map(Requirement, PROJECT["dependencies"]) if asked.name == "torch"]
    assert not torch.specifier.contains("2.2.2")
    [paragraph] = [part for part in text.split("\n\n") if "Intel" in part]
    told = paragraph.partition("Intel")[2]
    assert "PyTorch" in told
    assert all(re.search(way, told) for way in (r"site|index\.html", "Colab", "class server"))


@pytest.mark.parametrize("text", [TELLING["the page"], offline_bundle.PYTHONS], ids=["the page", "the zip"])
def test_every_python_that_will_do_is_named(text):
    said = re.search(r"3[.\d, ]* or 3\.\d+", text)[0]
    assert [f"3.{minor}" for minor in range(30) if SUPPORTED.contains(f"3.{minor}")] == re.findall(r"3\.\d+", said)


def test_the_wheels_origin_is_told_before_it_is_used():
    before = TELLING["the page"].split("```")[0]
    assert [where for where in ("`make bundle`", "`downloads/`", "-m pip wheel . --no-deps") if where not in before] == []
    assert "(#on-the-students-machines)" in PROSE.split("**On Colab without an address**")[1].split("\n")[0]


def test_the_set_up_check_is_never_left_to_whatever_python_comes_first():
    called = re.findall(r"(\S*)python -m vae_tutorial\.doctor", PROSE)
    assert {"vae/bin/", "`vae\\Scripts\\", "`.venv/bin/"} <= set(called)
    assert not [how for how in called if not how.strip("`")]


def test_the_steps_on_colab_without_an_address_upload_before_they_install():
    steps = re.findall(r"^\d\. .*", PROSE.split("**On Colab without an address**")[1].split("**With a GPU.**")[0], re.M)
    assert [re.search(r"notebook|wheel|%pip install [\w.-]+\.whl", step)[0].split()[0] for step in steps] == ["notebook", "wheel", "%pip"]


# ---------------------------------------------------------------- publishing


def test_publishing_is_told_step_by_step_and_the_switches_come_before_the_push():
    steps = re.findall(r"^\d\. .*", section("Publishing the site"), re.M)
    order = ("Fork", "*Actions*", "*GitHub Actions*", "make address URL=https://github.com/YOU/REPOSITORY", "git push")
    assert [wanted in step for wanted, step in zip(order, steps, strict=True)] == [True] * 5
    script, url = re.search(r"on Windows `py (\S+) (\S+)`", steps[3]).groups()
    assert (ROOT / script).is_file()
    assert f"make address URL={url}`" in steps[3]


# ---------------------------------------------------------------- The Littlest JupyterHub


def test_the_command_that_fills_the_shared_folder_asks_for_all_of_mnist(monkeypatch):
    [asked] = [words for words in commands("sudo env ") if "-c" in words]
    setting, code = asked[2], asked[asked.index("-c") + 1]
    name, folder = setting.split("=")
    made = [words[-1] for words in commands("sudo mkdir -p /srv/") + commands("sudo chmod ")]
    assert made == [folder, folder]
    assert f'"{name}": "{folder}"' in PROSE, "the students' servers look where it was put"
    loaded = []
    monkeypatch.setattr(data, "_load_official", lambda *given: loaded.append(given))
    monkeypatch.setenv(name, folder)
    exec(code, {})
    assert loaded == [("mnist", "train", Path(folder), True)]


# ---------------------------------------------------------------- Kubernetes: the image and the chart's values


def test_the_image_belongs_to_the_account_whose_home_the_chart_mounts():
    [words] = commands(".venv/bin/repo2docker")
    assert (ROOT / ".venv").is_dir() == (ROOT / words[0]).is_file()
    asked = make_r2d([word.replace("YOUR-REGISTRY", "registry.example.org/class") for word in words[1:]])
    assert (asked.user_id, asked.user_name) == (1000, "jovyan")
    assert f"/home/{asked.user_name}" == CHART["hub"]["config"]["KubeSpawner"]["working_dir"]
    assert asked.target_repo_dir == "/srv/book"
    assert asked.push
    assert not asked.run
    pulled = CHART["singleuser"]["image"]
    assert f"{pulled['name']}:{pulled['tag']}" in words


def wheel_in(index: Path, version: str) -> None:
    """An index of packages that has this version of PyTorch, empty."""
    (index / "torch").mkdir(parents=True)
    name = f"torch-{version}-py3-none-any.whl"
    with zipfile.ZipFile(index / "torch" / name, "w") as archive:
        about = f"torch-{version}.dist-info"
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: torch\nVersion: {version}\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    (index / "torch" / "index.html").write_text(f'<a href="{name}">{name}</a>')


def test_the_pages_line_gives_the_image_the_build_for_processors(tmp_path):
    """In a clone: what pip takes of two indexes when it reads the file that repo2docker hands it, and that repo2docker still does."""
    [line] = [line for _, text in BLOCKS for line in text.splitlines() if ">> binder/requirements.txt" in line]
    [torch] = re.findall(r"^torch==.*$", (ROOT / "requirements.txt").read_text("utf-8"), re.M)
    version, clone = torch.removeprefix("torch=="), tmp_path / "clone"
    wheel_in(tmp_path / "pypi", version)
    wheel_in(tmp_path / "cpu", f"{version}+cpu")
    shutil.copytree(ROOT / "binder", clone / "binder")
    (clone / "requirements.txt").write_text(f"{torch}\n")
    bare = surroundings(tmp_path) | {"PIP_INDEX_URL": (tmp_path / "pypi").as_uri(), "PIP_CONFIG_FILE": os.devnull}
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "-r", "binder/requirements.txt"]

    def taken(to: str) -> list[str]:
        subprocess.run([*pip, "--dest", tmp_path / to], cwd=clone, env=bare, check=True, timeout=120)
        return [path.name for path in (tmp_path / to).iterdir()]

    assert taken("without") == [f"torch-{version}-py3-none-any.whl"]
    subprocess.run(["sh", "-c", line.replace("ADDRESS", (tmp_path / "cpu").as_uri())], cwd=clone, check=True, timeout=60)
    assert taken("with") == [f"torch-{version}+cpu-py3-none-any.whl"]
    program = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", "--user-id", "1000", "--user-name", "jovyan", str(clone)]
    made = subprocess.run(program, capture_output=True, text=True, check=True, timeout=120)
    text = made.stdout + made.stderr
    assert 0 < text.index("\nCOPY --chown=1000:1000 src/ ") < text.index('pip install --no-cache-dir -r "binder/requirements.txt"')


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> Path:
    """The repository's folder in the image after its last step, which repo2docker runs in that folder."""
    folder = tmp_path_factory.mktemp("srv") / "book"
    shutil.copytree(ROOT / "book", folder / "book", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    shutil.copytree(ROOT / "binder", folder / "binder")
    shutil.copy(ROOT / "_toc.yml", folder)
    subprocess.run([folder / "binder" / "postBuild"], cwd=folder, env=surroundings(folder), check=True, timeout=120)
    return folder


def surroundings(home: Path) -> dict[str, str]:
    return {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}", "HOME": str(home)}


def start_server(home: Path, image: Path) -> None:
    """Run what a student's server runs after its start."""
    command = CHART["singleuser"]["lifecycleHooks"]["postStart"]["exec"]["command"]
    there = [word.replace("/srv/book", str(image)) for word in command]
    subprocess.run(there, cwd=home, env=surroundings(home), check=True, timeout=60)


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_new_home_gets_the_students_notebooks(image, tmp_path):
    start_server(tmp_path, image)
    found = files(tmp_path / "vae")
    assert found == files(image / "_build" / "classroom" / "student")
    assert {path.relative_to(classroom.BOOK).as_posix() for path in classroom.handed_out()} <= found
    assert "foundations/figures/vae.svg" in found
    assert not [name for name in found if Path(name).name in classroom.SITE_ONLY]
    for page in (tmp_path / "vae").rglob("*.ipynb"):
        assert not any(map(classroom.is_solution, nbformat.read(page, as_version=4).cells)), page.name


def test_a_home_that_has_them_keeps_what_the_student_wrote(image, tmp_path):
    start_server(tmp_path, image)
    (tmp_path / "vae" / "intro.ipynb").write_text("mine")
    before = files(tmp_path)
    start_server(tmp_path, image)
    assert files(tmp_path) == before
    assert (tmp_path / "vae" / "intro.ipynb").read_text() == "mine"


class Docker:
    """Stands where repo2docker's own Docker stands, and keeps the names of what it is sent."""

    def build(self, fileobj: io.BytesIO, **_: object) -> list[str]:
        with tarfile.open(fileobj=fileobj) as context:
            self.sent = {name.removeprefix("src/") for name in context.getnames() if name.startswith("src/")}
        return []


def packed(clone: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What repo2docker puts into the image of a clone."""
    monkeypatch.chdir(clone)
    docker = Docker()
    list(BaseImage("base").build(docker, "image", 0, {"NB_UID": "1000"}, [], {}))
    return {name for name in docker.sent if (clone / name).is_file()}


def test_what_a_worked_in_clone_has_more_than_git_is_not_packed(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "binder", tmp_path / "binder")
    kept = files(tmp_path) | {"requirements.txt", "vae_tutorial/data.py", "vae_tutorial/weights/a.json", "book/_ext/widgets/build.mjs"}
    ignored = [line for line in (ROOT / ".gitignore").read_text("utf-8").splitlines() if line and not line.startswith("#")]
    made = {".git/config"}
    for line in ignored:
        name = line.strip("/").replace("*", "some") + ("/lib/file" if line.endswith("/") else "")
        made |= {name} if line.startswith("/") else {name, f"book/part/{name}"}
    for name in kept | made:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert {".venv/lib/file", "node_modules/lib/file", "_build/lib/file"} <= made
    assert packed(tmp_path, monkeypatch) == kept
