"""t-SNE maps: what is stored comes back, maps are turned onto each other, and the recorded file is what the page says."""

import numpy as np
import pytest
import torch

from vae_tutorial import embeddings
from vae_tutorial.embeddings import LEVELS, Cloud, draw_maps, load_clouds, match, principal_axes, save_clouds
from vae_tutorial.experiments import tsne_maps


def blobs(seed: int = 0) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.cat([torch.randn(30, 3, generator=draw) + torch.tensor([10.0 * k, 0.0, 0.0]) for k in range(3)])


def test_what_is_saved_is_loaded(tmp_path):
    codes, labels = blobs().half().float(), torch.arange(90) % 10
    maps = torch.randint(0, LEVELS + 1, (2, 90, 2), generator=torch.Generator().manual_seed(1)).float()
    some = {"a": Cloud(codes, labels, maps, (5.0, 20.0), True), "b": Cloud(codes[:, :2], labels, maps.flip(0), (5.0, 20.0), False)}
    save_clouds(some, "a test", tmp_path / "maps.safetensors")
    found = load_clouds(tmp_path / "maps.safetensors")
    assert list(found) == ["a", "b"]
    for name, cloud in some.items():
        for part in ("codes", "labels", "maps"):
            torch.testing.assert_close(getattr(found[name], part), getattr(cloud, part))
        assert (found[name].perplexities, found[name].model) == ((5.0, 20.0), cloud.model)


def test_clouds_of_one_file_share_their_perplexities(tmp_path):
    cloud = Cloud(blobs(), torch.zeros(90, dtype=torch.int64), torch.zeros(1, 90, 2), (5.0,), True)
    other = Cloud(cloud.codes, cloud.labels, cloud.maps, (6.0,), True)
    for wrong in ({}, {"a": cloud, "b": other}):
        with pytest.raises(ValueError, match="share their perplexities"):
            save_clouds(wrong, "a test", tmp_path / "maps.safetensors")


def test_a_map_is_turned_and_mirrored_onto_another():
    target = np.random.default_rng(0).normal(size=(40, 2))
    target -= (target.max(0) + target.min(0)) / 2
    angle = 2.0
    turn = np.array([[np.cos(angle), np.sin(angle)], [np.sin(angle), -np.cos(angle)]])  # with a reflection
    np.testing.assert_allclose(match(target @ turn + 7, target), target, atol=1e-9)


def test_maps_fill_their_frame_and_keep_neighbours():
    codes = blobs()
    maps = draw_maps(codes, (5.0, 10.0))
    assert maps.shape == (2, 90, 2)
    for flat in maps:
        assert flat.min() >= 0
        assert flat.max() <= LEVELS
        assert (flat.amax(0) - flat.amin(0)).max() > 0.98 * LEVELS
        apart = torch.cdist(flat, flat).fill_diagonal_(torch.inf)
        assert (apart.argmin(1) // 30 == torch.arange(90) // 30).float().mean() > 0.95
    torch.testing.assert_close(draw_maps(codes, (5.0, 10.0)), maps)


def test_principal_axes_keep_distances_and_order_the_units():
    codes = blobs() @ torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(2))).Q + 4
    codes = codes.double()
    turned = principal_axes(codes)
    torch.testing.assert_close(torch.cdist(turned, turned), torch.cdist(codes, codes), atol=1e-5, rtol=1e-6)
    torch.testing.assert_close(turned.norm(dim=1), codes.norm(dim=1))  # turned about 0, so that N(0, I) stays
    assert (turned.var(0).diff() < 0).all()


def test_the_clouds_made_by_hand_are_as_described():
    codes, labels = tsne_maps.three_blobs(360, seed=0)
    assert labels.bincount().tolist() == [0, 120, 120, 120]
    for label, (_, deviation) in tsne_maps.BLOBS.items():
        assert codes[labels == label].std(0).mean() == pytest.approx(deviation, rel=0.15)
    gaussian, _ = tsne_maps.one_gaussian(360, seed=0)
    assert gaussian.std() == pytest.approx(1, abs=0.1)


# ---------------------------------------------------------------- what was recorded


def test_the_recorded_file_is_small_and_complete():
    assert embeddings.RECORDED.stat().st_size < 100_000
    clouds = load_clouds()
    assert len(clouds) == 2 * len(tsne_maps.MODELS) + 2
    for cloud in clouds.values():
        assert cloud.perplexities == tsne_maps.PERPLEXITIES
        assert cloud.maps.shape == (len(tsne_maps.PERPLEXITIES), len(cloud.codes), 2)
    for d in (2, 10):
        models = [clouds[f"{name}, d = {d}"] for name in tsne_maps.MODELS]
        assert all(torch.equal(cloud.labels, models[0].labels) for cloud in models)
        assert models[0].labels.bincount().tolist() == 10 * [tsne_maps.EACH]


def test_the_clouds_made_by_hand_are_remade_exactly():
    clouds = load_clouds()
    for name, (codes, labels) in {
        "three blobs, d = 2": tsne_maps.three_blobs(10 * tsne_maps.EACH, tsne_maps.SEED),
        "one Gaussian, d = 2": tsne_maps.one_gaussian(10 * tsne_maps.EACH, tsne_maps.SEED),
    }.items():
        torch.testing.assert_close(clouds[name].codes, codes.half().float())
        assert torch.equal(clouds[name].labels, labels)


def test_one_recorded_map_is_remade():
    """Of the cloud made by hand, at one perplexity: the neighbours are those recorded (places may differ in the last digit)."""
    cloud = load_clouds()["three blobs, d = 2"]
    flat = draw_maps(cloud.codes, (2.0,), tsne_maps.SEED)[0]
    near = [torch.cdist(places, places).fill_diagonal_(torch.inf).topk(5, largest=False).indices for places in (flat, cloud.maps[0])]
    shared = np.mean([len(set(one.tolist()) & set(other.tolist())) for one, other in zip(*near, strict=True)])
    assert shared > 3
