"""The scores against `disentanglement_lib`'s own functions (recorded, see reference/), closed forms and codes of known quality."""

import inspect
import json
from pathlib import Path

import numpy as np
import pytest
from reference.codes import CODES, SIZES
from sklearn.utils import check_random_state

from vae_tutorial.disentanglement import beta_vae_score, dci, factor_vae_score, mig, mutual_information, sap
from vae_tutorial.ground_truth import GroundTruth

RECORD = json.loads((Path(__file__).parent / "reference" / "disentanglement.json").read_text("utf-8"))
POINTS, SEED = RECORD["points"], RECORD["seed"]
EVERY_CODE = pytest.mark.parametrize("code", CODES)
# The same operations in the same order, so the same bits on one processor; others may round a sum differently.
SAME = {"rel": 1e-12, "abs": 1e-12}


def truth(code: str) -> GroundTruth:
    return GroundTruth(SIZES, CODES[code])


def drawn(code: str, counts: list[int]) -> list[np.ndarray]:
    """Codes and factors, as often as there are counts, from one stream of random numbers as in the library."""
    rng = check_random_state(SEED)
    return [array for count in counts for array in truth(code).draw(count, rng)]


# ---------------------------------------------------------------- the library's numbers


@EVERY_CODE
def test_mutual_information_and_its_gap_are_the_librarys(code):
    codes, factors = drawn(code, POINTS["mig"])
    assert mutual_information(codes, factors) == pytest.approx(np.array(RECORD["scores"][code]["mutual_information"]), **SAME)
    assert mig(codes, factors) == pytest.approx(RECORD["scores"][code]["mig"]["discrete_mig"], **SAME)


def test_twenty_bins_do_not_let_a_perfect_code_reach_one():
    assert RECORD["scores"]["perfect"]["mig"]["discrete_mig"] == pytest.approx(0.896, abs=5e-4)


@EVERY_CODE
def test_dci_is_the_librarys(code):
    codes, factors, test_codes, test_factors = drawn(code, POINTS["dci"])
    chosen = RECORD["dci_factors"]
    found, recorded = dci(codes, factors[:, chosen], test_codes, test_factors[:, chosen], SEED), RECORD["scores"][code]["dci"]
    assert found.importance == pytest.approx(np.array(RECORD["scores"][code]["importance"]), **SAME)
    assert (found.importance >= 0).all()
    assert found.disentanglement == pytest.approx(recorded["disentanglement"], **SAME)
    assert found.completeness == pytest.approx(recorded["completeness"], **SAME)
    assert found.informativeness == pytest.approx(recorded["informativeness_test"], **SAME)
    assert found.informativeness_train == pytest.approx(recorded["informativeness_train"], **SAME)


@EVERY_CODE
def test_sap_is_the_librarys(code):
    assert sap(*drawn(code, POINTS["sap"])) == pytest.approx(RECORD["scores"][code]["sap"]["SAP_score"], **SAME)


@EVERY_CODE
def test_the_beta_vae_score_is_the_librarys(code):
    train, test = POINTS["beta_vae"]
    found = beta_vae_score(truth(code), SEED, train=train, test=test)
    assert found == pytest.approx(RECORD["scores"][code]["beta_vae"]["eval_accuracy"], **SAME)


@EVERY_CODE
def test_the_factor_vae_score_is_the_librarys(code):
    train, test, variance_points = POINTS["factor_vae"]
    found = factor_vae_score(truth(code), SEED, train=train, test=test, variance_points=variance_points)
    assert found == pytest.approx(RECORD["scores"][code]["factor_vae"]["eval_accuracy"], **SAME)


def test_defaults_are_those_of_the_librarys_study():
    settings = RECORD["settings"]

    def defaults(function):
        return {name: parameter.default for name, parameter in inspect.signature(function).parameters.items()}

    assert settings["discretizer"] == {"discretizer_fn": "@histogram_discretizer", "num_bins": defaults(mig)["bins"]}
    assert defaults(mutual_information)["bins"] == defaults(mig)["bins"]
    assert not settings["sap_score"]["continuous_factors"]
    ours = defaults(beta_vae_score)
    assert settings["beta_vae_sklearn"] == {"batch_size": ours["batch"], "num_train": ours["train"], "num_eval": ours["test"]}
    ours = defaults(factor_vae_score)
    assert settings["factor_vae_score"] == {
        "batch_size": ours["batch"], "num_train": ours["train"], "num_eval": ours["test"], "num_variance_estimate": ours["variance_points"],
    }  # fmt: skip
    assert settings["prune_dims"] == {"threshold": ours["threshold"]}


# ---------------------------------------------------------------- closed forms


def grid(*sizes: int) -> np.ndarray:
    """Every combination of factors once: independent factors, without the error of a sample."""
    return np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), axis=1)


