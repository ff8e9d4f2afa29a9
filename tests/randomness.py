"""Finds random draws without a seed on the syntax tree.

A torch draw counts as seeded if it is given a generator, or stands inside `torch.random.fork_rng`, or after a call of
`manual_seed` in its own or an enclosing scope. NumPy's and scikit-learn's draws must be given their seed; a model that was
made with a `random_state` carries it into its `sample`.
"""

import ast
import importlib
import inspect
from collections.abc import Iterator

NUMPY_ALLOWED = {"default_rng", "Generator", "SeedSequence", "PCG64", "get_state"}
TORCH_DRAWS = {
    f"{module}{name}"
    for module in ("torch.", "F.", "functional.", "nn.functional.")
    for name in (
        *("rand", "randn", "randint", "randperm", "rand_like", "randn_like", "randint_like"),
        *("normal", "bernoulli", "multinomial", "poisson", "dropout", "seed"),
    )
} | {"random_split", "torch.utils.data.random_split"}
METHOD_DRAWS = {"sample", "rsample", "normal_", "uniform_", "bernoulli_", "random_", "exponential_", "log_normal_"}
INITIAL_WEIGHTS = {"VAE", "Autoencoder", "mlp", "Linear", "Conv2d", "ConvTranspose2d", "Embedding"}
CONSTANT_WEIGHTS = {"zeros_", "ones_", "constant_", "eye_"}
LIBRARY_DRAWS = {"rate_distortion", "elbo", "negative_elbo", "nested_dropout"}  # draw from the caller's state
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def unseeded(source: str, strict: bool = False, weights: bool = True, allowed: frozenset[str] = frozenset()) -> list[str]:
    """Every unseeded draw of a module as "line: code".

    Args:
        source: the module's text.
        strict: torch draws in functions count where they stand. Otherwise a function that draws without a seed of its
            own makes its calls draws, and what is left over at module level counts.
        weights: whether building a network counts, as it draws the initial weights.
        allowed: functions that draw from their caller's random state on purpose.
    """
    tree = ast.parse(source)
    found = [*_numpy(tree), *_standard_library(tree), *_scikit_learn(tree), *_torch(tree, strict, weights, allowed)]
    return [f"{node.lineno}: {ast.unparse(node)}" for node in sorted(found, key=lambda node: node.lineno)]


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _last_name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _given(call: ast.Call, keyword: str) -> bool:
    return any(word.arg == keyword and not _is_none(word.value) for word in call.keywords)


def _numpy(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("np.random", "numpy.random") and node.attr not in NUMPY_ALLOWED:
            yield node
        if isinstance(node, ast.ImportFrom) and node.module == "numpy.random" and any(a.name not in NUMPY_ALLOWED for a in node.names):
            yield node
    for call in _calls(tree):
        seeded = (call.args and not _is_none(call.args[0])) or _given(call, "seed")
        if _last_name(call.func) in ("default_rng", "SeedSequence", "PCG64") and not seeded:
            yield call


def _standard_library(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "random":
            yield node
    for call in _calls(tree):
        path = ast.unparse(call.func)
        if path.startswith("random.") and not (path == "random.Random" and call.args):
            yield call


def _scikit_learn(tree: ast.Module) -> Iterator[ast.AST]:
    origin: dict[str, str] = {}  # name in this module → dotted path
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sklearn":
            origin |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        if isinstance(node, ast.Import):
            imported = [alias for alias in node.names if alias.name.split(".")[0] == "sklearn"]
            origin |= {alias.asname or "sklearn": alias.name if alias.asname else "sklearn" for alias in imported}
    for call in _calls(tree):
        first, *rest = ast.unparse(call.func).split(".")
        if first in origin and _takes_random_state(".".join([origin[first], *rest])) and not _given(call, "random_state"):
            yield call


def _takes_random_state(path: str) -> bool:
    module, _, name = path.rpartition(".")
    try:
        return "random_state" in inspect.signature(getattr(importlib.import_module(module), name)).parameters
    except (ImportError, AttributeError, ValueError, TypeError):
        return False


def _torch(tree: ast.Module, strict: bool, weights: bool, allowed: frozenset[str]) -> Iterator[ast.AST]:
    drawing, known = set(LIBRARY_DRAWS), set()
    while drawing != known:  # until no function is added that calls a drawing one
        known = set(drawing)
        left = list(_unseeded_torch_draws(tree, weights, drawing))
        drawing |= {_called_as(scopes) for _, scopes in left if len(scopes) > 1} - {"forward", ""}
    for call, scopes in left:
        names = {getattr(scope, "name", "") for scope in scopes}
        if not any(isinstance(scope, FUNCTIONS) for scope in scopes) or (strict and not names & allowed):
            yield call


def _called_as(scopes: list[ast.AST]) -> str:
    """The name by which the innermost function is called: its class's, for a constructor."""
    name = getattr(scopes[-1], "name", "")
    return getattr(scopes[-2], "name", "") if name == "__init__" else name


def _unseeded_torch_draws(tree: ast.Module, weights: bool, drawing: set[str]) -> Iterator[tuple[ast.Call, list[ast.AST]]]:
    carrying = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and any(_given(call, "random_state") for call in _calls(node.value))
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for call, scopes, forked in _in_scopes(tree, [tree], False):
        if not _is_torch_draw(call, weights, drawing) or forked or _given(call, "generator") or _given(call, "seed"):
            continue
        if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) in carrying:
            continue
        around = ((other, inner) for scope in scopes for other, inner, _ in _in_scopes(scope, [scope], False))
        if not any(_is_seeding(other) and len(inner) == 1 and other.lineno <= call.lineno for other, inner in around):
            yield call, scopes


def _is_torch_draw(node: ast.AST, weights: bool, drawing: set[str]) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name, path = _last_name(node.func), ast.unparse(node.func)
    if path.startswith(("np.", "numpy.", "draw.", "generator.", "rng.")):
        return False  # NumPy's, looked at above; a generator made there carries its seed
    if name == "DataLoader":
        return _given(node, "shuffle")
    if ".init." in path or path.startswith("init."):
        return name.endswith("_") and name not in CONSTANT_WEIGHTS
    if name in METHOD_DRAWS and isinstance(node.func, ast.Attribute):
        return not path.startswith("random.")
    return path in TORCH_DRAWS or name in drawing or (weights and name in INITIAL_WEIGHTS)


def _is_seeding(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("torch.manual_seed", "torch.random.manual_seed", "manual_seed")


def _in_scopes(node: ast.AST, scopes: list[ast.AST], forked: bool) -> Iterator[tuple[ast.Call, list[ast.AST], bool]]:
    """Every call under a node, with the scopes around it and whether it stands in a `fork_rng` that seeds."""
    for child in ast.iter_child_nodes(node):
        inner, safe = scopes, forked
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            for outside in [*child.decorator_list, *child.args.defaults, *filter(None, child.args.kw_defaults)]:
                yield from _in_scopes(ast.Expression(outside), scopes, forked)
            for statement in child.body:
                yield from _in_scopes(ast.Expression(statement), [*scopes, child], forked)
            continue
        if isinstance(child, ast.Lambda | ast.ClassDef):
            inner = [*scopes, child]
        if isinstance(child, ast.With) and any("fork_rng" in ast.unparse(item.context_expr) for item in child.items):
            safe = forked or any(_is_seeding(other) for other in ast.walk(child))
        if isinstance(child, ast.Call):
            yield child, inner, safe
        yield from _in_scopes(child, inner, safe)
