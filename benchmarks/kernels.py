"""What a student's kernel takes on a class server: memory after a whole page, and seconds from its start to its first answer.

Every page runs in a kernel of its own, one after the other, on one thread. The memory is what stays resident at the end of the page
and the most that it was on the way; pages are shared between kernels, so twenty kernels take less than twenty times as much.
The record has a part for each build of PyTorch, with CUDA's libraries and without: run this in an environment of each.
"""

import argparse
import json
import os
import platform
import sys
import time
from datetime import date
from pathlib import Path
from statistics import median

import nbformat
import psutil
import torch
from nbclient import NotebookClient
from tqdm import tqdm

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "book" / "_ext"))
from classroom import page_paths  # noqa: E402

RECORD = ROOT / "vae_tutorial" / "timings" / "kernels.json"
LIMIT = 1_000  # MB resident after a page: the aim
STARTS = 5
# As the page tells a class server to set it. glibc raises its threshold by itself and then keeps freed memory; a fixed one (its
# first value, 128 KB) gives it back: one page fell from 1,272 to 927 MB, at the same speed. Other systems ignore it.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "MALLOC_TRIM_THRESHOLD_": "131072"}


def name_of(page: Path) -> str:
    """A page's name in the record."""
    return page.resolve().relative_to(ROOT / "book").with_suffix("").as_posix()


def peak_of(process: int) -> float:
    """The most that a process has held so far, in MB, also within a cell; 0 where the system does not tell."""
    try:
        status = Path(f"/proc/{process}/status").read_text("ascii")
    except OSError:
        return 0.0
    return next((int(line.split()[1]) * 1024 / 1e6 for line in status.splitlines() if line.startswith("VmHWM:")), 0.0)


def memory_of(path: Path) -> dict[str, float]:
    """Run a page; the kernel's memory in MB at its end and at its peak, and the page's seconds."""
    notebook, samples, started = nbformat.read(path, as_version=4), [], time.perf_counter()
    client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(path.parent)}})

    def look(**_: object) -> None:
        now = psutil.Process(client.km.provisioner.pid).memory_info().rss / 1e6
        samples.append((now, max(now, peak_of(client.km.provisioner.pid))))

    client.on_cell_executed = look
    client.execute()
    after, peak = samples[-1][0], max(most for _, most in samples)
    return {"after": round(after), "peak": round(peak), "seconds": round(time.perf_counter() - started)}


def seconds_to_start() -> float:
    """From a kernel's start to the end of its first cell, which imports the package."""
    cell = nbformat.v4.new_code_cell("from vae_tutorial import checkpoints, data, explorers, models, plotting, training")
    started = time.perf_counter()
    NotebookClient(nbformat.v4.new_notebook(cells=[cell]), timeout=600).execute()
    return time.perf_counter() - started


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true", help=f"write {RECORD.name}, which the book reads")
    parser.add_argument("pages", nargs="*", type=Path, help="notebooks (default: all); of the others the record keeps what it has")
    options = parser.parse_args()
    os.environ |= ENVIRONMENT
    starts = [seconds_to_start() for _ in range(STARTS)]
    spread = f"median of {STARTS}, {min(starts):.1f} to {max(starts):.1f}"
    print(f"from a kernel's start to the package imported: {median(starts):.1f} s ({spread})")
    pages = {}
    for path in tqdm(options.pages or page_paths(), unit="page"):
        name = name_of(path)
        pages[name] = memory_of(path)
        tqdm.write(f"{name:36} {pages[name]['after']:5} MB after, {pages[name]['peak']:5} MB at most, {pages[name]['seconds']:4} s")
    heaviest = max(pages, key=lambda name: pages[name]["after"])
    print(f"heaviest: {heaviest}, {pages[heaviest]['after']} MB (aim: under {LIMIT})")
    if options.record:
        machine = {"cores": os.cpu_count(), "system": platform.system(), "python": platform.python_version(), "torch": torch.__version__}
        content = {"command": "python benchmarks/kernels.py --record", "date": date.today().isoformat(), "machine": machine}
        builds, build = json.loads(RECORD.read_text("utf-8")), "cuda" if torch.version.cuda else "cpu"
        kept = builds.get(build, {}).get("pages", {}) if options.pages else {}
        content |= {"environment": ENVIRONMENT, "start_seconds": [round(each, 2) for each in sorted(starts)], "pages": kept | pages}
        builds[build] = content
        RECORD.write_text(json.dumps(builds, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
