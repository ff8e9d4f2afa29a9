"""The set-up check: silent where all is well, and of use on a broken machine."""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from vae_tutorial import devices, doctor
from vae_tutorial.doctor import book, machine

PACKAGE = Path(doctor.__file__).parents[1]


def consult(*before: str, package: Path = PACKAGE, arguments: tuple[str, ...] = ()) -> tuple[int, str]:
    """Run the doctor in a process of its own, after these lines of Python; its exit code and what it printed."""
    start = [f"sys.argv = ['doctor', *{arguments!r}]", "runpy.run_module('vae_tutorial.doctor', run_name='__main__')"]
    code = "\n".join(["import runpy, sys", *before, *start])
    surroundings = os.environ | {"PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-c", code]  # which looks for modules in its own folder first
    run = subprocess.run(command, env=surroundings, cwd=package.parent, capture_output=True, encoding="utf-8", timeout=300)
    assert not run.stderr, run.stderr
    return run.returncode, run.stdout


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
    assert code >= 1, text
    assert f"{missing} cannot be imported" in text
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
    assert "pip install" in found["JupyterLab's @jupyter-widgets/jupyterlab-manager"].advice


@pytest.mark.parametrize(
    ("version", "limits", "fits"),
    [("3.11.7", ">=3.11,<3.14", True), ("3.14.0", ">=3.11,<3.14", False), ("3.10.2", "<3.14,>=3.11", False), ("2.10.0", ">=2.2", True),
     ("2.14.1+cpu", ">=2.2", True), ("7.7.0", ">=7.7.1", False), ("1.0", "", True)],
)  # fmt: skip
def test_versions_are_compared_as_numbers(version, limits, fits):
    [finding] = machine._fits("it", version, limits, "mend it")
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
    monkeypatch.setattr(machine, "MEMORY", 1e6)
    [finding] = machine.memory()
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


def test_a_package_that_raises_when_it_is_imported_is_named(copied):
    (copied.parent / "mlxtend.py").write_text("raise RuntimeError('half installed')")
    code, text = consult(package=copied)
    assert code >= 1, text
    assert "✗ mlxtend: installed, but cannot be imported (RuntimeError: half installed)" in text
    assert '--force-reinstall --no-deps "mlxtend"' in text


def test_a_folder_that_takes_no_file_is_a_finding(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setattr(machine.tempfile, "gettempdir", lambda: str(tmp_path / "file"))
    found = {finding.what: finding for finding in machine.room()}
    assert "make room" in found["temporary files"].advice


def test_a_shells_limit_on_memory_counts(monkeypatch):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1_000_000_000, 1_000_000_000))
    [finding] = machine.memory()
    assert finding.found == "1.0 GB free"
    assert finding.advice


@pytest.mark.parametrize(("ending", "told"), [("os.abort()", "signal 6"), ("os._exit(3)", "exit code 3")])
def test_a_package_that_ends_python_is_named_and_the_rest_is_told_all_the_same(copied, ending, told):
    """As a torch does that was built for another processor."""
    (copied.parent / "torch.py").write_text(f"import os\n{ending}\n")
    (copied.parent / "mlxtend.py").write_text("raise RuntimeError('half installed')")
    code, text = consult(package=copied)
    assert f"✗ torch: ends Python when it is imported ({told})" in text
    assert "✗ mlxtend: installed, but cannot be imported (RuntimeError" in text
    assert "✗ training: torch cannot be imported" in text
    assert code >= 3, text


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
    assert "not all of it is here: no train-labels-idx1-ubyte, t10k-images" in found["all of mnist, train"].found
    assert found["all of mnist, test"].advice
    assert not found["all of fashion-mnist, test"].advice
