"""The explorer `interpolation`: what it hands over, and the browser's paths, neighbours and ELBOs against PyTorch."""

import base64
from pathlib import Path

import node
import numpy as np
import pytest
import torch
import traitlets

from vae_tutorial import explorers, interpolation
from vae_tutorial.data import Images
from vae_tutorial.explorers.canvas import Canvas
from vae_tutorial.explorers.interpolation import DRAWS, STEPS
from vae_tutorial.models import VAE, Autoencoder

WALK = Path(__file__).parent / "js" / "walk.mjs"


@pytest.fixture(scope="module")
def images():
    generator = torch.Generator().manual_seed(0)
    return Images(torch.rand(60, 1, 28, 28, generator=generator), torch.arange(60) % 10, "noise")


def pair(d: int) -> tuple[VAE, Autoencoder]:
    torch.manual_seed(d)
    vae, autoencoder = VAE(d, (16,), "silu"), Autoencoder(d, (16,), "silu")
    with torch.no_grad():  # codes as far from 0 as a trained encoder puts them
        for model in (vae, autoencoder):
            model.encoder[-1].weight.mul_(30)
            model.decoder[-1].weight.mul_(8)
    return vae, autoencoder


def canvas_of(box):
    canvas = box.children[-1]
    assert isinstance(canvas, Canvas)
    assert "0x" not in repr(box)
    return canvas


def network(canvas, name):
    return {
        "layers": getattr(canvas, f"{name}_layers"),
        "weights": base64.b64encode(getattr(canvas, f"{name}_weights")).decode(),
        "precision": canvas.precision,
    }


def walks(canvas, jobs):
    """What the browser makes of paths: jobs (network, path, start, end)."""
    judge = network(canvas, "judge") if canvas.judge_layers else network(canvas, "vae")
    d = canvas.vae_layers[0]["in"]
    common = {"judgeEncoder": network(canvas, "judge_encoder"), "judge": judge, "eps": np.frombuffer(canvas.eps, "<f4").tolist()}
    asked = []
    for name, path, start, end in jobs:
        ends = np.frombuffer(getattr(canvas, f"{name}_ends"), "<f4").reshape(-1, d)
        codes = np.frombuffer(getattr(canvas, f"{name}_codes"), "<f2").astype("f4").tolist()
        place = {"a": ends[start].tolist(), "b": ends[canvas.starts + end].tolist(), "kind": path, "codes": codes}
        asked.append({"network": network(canvas, name), **common, **place})
    return node.ask(WALK, asked)


@pytest.mark.parametrize(("d", "judged_by"), [(2, None), (16, None), (2, 16)])
def test_the_browser_walks_as_pytorch_does(images, d, judged_by):
    vae, autoencoder = pair(d)
    judge = pair(judged_by)[0] if judged_by else None
    canvas = canvas_of(explorers.interpolation(vae, autoencoder, images, points=50, judge=judge, precision="float16"))
    jobs = [(name, path, start, end) for name in ("vae", "autoencoder") for path in interpolation.PATHS for start, end in ((4, 0), (7, 7))]
    eps = torch.from_numpy(np.frombuffer(canvas.eps, "<f4").copy()).view(DRAWS, -1)
    others = list(range(20, 50))
    for (name, path, start, end), found in zip(jobs, walks(canvas, jobs), strict=True):
        model = {"vae": vae, "autoencoder": autoencoder}[name]
        codes = interpolation.codes_of(model, images.x)
        z = interpolation.PATHS[path](codes[start], codes[10 + end], torch.linspace(0, 1, STEPS + 1))
        pictures = interpolation.pictures_of(model, z)
        rate, distortion = interpolation.judge_pictures(judge or vae, pictures, eps)
        expected = {"places": z, "lengths": z.norm(dim=1), "pictures": pictures.flatten(1), "elbos": -(rate + distortion)}
        for key, value in expected.items():
            torch.testing.assert_close(torch.tensor(found[key]), value.detach(), rtol=3e-3, atol=3e-3, msg=f"{name} {path} {key}")
        near = torch.tensor([one["distance"] for one in found["near"]])
        torch.testing.assert_close(near, interpolation.nearest_distance(z, codes[others]), rtol=3e-3, atol=3e-3)
        places = torch.tensor(found["inPlane"])
        torch.testing.assert_close(places.norm(dim=1), z.norm(dim=1), rtol=1e-4, atol=1e-4)  # the plane holds the whole path
        torch.testing.assert_close(torch.tensor(found["folded"]), places, rtol=1e-4, atol=1e-4)
        if d == 2:
            torch.testing.assert_close(places, z, rtol=1e-4, atol=1e-4)


