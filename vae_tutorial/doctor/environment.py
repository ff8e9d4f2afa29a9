"""Which Python this is, where the book's own one is, and which files here may hide a module: plain enough for Python 3.6 on old servers."""

import os
import sys

FIRST, LAST = (3, 11), (3, 13)  # as in pyproject.toml, which an older Python cannot read
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # the clone, or site-packages
NAMES = (".venv", "vae")  # of the environments that `make` and the page "Run it anywhere" set up
PYTHON = os.path.join("Scripts", "python.exe") if os.name == "nt" else os.path.join("bin", "python")
RANGE = f"{FIRST[0]}.{FIRST[1]} to {LAST[0]}.{LAST[1]}"
PROBE = f"""import importlib.util, sys
sys.exit(not {FIRST} <= sys.version_info[:2] <= {LAST} or None in map(importlib.util.find_spec, sys.argv[1:]))"""


def step_aside() -> list:
    """Take the folder you are in from `sys.path`, where `python -m` puts it first; its Python files and packages, (module, path) each.

    Python would import them instead of whatever has the same name; a folder that pip installed into is left where it is.
    """
    try:
        here, entries = os.path.realpath(os.getcwd()), sorted(os.listdir())
    except OSError:  # the folder is gone, or may not be read
        return []
    if os.path.realpath(sys.path[0]) != here or any(entry.endswith(".dist-info") for entry in entries):
        return []
    while os.path.realpath(sys.path[0]) == here:  # PYTHONPATH may name it again
        del sys.path[0]
    mine = [(entry[:-3], os.path.join(here, entry)) for entry in entries if entry.endswith(".py")]
    mine += [(entry, os.path.join(here, entry)) for entry in entries if os.path.isfile(os.path.join(here, entry, "__init__.py"))]
    for name, path in mine:  # what Python itself imported from here, `warnings` say, before this package
        imported = getattr(sys.modules.get(name), "__file__", None) or ""
        if imported.startswith(path) and name not in ("__main__", __name__.partition(".")[0]):
            del sys.modules[name]
    return mine


def is_fit() -> bool:
    """Whether the book runs on this version of Python."""
    return FIRST <= sys.version_info[:2] <= LAST


def unfit() -> str:
    """What to print where it does not; in ASCII, which every old console can show."""
    return f"FIX Python: {sys.version.split()[0]}, and the book needs {RANGE}\n    -> {way(others(['torch']))}"


def others(modules: list) -> list:
    """The Pythons of other environments, in the clone or in the folder you are in, that start and have these modules."""
    found = []
    for folder in (os.path.join(place, name) for place in (ROOT, os.getcwd()) for name in NAMES):
        python = os.path.join(folder, PYTHON)
        if python not in found and os.path.realpath(folder) != os.path.realpath(sys.prefix) and _has(python, modules):
            found.append(python)
    return found


def way(pythons: list) -> str:
    """Where to go from a Python that is not the book's: to the first of these, or to one that is still to be made."""
    if pythons:
        return f'run the book\'s own Python: "{pythons[0]}" -m vae_tutorial.doctor, and start Jupyter from that environment too'
    if os.name != "nt" and os.path.isfile(os.path.join(ROOT, "Makefile")):
        python = os.path.join(ROOT, NAMES[0], PYTHON)
        return f'make the book\'s environment: make -C "{ROOT}" lab, then run "{python}" -m vae_tutorial.doctor'
    base = f'"{sys.executable}"' if is_fit() else f"PYTHON, a Python {RANGE} from python.org,"
    python = os.path.join(NAMES[1], PYTHON)
    return (
        f"make the book's environment: {base} -m venv {NAMES[1]}, then {python} -m pip install BOOK jupyterlab, where BOOK is the book's "
        f"folder or its wheel, then {python} -m vae_tutorial.doctor"
    )


def _has(python: str, modules: list) -> bool:
    import subprocess  # not above: it imports much that a file may hide

    try:
        return subprocess.call([python, "-c", PROBE, *modules], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError:  # no such file, or none that starts
        return False
