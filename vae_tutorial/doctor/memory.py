"""Memory that is free for a kernel: the machine's, or what a shell, a container or a server leaves of it."""

import importlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from vae_tutorial.doctor.findings import Finding

DESK = 2.0  # GB free: a page's kernel takes about 1 GB, and the browser wants its own
ADDRESSES = 4.0  # GB that a process must be allowed: PyTorch with CUDA reserves far more than it fills
KERNEL = 1.0  # GB free under a server's limit, where the browser is elsewhere
FILES = {  # of a cgroup, by its version: limit, use, and the part of the use that files may give back at once
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    2: ("memory.max", "memory.current", "inactive_file"),
}


def memory(groups: Path = Path("/proc/self/cgroup"), mounted: Path = Path("/sys/fs/cgroup")) -> Iterator[Finding]:
    """What the shell allows, where that is little; then the least of what the machine and the control groups of a hub or container leave.

    Args:
        groups: the file that names this process's control groups; only Linux has it.
        mounted: the folder of all control groups.
    """
    if (allowed := _shell()) < ADDRESSES:
        advice = f"PyTorch may want {ADDRESSES:.0f} GB of them: `ulimit -v unlimited` first, or ask whoever runs this server"
        yield Finding("this shell's memory", f"a process may have {allowed:.1f} GB of addresses (ulimit -v)", advice)
    free = _machine()
    left, limit = min(limits(groups, mounted), default=(float("inf"), 0))
    if left < free:
        advice = "" if left >= KERNEL else f"shut down idle kernels, or ask for more memory: a page's kernel takes up to {KERNEL:.0f} GB"
        yield Finding("memory", f"{left:.1f} GB free of the {limit:.1f} GB that this server or container allows", advice)
    elif free == float("inf"):
        yield Finding("memory", "unknown (the package psutil is not installed; nothing else needs it)")
    else:
        advice = "" if free >= DESK else f"close other programs and idle kernels: {DESK:.0f} GB free are comfortable"
        yield Finding("memory", f"{free:.1f} GB free", advice)


def limits(groups: Path, mounted: Path) -> Iterator[tuple[float, float]]:
    """What is left and what is allowed, GB, in this process's control group and in each above it that has a limit."""
    try:
        lines = groups.read_text().splitlines()
    except OSError:
        return
    for line in lines:  # `4:cpu,memory:/user/jupyter` of version 1, `0::/user/jupyter` of version 2
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers and "memory" not in controllers.split(","):
            continue
        version, top = (1, mounted / "memory") if controllers else (2, mounted)
        inner = PurePosixPath(path.lstrip("/"))
        for group in (inner, *inner.parents):  # up to the top: a container sees its own limit there, whatever its path says
            yield from _limit(top / group, *FILES[version])


def _limit(group: Path, limit: str, use: str, cache: str) -> Iterator[tuple[float, float]]:
    try:
        allowed, used = (int((group / name).read_text()) for name in (limit, use))
    except (OSError, ValueError):  # no such file, or "max"
        return
    try:
        given_back = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        used -= int(given_back.get(cache, 0))
    except (OSError, ValueError):
        pass
    yield (allowed - used) / 1e9, allowed / 1e9


def _machine() -> float:
    """GB; infinite where nothing tells it."""
    try:
        return importlib.import_module("psutil").virtual_memory().available / 1e9  # comes with ipykernel
    except ImportError:
        return float("inf")


def _shell() -> float:
    """GB that POSIX's `ulimit -v` allows a process."""
    if not importlib.util.find_spec("resource"):
        return float("inf")
    resource = importlib.import_module("resource")
    allowed = resource.getrlimit(resource.RLIMIT_AS)[0]
    return float("inf") if allowed == resource.RLIM_INFINITY else allowed / 1e9
