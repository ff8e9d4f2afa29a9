"""What simple classifiers find in codes: their accuracy, how the classes lie, and whether two sets of codes differ.

Codes are arrays or CPU tensors (N, d), labels (N,). Accuracies are measured on codes that the classifier has not seen.
"""

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.ensemble import HistGradientBoostingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score, silhouette_score
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

Labelled = tuple[ArrayLike, ArrayLike]


def knn_accuracy(
    codes: ArrayLike, labels: ArrayLike, test: Labelled | None = None, neighbours: int = 5, folds: int = 5, seed: int = 0
) -> float:
    """The share of codes whose nearest neighbours (Euclidean, a vote) have their label.

    Args:
        codes: (N, d), taken as they are: a unit with a larger spread weighs more.
        labels: (N,).
        test: other codes (M, d) and labels (M,) to be scored; without them, stratified cross-validation.
        neighbours: that vote.
        folds: of the cross-validation.
        seed: of its split.

    Raises:
        ValueError: arrays that do not match, or a class with fewer codes than folds.
    """
    return _accuracy(KNeighborsClassifier(neighbours), codes, labels, test, folds, seed)


def linear_probe(codes: ArrayLike, labels: ArrayLike, test: Labelled | None = None, folds: int = 5, seed: int = 0, c: float = 1.0) -> float:
    """The accuracy of logistic regression on standardised codes: what can be read off with planes (Alain & Bengio 2017).

    Args:
        codes: (N, d).
        labels: (N,).
        test: other codes (M, d) and labels (M,) to be scored; without them, stratified cross-validation.
        folds: of the cross-validation.
        seed: of its split.
        c: inverse strength of the L2 penalty on the weights.

    Raises:
        ValueError: as `knn_accuracy`.
    """
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=2_000, random_state=seed))
    return _accuracy(classifier, codes, labels, test, folds, seed)


def silhouette(codes: ArrayLike, labels: ArrayLike, sample: int = 2_000, seed: int = 0) -> float:
    """How much closer a code lies to its own class than to the next one, −1 … 1 (Rousseeuw 1987), averaged over codes.

    Args:
        codes: (N, d).
        labels: (N,), at least two classes.
        sample: codes drawn without replacement, as the time grows with their square; all of them if there are fewer.
        seed: of that draw.

    Raises:
        ValueError: arrays that do not match, or fewer than two classes.
    """
    codes, labels = _matching(codes, labels)
    return float(silhouette_score(codes, labels, sample_size=min(sample, len(codes)), random_state=seed))


def classifier_two_sample(a: ArrayLike, b: ArrayLike, folds: int = 5, seed: int = 0) -> float:
    """The AUROC with which a classifier tells two sets of codes apart: 0.5 if it cannot, 1 if always.

    The classifier is the mean of two: logistic regression on squares and products, which sees differences in mean and
    covariance, and boosted trees, which see the rest. The test of Lopez-Paz & Oquab (2017) takes its accuracy instead. With
    q̄ against p, draw as many codes from each.

    Args:
        a: codes (N, d).
        b: codes (M, d).
        folds: of the stratified cross-validation.
        seed: of its split and of the trees.

    Raises:
        ValueError: codes of different length.
    """
    a, b = np.asarray(a), np.asarray(b)
    if a.ndim != 2 or a.shape[1:] != b.shape[1:]:
        raise ValueError(f"two sets of codes (N, d) and (M, d) are compared, got {a.shape} and {b.shape}")
    codes, labels = np.concatenate([a, b]), np.repeat([0, 1], [len(a), len(b)])
    regression = LogisticRegression(max_iter=2_000, random_state=seed)
    quadratic = make_pipeline(StandardScaler(), PolynomialFeatures(2), StandardScaler(), regression)
    trees = HistGradientBoostingClassifier(max_iter=50, random_state=seed)
    both = VotingClassifier([("quadratic", quadratic), ("trees", trees)], voting="soft")
    split = StratifiedKFold(folds, shuffle=True, random_state=seed)
    return float(cross_val_score(both, codes, labels, cv=split, scoring="roc_auc").mean())


