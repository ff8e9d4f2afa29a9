"""Probes on codes whose accuracy, silhouette or AUROC is known beforehand."""

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal, norm

from vae_tutorial.probes import auroc, classifier_two_sample, densest, knn_accuracy, linear_probe, log_density, silhouette, valleys


def blobs(distance: float, each: int = 100, classes: int = 3, d: int = 2, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian classes of variance 1, their means `distance` apart along the first axis."""
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    codes = draw.normal(size=(len(labels), d))
    codes[:, 0] += distance * labels
    return codes, labels


ACCURACIES = [pytest.param(knn_accuracy, id="knn"), pytest.param(linear_probe, id="linear")]


@pytest.mark.parametrize("accuracy", ACCURACIES)
def test_separable_classes_are_all_found(accuracy):
    codes, labels = blobs(20)
    assert accuracy(codes, labels) == 1
    assert accuracy(torch.from_numpy(codes), torch.from_numpy(labels)) == 1
    assert accuracy(codes, labels, test=blobs(20, seed=1)) == 1


def test_as_many_folds_as_are_asked_for():
    """Three codes of a class are enough for three folds, and too few for five."""
    codes, labels = blobs(20, each=3, classes=2, d=1)
    assert linear_probe(codes, labels, folds=3) == knn_accuracy(codes, labels, neighbours=1, folds=3) == 1


def test_a_strong_penalty_leaves_a_linear_probe_the_larger_class():
    codes, labels = blobs(20, each=40, classes=2)
    codes, labels = codes[:50], labels[:50]  # 40 of the first class, 10 of the second
    assert linear_probe(codes, labels) == 1
    assert linear_probe(codes, labels, c=1e-9) == pytest.approx(0.8)


@pytest.mark.parametrize("accuracy", ACCURACIES)
def test_random_labels_are_guessed_by_chance(accuracy):
    codes, labels = blobs(0, each=500)
    assert accuracy(codes, labels) == pytest.approx(1 / 3, abs=4 * (2 / 9 / 1_500) ** 0.5)
    assert accuracy(codes, labels, test=blobs(0, each=500, seed=1)) == pytest.approx(1 / 3, abs=4 * (2 / 9 / 1_500) ** 0.5)


def test_a_plane_reaches_the_bayes_accuracy_of_two_gaussians():
    codes, labels = blobs(2, each=2_000, classes=2)
    error = 4 * (0.84 * 0.16 / 4_000) ** 0.5
    assert linear_probe(codes, labels) == pytest.approx(norm.cdf(1), abs=error)
    assert linear_probe(codes, labels, test=blobs(2, each=2_000, classes=2, seed=1)) == pytest.approx(norm.cdf(1), abs=error)
    assert 0.75 < knn_accuracy(codes, labels) < norm.cdf(1)


@pytest.mark.parametrize("neighbours", [1, 5])
def test_nearest_neighbours_vote_as_counted_by_hand(neighbours):
    codes, labels = blobs(1.5, each=60)
    new, theirs = blobs(1.5, each=40, seed=1)
    nearest = np.square(new[:, None] - codes).sum(-1).argsort(1)[:, :neighbours]
    votes = np.stack([(labels[nearest] == label).sum(1) for label in range(3)], 1)  # argmax: of equal votes the smaller label
    expected = (votes.argmax(1) == theirs).mean()
    given = {} if neighbours == 5 else {"neighbours": neighbours}
    assert knn_accuracy(codes, labels, test=(new, theirs), **given) == pytest.approx(expected)
    assert expected < 0.9


def rings(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    labels = np.repeat([0, 1], 300)
    angle, radius = draw.uniform(0, 2 * np.pi, 600), 1 + 2 * labels
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1), labels


def test_rings_are_neighbours_but_no_plane_divides_them():
    codes, labels = rings()
    assert knn_accuracy(codes, labels) == 1
    assert linear_probe(codes, labels) < 0.65


def test_one_neighbour_of_the_training_set_itself_is_always_right_and_proves_nothing():
    codes, labels = blobs(0)
    assert knn_accuracy(codes, labels, test=(codes, labels), neighbours=1) == 1
    assert knn_accuracy(codes, labels, neighbours=1) < 0.5  # cross-validated: not seen before


def test_a_linear_probe_does_not_mind_the_units_scales():
    codes, labels = blobs(3)
    scaled = codes * np.array([1e-3, 1e3])
    assert linear_probe(scaled, labels) == pytest.approx(linear_probe(codes, labels), abs=0.01)
    assert knn_accuracy(scaled, labels) < knn_accuracy(codes, labels) - 0.1


def test_a_seed_fixes_the_split():
    codes, labels = blobs(1)
    assert knn_accuracy(codes, labels, seed=1) == knn_accuracy(codes, labels, seed=1)
    assert len({knn_accuracy(codes, labels, seed=seed) for seed in range(5)}) > 1


@pytest.mark.parametrize(
    ("codes", "labels", "message"),
    [
        (np.zeros((4, 2)), np.zeros(3), r"codes \(N, d\) want labels \(N,\)"),
        (np.zeros(4), np.zeros(4), r"codes \(N, d\) want labels \(N,\)"),
        (np.zeros((4, 2)), np.array([0, 0, 0, 1]), "smallest class has 1 codes"),
    ],
)
def test_impossible_probes_are_refused(codes, labels, message):
    for accuracy in (knn_accuracy, linear_probe):
        with pytest.raises(ValueError, match=message):
            accuracy(codes, labels)


# ---------------------------------------------------------------- silhouette


def test_silhouette_of_two_pairs_is_the_hand_computed_one():
    """On a line at 0, 1 | 10, 12: a = 1, 1, 2, 2 within, b = 11, 10, 9.5, 11.5 to the other pair, (b − a)/max(a, b)."""
    codes = np.array([[0.0], [1.0], [10.0], [12.0]])
    expected = np.mean([10 / 11, 9 / 10, 7.5 / 9.5, 9.5 / 11.5])
    assert silhouette(codes, np.array([0, 0, 1, 1])) == pytest.approx(expected)


def test_silhouette_of_a_square_with_crossed_labels_is_negative():
    """Corners of the unit square, diagonal ones alike: a = √2, b = 1 everywhere."""
    corners = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    assert silhouette(corners, np.array([0, 0, 1, 1])) == pytest.approx(1 / 2**0.5 - 1)


def test_a_sample_estimates_the_silhouette_of_all():
    codes, labels = blobs(3, each=600)
    whole = silhouette(codes, labels, sample=10_000)
    parts = [silhouette(codes, labels, sample=300, seed=seed) for seed in range(10)]
    assert len(set(parts)) == 10
    assert np.mean(parts) == pytest.approx(whole, abs=4 * np.std(parts) / 10**0.5)


def test_silhouette_wants_labels_that_match():
    with pytest.raises(ValueError, match="want labels"):
        silhouette(np.zeros((4, 2)), np.zeros(5))


# ---------------------------------------------------------------- AUROC


def mann_whitney(positive: np.ndarray, negative: np.ndarray) -> float:
    """Counted pair by pair."""
    return float(np.mean([(p > n) + 0.5 * (p == n) for p in positive for n in negative]))


@pytest.mark.parametrize("seed", range(3))
def test_auroc_is_the_count_of_mann_and_whitney(seed):
    draw = np.random.default_rng(seed)
    positive, negative = draw.integers(2, 12, 30), draw.integers(0, 10, 50)  # with many ties
    assert auroc(positive, negative) == pytest.approx(mann_whitney(positive, negative))


def test_auroc_of_known_order():
    assert auroc([3, 4], [1, 2]) == 1
    assert auroc([1, 2], [3, 4]) == 0
    assert auroc([1, 1], [1]) == 0.5
    assert auroc(torch.tensor([2.0]), torch.tensor([1.0, 3.0])) == 0.5


@pytest.mark.parametrize(("positive", "negative", "message"), [([], [1], "both sides"), ([1], [], "both sides"), ([np.nan], [1], "NaN")])
def test_auroc_refuses_nothing_and_nan(positive, negative, message):
    with pytest.raises(ValueError, match=message):
        auroc(positive, negative)


# ---------------------------------------------------------------- two samples


def test_one_distribution_is_not_told_from_itself():
    draw = np.random.default_rng(0)
    found = [classifier_two_sample(draw.normal(size=(300, 3)), draw.normal(size=(300, 3))) for _ in range(5)]
    assert np.mean(found) == pytest.approx(0.5, abs=4 * (601 / (12 * 300**2) / 5) ** 0.5)  # variance of the Mann-Whitney statistic


def test_sets_without_overlap_are_told_apart():
    a, _ = blobs(0)
    assert classifier_two_sample(a, a + 20) == 1


def test_two_gaussians_are_told_apart_as_well_as_they_can_be():
    """The best AUROC between N(0, 1) and N(δ, 1) is Φ(δ/√2)."""
    draw = np.random.default_rng(1)
    a, b = draw.normal(size=(2_000, 2)), draw.normal([1, 0], size=(2_000, 2))
    assert norm.cdf(1 / 2**0.5) - 0.04 < classifier_two_sample(a, b) < norm.cdf(1 / 2**0.5) + 0.02


def test_correlations_are_seen_almost_as_well_as_by_the_likelihood_ratio():
    """Between N(0, I) and three correlated pairs; no test has a higher AUROC than the ratio of the two densities."""
    draw = np.random.default_rng(3)
    covariance = np.kron(np.eye(3), [[1, 0.6], [0.6, 1]])
    a, b = draw.normal(size=(1_000, 6)), draw.multivariate_normal(np.zeros(6), covariance, 1_000)
    prior, correlated = multivariate_normal(np.zeros(6)), multivariate_normal(np.zeros(6), covariance)
    best = auroc(*(correlated.logpdf(codes) - prior.logpdf(codes) for codes in (b, a)))
    assert best - 0.04 < classifier_two_sample(a, b) < best + 0.01


@pytest.mark.parametrize("shape", ["narrow", "correlated", "hole"])
def test_differences_beyond_the_mean_are_seen(shape):
    """What a plane cannot see: another variance, a correlation, and a ring of the prior's own mean and covariance."""
    draw = np.random.default_rng(2)
    p, q = draw.normal(size=(1_000, 2)), draw.normal(size=(1_000, 2))
    if shape == "narrow":
        q = 0.5 * q
    elif shape == "correlated":
        q = q @ np.linalg.cholesky([[1, 0.8], [0.8, 1]]).T
    else:
        q = 2**0.5 * q / np.linalg.norm(q, axis=1, keepdims=True)
    np.testing.assert_allclose(q.mean(0), p.mean(0), atol=0.15)
    assert classifier_two_sample(p, q) > 0.7


def test_two_samples_want_codes_of_one_length():
    with pytest.raises(ValueError, match="two sets of codes"):
        classifier_two_sample(np.zeros((9, 2)), np.zeros((9, 3)))


# ---------------------------------------------------------------- gaps


def test_log_density_differs_by_that_of_the_gaussian():
    codes = np.random.default_rng(0).normal(size=(20_000, 2))
    low, high = log_density(codes, [[1.5, 1.5], [0.0, 0.0]], neighbours=50)
    assert high - low == pytest.approx(1.5**2, abs=4 * (2 / 50) ** 0.5)  # the estimate's standard deviation is about 1/√k


def test_the_densest_code_of_a_gaussian_is_near_its_middle():
    codes, labels = blobs(20, each=1_000)
    middles = codes[densest(codes, labels, neighbours=50)]
    np.testing.assert_allclose(middles, [[0, 0], [20, 0], [40, 0]], atol=0.6)


def test_a_classs_densest_code_is_found_among_its_own():
    """A narrow cloud of another class on its slope does not count."""
    codes, labels = blobs(0, each=1_000, classes=2)
    codes[labels == 1] = 0.05 * codes[labels == 1] + 2
    middles = codes[densest(codes, labels, neighbours=50)]
    np.testing.assert_allclose(middles, [[0, 0], [2, 2]], atol=0.6)


def test_a_valley_is_measured_from_the_lower_of_its_ends():
    """Means 6 apart, four times as many codes in the one: the density of the mixture, less the smaller peak's."""
    codes, labels = blobs(6, each=40_000, classes=2, d=1)
    codes, labels = codes[:50_000], labels[:50_000]
    line = np.linspace(0, 6, 41)
    density = 0.8 * norm.pdf(line) + 0.2 * norm.pdf(line, 6)
    depth = valleys(codes, labels, neighbours=100)[0, 1]
    assert depth == pytest.approx(np.log(density[-1] / density.min()), abs=4 * (2 / 100) ** 0.5)
    assert np.log(density[0] / density[-1]) > 8 * (2 / 100) ** 0.5  # far enough apart to tell


@pytest.mark.parametrize("d", [1, 2])
def test_the_valley_between_two_gaussians_is_the_densitys(d):
    """Means 6 apart, variance 1: the density sinks from (1 + e^−18)/2 to e^−4.5 of a single one's peak."""
    codes, labels = blobs(6, each=20_000, classes=2, d=d)
    depth = valleys(codes, labels, neighbours=50)
    assert depth.shape == (2, 2)
    assert depth[0, 0] == depth[1, 1] == 0
    assert depth[0, 1] == depth[1, 0] == pytest.approx(4.5 - np.log(2), abs=4 * (2 / 50) ** 0.5)


def test_one_gaussian_under_two_labels_has_no_valley():
    codes, labels = blobs(0, each=10_000, classes=2)
    assert valleys(codes, labels, neighbours=100)[0, 1] < 4 * (2 / 100) ** 0.5


def test_valleys_do_not_depend_on_the_scale_of_the_map():
    codes, labels = blobs(4, each=500)
    np.testing.assert_allclose(valleys(1e-3 * codes, labels), valleys(codes, labels), atol=1e-9)
    np.testing.assert_allclose(valleys(torch.from_numpy(codes) + 50, labels), valleys(codes, labels), atol=1e-6)


def test_a_class_without_enough_neighbours_is_refused():
    with pytest.raises(ValueError, match="smallest class has 5 codes"):
        valleys(*blobs(1, each=5))