def test_what_it_hands_over(images):
    vae, autoencoder = pair(16)
    box = explorers.interpolation(vae, autoencoder, images, starts=[5, 3], ends=[8, 2, 30], start=1, end=2, points=40)
    canvas = canvas_of(box)
    assert [child.description for child in box.children[:-1]] == ["from", "to", "t"]
    assert [child.max for child in box.children[:-1]] == [1, 2, 1.0]
    assert (canvas.start, canvas.end, canvas.t, canvas.starts) == (1, 2, 0.5, 2)
    assert list(canvas.digit_labels) == [5, 3, 8, 2, 0]
    left_out = {5, 3, 8, 2, 30}
    assert list(canvas.labels) == [index % 10 for index in range(40) if index not in left_out]
    assert len(canvas.vae_codes) == 2 * 16 * len(canvas.labels)
    assert canvas.judge_layers == []  # the VAE's own decoder, not a second copy
    assert set(canvas.neighbours) == {"vae", "autoencoder"}
    codes = vae.posterior(images.x[[index for index in range(40) if index not in left_out]]).mean
    apart = (codes[:, None] - codes).norm(dim=-1) + torch.eye(len(codes)) * 1e9
    assert canvas.neighbours["vae"] == pytest.approx(apart.amin(1).mean().item(), rel=1e-4)
    assert explorers.interpolation(vae, autoencoder, images, points=40).children[-1].judge_layers == []
    other = canvas_of(explorers.interpolation(vae, autoencoder, images, points=40, judge=pair(2)[0]))
    assert other.judge_layers[0]["in"] == 2
    assert len(other.eps) == DRAWS * 2 * 4
    for trait, value in {"t": 1.5, "path": "crooked", "network": "gan", "start": -1}.items():
        with pytest.raises(traitlets.TraitError):
            setattr(canvas, trait, value)


def test_what_it_refuses(images):
    vae, autoencoder = pair(16)
    with pytest.raises(ValueError, match="one path needs one d"):
        explorers.interpolation(vae, pair(2)[1], images, points=40)
    with pytest.raises(ValueError, match="at most 10 images"):
        explorers.interpolation(vae, autoencoder, images, starts=range(11), points=40)
    with pytest.raises(ValueError, match="ends must be indices"):
        explorers.interpolation(vae, autoencoder, images, ends=[60], points=40)
    with pytest.raises(ValueError, match=r"start must lie in 0 … 1, not 2"):
        explorers.interpolation(vae, autoencoder, images, starts=[1, 2], start=2, points=40)
    with pytest.raises(ValueError, match="points must lie in 1 … 60"):
        explorers.interpolation(vae, autoencoder, images, points=61)
    for points, left in ((1, 0), (2, 0), (3, 1)):
        with pytest.raises(ValueError, match=f"points = {points} leaves {left} digits"):
            explorers.interpolation(vae, autoencoder, images, starts=[0], ends=[1], start=0, points=points)
    two = explorers.interpolation(vae, autoencoder, images, starts=[0], ends=[1], start=0, points=4).children[-1]
    assert all(distance > 0 for distance in two.neighbours.values())
    with pytest.raises(ValueError, match="logits"):
        explorers.interpolation(VAE(16, likelihood="gaussian"), autoencoder, images, points=40)
    with pytest.raises(ValueError, match="judge is a model of images of shape"):
        explorers.interpolation(vae, autoencoder, images, points=40, judge=VAE(2, image_shape=(1, 4, 4)))
