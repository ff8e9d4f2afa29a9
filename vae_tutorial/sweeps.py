"""Many runs over seeds and settings: on this machine's cores or, with a scheduler's address, on a Dask cluster.

One JSON file per finished run, so a sweep that was stopped goes on where it was; its results do not depend on where and
in which order the runs ran. `CONTRIBUTING.md` says how to use many machines: `dask scheduler` on one, `dask worker` on each.
joblib and Dask pickle what they send between their own processes; no file is ever unpickled.
"""

import argparse
import hashlib
import importlib
import inspect
import itertools
import json
import platform
import re
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import joblib
import torch
from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

from vae_tutorial import __version__
from vae_tutorial.checkpoints import write_atomically

Setting = Mapping[str, Any]
SECONDS_TO_WAIT = 60  # for a cluster's second worker
NO_JOBS = "jobs is a number of processes, or -1 for one per core, not 0"
_ALONE = threading.RLock()  # torch's random state belongs to the whole process: one run at a time in each


def grid(**axes: Any) -> list[dict[str, Any]]:
    """All combinations, the last axis fastest: `grid(seed=range(5), beta=[1, 4])`; a number or a string stays as it is."""
    values = [axis if isinstance(axis, Iterable) and not isinstance(axis, str) else [axis] for axis in axes.values()]
    return [dict(zip(axes, chosen, strict=True)) for chosen in itertools.product(*values)]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a script the options `--jobs` and `--scheduler`, for `run_sweep`'s arguments of these names."""
    parser.add_argument("--jobs", type=int, default=-1, metavar="N", help="processes on this machine (default: one per core)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster to use instead, such as tcp://10.0.0.1:8786")


def run_sweep(
    run: Callable[..., Mapping[str, Any]],
    settings: Iterable[Setting],
    folder: str | Path,
    *,
    jobs: int = -1,
    scheduler: str | None = None,
    unrecorded: Setting | None = None,
    progress: bool = True,
) -> list[dict[str, Any]]:
    """Call `run(**setting)` for every setting whose result is not in the folder yet.

    Each run has one thread and starts from the same state of torch's generator, wherever it runs; numbers are therefore
    the same for any number of jobs on one kind of processor.

    Args:
        run: a function of an importable module that returns a dict of plain numbers (no NaN), or lists of them.
        settings: keyword arguments as plain JSON values, such as `grid(…)` makes.
        folder: where results are and go, one JSON file each; many sweeps may share it.
        jobs: processes on this machine, −1 for one per core; without effect on a cluster, which has its workers.
        scheduler: address of a Dask scheduler, which needs `pip install "vae_tutorial[cluster]"`.
        unrecorded: further keyword arguments of every run that say where and not what, such as the data's folder.
        progress: show a bar over the runs.

    Returns:
        In the order of the settings what the files say: "run", "setting", "results", "seconds", "versions".

    Raises:
        TypeError: `run` does not take these arguments, or a setting is not plain JSON.
        ValueError: no jobs, `run` cannot be imported, settings repeat, a file is not a complete result of its run, or the cluster's
            workers have several threads.
        RuntimeError: runs failed; raised after all others have finished and are written.
        ImportError: a scheduler is given, and Dask is not installed.
        OSError: the scheduler does not answer.
        TimeoutError: the cluster has fewer than two workers.
    """
    if jobs == 0:
        raise ValueError(NO_JOBS)
    name, settings, folder, unrecorded = _importable(run), list(settings), Path(folder), dict(unrecorded or {})
    for setting in settings:
        inspect.signature(run).bind(**setting, **unrecorded)  # raises TypeError
    paths = [folder / _file_name(name, setting) for setting in settings]
    if repeated := {path.name for path in paths if paths.count(path) > 1}:
        raise ValueError(f"settings repeat: {sorted(repeated)}")
    records = {index: _read(path, name, settings[index]) for index, path in enumerate(paths) if path.exists()}
    if broken := [str(paths[index]) for index, record in records.items() if record is None]:
        raise ValueError(f"not a complete result of the run in its name: delete {', '.join(broken)} to run it again")
    folder.mkdir(parents=True, exist_ok=True)
    failures: dict[int, str] = {}
    if waiting := [index for index in range(len(settings)) if index not in records]:
        tasks = [joblib.delayed(_execute)(index, name, settings[index], unrecorded) for index in waiting]
        with _workers(jobs, scheduler), tqdm(total=len(settings), initial=len(records), unit="run", disable=not progress) as bar:
            # All at once and one by one: workers that join later find work, and a lost worker costs one run.
            for index, text, failure in joblib.Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch="all")(tasks):
                if failure:
                    failures[index] = failure
                    bar.set_postfix(failed=len(failures))
                else:
                    write_atomically(paths[index], text.encode())
                    records[index] = json.loads(text)
                bar.update()
    if failures:
        told = "\n\n".join(f"{name}(**{settings[index]}):\n{failures[index]}" for index in sorted(failures))
        raise RuntimeError(f"{len(failures)} of {len(settings)} runs failed; the same call repeats only these:\n\n{told}")
    return [records[index] for index in range(len(settings))]


