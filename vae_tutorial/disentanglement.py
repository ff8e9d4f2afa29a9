"""Scores of disentanglement: does each unit of a code answer to one factor of variation, and each factor to one unit?

Definitions and defaults are those of Google's `disentanglement_lib` 1.5 (Locatello et al. 2019, arXiv:1811.12359), and
the tests compare with what its functions gave. MIG, DCI and SAP look at codes (N, d) beside the factors (N, K) they
come from; the β-VAE and FactorVAE scores hold a factor still while the others vary, so they take a `GroundTruth` that
encodes whatever factors they ask for. 1 is the best there is; MIG and SAP stay below it even for some perfect codes.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from vae_tutorial.ground_truth import GroundTruth


def mutual_information(codes: ArrayLike, factors: ArrayLike, bins: int = 20) -> np.ndarray:
    """I(unit; factor) in nats, (d, K), between each unit cut into equal bins over its range and each factor.

    Estimated by counting, so independent pairs lie a little above 0: about (bins − 1)(values − 1) / 2N nats.

    Args:
        codes: (N, d).
        factors: (N, K), integers.
        bins: of each unit; the library's default is 20.

    Raises:
        ValueError: shapes that do not fit, codes that are not finite, factors that are not integers or do not vary, bins below 1.
    """
    from sklearn.metrics import mutual_info_score

    if bins < 1:
        raise ValueError(f"wanted at least one bin, got {bins}")
    codes, factors = _checked(codes, factors)
    binned = [_binned(unit, bins) for unit in codes.T]
    return np.array([[mutual_info_score(factor, unit) for factor in factors.T] for unit in binned])


def mig(codes: ArrayLike, factors: ArrayLike, bins: int = 20) -> float:
    """Mutual information gap (Chen et al. 2018): the two units that know most of a factor, their difference.

    In units of the factor's entropy, averaged over factors. With 20 bins, a unit cannot tell 32 positions apart: a
    perfect code of the five dSprites factors scores 0.896.

    Args:
        codes: (N, d) with d ≥ 2; the library takes 10,000 points.
        factors: (N, K), integers.
        bins: of each unit.

    Raises:
        ValueError: as `mutual_information`; fewer than two units.
    """
    from sklearn.metrics import mutual_info_score

    codes, factors = _checked(codes, factors, at_least=(2, 1))
    best = np.sort(mutual_information(codes, factors, bins), axis=0)  # (d, K), each column rising
    entropy = np.array([mutual_info_score(factor, factor) for factor in factors.T])
    return float(np.mean((best[-1] - best[-2]) / entropy))


@dataclass(frozen=True)
class DCI:
    """Disentanglement, completeness and informativeness (Eastwood & Williams 2018).

    Attributes:
        disentanglement: 1 where a unit serves one factor only; units averaged by their importance.
        completeness: 1 where one unit does for a factor.
        informativeness: accuracy of the trees on test points, averaged over factors.
        informativeness_train: the same on the points they were grown on.
        importance: (d, K), of each unit for each factor; columns sum to 1.
    """

    disentanglement: float
    completeness: float
    informativeness: float
    informativeness_train: float
    importance: np.ndarray


def dci(codes: ArrayLike, factors: ArrayLike, test_codes: ArrayLike, test_factors: ArrayLike, seed: int = 0) -> DCI:
    """DCI (Eastwood & Williams 2018) with the library's gradient-boosted trees, scikit-learn's defaults.

    100 trees for each value of each factor: 3.5 minutes on one core for ten units, the library's 10,000 points and the 113
    values of dSprites. Fewer points take less time, and give another score: say so beside it.

    Args:
        codes: (N, d) with d ≥ 2; the library takes 10,000 points.
        factors: (N, K) with K ≥ 2, integers.
        test_codes: (M, d); the library takes 5,000.
        test_factors: (M, K).
        seed: decides between splits that are equally good.

    Raises:
        ValueError: as `mutual_information`; fewer than two units or factors.
    """
    from scipy.stats import entropy
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.utils import check_random_state

    codes, factors = _checked(codes, factors, at_least=(2, 2))
    test_codes, test_factors = _checked(test_codes, test_factors, like=(codes, factors))
    rng = check_random_state(seed)  # one stream for all factors
    importance, accuracy = np.empty((codes.shape[1], factors.shape[1])), np.empty((2, factors.shape[1]))
    for k in range(factors.shape[1]):
        trees = GradientBoostingClassifier(random_state=rng).fit(codes, factors[:, k])
        importance[:, k] = np.abs(trees.feature_importances_)  # rounding leaves a few below 0
        accuracy[:, k] = trees.score(test_codes, test_factors[:, k]), trees.score(codes, factors[:, k])
    weight = importance if importance.any() else np.ones_like(importance)  # trees that never split
    per_unit = 1 - entropy(importance.T + 1e-11, base=importance.shape[1])  # (d,): over factors
    per_factor = 1 - entropy(importance + 1e-11, base=importance.shape[0])  # (K,): over units
    disentanglement = float(np.sum(per_unit * (weight.sum(1) / weight.sum())))
    completeness = float(np.sum(per_factor * (weight.sum(0) / weight.sum())))
    return DCI(disentanglement, completeness, float(accuracy[0].mean()), float(accuracy[1].mean()), importance)


def sap(codes: ArrayLike, factors: ArrayLike, test_codes: ArrayLike, test_factors: ArrayLike) -> float:
    """Separated attribute predictability (Kumar et al. 2018): the two units that best predict a factor, their difference.

    A linear support vector machine for each unit and factor; the score is the gap between test accuracies, averaged
    over factors. All factors count as classes, the library's default.

    Args:
        codes: (N, d) with d ≥ 2; the library takes 10,000 points.
        factors: (N, K), integers.
        test_codes: (M, d); the library takes 5,000.
        test_factors: (M, K).

    Raises:
        ValueError: as `mutual_information`; fewer than two units.
    """
    from sklearn.svm import LinearSVC

    codes, factors = _checked(codes, factors, at_least=(2, 1))
    test_codes, test_factors = _checked(test_codes, test_factors, like=(codes, factors))
    accuracy = np.empty((codes.shape[1], factors.shape[1]))
    for i, k in np.ndindex(accuracy.shape):
        # dual=False is what scikit-learn now picks for many points and one unit; it draws no random numbers.
        machine = LinearSVC(C=0.01, class_weight="balanced", dual=False, random_state=0)
        accuracy[i, k] = machine.fit(codes[:, [i]], factors[:, k]).score(test_codes[:, [i]], test_factors[:, k])
    best = np.sort(accuracy, axis=0)
    return float(np.mean(best[-1] - best[-2]))


def beta_vae_score(truth: GroundTruth, seed: int = 0, *, train: int = 10_000, test: int = 5_000, batch: int = 64) -> float:
    """The β-VAE score (Higgins et al. 2017): which factor did two groups share? Chance is 1/K.

    A point is the mean of |z − z'| over a batch of pairs that agree in one factor; logistic regression tells which.

    Args:
        truth: what is scored.
        seed: of the factors drawn.
        train: points to fit; this and the other defaults are the library's.
        test: points on which accuracy, the score, is measured.
        batch: pairs averaged into one point.

    Raises:
        ValueError: a `represent` that fails (see `GroundTruth.codes`), or a number below 1.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.utils import check_random_state

    if min(train, test, batch) < 1:
        raise ValueError(f"a score wants at least one point, each of at least one pair, got {train=}, {test=}, {batch=}")
    rng, sets = check_random_state(seed), []
    for points in (train, test):
        shared, codes = truth.draw_held(points, batch, rng, pairs=True)
        sets.append((np.abs(codes[:, 0] - codes[:, 1]).mean(axis=1).astype(float), shared))  # (points, d), (points,)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the library's score stops after 100 iterations, converged or not
        regression = LogisticRegression(random_state=0).fit(*sets[0])  # lbfgs draws nothing
    return float(regression.score(*sets[1]))