def auroc(positive: ArrayLike, negative: ArrayLike) -> float:
    """The area under the ROC curve: the chance that a positive's score is above a negative's, ties counted half.

    Args:
        positive: scores (N,) of what should score high, such as anomalies.
        negative: scores (M,) of the others.

    Raises:
        ValueError: no scores on one side, or scores that are not finite.
    """
    positive, negative = np.ravel(positive), np.ravel(negative)
    if not (len(positive) and len(negative)):
        raise ValueError(f"both sides want scores, got {len(positive)} and {len(negative)}")
    return float(roc_auc_score(np.repeat([1, 0], [len(positive), len(negative)]), np.concatenate([positive, negative])))


def densest(codes: ArrayLike, labels: ArrayLike, neighbours: int = 20) -> np.ndarray:
    """The place of each class's densest code, (C,): the one whose nearest `neighbours` codes of its own class are closest.

    Raises:
        ValueError: arrays that do not match, or a class without so many neighbours.
    """
    codes, labels = _matching(codes, labels)
    classes, sizes = np.unique(labels, return_counts=True)
    if sizes.min() <= neighbours:
        raise ValueError(f"the smallest class has {sizes.min()} codes: too few for {neighbours} neighbours of each")
    places = [np.flatnonzero(labels == label) for label in classes]
    reach = [NearestNeighbors(n_neighbors=neighbours).fit(codes[own]).kneighbors()[0][:, -1] for own in places]
    return np.array([own[distance.argmin()] for own, distance in zip(places, reach, strict=True)])


def log_density(codes: ArrayLike, places: ArrayLike, neighbours: int = 20) -> np.ndarray:
    """The log-density of codes at other places, (M,) nats up to a constant: −d·log r, r the reach to so many codes.

    The nearest-neighbour estimate of Loftsgaarden & Quesenberry (1965). A constant factor on all codes shifts it by a constant,
    so that differences do not depend on the scale of a map.

    Args:
        codes: (N, d), all different.
        places: (M, d).
        neighbours: how many codes r reaches; more of them give a smoother estimate.
    """
    codes = np.asarray(codes)
    reach = NearestNeighbors(n_neighbors=neighbours).fit(codes).kneighbors(np.asarray(places))[0][:, -1]
    return -codes.shape[1] * np.log(reach)


def valleys(codes: ArrayLike, labels: ArrayLike, neighbours: int = 20, steps: int = 41) -> np.ndarray:
    """How deep the gaps between classes are: (C, C) nats, the diagonal 0.

    For each pair, the density of *all* codes along the straight line between the two classes' densest codes: by how much its
    lowest place lies below the lower of the two ends. 0 means that there is no gap on that line. See `log_density`.

    Args:
        codes: (N, d).
        labels: (N,).
        neighbours: of both estimates.
        steps: places on each line, with its ends.

    Raises:
        ValueError: as `densest`.
    """
    codes, labels = _matching(codes, labels)
    ends = codes[densest(codes, labels, neighbours)]  # (C, d)
    share = np.linspace(0, 1, steps)[:, None]
    depth = np.zeros((len(ends), len(ends)))
    for a, b in combinations(range(len(ends)), 2):
        along = log_density(codes, (1 - share) * ends[a] + share * ends[b], neighbours)
        depth[a, b] = depth[b, a] = min(along[0], along[-1]) - along.min()
    return depth


def _accuracy(classifier: Any, codes: ArrayLike, labels: ArrayLike, test: Labelled | None, folds: int, seed: int) -> float:
    codes, labels = _matching(codes, labels)
    if test is not None:
        return float(classifier.fit(codes, labels).score(*_matching(*test)))
    smallest = int(np.unique(labels, return_counts=True)[1].min())
    if smallest < folds:
        raise ValueError(f"the smallest class has {smallest} codes: too few for {folds} folds")
    return float(cross_val_score(classifier, codes, labels, cv=StratifiedKFold(folds, shuffle=True, random_state=seed)).mean())


def _matching(codes: ArrayLike, labels: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    codes, labels = np.asarray(codes), np.asarray(labels)
    if codes.ndim != 2 or labels.shape != codes.shape[:1]:
        raise ValueError(f"codes (N, d) want labels (N,), got {codes.shape} and {labels.shape}")
    return codes, labels
