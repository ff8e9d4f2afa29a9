"""What each explorer should show, computed by PyTorch from the shipped checkpoints and the settings on the screen."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any

import map_numbers
import naive_estimates
import numpy as np
import torch
from built_site import Explorer
from PIL import Image
from scipy.special import logsumexp
from torch import Tensor

from vae_tutorial import checkpoints, embeddings, rotation
from vae_tutorial.disentanglement import mig
from vae_tutorial.explorers import weights
from vae_tutorial.interpolation import PATHS, codes_of, ink_entropy, judge_pictures, nearest_distance, pictures_of
from vae_tutorial.likelihoods import gaussian

Shown = dict[str, Any]
Expected = dict[str, np.ndarray]


def reference(explorer: Explorer) -> Callable[[Shown], Expected]:
    """The function from what an explorer shows (sliders, input) to the numbers that PyTorch gives for it."""
    return REFERENCES[explorer.kind](explorer)


def latent_map(explorer: Explorer) -> Callable[[Shown], Expected]:
    garments = load("fashion-2d")
    models = {"decoded": garments if carries(explorer, "vae_weights", garments.decoder) else load("mnist-2d")}
    if explorer.state["autoencoder_layers"]:
        models["decodedAutoencoder"] = load("mnist-2d-autoencoder")

    def expected(shown: Shown) -> Expected:
        z = torch.tensor([shown["sliders"]["z₁"], shown["sliders"]["z₂"]])
        return {name: torch.sigmoid(model.decode(z)).flatten().numpy() for name, model in models.items()}

    return torch.no_grad()(expected)


def bottleneck(explorer: Explorer) -> Callable[[Shown], Expected]:
    autoencoder = load("mnist-bottleneck")
    x = pictures(explorer, "digits")

    def expected(shown: Shown) -> Expected:
        z = autoencoder.encode(x)
        z[:, int(shown["sliders"]["d"]) :] = 0
        return {"decoded": autoencoder.reconstruct(z).flatten().numpy()}

    return torch.no_grad()(expected)


def draw_digit(explorer: Explorer) -> Callable[[Shown], Expected]:
    vae = load("mnist-2d")

    def expected(shown: Shown) -> Expected:
        x = torch.tensor(shown["input"], dtype=torch.float32).view(1, 1, 28, 28)
        q = vae.posterior(x)
        mu, sigma = q.base_dist.loc[0], q.base_dist.scale[0]
        z = mu + sigma * torch.tensor([shown["sliders"]["ε₁"], shown["sliders"]["ε₂"]])
        terms = {"rate": torch.distributions.kl_divergence(q, vae.prior), "distortion": -vae.likelihood(z[None]).log_prob(x)}
        decoded = torch.sigmoid(vae.decode(z)).flatten()
        return {name: value.numpy() for name, value in {"mu": mu, "sigma": sigma, "z": z, "decoded": decoded, **terms}.items()}

    return torch.no_grad()(expected)


def mean_and_sample(explorer: Explorer) -> Callable[[Shown], Expected]:
    models = {"bernoulli": load("mnist-2d"), "gaussian": load("mnist-2d-gaussian")}
    originals = pictures(explorer, "digits")

    def expected(shown: Shown) -> Expected:
        z = torch.tensor([shown["sliders"]["z₁"], shown["sliders"]["z₂"]])
        model, sigma, x = models[shown["family"]], shown["sliders"]["σ"], originals[shown["digit"]]
        p_x = model.likelihood(z) if shown["family"] == "bernoulli" else gaussian(model.decode(z), sigma)
        drawn, noise = np.array(shown["decoded"]), np.array(shown["noise"])
        sample = (noise < drawn).astype(float) if shown["family"] == "bernoulli" else drawn + sigma * noise
        rms = (x - p_x.mean).square().mean().sqrt()
        outside = np.mean((np.array(shown["sample"]) < 0) | (np.array(shown["sample"]) > 1))
        terms = {"distortion": -p_x.log_prob(x), "rms": rms, "decoded": p_x.mean.flatten()}
        return {name: value.numpy() for name, value in terms.items()} | {"sample": sample, "outside": outside, "sigma": np.array(sigma)}

    return torch.no_grad()(expected)


def beta_calculator(explorer: Explorer) -> Callable[[Shown], Expected]:
    """β·(1/d if averaged over latent units) / ((1/D if averaged over pixels)·(2σ² for a bare squared error))."""

    def expected(shown: Shown) -> Expected:
        chosen = shown["fields"]
        pixels, batch, sigma = (float(chosen[label]) for label in ("D, number of pixels", "B, images per batch", "σ of the pixels"))
        distortion_weight = 1 / pixels if chosen["reduction over pixels"] == "mean" else 1.0
        if chosen["distortion per pixel"] == "squared error":
            distortion_weight *= 2 * sigma**2
        rate_weight = exact_beta(shown["sliders"]["β"])
        if chosen["reduction over latent units"] == "mean":
            rate_weight /= shown["sliders"]["d"]
        copies = batch if chosen["reduction over the batch"] == "sum" else 1.0
        return {"betaEffective": np.array(rate_weight / distortion_weight), "lossScale": np.array(distortion_weight * copies)}

    return expected


def monte_carlo(explorer: Explorer) -> Callable[[Shown], Expected]:
    def expected(shown: Shown) -> Expected:
        samples, d, readout = (shown["sliders"][label] for label in ("S", "d", "nats"))
        assert abs(shown["nats"] / readout - 1) < 0.006  # the readout has three digits
        return estimates_of(int(samples), int(d), shown["nats"], explorer.state["seed"])

    return expected


@cache
def estimates_of(samples: int, d: int, information: float, seed: int) -> Expected:
    """Exact and naive log p(x) of the Monte Carlo explorer's point, and what decides the error."""
    log_weight = naive_estimates.log_weights(d, information, samples, seed)
    exact = naive_estimates.log_evidence(d, information)
    estimates = exact + logsumexp(log_weight, axis=0) - np.log(samples)
    second_moment = d * naive_estimates.moments(information)[0]
    return {"logEvidence": np.array(exact), "logEstimates": estimates, "logSecondMoment": np.array(second_moment)}