def factor_vae_score(
    truth: GroundTruth, seed: int = 0, *, train: int = 10_000, test: int = 5_000, batch: int = 64,
    variance_points: int = 10_000, threshold: float = 0.05,
) -> float:  # fmt: skip
    """The FactorVAE score (Kim & Mnih 2018): the unit that varies least names the factor held still. Chance is 1/K.

    A vote is the unit with the smallest variance, relative to its variance over all factors, in a batch that agrees in
    one factor; each unit stands for the factor that most of its training votes came from. 0 if no unit is active.

    Args:
        truth: what is scored.
        seed: of the factors drawn.
        train: votes that decide; this and the other defaults are the library's.
        test: votes on which accuracy, the score, is measured.
        batch: codes whose variance gives one vote, at least 2.
        variance_points: codes for the variance over all factors.
        threshold: units whose standard deviation over all factors is smaller have no vote.

    Raises:
        ValueError: a `represent` that fails (see `GroundTruth.codes`), a batch below 2 or another number below 1.
    """
    from sklearn.utils import check_random_state

    if batch < 2 or min(train, test, variance_points) < 1:
        raise ValueError(f"a variance wants at least 2 codes, a score one point, got {batch=}, {train=}, {test=}, {variance_points=}")
    rng = check_random_state(seed)
    variance = truth.codes(truth.sample_factors(variance_points, rng)).var(axis=0, ddof=1)  # (d,)
    active = np.sqrt(variance) >= threshold
    if not active.any():
        return 0.0
    votes = np.zeros((2, len(truth.sizes), active.sum()), dtype=int)
    for count, points in zip(votes, (train, test), strict=True):
        held, codes = truth.draw_held(points, batch, rng, pairs=False)
        local = codes[:, 0].var(axis=1, ddof=1)  # (points, d)
        np.add.at(count, (held, (local[:, active] / variance[active]).argmin(axis=1)), 1)
    stands_for = votes[0].argmax(axis=0)  # (active units,): factors
    return float(votes[1, stands_for, np.arange(len(stands_for))].sum() / votes[1].sum())


