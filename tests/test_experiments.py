"""Experiments: the list, the records, each run in miniature, and the claims that the recorded numbers must bear."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from vae_tutorial import checkpoints
from vae_tutorial.data import Images
from vae_tutorial.experiments import __main__ as command
from vae_tutorial.experiments import records
from vae_tutorial.recipes import measuring

EXPERIMENTS = command.load_experiments()


@pytest.fixture
def miniature(train_digits, monkeypatch) -> None:
    """Three hundred digits in place of every data set."""
    few = Images(train_digits.x[:300], train_digits.y[:300], "a few digits")
    monkeypatch.setattr(measuring, "load_images", lambda *given, **options: few)


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


def test_the_command_runs_what_is_missing_and_writes_the_record(monkeypatch, tmp_path, capsys):
    settings = [{"seed": 0, "beta": 1.0}]
    experiment = SimpleNamespace(NAME="coin", __doc__="Throw a coin.", DATA="none", SETTINGS=settings, run=coin, MINUTES=0)
    monkeypatch.setattr(command, "load_experiments", lambda: {"coin": experiment})
    run_command(monkeypatch, "coin", "--runs", tmp_path / "runs", "--to", tmp_path / "records", "--jobs", 1)
    assert records.load_record("coin", tmp_path / "records")["runs"][0]["results"] == {"loss": 1.0}
    assert len(list((tmp_path / "runs").iterdir())) == 1
    assert "wrote" in capsys.readouterr().out


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_run_gives_plain_numbers_that_its_seed_decides(name, miniature, monkeypatch):
    experiment = EXPERIMENTS[name]
    for module in {value for value in sys.modules.values() if getattr(value, "__name__", "").startswith("vae_tutorial.")}:
        for constant, small in {"EPOCHS": 6, "SAMPLES": 3, "STEPS": 4, "SPRITES": 256, "HELD_OUT_SPRITES": 200}.items():
            if hasattr(module, constant):
                monkeypatch.setattr(module, constant, small)
    setting = experiment.SETTINGS[0]
    first = experiment.run(**setting)
    assert all(np.isfinite(np.ravel(value)).all() for value in first.values())
    torch.manual_seed(99)
    assert experiment.run(**setting) == first
    if "seed" in setting:
        assert experiment.run(**(setting | {"seed": setting["seed"] + 1})) != first


# ---------------------------------------------------------------- what was recorded


@pytest.mark.parametrize("name", EXPERIMENTS)
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