def _importable(run: Callable[..., Any]) -> str:
    """`module:function`, by which workers find the function."""
    module, function = getattr(run, "__module__", None), getattr(run, "__qualname__", "")
    try:
        if module != "__main__" and _resolve(f"{module}:{function}") is run:
            return f"{module}:{function}"
    except (ImportError, AttributeError):
        pass
    raise ValueError(f"{run!r} cannot be imported by other processes: define it at the top of a module that is not run as a script")


def _resolve(name: str) -> Any:
    module, function = name.split(":")
    return getattr(importlib.import_module(module), function)


def _file_name(name: str, setting: Setting) -> str:
    """Readable, and safe by a hash of function and setting."""
    try:
        text = json.dumps(setting, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{setting} is not plain JSON ({error}): use numbers, strings, lists and dicts") from error
    readable = "_".join([name.split(":")[1], *(f"{key}={value}" for key, value in sorted(setting.items()))])
    readable = re.sub(r"[^\w=.+-]+", "-", readable, flags=re.ASCII)[:100]
    return f"{readable}_{hashlib.sha256((name + text).encode()).hexdigest()[:10]}.json"


def _read(path: Path, name: str, setting: Setting) -> dict[str, Any] | None:
    """A finished run's record; None if the file is not whole or another's."""
    try:
        record = json.loads(path.read_text("utf-8"))
        belongs = (record["run"], record["setting"]) == (name, json.loads(json.dumps(setting)))
        return record if belongs and {"results", "seconds", "versions"} <= record.keys() else None
    except (ValueError, TypeError, KeyError):
        return None


def _execute(index: int, name: str, setting: Setting, unrecorded: Setting) -> tuple[int, str, str]:
    """In a worker: (index, the file's text, "") or (index, "", what went wrong)."""
    threads = torch.get_num_threads()
    # Nested joblib calls, scikit-learn's among them, stay in this process: on a cluster they would wait for its busy workers.
    with _ALONE, threadpool_limits(1), joblib.parallel_config("sequential"), torch.random.fork_rng(devices=[]):
        try:
            torch.set_num_threads(1)
            torch.manual_seed(0)
            started = time.perf_counter()
            results = _resolve(name)(**setting, **unrecorded)
            if not isinstance(results, dict):
                raise TypeError(f"a run returns a dict of numbers, not {type(results).__name__}")
            seconds = round(time.perf_counter() - started, 3)
            versions = {"python": platform.python_version(), "torch": torch.__version__, "vae_tutorial": __version__}
            record = {"run": name, "setting": setting, "results": results, "seconds": seconds, "versions": versions}
            return index, json.dumps(record, indent=1, allow_nan=False) + "\n", ""
        except Exception:
            return index, "", traceback.format_exc()
        finally:
            torch.set_num_threads(threads)


@contextmanager
def _workers(jobs: int, scheduler: str | None) -> Iterator[None]:
    """Where joblib sends the runs."""
    if scheduler is None:
        with joblib.parallel_config("loky", n_jobs=jobs):
            yield
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise ImportError('a scheduler needs Dask: pip install "vae_tutorial[cluster]"') from error
    start = f"dask worker {scheduler} --nworkers -1 --nthreads 1"
    with Client(scheduler, set_as_default=False) as client:
        try:
            client.wait_for_workers(2, timeout=SECONDS_TO_WAIT)  # with one, joblib would run everything in this process
        except TimeoutError as error:
            raise TimeoutError(f"fewer than two workers after {SECONDS_TO_WAIT} s: start them with `{start}`") from error
        if max(client.nthreads().values()) > 1:
            raise ValueError(f"workers must have one thread each: start them with `{start}`")
        with joblib.parallel_config("dask", client=client) as config:
            _report_lost_runs(config["backend"])
            yield


def _report_lost_runs(backend: Any) -> None:
    """Make a run that Dask gives up, as it killed its workers, a failed one; joblib 1.6 would wait for it for ever."""
    submit = backend.submit

    def submit_and_watch(batch: Any, callback: Callable[[list], None]) -> Any:
        [(_, (index, *_), _)] = batch.items
        future = submit(batch, callback)
        future.add_done_callback(lambda done: callback([(index, "", repr(done.exception()))]) if done.exception() else None)
        return future

    backend.submit = submit_and_watch
