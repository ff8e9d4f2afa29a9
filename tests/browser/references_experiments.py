"""What the explorers of the experiments should show, computed by PyTorch from the settings on the screen."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from io import BytesIO
from typing import Any

import map_numbers
import numpy as np
import torch
from built_site import Explorer
from PIL import Image
from shipped import Expected, Shown, load, pictures, rounded_vae

from vae_tutorial import checkpoints, embeddings, rotation
from vae_tutorial.disentanglement import mig
from vae_tutorial.interpolation import PATHS, codes_of, ink_entropy, judge_pictures, nearest_distance, pictures_of


def interpolation(explorer: Explorer) -> Callable[[Shown], Expected]:
    """Code, neighbour, picture and ELBO at a place of a path, by PyTorch from the shipped pair of the explorer's dimension."""
    d = explorer.state["vae_layers"][0]["in"]
    pair = {"vae": load(f"mnist-{d}d"), "autoencoder": load(f"mnist-{d}d-autoencoder")}
    judge = load("mnist-16d") if explorer.state["judge_layers"] else pair["vae"]
    x, starts = pictures(explorer, "digits"), explorer.state["starts"]
    eps = torch.from_numpy(np.frombuffer(explorer.bytes_of("eps"), "<f4").copy()).view(-1, judge.latent_dim)
    banks = {name: torch.from_numpy(np.frombuffer(explorer.bytes_of(f"{name}_codes"), "<f2").astype("f4")).view(-1, d) for name in pair}

    def expected(shown: Shown) -> Expected:
        name, path = ("vae", "autoencoder")[shown["row"] // 2], list(PATHS.values())[shown["row"] % 2]
        a, b = codes_of(pair[name], x[[int(shown["sliders"]["from"]), starts + int(shown["sliders"]["to"])]])
        z = path(a, b, torch.tensor([shown["sliders"]["t"]]))
        picture = pictures_of(pair[name], z)
        rate, distortion = judge_pictures(judge, picture, eps)
        terms = {"z": z, "norm": z.norm(), "distance": nearest_distance(z, banks[name]), "decoded": picture.flatten()}
        terms |= {"rate": rate, "distortion": distortion, "elbo": -(rate + distortion), "greyness": ink_entropy(picture)}
        return {key: value.numpy() for key, value in terms.items()}

    return torch.no_grad()(expected)


def continuous_beta(explorer: Explorer) -> Callable[[Shown], Expected]:
    """Codes and samples of the network as its int8 bytes say it, and the cards' curves between their points."""
    x = pictures(explorer, "digits")
    vae = rounded_vae("mnist-beta", blank=x.flatten(1).amax(0) == 0)
    z = torch.from_numpy(np.frombuffer(explorer.bytes_of("z"), "<f4").copy()).view(64, 2)
    curve, unit_curve = (checkpoints.model_card(name)["curve"] for name in ("mnist-beta", "mnist-beta-10d"))

    def recorded(points: list[dict[str, Any]], column: list[float], beta: float) -> np.ndarray:
        return np.array(np.interp(np.log(beta), np.log([point["beta"] for point in points]), column))

    def expected(shown: Shown) -> Expected:
        if shown["behind"]:
            return {"behind": np.array(1e9)}
        model = vae.given(beta=shown["beta"])
        q = model.posterior(x)
        rate, distortion = (recorded(curve, [point[name] for point in curve], shown["beta"]) for name in ("rate", "distortion"))
        units = [recorded(unit_curve, [point["rate_per_unit"][i] for point in unit_curve], shown["beta"]) for i in range(10)]
        computed = {"map": q.mean.flatten(), "spread": q.stddev.flatten(), "decoded": torch.sigmoid(model.decode(z)).flatten()}
        terms = {"rate": rate, "distortion": distortion, "elbo": -rate - distortion, "units": np.array(units)}
        return {name: value.numpy() for name, value in computed.items()} | terms

    return torch.no_grad()(expected)


def training_replay(explorer: Explorer) -> Callable[[Shown], Expected]:
    """The card's record at the epoch of the slider, its pictures read by Pillow."""
    record = checkpoints.model_card("mnist-replay")["replay"]

    def expected(shown: Shown) -> Expected:
        epoch = int(shown["sliders"]["epoch"])
        frame = record["frames"][record["epochs"].index(epoch)]
        with Image.open(BytesIO(b64decode(frame["digits"]))) as picture:
            rows = np.split(np.asarray(picture.convert("L")) / 255, 8)
        digits = np.concatenate([digit.ravel() for row in rows for digit in np.split(row, 8, axis=1)])
        codes = np.frombuffer(b64decode(frame["codes"]), "<f2").astype(np.float32)
        curves = {name: np.array(values[epoch]) for name, values in record["held_out"].items()}
        return {"decoded": digits, "codes": codes, "epoch": np.array(epoch), **curves}

    return expected


def traversal(explorer: Explorer) -> Callable[[Shown], Expected]:
    """The picture of the code that the sliders show, whose units stand in the order of the chosen model's rates."""

    def expected(shown: Shown) -> Expected:
        variant = explorer.state["variants"][shown["variant"]]
        model = traversed(variant)
        z = torch.empty(model.latent_dim)
        z[[unit["unit"] for unit in variant["units"]]] = torch.tensor(list(shown["sliders"].values()))
        return {"z": z.numpy(), "decoded": model.decode(z).sigmoid().flatten().numpy()}

    return torch.no_grad()(expected)


def traversed(variant: dict[str, Any]) -> Any:
    """The model of a line of the traversal's dropdown."""
    model = load(variant["checkpoint"])
    return model if variant["beta"] is None else model.given(beta=variant["beta"])


def perplexity(explorer: Explorer) -> Callable[[Shown], Expected]:
    """The recorded maps, between two of them the mean with the slider's weights, and what NumPy finds in codes and map."""
    clouds = list(embeddings.load_clouds().values())

    def expected(shown: Shown) -> Expected:
        cloud, codes = clouds[shown["cloud"]], clouds[shown["cloud"]].codes.double().numpy()
        exact = 2 ** (round(4 * np.log2(shown["sliders"]["perplexity"])) / 4)  # the readout has three digits, the slider quarter steps
        lower = min(int(np.searchsorted(cloud.perplexities, exact, "right")), len(cloud.perplexities) - 1) - 1
        share = round(float(np.log2(exact / cloud.perplexities[lower])), 6)
        flat = ((1 - share) * cloud.maps[lower] + share * cloud.maps[lower + 1]).double().numpy()
        terms = map_numbers.preserved(codes, flat, cloud.labels.numpy(), 10) | {"point": shown["sliders"]["point"], "perplexity": exact}
        return {"positions": flat.ravel()} | {name: np.array(value) for name, value in terms.items()}

    return expected


def rotation_of_z(explorer: Explorer) -> Callable[[Shown], Expected]:
    """MIG of the turned codes, the chosen picture's traversals, and its log p(x) and ELBO in turned coordinates."""
    vae = load("sprites-position")
    x = pictures(explorer, "pictures")
    codes = np.frombuffer(explorer.bytes_of("codes"), "<f2").astype(np.float32).reshape(-1, 2)
    classes = (rotation.lattice(explorer.state["side"]) * explorer.state["classes"]).long().numpy()

    def expected(shown: Shown) -> Expected:
        turned = rotation.Rotated(vae, shown["sliders"]["angle"])
        image = x[[int(shown["sliders"]["x"]) - 1]]
        z = (vae.posterior(image).mean @ turned.matrix.T).repeat(14, 1)
        for unit in (0, 1):
            z[7 * unit : 7 * unit + 7, unit] += torch.linspace(-1.5, 1.5, 7)
        return {
            "mig": np.array(mig(codes @ turned.matrix.numpy().T, classes)),
            "decoded": turned.decode(z).flatten().numpy(),
            "sigma": turned.posterior(image).stddev[0].numpy(),
            "logEvidence": rotation.log_evidence(turned, image)[0].numpy(),
            "elbo": rotation.diagonal_elbo(turned, image)[0].numpy(),
        }

    return torch.no_grad()(expected)