def test_mutual_information_of_a_perfect_code_is_the_entropy_of_its_bins():
    factors = grid(32, 6)
    bins = [min(20 * level // 31, 19) for level in range(32)]  # by integers; 32 levels, 20 bins
    share = np.bincount(bins) / 32
    expected = np.diag([-(share * np.log(share)).sum(), np.log(6)])
    assert mutual_information(factors, factors) == pytest.approx(expected, abs=1e-12)
    assert mig(factors, factors) == pytest.approx((expected[0, 0] / np.log(32) + 1) / 2, abs=1e-12)
    assert mig(factors, factors, bins=32) == pytest.approx(1, abs=1e-12)


def test_the_gap_of_a_unit_that_stands_twice_is_zero():
    factors = grid(5, 4)
    assert mig(factors[:, [0, 0, 1, 1]], factors) == pytest.approx(0, abs=1e-12)
    assert sap(factors[:, [0, 0, 1, 1]], factors, factors[:, [0, 0, 1, 1]], factors) == 0


def test_sap_of_a_perfect_code_of_coins_is_one_half():
    factors = grid(2, 2)[np.random.default_rng(0).integers(4, size=20_000)]
    assert sap(factors, factors, factors, factors) == pytest.approx(0.5, abs=0.01)  # the other unit guesses


def test_dci_tells_two_units_for_a_factor_from_two_factors_in_a_unit():
    bits = grid(2, 2, 2)[np.random.default_rng(0).integers(8, size=1_000)]
    a, b, c = bits.T
    split = dci(bits, np.stack([2 * a + b, c], axis=1), bits, np.stack([2 * a + b, c], axis=1))
    assert split.disentanglement == pytest.approx(1, abs=1e-6)
    assert split.completeness == pytest.approx(1 - np.log(2) / np.log(3) / 2, abs=0.02)  # 1 for c, and a and b share the other
    noise = np.random.default_rng(1).random(1_000)
    both = dci(np.stack([2 * a + b, 0 * noise], axis=1), bits[:, :2], np.stack([2 * a + b, 0 * noise], axis=1), bits[:, :2])
    assert both.disentanglement == pytest.approx(0, abs=1e-6)
    assert both.completeness == pytest.approx(1, abs=1e-6)
    assert split.informativeness == both.informativeness == both.informativeness_train == 1


def test_dci_of_units_that_say_nothing_is_zero():
    factors = grid(3, 4)
    silent = dci(np.zeros((12, 2)), factors, np.zeros((12, 2)), factors)
    assert silent.disentanglement == pytest.approx(0, abs=1e-6)
    assert silent.completeness == pytest.approx(0, abs=1e-6)
    assert silent.informativeness == pytest.approx((1 / 3 + 1 / 4) / 2)


# ---------------------------------------------------------------- codes of known quality

QUICK = {"train": 300, "test": 300}


def all_scores(ground_truth: GroundTruth) -> dict[str, float]:
    codes, factors = ground_truth.draw(1_500, seed=1)
    test_codes, test_factors = ground_truth.draw(1_500, seed=2)
    trees = dci(codes[:300], factors[:300], test_codes, test_factors)
    return {
        "mig": mig(codes, factors),
        "disentanglement": trees.disentanglement,
        "completeness": trees.completeness,
        "sap": sap(codes, factors, test_codes, test_factors),
        "beta_vae": beta_vae_score(ground_truth, 3, **QUICK),
        "factor_vae": factor_vae_score(ground_truth, 3, **QUICK),
    }


def signed(factors: np.ndarray) -> np.ndarray:
    return factors - 1.0 - np.arange(3) / 2  # 3, 4 and 5 values, centred


@pytest.fixture(scope="module")
def quality() -> dict[str, dict[str, float]]:
    """Scores of a perfect code of three factors, and of what becomes of it."""
    mixing = np.eye(3) - 2 / 3  # a reflection: each unit moves with every factor
    noise = np.random.default_rng(6)
    codes = {
        "perfect": signed,
        "permuted": lambda factors: signed(factors)[:, [2, 0, 1]] * [1, -1, 1],
        "rotated": lambda factors: signed(factors) @ mixing,
        "random": lambda factors: noise.normal(size=factors.shape),
    }
    return {name: all_scores(GroundTruth((3, 4, 5), represent)) for name, represent in codes.items()}


def test_a_perfect_code_is_best(quality):
    perfect = quality["perfect"]
    assert perfect["mig"] > 0.97  # 1 but for the error of the sample
    assert min(perfect["disentanglement"], perfect["completeness"], perfect["beta_vae"], perfect["factor_vae"]) > 0.97


def test_order_and_sign_of_the_units_do_not_matter(quality):
    assert quality["permuted"] == pytest.approx(quality["perfect"], abs=0.02)
    assert quality["permuted"]["mig"] == pytest.approx(quality["perfect"]["mig"], abs=1e-9)


@pytest.mark.parametrize("score", ["mig", "disentanglement", "completeness", "sap", "factor_vae"])
def test_rotation_lowers_the_scores(quality, score):
    assert quality["rotated"][score] < 0.8 * quality["perfect"][score]


def test_the_beta_vae_score_hardly_sees_a_rotation(quality):
    assert quality["rotated"]["beta_vae"] > 0.9  # its linear classifier may use all units: Kim & Mnih (2018), sec. 4


def test_noise_scores_nothing(quality):
    random = quality["random"]
    assert max(random["mig"], random["sap"], random["disentanglement"], random["completeness"]) < 0.1
    assert random["beta_vae"] == pytest.approx(1 / 3, abs=0.12)
    assert random["factor_vae"] == pytest.approx(1 / 3, abs=0.12)


# ---------------------------------------------------------------- units that are dead


def test_a_dead_unit_changes_no_score():
    alive = GroundTruth((3, 4, 5), signed)
    dead = GroundTruth((3, 4, 5), lambda factors: np.column_stack([np.full(len(factors), 0.3), signed(factors)]))
    assert factor_vae_score(dead, 3, **QUICK) == factor_vae_score(alive, 3, **QUICK) == 1
    assert mig(*dead.draw(1_000, 0)) == pytest.approx(mig(*alive.draw(1_000, 0)), abs=1e-12)


def test_a_faint_unit_has_no_vote():
    noise = np.random.default_rng(0)
    whispering = GroundTruth((3, 4, 5), lambda factors: np.column_stack([noise.normal(size=factors.shape), signed(factors) / 100]))
    assert factor_vae_score(whispering, 3, **QUICK) < 0.5
    assert factor_vae_score(whispering, 3, **QUICK, threshold=0.0) == 1


def test_without_an_active_unit_the_factor_vae_score_is_zero():
    assert factor_vae_score(GroundTruth((3, 4), lambda factors: factors / 1_000.0), **QUICK) == 0


def test_a_unit_that_is_constant_but_for_rounding_knows_nothing():
    factors = grid(8, 4)
    unit = np.full(len(factors), 0.1, dtype=np.float32)
    unit[::2] = np.nextafter(unit[0], np.float32(1))
    assert mutual_information(np.column_stack([unit, factors[:, 0].astype(np.float32)]), factors)[0] == pytest.approx(0, abs=1e-12)


# ---------------------------------------------------------------- seeds and wrong input


def test_scores_depend_on_their_seed_alone():
    before = np.random.get_state()[1].copy()
    codes, factors = truth("learned").draw(100, 0)
    pair = codes, factors[:, :2], codes, factors[:, :2]
    assert dci(*pair, seed=1).importance.tolist() == dci(*pair, seed=1).importance.tolist()
    few = {"train": 50, "test": 100}
    for score in (beta_vae_score, factor_vae_score):
        assert score(truth("rotated"), 1, **few) == score(truth("rotated"), 1, **few) != score(truth("rotated"), 2, **few)
    assert (np.random.get_state()[1] == before).all()


FACTORS = grid(3, 4)
CODE = FACTORS * 1.0


@pytest.mark.parametrize(
    ("codes", "factors", "message"),
    [
        (CODE[:, 0], FACTORS, "codes \\(N, d\\)"),
        (CODE, FACTORS[:, 0], "factors \\(N, K\\)"),
        (CODE.T, FACTORS, "a row of each per point"),
        (CODE[:1], FACTORS[:1], "a row of each per point"),
        (CODE[:, :1], FACTORS, "2 units"),
        (np.where(CODE > 1, np.nan, CODE), FACTORS, "NaN"),
        (CODE, FACTORS / 2, "integers"),
        (CODE, FACTORS * [1, 0], r"factors \[1\] take one value"),
    ],
)
def test_wrong_arrays_are_refused_with_advice(codes, factors, message):
    for score in (mig, lambda *arrays: sap(*arrays, CODE, FACTORS), lambda *arrays: dci(*arrays, CODE, FACTORS)):
        with pytest.raises(ValueError, match=message):
            score(codes, factors)


def test_test_points_must_fit_and_dci_compares_factors():
    for score in (sap, dci):
        with pytest.raises(ValueError, match="do not fit"):
            score(CODE, FACTORS, CODE[:, [0, 1, 1]], FACTORS)
        with pytest.raises(ValueError, match="do not fit"):
            score(CODE, FACTORS, CODE, FACTORS[:, [0, 1, 1]])
    with pytest.raises(ValueError, match="2 factors"):
        dci(CODE, FACTORS[:, :1], CODE, FACTORS[:, :1])


def test_scores_of_too_few_points_are_refused():
    truth = GroundTruth((3, 4), lambda factors: factors.astype(float))
    for options in ({"batch": 1}, {"train": 0}, {"test": 0}, {"variance_points": 0}):
        with pytest.raises(ValueError, match="a variance wants at least 2 codes, a score one point"):
            factor_vae_score(truth, **options)
    for options in ({"batch": 0}, {"train": 0}, {"test": 0}):
        with pytest.raises(ValueError, match="at least one point"):
            beta_vae_score(truth, **options)
    with pytest.raises(ValueError, match="at least one bin, got 0"):
        mig(CODE, FACTORS, bins=0)
