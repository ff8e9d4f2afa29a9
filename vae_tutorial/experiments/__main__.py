"""List the experiments, or run one: every setting that has no result yet, then the record that the pages read."""

import argparse
import importlib
import json
import pkgutil
from pathlib import Path
from types import ModuleType

from vae_tutorial import experiments
from vae_tutorial.checkpoints import write_atomically
from vae_tutorial.experiments.records import RECORDED
from vae_tutorial.sweeps import NO_JOBS, add_arguments, run_sweep


def load_experiments() -> dict[str, ModuleType]:
    """Every experiment's module by its name."""
    modules = [importlib.import_module(f"{experiments.__name__}.{found.name}") for found in pkgutil.iter_modules(experiments.__path__)]
    return {module.NAME: module for module in modules if hasattr(module, "NAME")}


def record(experiment: ModuleType, runs: list[dict], folder: Path) -> Path:
    """Write an experiment's finished runs into one file."""
    versions = {key: value for key, value in runs[0]["versions"].items() if all(run["versions"][key] == value for run in runs)}
    head = {
        "experiment": experiment.__doc__.strip(),
        "command": f"python -m vae_tutorial.experiments {experiment.NAME}",
        "data": experiment.DATA,
        "versions": versions,
    }
    lines = ",\n  ".join(json.dumps({key: run[key] for key in ("setting", "results", "seconds")}, allow_nan=False) for run in runs)
    content = json.dumps(head | {"runs": []}, indent=1).replace('"runs": []', f'"runs": [\n  {lines}\n ]')  # a line for each run
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{experiment.NAME}.json"
    write_atomically(path, (content + "\n").encode())
    return path


def main() -> None:
    """The command line."""
    known = load_experiments()
    parser = argparse.ArgumentParser(prog="python -m vae_tutorial.experiments", description=__doc__)
    parser.add_argument("name", nargs="?", choices=list(known), help="which to run; without it, the list")
    parser.add_argument("--data", type=Path, help="folder with MNIST/raw and FashionMNIST/raw (downloaded there if missing)")
    parser.add_argument("--runs", type=Path, default=Path("_runs"), help="folder of the single results, which a second call goes on from")
    parser.add_argument("--to", type=Path, default=RECORDED, help="where the record goes (default: the package)")
    parser.add_argument("--add-to-seeds", type=int, default=0, metavar="N", help="run other seeds than the reported ones")
    add_arguments(parser)
    options = parser.parse_args()
    if options.name is None:
        for name, experiment in known.items():
            print(f"{name:22} {experiment.__doc__.strip()}")
            recorded = "" if (options.to / f"{name}.json").is_file() else "; not recorded yet"
            print(f"{'':22} {len(experiment.SETTINGS)} runs, {experiment.MINUTES} minutes each on one core{recorded}")
        return
    experiment = known[options.name]
    if options.add_to_seeds and options.to == RECORDED:
        parser.error("--add-to-seeds needs --to FOLDER: the package's records are those of the reported seeds")
    if options.jobs == 0:
        parser.error(NO_JOBS)
    settings = [setting.copy() for setting in experiment.SETTINGS]
    for setting in settings:
        if "seed" in setting:
            setting["seed"] += options.add_to_seeds
    root = {"root": str(options.data.resolve())} if options.data else {}
    runs = run_sweep(experiment.run, settings, options.runs, jobs=options.jobs, scheduler=options.scheduler, unrecorded=root)
    print("wrote", record(experiment, runs, options.to))


if __name__ == "__main__":
    main()
