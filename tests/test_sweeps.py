"""Sweeps: the same numbers serially, in processes and on a Dask cluster; nothing lost and nothing repeated when something dies."""

import argparse
import contextlib
import functools
import json
import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import dask
import pytest
import sweep_runs
import torch
from distributed import Client, LocalCluster
from threadpoolctl import threadpool_info, threadpool_limits

from vae_tutorial import sweeps
from vae_tutorial.sweeps import grid, run_sweep

ROOT = Path(__file__).parents[1]
LOCAL = {"protocol": "tcp", "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}  # no port beyond this machine, and none fixed


@pytest.fixture(scope="module", autouse=True)
def dask_settings(tmp_path_factory) -> Iterator[None]:
    """Files in pytest's own folder, and patience on a busy machine."""
    patience = {f"distributed.comm.timeouts.{name}": "200s" for name in ("connect", "tcp")}
    with dask.config.set(patience | {"temporary-directory": str(tmp_path_factory.mktemp("dask"))}):
        yield


@pytest.fixture(scope="module")
def workers() -> Iterator[LocalCluster]:
    """A scheduler and two worker processes, which their nannies replace when they die."""
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, **LOCAL) as cluster:
        yield cluster


@pytest.fixture
def cluster(workers) -> LocalCluster:
    """The same with both workers alive, whatever the test before did to them."""
    workers.wait_for_workers(2, timeout=200)
    return workers


def sweep(run, settings, folder, **options) -> list[dict]:
    return run_sweep(run, settings, folder, progress=False, **options)


