"""Every random draw has a seed, in the package, the tests, the tools and the notebooks; and the search finds those that have not."""

from pathlib import Path

import nbformat
import pytest
from randomness import unseeded

ROOT = Path(__file__).parents[1]
# Loss functions draw their noise from the state that `fit` and `evaluate` have seeded.
DRAW_FROM_THEIR_CALLER = frozenset(  # objectives: `fit` and `evaluate` seed
    {"rate_distortion", "elbo", "negative_elbo", "multi_rate", "free_bits", "controlled_capacity", "total_correlation"}
    | {"iwae_bound", "negative_iwae_bound", "_log_weights", "forward", "nested_dropout", "noise_of_any_level", "noise_and_kl"}
    | {"sampled_rate_elbo", "move_codebook", "quantisation_loss"}
    | {"sample", "rsample", "drowned", "any_level"}  # distributions, and what `fit` transforms batches by
)

UNSEEDED = [
    "np.random.default_rng()",
    "from sklearn.mixture import GaussianMixture\nfitted = GaussianMixture(2).fit(x)\nfitted.sample(5)",
    "fitted = GaussianMixture(2, random_state=0).fit(x)\nother.sample(5)",
    "default_rng(None)",
    "np.random.rand(3)",
    "np.random.seed(0)",
    "from numpy.random import rand",
    "import random\nrandom.random()",
    "from random import shuffle",
    "from sklearn.manifold import TSNE\nTSNE(2)",
    "from sklearn.manifold import TSNE\nTSNE(2, random_state=None)",
    "from sklearn import manifold as m\nm.TSNE()",
    "import sklearn.decomposition\nsklearn.decomposition.PCA(2)",
    "torch.randn(3)",
    "x = q.rsample()",
    "torch.rand(3)\ntorch.manual_seed(0)",
    "with torch.random.fork_rng():\n    torch.rand(3)",
    "nn.init.normal_(w)",
    "DataLoader(data, shuffle=True)",
    "model = VAE(2)",
    "def f():\n    torch.manual_seed(0)\ntorch.rand(3)",
    "@parametrize(torch.rand(3))\ndef f():\n    torch.manual_seed(0)",
    "def noisy(mu):\n    return mu + torch.randn_like(mu)\nz = noisy(mu)",
    "objectives.elbo(model, x)",
    "def f():\n    torch.randn(3)\ndef main():\n    f()\n    torch.manual_seed(0)\nmain()",
    "class Net(nn.Module):\n    def __init__(self):\n        self.layer = nn.Linear(2, 2)\nnet = Net()\ntorch.manual_seed(0)",
]
SEEDED = [
    "np.random.default_rng(0)",
    "np.random.default_rng(seed=seed)",
    "random.Random(3)",
    "from sklearn.manifold import TSNE\nTSNE(2, random_state=0)",
    "from sklearn.neighbors import KNeighborsClassifier\nKNeighborsClassifier(5)",
    "torch.randn(3, generator=g)",
    "torch.manual_seed(0)\ntorch.randn(3)",
    "def f():\n    return torch.randn(3)",
    "def f():\n    torch.randn(3)\ndef main():\n    torch.manual_seed(0)\n    f()\nmain()",
    "bernoulli(x_logits)",
    "def f():\n    return torch.randn(3)\ntorch.manual_seed(0)\nf()",
    "class Net(nn.Module):\n    def __init__(self):\n        self.layer = nn.Linear(2, 2)\ntorch.manual_seed(0)\nnet = Net()",
    "with torch.random.fork_rng():\n    torch.manual_seed(0)\n    model = VAE(2)\n    q.rsample()",
    "nn.init.zeros_(w)",
    "DataLoader(data)",
    "draw = np.random.default_rng(1)\ndraw.normal(3)",
    "objectives.elbo",
    "sprites.sample(2, seed=0)",
    "f = lambda: torch.randn(3)\ntable[0](2)",
    "from sklearn.mixture import GaussianMixture\nfitted = GaussianMixture(2, random_state=0).fit(x)\nfitted.sample(5)",
]


@pytest.mark.parametrize("source", UNSEEDED)
def test_the_search_finds_unseeded_draws(source):
    assert unseeded(source)


def test_in_strict_reading_a_function_that_draws_is_found_even_if_nobody_calls_it():
    source = "def noise(x):\n    return torch.randn_like(x)"
    assert unseeded(source, strict=True)
    assert not unseeded(source, strict=True, allowed=frozenset({"noise"}))


@pytest.mark.parametrize("source", SEEDED)
def test_the_search_lets_seeded_draws_pass(source):
    assert not unseeded(source)


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", sorted((ROOT / "vae_tutorial").rglob("*.py")), ids=relative)
def test_the_package_draws_with_seeds(path):
    builders = ("models.py", "networks.py", "autoregressive.py", "hierarchical.py", "mixture_prior.py", "vector_quantisation.py")
    builds_on_request = path.name in builders  # the caller seeds, then builds
    assert unseeded(path.read_text("utf-8"), strict=True, weights=not builds_on_request, allowed=DRAW_FROM_THEIR_CALLER) == []


@pytest.mark.parametrize("path", sorted([*(ROOT / "book" / "_ext").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]), ids=relative)
def test_the_tools_draw_with_seeds(path):
    assert unseeded(path.read_text("utf-8")) == []


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("*.py")), ids=relative)
def test_the_tests_draw_with_seeds(path):
    # Inside tests the fixture `seeded` has set the state; what runs at import is on its own.
    assert unseeded(path.read_text("utf-8")) == []


def test_every_test_starts_from_the_same_state():
    import torch

    assert torch.initial_seed() == 0


@pytest.mark.parametrize(
    "path", [path for path in sorted((ROOT / "book").rglob("*.ipynb")) if "checkpoints" not in str(path)], ids=relative
)
def test_the_notebooks_draw_with_seeds(path):
    cells = nbformat.read(path, as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    assert unseeded("\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in code.splitlines())) == []
