"""The shape of the package: imports point down, importing does nothing, modules are short and documented."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "vae_tutorial"
MODULES = sorted(PACKAGE.rglob("*.py"))
SCRIPTS = sorted((PACKAGE / "explorers" / "js").glob("*.js"))

# Bottom to top, as the design lists them; a new module gets its place here.
LAYERS = [
    *("data", "sprites", "laboratory", "corruptions", "networks", "likelihoods", "models", "vector_quantisation"),
    *("checkpoints", "objectives", "schedules", "devices", "resuming"),
    *("constraints", "hierarchical", "autoregressive", "mixture_prior"),
    *("training", "quadrature", "local_inference", "evaluation", "probes", "embeddings", "image_quality", "ground_truth"),
    *("disentanglement", "rotation", "interpolation", "editing", "marginal_inference", "denoisers", "inpainting", "conditional", "sweeps"),
    *("plotting", "exercises", "explorers", "recipes", "experiments", "doctor"),
]
ALONE = {"plotting"}  # arrays in, figure out: imports no sibling


def dotted(path: Path) -> str:
    """`vae_tutorial/recipes/mnist_2d.py` → `recipes.mnist_2d`."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def siblings(path: Path) -> set[str]:
    """The package's modules that a module imports, anywhere in its text."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno}: imports are absolute"
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    known = {dotted(module) for module in MODULES}
    return {name.removeprefix("vae_tutorial.") for name in found if name.startswith("vae_tutorial.")} & known


def upward(name: str, imported: set[str]) -> set[str]:
    """Those imports of a module that do not point down."""
    layer = name.split(".")[0]
    if layer in ALONE:
        return imported
    return {other for other in imported if other.split(".")[0] != layer and LAYERS.index(other.split(".")[0]) >= LAYERS.index(layer)}


@pytest.mark.parametrize("path", [path for path in MODULES if dotted(path) != "__init__"], ids=dotted)
def test_imports_point_down(path):
    assert dotted(path).split(".")[0] in LAYERS, "give the module its place in LAYERS"
    assert upward(dotted(path), siblings(path)) == set()


def test_the_package_itself_imports_nothing():
    assert siblings(PACKAGE / "__init__.py") == set()


def test_upward_imports_are_noticed():
    assert upward("data", {"models"}) == {"models"}
    assert upward("recipes.mnist_2d", {"training", "recipes.__main__"}) == set()
    assert upward("plotting", {"data"}) == {"data"}
    assert upward("training", {"evaluation", "objectives"}) == {"evaluation"}


def test_modules_within_a_layer_import_without_a_circle():
    graph = {dotted(path): siblings(path) for path in MODULES}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " → ".join((*path, name))
        if name not in done:
            for other in graph[name] - {name}:
                visit(other, (*path, name))
            done.add(name)

    for name in graph:
        visit(name, ())


# ---------------------------------------------------------------- importing

IMPORTS = """
import json, socket, sys, time

def refuse(*arguments, **options):
    raise AssertionError("importing opened a connection")

socket.socket.connect = refuse
import torch, numpy, matplotlib.style
heavy = set(sys.modules)
state = torch.get_rng_state()
started = time.process_time()
import vae_tutorial
alone = time.process_time() - started
from vae_tutorial import checkpoints, data, evaluation, likelihoods, models, networks, objectives, plotting, schedules, training
report = {
    "alone": alone,
    "seconds": time.process_time() - started,
    "modules": sorted(set(sys.modules) - heavy),
    "untouched": torch.equal(state, torch.get_rng_state()),
}
with open(sys.argv[1], "w") as file:
    json.dump(report, file)
"""


@pytest.fixture(scope="module")
def imported(tmp_path_factory) -> dict:
    """What importing the whole core does in a fresh process."""
    folder = tmp_path_factory.mktemp("home")
    homes = {"HOME": str(folder), "MPLCONFIGDIR": str(folder / "matplotlib")}
    surroundings = os.environ | homes | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-W", "error", "-c", IMPORTS, str(folder / "report.json")]
    run = subprocess.run(command, env=surroundings, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    made = {path.name for path in folder.iterdir()} - {"report.json", "matplotlib"}
    return json.loads((folder / "report.json").read_text()) | {"printed": run.stdout + run.stderr, "made": made}


def test_importing_is_quick(imported):
    assert imported["alone"] < 3
    assert imported["seconds"] < 3  # beyond torch, NumPy and matplotlib, the whole core


def test_importing_prints_nothing_and_writes_nothing(imported):
    assert imported["printed"] == ""
    assert imported["made"] == set()
    assert imported["untouched"]


def test_importing_brings_no_widgets_no_notebook_and_no_torchvision(imported):
    heavy = {"ipywidgets", "anywidget", "IPython", "torchvision", "sklearn", "matplotlib.pyplot"}
    assert heavy & set(imported["modules"]) == set()


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_a_module_makes_no_call_that_windows_lacks(path):
    """POSIX's own modules and functions; the doctor asks for `resource` by its name, where there is one."""
    tree = ast.parse(path.read_text("utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not imported & {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("os", "signal")}
    assert not used & {"fork", "getuid", "geteuid", "getpgid", "killpg", "setsid", "uname", "wait", "sched_getaffinity", "SIGKILL", "alarm"}


# ---------------------------------------------------------------- the text


@pytest.mark.parametrize("path", [*MODULES, *SCRIPTS], ids=lambda path: path.name if path in SCRIPTS else dotted(path))
def test_a_module_fits_one_sitting(path):
    assert len(path.read_text("utf-8").splitlines()) <= 250


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_public_names_have_docstrings_that_name_the_errors(path):
    tree = ast.parse(path.read_text("utf-8"))
    assert ast.get_docstring(tree), "the module has no docstring"
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    functions = [node for owner in (tree, *classes) for node in owner.body if isinstance(node, ast.FunctionDef)]
    for node in [*classes, *functions]:
        if node.name.startswith("_"):
            continue
        text = ast.get_docstring(node) or ""
        assert text, f"{node.name} has no docstring"
        raised = {
            raising.exc.func.id
            for raising in ast.walk(node)
            if isinstance(raising, ast.Raise) and isinstance(raising.exc, ast.Call) and isinstance(raising.exc.func, ast.Name)
        }
        for error in raised:
            assert error in text, f"{node.name} raises {error}, and its docstring does not say so"


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_modules_are_named_by_what_they_do(path):
    assert not {"utils", "util", "helpers", "helper", "misc", "common"} & set(dotted(path).split("."))
    assert not re.search(r"_?v\d$", path.stem)


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_nothing_is_left_to_do_and_no_path_of_one_machine_is_in_it(path):
    text = path.read_text("utf-8")
    assert not re.search(r"\b(TODO|FIXME|XXX)\b", text)
    assert not re.search(r"""["'\s(](/home/|/root/|/work/|/tmp/|/Users/|[A-Z]:\\)""", text)
