"""Record what `disentanglement_lib`'s own functions give on known codes, into disentanglement.json beside this file.

    pip download --no-deps --dest SCRATCH disentanglement-lib==1.5
    python tests/reference/record_disentanglement.py SCRATCH/disentanglement_lib-1.5-py3-none-any.whl

The package is old (2020) and wants TensorFlow 1; its scores are NumPy and scikit-learn. They run here unchanged, straight
from the wheel, with the NumPy and scikit-learn that are installed. Only what is imported around them is replaced:

- `gin`, which hands functions their settings: by a stand-in that reads the settings from the wheel's own `.gin` files
  of the unsupervised study (Locatello et al. 2019);
- `gin.tf`, `tensorflow` (never called by these functions) and `absl.logging`: by empty modules.

No removed name of NumPy or scikit-learn had to be restored. Where scikit-learn's defaults have changed since the study, the
record has today's: `LogisticRegression` by lbfgs, multinomial (before 0.22: liblinear, one against the rest), `LinearSVC` with
dual="auto" (then True: these five codes get the same SAP either way).
Trees that tie draw from NumPy's global state, which is seeded before each score.
"""

import ast
import functools
import hashlib
import inspect
import json
import platform
import re
import sys
import types
import warnings
import zipfile
from pathlib import Path

import numpy as np
import scipy
import sklearn
from codes import CODES, SIZES
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

WHEEL_SHA256 = "590e561ef1a27c39cfda730127a3d2c36eab97762d7b252efcc70af225360db8"
CONFIGS = "disentanglement_lib/config/unsupervised_study_v1/metric_configs"
SEED = 0  # evaluation.random_seed of the study
# Fewer points than the study's 10,000 and 5,000, so that the tests are quick; the trees see two factors of the five.
POINTS = {"mig": [10_000], "dci": [500, 250], "sap": [1_000, 500], "beta_vae": [2_000, 1_000], "factor_vae": [500, 250, 1_000]}
DCI_FACTORS = [0, 1]  # shape and scale: 9 values, so 900 trees a code instead of 11,300


class Settings(types.ModuleType):
    """A stand-in for gin: `configurable` fills in what the .gin files say and the caller does not."""

    REQUIRED = object()

    def __init__(self, wheel: Path) -> None:
        super().__init__("gin")
        self.bindings: dict[str, dict[str, object]] = {}
        self.functions: dict[str, object] = {}
        with zipfile.ZipFile(wheel) as archive:
            for name in ("mig", "dci", "sap_score", "beta_vae_sklearn", "factor_vae_metric"):
                text = archive.read(f"{CONFIGS}/{name}.gin").decode()
                for owner, argument, value in re.findall(r"^(\w+)\.(\w+) *= *(.+?)\s*$", text, re.MULTILINE):
                    self.bindings.setdefault(owner, {})[argument] = value if value.startswith("@") else ast.literal_eval(value)

    def configurable(self, name: str, **_):
        def decorate(function):
            @functools.wraps(function)
            def call(*arguments, **options):
                given = inspect.signature(function).bind_partial(*arguments, **options).arguments
                bound = self.bindings.get(name, {})
                bound = {key: self.functions[value[1:]] if isinstance(value, str) else value for key, value in bound.items()}
                return function(**{**bound, **given})

            self.functions[name] = call
            return call

        return decorate


def load(wheel: Path) -> tuple[Settings, types.SimpleNamespace]:
    """The library's settings, and its modules, out of the wheel."""
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != WHEEL_SHA256:
        raise SystemExit(f"{wheel.name} has sha256 {found}, not that of disentanglement_lib 1.5: {WHEEL_SHA256}")
    gin = Settings(wheel)
    for name in ("gin.tf", "absl", "absl.logging", "tensorflow", "tensorflow.compat", "tensorflow.compat.v1"):
        sys.modules[name] = types.ModuleType(name)
    gin.tf, sys.modules["gin"] = sys.modules["gin.tf"], gin
    sys.modules["absl.logging"].info = lambda *_: None
    sys.modules["absl"].logging = sys.modules["absl.logging"]
    sys.modules["tensorflow"].compat = sys.modules["tensorflow.compat"]
    sys.modules["tensorflow.compat"].v1 = sys.modules["tensorflow.compat.v1"]
    sys.path.insert(0, str(wheel))
    from disentanglement_lib.data.ground_truth import ground_truth_data, util
    from disentanglement_lib.evaluation.metrics import beta_vae, dci, factor_vae, mig, sap_score, utils

    return gin, types.SimpleNamespace(**{module.__name__.rpartition(".")[2]: module for module in (
        ground_truth_data, util, beta_vae, dci, factor_vae, mig, sap_score, utils,
    )})  # fmt: skip