def _binned(unit: np.ndarray, bins: int) -> np.ndarray:
    try:
        edges = np.histogram_bin_edges(unit, bins)
    except ValueError:  # a dead unit, constant but for rounding: NumPy finds no room for the bins
        return np.zeros(len(unit), dtype=int)
    return np.digitize(unit, edges[:-1])


def _checked(
    codes: ArrayLike, factors: ArrayLike, at_least: tuple[int, int] = (1, 1), like: tuple[np.ndarray, np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Codes and factors as arrays: so many units and factors `at_least`, or just as many as those they are `like`."""
    codes, factors = np.asarray(codes), np.asarray(factors)
    if codes.ndim != 2 or factors.ndim != 2 or len(codes) != len(factors) or len(codes) < 2:
        raise ValueError(f"wanted codes (N, d) and factors (N, K), a row of each per point, got {codes.shape} and {factors.shape}")
    if codes.shape[1] < at_least[0] or factors.shape[1] < at_least[1]:
        raise ValueError(f"wanted {at_least[0]} units and {at_least[1]} factors at least, got {codes.shape[1]} and {factors.shape[1]}")
    if like and (codes.shape[1] != like[0].shape[1] or factors.shape[1] != like[1].shape[1]):
        raise ValueError(f"test points {codes.shape}, {factors.shape} do not fit training points {like[0].shape}, {like[1].shape}")
    if not np.isfinite(codes).all():
        raise ValueError("codes hold NaN or infinity: look at the training run before its score")
    if factors.dtype.kind not in "iu":
        raise ValueError(f"factors are classes and must be integers, got {factors.dtype}: cut continuous ones into bins first")
    if (constant := (factors == factors[0]).all(axis=0)).any():
        raise ValueError(f"factors {np.flatnonzero(constant).tolist()} take one value only in these points: leave these columns out")
    return codes, factors
