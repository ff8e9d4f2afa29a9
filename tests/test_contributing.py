"""The templates and commands of CONTRIBUTING.md work as they stand."""

import contextlib
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import dask
import ipywidgets
import node
import pytest
import sweep_runs
import torch
import traitlets
from distributed import Client
from ipywidgets.embed import dependency_state

from vae_tutorial.experiments import __main__ as experiments
from vae_tutorial.experiments.records import load_record
from vae_tutorial.explorers import javascript
from vae_tutorial.models import VAE

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def block(language: str, first_words: str) -> str:
    """The one fenced block of a language that begins with these words."""
    (found,) = (text for text in re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.M | re.S) if text.startswith(first_words))
    return found


@pytest.fixture
def scripts(tmp_path) -> Path:
    """The explorers' JavaScript with the template beside it."""
    folder = tmp_path / "js"
    shutil.copytree(javascript.FOLDER, folder)
    (folder / "decoded_digit.js").write_text(block("js", "// Decoded digit"), "utf-8")
    return folder


@pytest.fixture
def template(scripts, monkeypatch) -> dict:
    """The template's Python module, run."""
    joined = javascript.join_modules("decoded_digit.js", scripts)
    monkeypatch.setattr(javascript, "join_modules", lambda entry: joined)
    module: dict = {"__name__": "decoded_digit"}
    exec(compile(block("python", '"""Decoded digit'), "decoded_digit.py", "exec"), module)
    return module


def test_the_explorers_javascript_joins_and_loads_in_node(scripts, tmp_path):
    (tmp_path / "joined.mjs").write_text(javascript.join_modules("decoded_digit.js", scripts), "utf-8")
    script = f"const module = await import({str((tmp_path / 'joined.mjs').as_uri())!r}); console.log(typeof module.default.render);"
    assert node.run("--input-type=module", "-e", script).strip() == "function"


def test_the_explorers_factory_gives_linked_sliders_over_a_canvas(template):
    torch.manual_seed(0)
    vae = VAE(latent_dim=2, hidden=(8,), activation="relu")
    box = template["decoded_digit"](vae, z1=1.5)
    assert isinstance(box, ipywidgets.VBox)
    first, second, canvas = box.children
    assert (first.value, second.value, repr(canvas)) == (1.5, 0.0, "DecodedDigit(z1=1.5, z2=0.0)")
    saved = [model["model_name"] for model in dependency_state(box, drop_defaults=False).values()]
    assert saved.count("LinkModel") == 2
    with pytest.raises(traitlets.TraitError):
        template["decoded_digit"](vae, z1=4.0)
    with pytest.raises(ValueError, match="latent dimension of 3"):
        template["decoded_digit"](VAE(latent_dim=3, hidden=(8,), activation="relu"))


@contextlib.contextmanager
def running(words: list[str], log: Path) -> Iterator[None]:
    """A command in a process group of its own, all of which is killed at the end, its words in a file."""
    surroundings = os.environ | {
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", "OMP_NUM_THREADS": "1", "DASK_TEMPORARY_DIRECTORY": str(log.parent),
        "DASK_DISTRIBUTED__SCHEDULER__IDLE_TIMEOUT": "10 minutes",  # should this process be killed itself
    }  # fmt: skip
    with log.open("wb") as file:
        process = subprocess.Popen(words, env=surroundings, stdout=file, stderr=file, start_new_session=True)
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def within(seconds: int) -> Iterator[None]:
    """An error for what would go on for ever."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"not done after {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def toy(monkeypatch) -> SimpleNamespace:
    """An experiment whose runs say where they ran."""
    experiment = SimpleNamespace(
        NAME="toy", __doc__="Where it runs.", DATA="none", SETTINGS=[{"seed": seed} for seed in range(6)], run=sweep_runs.whereabouts
    )
    monkeypatch.setattr(experiments, "load_experiments", lambda: {"toy": experiment})
    return experiment


def test_the_commands_for_many_machines_run_an_experiment_in_the_workers(toy, monkeypatch, tmp_path):
    """As printed, but on this machine, with another port and with two workers, however many cores there are."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    data, runs, records = (tmp_path / name for name in ("data", "runs", "records"))
    data.mkdir()
    (data / "digits").touch()
    printed = block("bash", "dask scheduler")
    for word, here in {"10.0.0.1": "127.0.0.1", "8786": port, "--nworkers -1": "--nworkers 2", "NAME": "toy", "FOLDER": str(data)}.items():
        assert word in printed
        printed = printed.replace(word, here)
    scheduler, worker, run = (shlex.split(line, comments=True) for line in printed.splitlines())
    assert run[:3] == ["python", "-m", "vae_tutorial.experiments"]
    monkeypatch.setattr(sys, "argv", ["experiments", *run[3:], "--runs", str(runs), "--to", str(records)])
    address, patience = f"tcp://127.0.0.1:{port}", {f"distributed.comm.timeouts.{name}": "200s" for name in ("connect", "tcp")}
    with (
        within(400),
        dask.config.set(patience | {"temporary-directory": str(tmp_path)}),
        running([sys.executable, "-m", *scheduler, "--port", port, "--no-dashboard"], tmp_path / "scheduler.log"),
        running([sys.executable, "-m", *worker, "--no-dashboard"], tmp_path / "worker.log"),
    ):
        with Client(address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=200)
            workers = set(client.run(os.getpid).values())
        experiments.main()
    results = [run["results"] for run in load_record("toy", records)["runs"]]
    assert len(workers) == 2
    assert {result["process"] for result in results} <= workers - {os.getpid()}
    assert [result["files"] for result in results] == [1] * 6


def test_jobs_are_processes_on_this_machine(toy, monkeypatch, tmp_path, capsys):
    found = {}
    for jobs in ("1", "2"):
        options = ["--data", str(tmp_path), "--jobs", jobs, "--runs", str(tmp_path / jobs), "--to", str(tmp_path / "records")]
        monkeypatch.setattr(sys, "argv", ["experiments", "toy", *options])
        experiments.main()
        found[jobs] = {run["results"]["process"] for run in load_record("toy", tmp_path / "records")["runs"]}
    assert found["1"] == {os.getpid()}
    assert os.getpid() not in found["2"]
    monkeypatch.setattr(sys, "argv", ["experiments", "toy", "--jobs", "0"])
    with pytest.raises(SystemExit) as stopped:
        experiments.main()
    assert stopped.value.code == 2
    assert "jobs is a number of processes, or -1 for one per core, not 0" in capsys.readouterr().err


def test_paths_and_names_in_the_guide_exist():
    paths = set(re.findall(r"`((?:book|tests|vae_tutorial|benchmarks)/[\w./-]+\.\w+)`", GUIDE))
    real = [path for path in paths if not re.search(r"NAME|PAGE|PART|IDEA|decoded_digit", path)]
    assert len(real) > 10
    for path in real:
        assert (ROOT / path).exists(), path