def numbers(records: list[dict]) -> list[dict]:
    return [record["results"] for record in records]


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Time and text of every file, the unfinished ones of a killed writer apart."""
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.glob("*.json")}


def lines(path: Path) -> list[int]:
    return sorted(int(line) for line in path.read_text().split())


# ---------------------------------------------------------------- settings and files


def test_grid_has_all_combinations_the_last_axis_fastest():
    expected = [{"seed": 0, "beta": 1}, {"seed": 0, "beta": 4}, {"seed": 1, "beta": 1}, {"seed": 1, "beta": 4}]
    assert grid(seed=range(2), beta=[1, 4]) == expected
    assert grid(data="mnist", seed=[3], beta=0.5) == [{"data": "mnist", "seed": 3, "beta": 0.5}]
    assert grid() == [{}]
    assert len(grid(a=range(3), b=range(4), c=range(5))) == math.prod((3, 4, 5))


def test_a_file_says_how_it_came_about_and_not_where(tmp_path):
    log = tmp_path / "log"
    [record] = sweep(sweep_runs.note, [{"seed": 3}], tmp_path / "deep" / "results", jobs=1, unrecorded={"log": str(log)})
    [path] = (tmp_path / "deep" / "results").iterdir()
    assert path.name.startswith("note_seed=3_")
    text = path.read_text()
    assert json.loads(text) == record
    assert record["run"] == "sweep_runs:note"
    assert record["setting"] == {"seed": 3}
    assert record["results"] == {"square": 9}
    assert 0 <= record["seconds"] < 60
    assert record["versions"] == {"python": sys.version.split()[0], "torch": str(torch.__version__), "vae_tutorial": sweeps.__version__}
    assert str(tmp_path) not in text
    assert os.uname().nodename not in text


def test_results_are_in_the_order_of_the_settings_whichever_finishes_first(tmp_path):
    log = tmp_path / "log"
    records = sweep(sweep_runs.note, grid(seed=range(4)), tmp_path / "results", jobs=2, unrecorded={"log": str(log), "others": 3})
    assert log.read_text().split()[-1] == "0"  # the first was the last
    assert [record["setting"]["seed"] for record in records] == [0, 1, 2, 3]
    assert numbers(records) == [{"square": seed**2} for seed in range(4)]


def test_finished_runs_are_not_repeated(tmp_path):
    log, folder = tmp_path / "log", tmp_path / "results"
    first = sweep(sweep_runs.note, grid(seed=[0, 1]), folder, jobs=1, unrecorded={"log": str(log)})
    before = contents(folder)
    both = sweep(sweep_runs.note, grid(seed=[2, 1, 0]), folder, jobs=1, unrecorded={"log": str(log)})
    assert both[:0:-1] == first
    assert lines(log) == [0, 1, 2]
    after = contents(folder)
    assert before.items() <= after.items()
    assert len(after) == 3
    # A finished sweep needs neither its processes nor its cluster, where nothing listens.
    assert sweep(sweep_runs.note, grid(seed=[2, 1, 0]), folder, scheduler="tcp://127.0.0.1:1", unrecorded={"log": "elsewhere"}) == both
    assert contents(folder) == after


def test_other_functions_and_settings_are_told_apart_in_one_folder(tmp_path):
    log = str(tmp_path / "log")
    folder = tmp_path / "results"
    settings = [{"seed": 2}, {"seed": 2, "others": 0}, {"seed": 2, "others": 0.0}, {"seed": 2, "others": False}]
    records = sweep(sweep_runs.note, settings, folder, jobs=1, unrecorded={"log": log})
    [other] = sweep(sweep_runs.fail_if_odd, [{"seed": 2}], folder, jobs=1, unrecorded={"log": log})
    assert len(contents(folder)) == 5
    assert other["results"] == {"seed": 2}
    assert [record["setting"] for record in records] == settings
    [again] = sweep(sweep_runs.note, [{"others": 0, "seed": 2}], folder, jobs=1, unrecorded={"log": log})
    assert again == records[1]  # the order of the keys means nothing


@pytest.mark.parametrize("hidden", [(400, 200), [400, 200]])
def test_names_are_safe_and_short_for_any_setting(hidden):
    setting = {"hidden": hidden, "path": "a/../b\\c:d*", "note": "β " * 200}
    name = sweeps._file_name("module:run", setting)
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_=.+-")
    assert len(name) < 130
    assert name == sweeps._file_name("module:run", setting | {"hidden": [400, 200]})  # as JSON they are the same
    assert name != sweeps._file_name("module:run", setting | {"note": "β " * 201})
    assert name != sweeps._file_name("other:run", setting)


@pytest.mark.parametrize("damage", ["truncated", "empty", "not text", "no object", "no results", "another's"])
def test_a_file_that_is_no_complete_result_is_named_and_nothing_runs(damage, tmp_path):
    log, folder = tmp_path / "log", tmp_path / "results"
    sweep(sweep_runs.note, grid(seed=[0, 1]), folder, jobs=1, unrecorded={"log": str(log)})
    path, other = sorted(folder.iterdir())
    whole, record = path.read_text(), json.loads(path.read_text())
    path.write_bytes({
        "truncated": whole[: len(whole) // 2].encode(), "empty": b"", "not text": b"\xff\xfe\x00", "no object": b"[1, 2]",
        "no results": json.dumps({key: record[key] for key in record if key != "results"}).encode(), "another's": other.read_bytes(),
    }[damage])  # fmt: skip
    with pytest.raises(ValueError, match=rf"delete \S*{path.name} to run it again"):
        sweep(sweep_runs.note, grid(seed=range(3)), folder, jobs=1, unrecorded={"log": str(log)})
    assert lines(log) == [0, 1]
    path.unlink()
    records = sweep(sweep_runs.note, grid(seed=range(3)), folder, jobs=1, unrecorded={"log": str(log)})
    assert lines(log) == [0, 0, 1, 2]
    assert records[0]["results"] == record["results"]


# ---------------------------------------------------------------- refusals


def inner(function):
    def run(seed: int) -> dict[str, int]:
        return {"seed": seed}

    return run


@pytest.mark.parametrize("run", [lambda seed: {}, inner(None), functools.partial(sweep_runs.note, log="log"), sweep_runs.note.__get__(1)])
def test_a_function_that_workers_cannot_import_is_refused(run, tmp_path):
    with pytest.raises(ValueError, match="cannot be imported by other processes"):
        sweep(run, grid(seed=[0]), tmp_path)


def test_a_function_of_a_script_is_refused(tmp_path, monkeypatch):
    run = inner(None)
    run.__module__, run.__qualname__ = "__main__", "run"
    monkeypatch.setattr(sys.modules["__main__"], "run", run, raising=False)
    with pytest.raises(ValueError, match="define it at the top of a module that is not run as a script"):
        sweep(run, grid(seed=[0]), tmp_path)


def test_wrong_settings_are_refused_before_anything_runs(tmp_path):
    folder = tmp_path / "results"
    with pytest.raises(TypeError, match="unexpected keyword argument 'sed'"):
        sweep(sweep_runs.note, [{"seed": 1, "log": "log"}, {"seed": 1, "log": "log", "sed": 2}], folder)
    with pytest.raises(TypeError, match="missing a required argument: 'log'"):
        sweep(sweep_runs.note, [{"seed": 1}], folder)
    with pytest.raises(TypeError, match="multiple values for keyword argument 'log'"):
        sweep(sweep_runs.note, [{"seed": 1, "log": "log"}], folder, unrecorded={"log": "log"})
    for value in (torch.zeros(1), math.nan, {1, 2}):
        with pytest.raises(TypeError, match="is not plain JSON"):
            sweep(sweep_runs.note, [{"seed": value, "log": "log"}], folder)
    with pytest.raises(ValueError, match=r"settings repeat: \['note_log=log_seed=1_"):
        sweep(sweep_runs.note, [{"seed": 1, "log": "log"}] * 2, folder)
    assert not folder.exists()


def test_no_jobs_are_refused_before_anything_runs(tmp_path):
    with pytest.raises(ValueError, match="a number of processes, or -1 for one per core, not 0"):
        sweep(sweep_runs.look_around, grid(seed=[0]), tmp_path / "results", jobs=0)
    assert not (tmp_path / "results").exists()


def test_without_dask_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ImportError, match=r'pip install "vae_tutorial\[cluster\]"'):
        sweep(sweep_runs.look_around, grid(seed=[0]), tmp_path, scheduler="tcp://127.0.0.1:1")


def test_the_command_line_gives_the_arguments():
    parser = argparse.ArgumentParser()
    sweeps.add_arguments(parser)
    assert vars(parser.parse_args([])) == {"jobs": -1, "scheduler": None}
    assert vars(parser.parse_args(["--jobs", "2", "--scheduler", "tcp://a:1"])) == {"jobs": 2, "scheduler": "tcp://a:1"}


# ---------------------------------------------------------------- the same numbers everywhere


def test_numbers_do_not_depend_on_where_the_runs_run(tmp_path, cluster):
    settings = grid(seed=range(3), beta=[0.5, 4.0])
    serial = sweep(sweep_runs.train, settings, tmp_path / "serial", jobs=1)
    processes = sweep(sweep_runs.train, settings, tmp_path / "processes", jobs=2)
    on_dask = sweep(sweep_runs.train, settings, tmp_path / "dask", scheduler=cluster.scheduler_address)
    assert numbers(serial) == numbers(processes) == numbers(on_dask)
    assert len({result["loss"] for result in numbers(serial)}) == 6


@contextlib.contextmanager
def two_threads() -> Iterator[None]:
    """Two threads for torch, which keeps a number of its own, and for NumPy."""
    try:
        torch.set_num_threads(2)
        with threadpool_limits(2):
            yield
    finally:
        torch.set_num_threads(1)


@pytest.mark.parametrize("where", ["here", "processes", "dask"])
def test_a_run_has_one_thread_and_torchs_generator_at_its_start(where, tmp_path, cluster):
    options = {"here": {"jobs": 1}, "processes": {"jobs": 2}, "dask": {"scheduler": cluster.scheduler_address}}[where]
    torch.manual_seed(5)
    state = torch.get_rng_state()
    with two_threads():
        before = threadpool_info()
        records = sweep(sweep_runs.look_around, grid(seed=range(4)), tmp_path, **options)
        assert torch.get_num_threads() == 2
        assert threadpool_info() == before
    assert torch.equal(torch.get_rng_state(), state)
    draw = float(torch.rand((), generator=torch.Generator().manual_seed(0)))
    expected = {"torch threads": 1, "other threads": [1], "nested calls elsewhere": 0, "draw": draw}
    assert numbers(records) == [expected] * 4


def test_torch_is_limited_where_the_library_under_it_is_not_known(tmp_path, monkeypatch):
    monkeypatch.setattr(sweeps, "threadpool_limits", lambda limit: contextlib.nullcontext())
    with two_threads():
        [record] = sweep(sweep_runs.look_around, [{"seed": 0}], tmp_path, jobs=1)
        assert record["results"]["torch threads"] == 1
        assert torch.get_num_threads() == 2


def test_one_process_runs_one_run_at_a_time(tmp_path, monkeypatch):
    running, most = [], []

    def run(seed: int) -> dict[str, int]:
        running.append(seed)
        threading.Event().wait(0.1)
        most.append(len(running))
        running.remove(seed)
        return {"seed": seed}

    monkeypatch.setattr(sweep_runs, "run", run, raising=False)
    threads = [threading.Thread(target=sweeps._execute, args=(seed, "sweep_runs:run", {"seed": seed}, {})) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1]


# ---------------------------------------------------------------- failures


@pytest.mark.parametrize("where", ["here", "processes", "dask"])
def test_a_run_that_raises_is_reported_after_the_others_have_finished(where, tmp_path, cluster):
    options = {"here": {"jobs": 1}, "processes": {"jobs": 2}, "dask": {"scheduler": cluster.scheduler_address}}[where]
    log, folder = tmp_path / "log", tmp_path / "results"
    with pytest.raises(RuntimeError, match="2 of 5 runs failed; the same call repeats only these") as caught:
        sweep(sweep_runs.fail_if_odd, grid(seed=range(5)), folder, unrecorded={"log": str(log)}, **options)
    for seed in (1, 3):
        assert f"sweep_runs:fail_if_odd(**{{'seed': {seed}}})" in str(caught.value)
        assert f"ArithmeticError: {seed} is odd" in str(caught.value)
    assert lines(log) == [0, 1, 2, 3, 4]
    assert len(contents(folder)) == 3
    with pytest.raises(RuntimeError, match="2 of 5 runs failed"):
        sweep(sweep_runs.fail_if_odd, grid(seed=range(5)), folder, unrecorded={"log": str(log)}, **options)
    assert lines(log) == [0, 1, 1, 2, 3, 3, 4]


@pytest.mark.parametrize(
    ("kind", "message"),
    [("nan", "not JSON compliant"), ("tensor", "not JSON serializable"), ("list", "returns a dict of numbers, not list")],
)
def test_a_run_that_returns_no_plain_numbers_failed(kind, message, tmp_path):
    with pytest.raises(RuntimeError, match=rf"(?s)return_anything\(\*\*{{'kind': '{kind}'}}\).*{message}"):
        sweep(sweep_runs.return_anything, grid(kind=kind), tmp_path, jobs=1)
    assert list(tmp_path.iterdir()) == []


def test_a_killed_sweep_goes_on_where_it_was(tmp_path):
    folder, marker = tmp_path / "results", tmp_path / "marker"
    surroundings = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "sweep_runs", str(folder), str(marker)]
    killed = subprocess.run(command, env=surroundings, capture_output=True, timeout=100)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    before = contents(folder)
    assert len(before) == 3  # seeds 0, 1, 2
    records = sweep(sweep_runs.train_but_die_once, grid(seed=range(5)), folder, jobs=1, unrecorded={"marker": str(marker)})
    assert before.items() <= contents(folder).items()
    whole = sweep(sweep_runs.train, grid(seed=range(5)), tmp_path / "whole", jobs=1)
    assert numbers(records) == numbers(whole)


def test_a_cluster_that_loses_a_worker_finishes_with_the_same_numbers(tmp_path, cluster):
    folder, marker, address = tmp_path / "results", tmp_path / "marker", cluster.scheduler_address
    with Client(address, set_as_default=False) as client:
        before = set(client.run(os.getpid).values())
        records = sweep(sweep_runs.train_but_die_once, grid(seed=range(8)), folder, scheduler=address, unrecorded={"marker": str(marker)})
        client.wait_for_workers(2, timeout=200)
        assert int(marker.read_text()) in before - set(client.run(os.getpid).values())  # it died, and its nanny replaced it
    assert len(contents(folder)) == 8
    serial = sweep(sweep_runs.train, grid(seed=range(8)), tmp_path / "serial", jobs=1)
    assert numbers(records) == numbers(serial)


def test_a_run_that_kills_its_workers_is_reported_and_not_waited_for(tmp_path, cluster):
    cluster.scheduler.allowed_failures = 0  # give a run up after one killed worker, not four: quicker
    try:
        with pytest.raises(RuntimeError, match=r"(?s)runs failed.*die_at_one\(\*\*{'seed': 1}\):\nKilledWorker") as caught:
            sweep(sweep_runs.die_at_one, grid(seed=range(4)), tmp_path, scheduler=cluster.scheduler_address)
    finally:
        cluster.scheduler.allowed_failures = dask.config.get("distributed.scheduler.allowed-failures")
    cluster.wait_for_workers(2, timeout=200)
    finished = {json.loads(path.read_text())["results"]["seed"] for path in tmp_path.iterdir()}
    given_up = {seed for seed in range(4) if f"die_at_one(**{{'seed': {seed}}})" in str(caught.value)}
    assert finished == set(range(4)) - given_up  # a run that waited at the killed worker counts as a suspect, too
    others = grid(seed=[0, 2, 3])
    assert numbers(sweep(sweep_runs.die_at_one, others, tmp_path, scheduler=cluster.scheduler_address)) == others


@pytest.mark.parametrize(
    ("processes", "threads", "error", "message"),
    [(1, 1, TimeoutError, r"fewer than two workers after 0\.5 s"), (2, 2, ValueError, "workers must have one thread each")],
)
def test_a_cluster_of_one_worker_or_of_threads_is_refused(processes, threads, error, message, tmp_path, monkeypatch):
    monkeypatch.setattr(sweeps, "SECONDS_TO_WAIT", 0.5)
    with (
        LocalCluster(n_workers=processes, threads_per_worker=threads, processes=False, **LOCAL) as cluster,
        pytest.raises(error, match=f"{message}: start them with `dask worker .* --nthreads 1`"),
    ):
        sweep(sweep_runs.look_around, grid(seed=[0]), tmp_path, scheduler=cluster.scheduler_address)
    assert list(tmp_path.iterdir()) == []