def two_densities(explorer: Explorer) -> Callable[[Shown], Expected]:
    """KL(p‖q) and KL(q‖p) by sums over a grid of the test's own."""
    hump = explorer.state["hump"]
    z = torch.linspace(-45, 45, 30_001, dtype=torch.float64)
    step = float(z[1] - z[0])

    def expected(shown: Shown) -> Expected:
        apart, weight, mu, sigma = (shown["sliders"][label] for label in ("Δ", "w", "μ", "σ"))
        parts = torch.distributions.Normal(torch.tensor([-apart / 2, apart / 2], dtype=torch.float64), hump)
        log_p = (parts.log_prob(z[:, None]) + torch.tensor([weight, 1 - weight]).double().log()).logsumexp(1)
        log_q = torch.distributions.Normal(torch.tensor(mu).double(), sigma).log_prob(z)
        forward, reverse = log_p.exp() * (log_p - log_q), log_q.exp() * (log_q - log_p)
        return {"forward": (forward.sum() * step).numpy(), "reverse": (reverse.sum() * step).numpy()}

    return expected


def drag_q(explorer: Explorer) -> Callable[[Shown], Expected]:
    """log p(x), K, L and L_β of the shipped one-dimensional model, on a grid that follows q and one that covers the prior."""
    vae = load("spiral-1d")
    x = torch.from_numpy(np.frombuffer(explorer.bytes_of("images"), "<f4").copy()).view(-1, 1, 1, 2)
    wide = torch.linspace(-8, 8, 8_001)

    def log_joint(z: Tensor, image: Tensor) -> Tensor:
        return (vae.likelihood(z[:, None]).log_prob(image) + vae.prior.log_prob(z[:, None])).double()

    def expected(shown: Shown) -> Expected:
        image = x[int(shown["sliders"]["x"]) - 1]
        q = torch.distributions.Normal(torch.tensor(shown["sliders"]["μ"]), np.exp(shown["sliders"]["log σ"]))
        log_evidence = log_joint(wide, image).logsumexp(0) + np.log(float(wide[1] - wide[0]))
        z = q.loc + q.scale * torch.linspace(-7, 7, 1_001)
        weight = q.log_prob(z).double().softmax(0)
        gap = (weight * (q.log_prob(z).double() - log_joint(z, image) + log_evidence)).sum()
        rate = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0))
        mean = (weight * vae.likelihood(z[:, None]).log_prob(image)).sum()
        terms = {"logEvidence": log_evidence, "gap": gap, "rate": rate, "elbo": mean - rate}
        terms["elboBeta"] = mean - shown["sliders"]["β"] * rate
        return {name: value.numpy() for name, value in terms.items()}

    return torch.no_grad()(expected)


