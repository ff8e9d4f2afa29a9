"""The importance bound: groups of codes by loops, the record against the library's estimate, the reading in the browser."""

from pathlib import Path

import node
import numpy as np
import pytest
import torch
import traitlets

from vae_tutorial import checkpoints, explorers
from vae_tutorial.data import Images
from vae_tutorial.evaluation import estimate_evidence
from vae_tutorial.experiments import importance_bounds
from vae_tutorial.experiments.records import load_record, over_seeds

JS = Path(__file__).parent / "js" / "over_log.mjs"
KS = importance_bounds.KS


def test_bounds_of_groups_by_loops():
    log_weights = 3 * torch.randn(12, 2)
    weights = np.exp(log_weights.double().numpy())
    for k in (1, 3, 12):
        groups = weights.reshape(-1, k, 2)
        bounds = np.mean([[np.log(group[:, n].mean()) for n in range(2)] for group in groups], 0)
        sizes = np.mean([[group[:, n].sum() ** 2 / (group[:, n] ** 2).sum() for n in range(2)] for group in groups], 0)
        found = importance_bounds.bounds_and_sizes(log_weights, k)
        np.testing.assert_allclose(found[0], bounds, rtol=1e-6)
        np.testing.assert_allclose(found[1], sizes, rtol=1e-6)
    with pytest.raises(ValueError, match="do not divide"):
        importance_bounds.bounds_and_sizes(log_weights, 5)
    assert all(KS[-1] % k == 0 for k in KS)


def test_the_digits_take_turns():
    images = importance_bounds.measured_digits()
    x, y = images.x, images.y
    assert y.tolist() == list(range(10)) * (importance_bounds.DIGITS // 10)
    assert set(x.unique().tolist()) == {0.0, 1.0}


@pytest.mark.parametrize("model", importance_bounds.MODELS)
def test_the_recorded_end_is_what_the_library_estimates_with_other_codes(model):
    record, x = load_record("importance-bounds"), importance_bounds.measured_digits().x[:10]
    each, count = (over_seeds(record, name, model=model).mean(0)[-1] for name in ("each_bound", "each_effective"))  # (10,) at k = 5,000
    again = estimate_evidence(checkpoints.load_model(model), x, 2_000, seed=7, progress=False).log_evidence.numpy()
    trusted = count > 20  # where a handful of codes carries the sum, two draws differ by nats
    assert trusted.sum() >= 8
    np.testing.assert_allclose(again[trusted], each[trusted], atol=0.8)
    assert again[trusted].mean() == pytest.approx(each[trusted].mean(), abs=0.3)


def test_factory():
    record, every = load_record("importance-bounds"), importance_bounds.measured_digits()
    images = Images(every.x[:10], every.y[:10], every.source)
    box = explorers.importance_bound(record, KS, images, k=50)
    choice, strength, canvas = box.children
    assert choice.options == ("VAE, d = 16", "VAE, d = 2")
    assert (strength.value, canvas.k, canvas.digit) == (50, 50, -1)
    for variant, model in zip(canvas.variants, importance_bounds.MODELS, strict=True):
        np.testing.assert_allclose(variant["bound"], over_seeds(record, "bound", model=model).mean(0), atol=6e-4)
        np.testing.assert_allclose(variant["each_bound"], over_seeds(record, "each_bound", model=model).mean(0).T, atol=6e-4)
    assert not strength.readout_format.endswith(("f", "g")), "with a type, d3 writes 1.000 for one code"
    assert repr(canvas) == "ImportanceBound(k=50.0, variant=0, digit=-1)"
    for trait, value in {"k": 0.5, "digit": 10, "variant": 2}.items():
        with pytest.raises(traitlets.TraitError):
            setattr(canvas, trait, value)
    with pytest.raises(ValueError, match="k must lie in 1 … 5000"):
        explorers.importance_bound(record, KS, images, k=6_000)
    with pytest.raises(ValueError, match="ten digits"):
        explorers.importance_bound(record, KS, every)


def test_the_browser_reads_between_recorded_k_over_log_k():
    values, at = np.random.default_rng(0).normal(size=len(KS)), [1, 1.5, 3, 77, 4_999, 5_000]
    found = node.ask(JS, {"ks": KS, "values": values.tolist(), "at": at})
    np.testing.assert_allclose(found, np.interp(np.log(at), np.log(KS), values), rtol=1e-9)
