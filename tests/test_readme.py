"""The README's numbers are those of the records and cards, and its commands exist."""

import json
import re
import statistics
from pathlib import Path

import numpy as np
import pytest

from vae_tutorial import checkpoints
from vae_tutorial.experiments import records
from vae_tutorial.experiments.__main__ import load_experiments

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def row(first_words: str) -> str:
    """The one row of the table that begins with these words."""
    (found,) = (line for line in README.splitlines() if line.startswith(f"| {first_words}"))
    return found


def spread(values: np.ndarray | list[float], digits: int) -> str:
    return f"{np.mean(values):.{digits}f} ± {np.std(values, ddof=1):.{digits}f}"


def losses(name: str) -> list[float]:
    """Of the shipped model and of those from other seeds."""
    card, record = checkpoints.model_card(name), records.load_record("recipe-seeds")
    return [card["numbers"]["official_test"]["loss"], *records.over_seeds(record, "loss", recipe=name)]


def test_the_shipped_models_numbers():
    said = row("`mnist-2d`, test")
    assert f"{losses('mnist-2d')[0]:.1f} nats; over three trainings {spread(losses('mnist-2d'), 1)}" in said
    assert f"({checkpoints.model_card('mnist-2d')['bytes'] / 1000:.0f} KB)" in said
    said = row("`mnist-likelihood`")
    assert f"−ELBO {spread(losses('mnist-likelihood'), 2)} on all" in said
    assert f"after {checkpoints.model_card('mnist-likelihood')['minutes']:.0f} minutes" in said


def test_the_likelihoods():
    runs = records.load_record("likelihood")["runs"]
    kinds = {"widened": {}, "as it is": {}, "fitted": {}}  # by part of the test images
    for run in runs:
        setting = run["setting"]
        if setting["products"] == "bfloat16":
            kind = "fitted" if "steps" in setting else "widened" if setting["widened"] > 1 else "as it is"
            kinds[kind][setting["part"]] = run["results"]["log_evidence"]
    widened = -statistics.mean(kinds["widened"].values())  # parts are equally large
    less = statistics.mean(kinds["widened"][part] - value for part, value in kinds["as it is"].items())
    said = row("`mnist-likelihood`")
    assert f"{-statistics.mean(kinds['fitted'].values()):.2f} nats from Gaussians fitted" in said
    assert f"{widened:.2f} from the encoder's q, widened" in said
    assert f"{widened + less:.2f} from q as it is" in said
    again = records.load_record("likelihood-trainings")
    shipped = [kinds["fitted"][part] for part in load_experiments()["likelihood-trainings"].PARTS]
    trainings = [-statistics.mean(shipped), *(-statistics.mean(run["results"]["log_evidence"]) for run in again["runs"])]
    assert f"over three trainings {spread(trainings, 2)} on 2,000 of the images (the shipped one there: {trainings[0]:.2f})" in said


def test_the_tighter_bound():
    record = records.load_record("iwae-mnist")
    one, five = (-records.over_seeds(record, "log_evidence", k=k) for k in (1, 5))
    said = row("`iwae-mnist`")
    assert f"{spread(five, 2)} against {spread(one, 2)} nats" in said
    assert f"every seed gains {min(one - five):.1f} to {max(one - five):.1f}" in said


def test_one_network_for_every_beta():
    shared, own, longer = (records.load_record(name) for name in ("beta-conditioned", "beta-separate", "beta-epochs"))
    betas = load_experiments()["beta-conditioned"].BETAS

    def apart(term: str) -> np.ndarray:
        return records.over_seeds(shared, term).mean(0) - [records.over_seeds(own, term, beta=beta).mean() for beta in betas]

    objective, rate = apart("loss"), dict(zip(betas, apart("rate"), strict=True))
    said = row("`mnist-beta`").replace("−", "-")
    assert f"{objective.min():+.1f} … {objective.max():+.1f} nats" in said
    place = betas.index(10.0)
    after = records.over_seeds(shared, "loss")[:, place].mean() - records.over_seeds(longer, "loss", beta=10.0, epochs=120).mean()
    assert f"at β = 10 after 120: {after:+.1f}" in said
    assert [beta for beta in betas if abs(rate[beta]) <= 0.5] == [0.3, 1.0, 30.0]
    assert f"({rate[0.1]:+.1f} at 0.1, {rate[10.0]:+.1f} at 10)" in said
    tried = [beta for beta in betas if beta in {run["setting"]["beta"] for run in longer["runs"] if run["setting"]["epochs"] == 120}]
    long_rate = [records.over_seeds(longer, "rate", beta=beta, epochs=120).mean() for beta in tried]
    kept = [
        beta for beta, own_rate in zip(tried, long_rate, strict=True)
        if abs(records.over_seeds(shared, "rate").mean(0)[betas.index(beta)] - own_rate) <= 0.5
    ]  # fmt: skip
    assert (tried, kept) == ([0.1, 0.3, 3.0, 10.0], [3.0])
    assert "after 120, tried at 0.1, 0.3, 3 and 10: at 3 only" in said


def test_the_training_loop():
    (first, *others) = json.loads((ROOT / "vae_tutorial" / "timings" / "training.json").read_text("utf-8")).values()
    runs = [first, *others]
    ratios = {pair: [run["ratios"][pair]["processor"]["median"] for run in runs] for pair in first["ratios"]}
    assert {f"{ratio:.1f}×" for ratio in ratios["textbook/ours"]} == {re.search(r"\| ([\d.]+×);", row("textbook loop"))[1]}
    low, high = min(ratios["ours/products"]), max(ratios["ours/products"])
    assert f"| {low:.1f} to {high:.1f}×;" in row("`training.fit`")


@pytest.mark.parametrize("name", sorted(set(re.findall(r"experiments`? ?([a-z-]+)`|`… ([a-z]+-[a-z]+)`", README))))
def test_a_command_s_experiment_exists(name):
    assert "".join(name) in load_experiments()