def reparameterise(explorer: Explorer) -> Callable[[Shown], Expected]:
    """Both gradient estimates from the ε shown, by automatic differentiation, and the exact value and gradient in closed form."""

    def expected(shown: Shown) -> Expected:
        mu, sigma = (torch.tensor(shown["sliders"][label]).double().requires_grad_() for label in ("μ", "σ"))
        eps = torch.tensor(shown["eps"], dtype=torch.float64)
        if len(eps) != shown["sliders"]["n"]:  # the slider has moved, the samples follow with the next frame
            return {"estimate": np.array(1e9)}
        f = _objective(mu + sigma * eps)
        path = torch.autograd.grad(f.mean(), (mu, sigma))
        z = (mu + sigma * eps).detach()
        score = torch.autograd.grad((f.detach() * torch.distributions.Normal(mu, sigma).log_prob(z)).mean(), (mu, sigma))
        exact = (mu**2 + sigma**2) / 2 + torch.exp(-2 * sigma**2) * torch.sin(2 * mu)
        slopes = torch.autograd.grad(exact, (mu, sigma))
        terms = {"exact": exact, "estimate": f.mean(), "exactMu": slopes[0], "exactSigma": slopes[1]}
        terms |= {"pathMu": path[0], "pathSigma": path[1], "scoreMu": score[0], "scoreSigma": score[1]}
        return {name: value.detach().numpy() for name, value in terms.items()}

    return expected


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
            rows = np.split(np.asarray(picture) / 255, 8)
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


def traversed(variant: dict[str, Any]) -> Any:
    """The model of a line of the traversal's dropdown."""
    model = load(variant["checkpoint"])
    return model if variant["beta"] is None else model.given(beta=variant["beta"])


def rounded_vae(name: str, blank: Tensor) -> Any:
    """A checkpoint with the weights that the browser recovers from int8 bytes, none of them on blank pixels (784,)."""
    vae = checkpoints.load_model(name)
    with torch.no_grad():
        vae.encoder[0].weight[:, blank] = 0
    for network in (vae.encoder, vae.decoder):
        linear = [module for module in network if isinstance(module, torch.nn.Linear)]
        for layer, (weight, bias) in zip(linear, weights.unpacked(network, "int8"), strict=True):
            layer.load_state_dict({"weight": weight, "bias": bias}, strict=False)
    return vae


def _objective(z: Tensor) -> Tensor:
    return z.square() / 2 + torch.sin(2 * z)


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
            "elbo": rotation.elbo(turned, image)[0].numpy(),
        }

    return torch.no_grad()(expected)


def exact_beta(readout: float) -> float:
    """The value behind the three digits that a logarithmic slider shows: its steps are 10^0.05."""
    return 10 ** (round(np.log10(readout) / 0.05) * 0.05)


def pictures(explorer: Explorer, trait: str) -> Tensor:
    """The pictures that an explorer carries, (M, 1, 28, 28) in [0, 1]."""
    grey = np.frombuffer(explorer.bytes_of(trait), np.uint8).astype(np.float32)
    return torch.from_numpy(grey / 255).view(-1, 1, 28, 28)


def carries(explorer: Explorer, trait: str, network: torch.nn.Sequential) -> bool:
    """Whether the weights that an explorer carries are this network's; one that was not read from the site carries none."""
    return "buffers" in explorer.model and explorer.bytes_of(trait) == weights.pack(network, explorer.state["precision"])


@cache
def load(name: str) -> Any:
    return checkpoints.load_model(name)


REFERENCES = {
    **{"LatentMap": latent_map, "Bottleneck": bottleneck, "DrawDigit": draw_digit, "BetaCalculator": beta_calculator},
    **{"MonteCarlo": monte_carlo, "MeanAndSample": mean_and_sample},
    **{"TwoDensities": two_densities, "DragQ": drag_q, "Reparameterise": reparameterise},
    **{"Interpolation": interpolation, "Perplexity": perplexity},
    **{"ContinuousBeta": continuous_beta, "TrainingReplay": training_replay},
    **{"Traversal": traversal, "Rotation": rotation_of_z},
}
