"""Experiments: the list, the records, each run in miniature, and the claims that the recorded numbers must bear."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import second_device
import torch

from vae_tutorial import checkpoints
from vae_tutorial.data import Images
from vae_tutorial.experiments import __main__ as command
from vae_tutorial.experiments import records
from vae_tutorial.models import VAE
from vae_tutorial.recipes import measuring

EXPERIMENTS = command.load_experiments()


@pytest.fixture
def miniature(train_digits, monkeypatch) -> None:
    """Three hundred digits in place of every data set, and little work."""
    few = Images(train_digits.x[:300], train_digits.y[:300], "a few digits")
    monkeypatch.setattr(measuring, "load_images", lambda *given, **options: few)
    constants = {"EPOCHS": 6, "SAMPLES": 3, "STEPS": 4, "SPRITES": 256, "HELD_OUT_SPRITES": 200, "CODES": 20, "DIGITS": 10, "POINTS": 200}
    for module in {value for value in sys.modules.values() if getattr(value, "__name__", "").startswith("vae_tutorial.")}:
        for constant in constants.keys() & vars(module).keys():
            monkeypatch.setattr(module, constant, constants[constant])


def coin(seed: int, beta: float) -> dict[str, float]:
    """A run that takes no time."""
    return {"loss": beta + seed / 10}


@pytest.fixture
def record(tmp_path) -> dict:
    experiment = SimpleNamespace(NAME="coin", __doc__="Throw a coin.\n", DATA="none", SETTINGS=[], run=coin)
    settings = [{"seed": seed, "beta": beta} for beta in (1.0, 4.0) for seed in (2, 0, 1)]
    common = {"seconds": 1.0, "versions": {"python": "3.11", "torch": "2"}, "run": "x"}
    runs = [{"setting": one, "results": coin(**one)} | common for one in settings]
    runs[0]["versions"] = {"python": "3.12", "torch": "2"}
    path = command.record(experiment, runs, tmp_path)
    assert path.name == "coin.json"
    return records.load_record("coin", tmp_path)


def test_a_record_holds_every_run_and_what_they_have_in_common(record):
    assert len(record["runs"]) == 6
    assert record["versions"] == {"torch": "2"}  # the Pythons differed
    assert record["command"] == "python -m vae_tutorial.experiments coin"
    assert record["runs"][0] == {"setting": {"seed": 2, "beta": 1.0}, "results": {"loss": 1.2}, "seconds": 1.0}


def test_numbers_come_in_the_order_of_the_seeds(record):
    np.testing.assert_allclose(records.over_seeds(record, "loss", beta=4.0), [4.0, 4.1, 4.2])


def test_what_was_not_recorded_is_refused(record, tmp_path):
    with pytest.raises(ValueError, match=r"no run with .*'beta': 2"):
        records.over_seeds(record, "loss", beta=2.0)
    with pytest.raises(ValueError, match=r"unknown experiment 'toss': choose from \['coin'\]"):
        records.load_record("toss", tmp_path)


def run_command(monkeypatch, *arguments) -> None:
    monkeypatch.setattr(sys, "argv", ["experiments", *map(str, arguments)])
    command.main()


def test_without_a_name_the_experiments_are_listed(monkeypatch, capsys):
    run_command(monkeypatch)
    listed = capsys.readouterr().out
    for name, experiment in EXPERIMENTS.items():
        assert f"{name} " in listed
        assert experiment.__doc__.strip() in listed
        assert f"{len(experiment.SETTINGS)} runs" in listed
    assert listed.count("not recorded yet") == len(EXPERIMENTS) - len(list(records.RECORDED.glob("*.json")))


def test_the_command_runs_what_is_missing_and_writes_the_record(monkeypatch, tmp_path, capsys):
    settings = [{"seed": 0, "beta": 1.0}]
    experiment = SimpleNamespace(NAME="coin", __doc__="Throw a coin.", DATA="none", SETTINGS=settings, run=coin, MINUTES=0)
    monkeypatch.setattr(command, "load_experiments", lambda: {"coin": experiment})
    run_command(monkeypatch, "coin", "--runs", tmp_path / "runs", "--to", tmp_path / "records", "--jobs", 1)
    assert records.load_record("coin", tmp_path / "records")["runs"][0]["results"] == {"loss": 1.0}
    assert len(list((tmp_path / "runs").iterdir())) == 1
    assert "wrote" in capsys.readouterr().out


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_run_gives_plain_numbers_that_its_seed_decides(name, miniature):
    experiment = EXPERIMENTS[name]
    setting = experiment.SETTINGS[0] | ({"epochs": 6} if "epochs" in experiment.SETTINGS[0] else {})
    first = experiment.run(**setting)
    assert all(np.isfinite(np.ravel(value)).all() for value in first.values())
    torch.manual_seed(99)
    assert experiment.run(**setting) == first
    if "seed" in setting:
        assert experiment.run(**(setting | {"seed": setting["seed"] + 1})) != first


RECIPES_RUN = {"recipe-seeds", "disentanglement", "likelihood-trainings"}  # where recipes train: see `test_devices`


@pytest.mark.parametrize("name", sorted(EXPERIMENTS.keys() - RECIPES_RUN))
def test_a_run_makes_its_tensors_where_it_trains(name, miniature):
    with second_device.standing_in():
        assert EXPERIMENTS[name].run(**EXPERIMENTS[name].SETTINGS[0])


# ---------------------------------------------------------------- what was recorded


@pytest.mark.parametrize("name", [name for name in EXPERIMENTS if (records.RECORDED / f"{name}.json").is_file()])
def test_every_setting_is_recorded(name):
    record = records.load_record(name)
    assert [run["setting"] for run in record["runs"]] == EXPERIMENTS[name].SETTINGS
    assert record["experiment"] == EXPERIMENTS[name].__doc__.strip()


def test_the_price_of_a_nat_moves_the_rate_one_way():
    """A larger β never buys a higher rate nor a lower distortion, with any seed."""
    record = records.load_record("beta-conditioned")
    assert (np.diff(records.over_seeds(record, "rate"), axis=1) < 0).all()
    assert (np.diff(records.over_seeds(record, "distortion"), axis=1) > 0).all()


def test_the_shipped_network_is_the_recorded_run_of_its_seed():
    """Two trainings of one recipe on one machine: the same numbers, up to the rounding of the shipped weights."""
    card, record = checkpoints.model_card("mnist-beta"), records.load_record("beta-conditioned")
    place = EXPERIMENTS["beta-conditioned"].BETAS.index(1.0)
    for term, value in card["numbers"]["official_test"].items():
        assert records.over_seeds(record, term, seed=card["seed"])[0, place] == pytest.approx(value, abs=0.01)


def fall(record: dict, model: str, path: str, latent_dim: int) -> np.ndarray:
    """How many nats of ELBO the decoded pictures lose from the ends of a path to its middle, one number per seed."""
    curves = records.over_seeds(record, f"elbo_{path}", model=model, latent_dim=latent_dim)
    return curves[:, [0, -1]].mean(1) - curves[:, 5]


def test_the_spherical_path_spares_a_16_dimensional_vae_the_fall_in_the_middle():
    """With every seed, and more than in an autoencoder, whose origin means nothing."""
    record = records.load_record("interpolation")
    saved = {model: fall(record, model, "straight", 16) - fall(record, model, "spherical", 16) for model in ("vae", "autoencoder")}
    assert saved["vae"].min() > 8
    assert saved["vae"].min() > saved["autoencoder"].max()
    assert fall(record, "vae", "spherical", 16).max() < fall(record, "autoencoder", "spherical", 16).min()


def test_an_arc_around_a_2_dimensional_autoencoders_origin_is_a_gamble():
    assert np.ptp(fall(records.load_record("interpolation"), "autoencoder", "spherical", 2)) > 20


def test_the_nearest_code_prefers_the_straight_middle():
    record = records.load_record("interpolation")
    middles = {path: records.over_seeds(record, f"distance_{path}", model="vae", latent_dim=16)[:, 5] for path in ("straight", "spherical")}
    assert (middles["spherical"] > middles["straight"] + 0.1).all()


# ---------------------------------------------------------------- clusters


@pytest.mark.parametrize(("noise", "sampled"), [("learned", True), ("none", False)])
def test_the_corner_with_both_is_the_elbo_and_without_noise_the_mean_is_decoded(noise, sampled, test_digits):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model, x = VAE(2, (16,)), test_digits.x[:20]
        terms = EXPERIMENTS["clusters"].noise_and_kl(model, x, noise, beta=1.0)
        torch.manual_seed(1)
        eps = torch.randn(20, 2)
    mu, log_var = model.encode(x)
    torch.testing.assert_close(terms["kl"], (mu.square() + log_var.exp() - 1 - log_var).sum(1) / 2)
    torch.testing.assert_close(terms["loss"], terms["distortion"] + terms["kl"])
    exact = -model.likelihood(mu).log_prob(x)
    assert torch.allclose(terms["distortion"], exact) == (not sampled)
    code = EXPERIMENTS["clusters"].seen(model.posterior(x), noise, eps)
    torch.testing.assert_close(code, mu + sampled * (0.5 * log_var).exp() * eps)


def test_codes_without_noise_name_their_images(test_digits):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = VAE(2, (16,))
    found = EXPERIMENTS["clusters"].information(model, test_digits.x[:150], "none")
    assert found == pytest.approx([np.log(50)] + 4 * [np.log(150)])
    assert EXPERIMENTS["clusters"].information(model, test_digits.x[:150], "fixed")[-1] < 0.1  # untrained codes under noise of size 1


def clusters(result: str, kind: str) -> np.ndarray:
    return records.over_seeds(records.load_record("clusters"), result, kind=kind)


def test_kl_alone_shrinks_the_codes_and_bounds_nothing():
    assert clusters("spread", "kl")[:, -1].max() < 0.6 * clusters("spread", "neither")[:, -1].min()
    assert (clusters("information", "kl")[:, -1] > 4 * clusters("kl", "kl")).all()


def test_noise_alone_makes_room_between_clouds_and_both_together_limit_the_information():
    ratio = {kind: clusters("spread", kind)[:, -1] / clusters("sigma", kind)[:, -1] for kind in ("noise", "both")}
    assert ratio["noise"].min() > 1.5 * ratio["both"].max()
    assert clusters("spread", "fixed-noise")[:, -1].min() > 3
    assert clusters("information", "noise")[:, -1].min() > clusters("information", "both")[:, -1].max() + 0.3
    assert (clusters("information", "both")[:, -1] < clusters("kl", "both")).all()


LATENT_BETAS = (1.0, 0.01, 0.0, None)


@pytest.mark.parametrize("d", [2, 10])
def test_without_the_kl_term_codes_leave_the_prior(d):
    """With every seed: wider codes, told from the prior; a rate that has risen, far above the one that is paid for."""
    record = records.load_record("latent-space")
    spread, told = ({b: records.over_seeds(record, key, d=d, beta=b) for b in LATENT_BETAS} for key in ("spread", "told_apart"))
    for free in (0.0, None):
        assert spread[free].min() > 3 * spread[1.0].max()
        assert told[free].min() > told[1.0].max() + 0.1
    rate = records.over_seeds(record, "rate", d=d, beta=0.0)
    assert rate[:, -1].min() > 5 * records.over_seeds(record, "rate", d=d, beta=1.0)[:, -1].max()
    assert (rate[:, -1] > rate[:, 0] + 5).all()


def test_naming_digits_does_not_need_the_kl_term():
    record = records.load_record("latent-space")
    for d in (2, 10):
        named = {b: records.over_seeds(record, "knn_means", d=d, beta=b).mean() for b in LATENT_BETAS}
        assert named[None] > named[1.0] - 0.02
    on_map = [records.over_seeds(record, "knn_tsne", d=10, beta=b).mean() for b in LATENT_BETAS]
    assert max(on_map) - min(on_map) < 0.06


def test_no_recorded_information_is_beyond_its_bounds():
    """Of a code about one of N images: at least 0, and at most log N."""
    ceilings = np.log(EXPERIMENTS["clusters"].SIZES)
    for run in records.load_record("clusters")["runs"]:
        information = np.array(run["results"]["information"])
        assert (information > -0.05).all()
        assert (information < ceilings + 1e-3).all()
    for run in records.load_record("latent-space")["runs"]:
        assert -0.05 < run["results"].get("information", 0.0) < np.log(EXPERIMENTS["latent-space"].PROBED) + 1e-3  # VAEs have it


def test_information_has_a_ceiling_and_the_rate_has_none():
    record = records.load_record("latent-space")
    ceiling = np.log(EXPERIMENTS["latent-space"].PROBED)
    for beta in (1.0, 0.01, 0.0):
        information, rate = (records.over_seeds(record, key, d=10, beta=beta) for key in ("information", "final_rate"))
        assert (information < ceiling + 1e-3).all()
        assert (rate > ceiling + 1).all()


def test_the_elbo_is_best_at_its_own_weight():
    """On held-out digits β = 1 wins for every seed, though a smaller weight learns faster."""
    betas = EXPERIMENTS["kl-weight"].BETAS
    record = records.load_record("kl-weight")
    elbos = np.stack([-over_both(record, "rate", "distortion", beta=beta) for beta in betas])  # (β, seed, epoch)
    assert (elbos[:, :, -1].argmax(0) == betas.index(1.0)).all()
    assert (elbos[betas.index(0.3), :, 4].mean() > elbos[betas.index(1.0), :, 4].mean()).all()


def test_a_larger_weight_wakes_fewer_units_and_never_more_than_the_spectrum_allows(train_digits):
    """The optimum's units are the eigenvalues above β of the pixels' covariance in units of π(1 − π): here by NumPy."""
    pixels = train_digits.x.flatten(1).double().numpy()
    mean = pixels.mean(0)
    varies = mean > 0
    spectrum = np.linalg.eigvalsh(np.cov((pixels[:, varies] / np.sqrt(mean * (1 - mean))[varies]).T))
    record = records.load_record("kl-weight")
    counts = [(records.over_seeds(record, "rate_per_unit", beta=beta) > 0.05).sum(1) for beta in (1.0, 3.0, 10.0, 30.0)]
    assert (np.diff([count.mean() for count in counts]) < 0).all()
    for beta, count in zip((3.0, 10.0, 30.0), counts[1:], strict=True):
        assert (count <= (spectrum > beta).sum()).all()


def over_both(record: dict, first: str, second: str, **setting: object) -> np.ndarray:
    return records.over_seeds(record, first, **setting) + records.over_seeds(record, second, **setting)


# ---------------------------------------------------------------- the page Shortcomings


def test_packed_pixels_come_back():
    images = np.random.default_rng(0).random((3, 1, 5, 7))
    for bits, error in ((1, 0.5), (4, 0.5 / 15)):
        packed = records.pack_pixels(images, bits)
        assert max(packed) < 2**48
        again = records.unpack_pixels(packed, bits, (1, 5, 7))
        assert np.abs(again - images).max() <= error + 1e-9
        assert records.pack_pixels(again, bits) == packed


def shortcoming(name: str, result: str, **setting) -> np.ndarray:
    return records.over_seeds(records.load_record(name), result, **setting)


def test_a_higher_rate_is_sharper_and_stays_soft():
    """With every seed; and pixel samples are sharper than originals and recognised less than means."""
    for size in (2, 16):
        assert (np.diff([shortcoming("blur", "rate", latent_dim=size, beta=beta) for beta in EXPERIMENTS["blur"].BETAS], axis=0) < 0).all()
    cheap, dear = (shortcoming("blur", "mean_sharpness", latent_dim=16, beta=beta) for beta in (0.1, 10.0))
    assert (cheap > 1.1 * dear).all()
    assert (cheap < 0.7 * shortcoming("blur", "original_sharpness", latent_dim=16, beta=0.1)).all()
    samples, means = (shortcoming("blur", f"{kind}_recognised", latent_dim=16, beta=1.0) for kind in ("pixel_sample", "mean"))
    assert (samples < means).all()


def test_a_decoder_that_sees_far_leaves_the_code_silent_and_free_bits_do_not():
    rates = np.stack([shortcoming("collapse", "rate", reach=reach, cure="none") for reach in (0, 1, 3, 6)])
    assert (np.diff(rates.mean(1)) < 0).all()
    assert (rates[3] < 0.7 * rates[0]).all()
    assert (shortcoming("collapse", "rate", reach=6, cure="free bits") > 3 * rates[3]).all()
    losses = [shortcoming("collapse", "loss", reach=reach, cure="none") for reach in (0, 6)]
    assert losses[1].max() < losses[0].min() - 1


def test_a_mixture_fitted_to_the_codes_has_fewer_bad_samples_and_a_better_bound():
    for beta in (0.3, 1.0):
        for kind in ("unsure", "far"):
            assert (shortcoming("holes", f"mixture_40_{kind}", beta=beta) < shortcoming("holes", f"prior_{kind}", beta=beta)).all()
        assert (shortcoming("holes", "mixture_40_gain", beta=beta) > shortcoming("holes", "mixture_1_gain", beta=beta)).all()


# ---------------------------------------------------------------- the page Denoising


def denoised(result: str) -> np.ndarray:
    return records.over_seeds(records.load_record("denoising"), result)


def test_extra_units_let_noise_pass_and_pairs_take_it_away():
    """With every seed."""
    assert (denoised("passed_wide_copy") > 2 * denoised("passed_narrow_copy")).all()
    for width in ("narrow", "wide"):
        assert (denoised(f"passed_{width}") < 0.5 * denoised(f"passed_{width}_copy")).all()
    assert (denoised("gaussian_wide")[:, -1] > denoised("gaussian_wide_copy")[:, -1] + 1.5).all()
    assert (denoised("clean_wide_copy") > denoised("clean_wide") + 2).all()


@pytest.mark.parametrize("kind", ["gaussian", "salt-and-pepper", "masking"])
def test_inference_under_the_noise_is_what_a_vae_is_good_for(kind):
    marginal, two_networks = denoised(f"{kind}_marginal"), denoised(f"{kind}_two_networks")
    assert (marginal > two_networks + 1).all()
    assert (two_networks[:, 0] < denoised(f"{kind}_noisy")[:, 0] - 0.3).all()
    assert (marginal[:, 0] > denoised(f"{kind}_pca")[:, 0] + 0.3).all()


def test_a_model_of_garments_finds_digits_probable_until_the_floor_is_gone():
    """With every seed; coins in place of grey levels change nothing, a threshold and the subtracted floor do."""
    digits = {
        pixels: shortcoming("anomaly", "other_elbo_auroc", trained_on="fashion-mnist", pixels=pixels)
        for pixels in ("grey", "coins", "threshold")
    }
    assert max(digits["grey"].max(), digits["coins"].max()) < 0.42
    assert digits["threshold"].min() > 0.65
    assert shortcoming("anomaly", "other_excess_auroc", trained_on="fashion-mnist", pixels="grey").min() > 0.95
    assert shortcoming("anomaly", "other_elbo_auroc", trained_on="mnist", pixels="grey").min() > 0.98
    assert shortcoming("anomaly", "empty_elbo_auroc", trained_on="fashion-mnist", pixels="threshold").max() < 0.1


def test_codes_help_where_labels_are_few_and_the_plain_autoencoder_s_as_much():
    for labels in (5, 10, 20):
        pixels, vae, plain = (shortcoming("few-labels", f"{name}_nearest", labels=labels) for name in ("pixels", "vae", "autoencoder"))
        assert (vae > pixels).all()
        assert (plain > pixels + 0.01).all()
        assert plain.mean() > vae.mean() - 0.01
    many = [shortcoming("few-labels", f"{name}_nearest", labels=100) for name in ("pixels", "vae")]
    assert abs(many[0] - many[1]).max() < 0.03


# ---------------------------------------------------------------- the page β-VAE as constrained optimisation


def roads(result: str) -> dict[str, np.ndarray]:
    """A result of every seed, by road."""
    record = records.load_record("constrained")
    return {road: records.over_seeds(record, result, road=road) for road in EXPERIMENTS["constrained"].ROADS}


def test_each_road_keeps_what_it_holds():
    experiment = EXPERIMENTS["constrained"]
    assert (np.abs(roads("train_rate")["rate"] / experiment.RATE - 1) < 0.04).all()
    assert (np.abs(roads("train_distortion")["distortion"] / experiment.DISTORTION - 1) < 0.01).all()


def test_held_roads_find_a_price_near_the_one_that_the_targets_came_from():
    prices = roads("beta")
    assert (prices["beta"] == EXPERIMENTS["constrained"].BETA).all()
    for road in ("rate", "distortion"):
        assert ((prices[road][:, -1] > 3) & (prices[road][:, -1] < 6)).all()


def test_at_equal_rate_a_held_rate_is_as_good_as_a_given_price():
    rate, distortion = roads("train_rate"), roads("train_distortion")
    bill = {road: (distortion[road] + EXPERIMENTS["constrained"].BETA * rate[road]).mean() for road in rate}
    assert abs(bill["rate"] - bill["beta"]) < 1.5
    assert bill["distortion"] > bill["beta"] + 1.5  # the detour is not made up for
    assert rate["rate"].std(ddof=1) < rate["beta"].std(ddof=1)


def test_a_bound_of_more_codes_is_higher_and_needs_more_of_them_in_sixteen_dimensions():
    record = records.load_record("importance-bounds")
    for model in ("mnist-16d", "mnist-2d"):
        assert (np.diff(records.over_seeds(record, "bound", model=model), axis=1) > 0).all()
        assert (np.diff(records.over_seeds(record, "effective", model=model), axis=1) > 0).all()
    ends = {model: records.over_seeds(record, "effective", model=model)[:, -1] for model in ("mnist-16d", "mnist-2d")}
    assert ends["mnist-16d"].max() < 0.05 * 5_000 < ends["mnist-2d"].min()
    eight = records.over_seeds(record, "each_effective", model="mnist-2d")[:, -1, 8]
    assert np.median(eight) < 10  # a digit that the encoder misreads


def test_training_on_five_codes_raises_the_evidence_and_lowers_the_elbo():
    record = records.load_record("iwae")
    gains = {name: np.subtract(*(records.over_seeds(record, name, k=k) for k in (5, 1))) for name in ("log_evidence", "elbo")}
    assert gains["log_evidence"].min() > 2
    assert gains["elbo"].max() < 0


def test_a_learned_prior_gains_and_a_refitted_one_draws_better():
    record = records.load_record("priors")
    elbo = {prior: -records.over_seeds(record, "loss", prior=prior) for prior in ("standard", "mixture")}
    later = {prior: elbo[prior] + records.over_seeds(record, "later_gain", prior=prior) for prior in elbo}
    assert (elbo["mixture"] > elbo["standard"] + 1).all()
    assert (later["standard"] > elbo["standard"] + 1).all()
    assert (later["mixture"] > later["standard"] + 0.5).all()
    bad = {prior: records.over_seeds(record, "prior_unsure", prior=prior) for prior in elbo}
    assert (bad["mixture"] < bad["standard"]).all()
    assert (records.over_seeds(record, "later_unsure", prior="mixture") < bad["mixture"] - 0.03).all()