def factors_as_observations(library: types.SimpleNamespace):
    """The library's kind of data set, with dSprites' factors: what is observed are the factors themselves."""

    class Factors(library.ground_truth_data.GroundTruthData):
        state_space = library.util.SplitDiscreteStateSpace(list(SIZES), list(range(len(SIZES))))
        num_factors = len(SIZES)

        def sample_factors(self, num, random_state):
            return self.state_space.sample_latent_factors(num, random_state)

        def sample_observations_from_factors(self, factors, random_state):
            return factors

    return Factors()


def score(library: types.SimpleNamespace, code) -> dict[str, dict]:
    """All scores of a code, each from a fresh `RandomState(SEED)`, as the library's `evaluate` gives it."""
    data, draw = factors_as_observations(library), lambda: check_random_state(SEED)
    points, warned = POINTS, {}

    def run(name, function, *arguments, **options):
        check_random_state(None).seed(SEED)  # NumPy's global state: of the trees
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            result = function(*arguments, **options)
        warned[name] = sum(issubclass(warning.category, ConvergenceWarning) for warning in caught)
        return {key: float(value) for key, value in result.items()}

    rng = draw()
    pairs = [library.utils.generate_batch_factor_code(data, code, count, rng, 16) for count in points["dci"]]
    mus_train, ys_train, mus_test, ys_test = pairs[0][0], pairs[0][1][DCI_FACTORS], pairs[1][0], pairs[1][1][DCI_FACTORS]
    mus, ys = library.utils.generate_batch_factor_code(data, code, points["mig"][0], draw(), 16)
    counts = dict(zip(("num_train", "num_eval", "num_variance_estimate"), points["factor_vae"], strict=True))
    scores = {
        "mig": run("mig", library.mig.compute_mig, data, code, draw(), num_train=points["mig"][0]),
        "dci": run("dci", library.dci._compute_dci, mus_train, ys_train, mus_test, ys_test),
        "sap": run("sap", library.sap_score.compute_sap, data, code, draw(), num_train=points["sap"][0], num_test=points["sap"][1]),
        "beta_vae": run(
            "beta_vae", library.beta_vae.compute_beta_vae_sklearn, data, code, draw(),
            num_train=points["beta_vae"][0], num_eval=points["beta_vae"][1],
        ),
        "factor_vae": run("factor_vae", library.factor_vae.compute_factor_vae, data, code, draw(), **counts),
    }  # fmt: skip
    discretized = library.utils.make_discretizer(mus)
    scores["mutual_information"] = library.utils.discrete_mutual_info(discretized, ys).tolist()
    check_random_state(None).seed(SEED)
    scores["importance"] = library.dci.compute_importance_gbt(mus_train, ys_train, mus_test, ys_test)[0].tolist()
    return scores | {"convergence_warnings": warned}


def main() -> None:
    """Write the record."""
    gin, library = load(Path(sys.argv[1]))
    record = {
        "library": {"name": "disentanglement_lib", "version": "1.5", "wheel_sha256": WHEEL_SHA256},
        "versions": {
            "python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__,
        },
        "settings": {name: bound for name, bound in gin.bindings.items() if name in gin.functions},
        "seed": SEED,
        "points": POINTS,
        "dci_factors": DCI_FACTORS,
        "scores": {name: score(library, code) for name, code in CODES.items()},
    }  # fmt: skip
    path = Path(__file__).with_name("disentanglement.json")
    path.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    print(f"{path}: {len(CODES)} codes")


if __name__ == "__main__":
    main()
