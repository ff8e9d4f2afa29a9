"""The explorers: what Python hands over, and what the browser's JavaScript makes of it (run in Node)."""

import base64
import json
import re
import subprocess
import sys
from pathlib import Path

import node
import pytest
import torch
import traitlets
from colours import contrast
from ipywidgets.embed import dependency_state

from vae_tutorial import explorers, likelihoods, networks, objectives
from vae_tutorial.data import Images
from vae_tutorial.explorers import javascript, weights
from vae_tutorial.explorers.canvas import Canvas
from vae_tutorial.models import VAE, Autoencoder

JS_TESTS = Path(__file__).parent / "js"
TOLERANCE = 2e-3


@pytest.fixture(scope="module")
def images():
    generator = torch.Generator().manual_seed(0)
    return Images(torch.rand(40, 1, 28, 28, generator=generator), torch.arange(40) % 10, "noise")


@pytest.fixture(scope="module")
def vae():
    torch.manual_seed(1)
    return VAE(latent_dim=2, hidden=(16,), activation="silu")


@pytest.fixture(scope="module")
def autoencoder():
    torch.manual_seed(2)
    return Autoencoder(latent_dim=2, hidden=(16,), activation="tanh")


def browser_outputs(network, inputs, precision, beta=None):
    job = {
        "beta": beta,
        "layers": networks.layer_specification(network),
        "weights": base64.b64encode(weights.pack(network, precision)).decode(),
        "precision": precision,
        "inputs": inputs.tolist(),
    }
    return torch.tensor(json.loads(node.run(JS_TESTS / "network.mjs", text=json.dumps(job))))


@pytest.mark.parametrize("precision", weights.PRECISIONS)
@pytest.mark.parametrize("activation", ["silu", "relu", "tanh", "none"])
def test_browser_forward_equals_pytorch(activation, precision):
    torch.manual_seed(3)
    network = networks.mlp([7, 33, 50, 11], activation)
    inputs = 3 * torch.randn(6, 7)
    outputs = browser_outputs(network, inputs, precision)
    linear = [module for module in network if isinstance(module, torch.nn.Linear)]
    with torch.no_grad():
        for layer, (weight, bias) in zip(linear, weights.unpacked(network, precision), strict=True):
            layer.weight.copy_(weight)
            layer.bias.copy_(bias)
        torch.testing.assert_close(outputs, network(inputs), rtol=1e-4, atol=1e-4)


def test_a_cursor_with_a_gap_leaves_the_map_around_its_place_free():
    script = f"""
        import {{ drawCursor }} from "{(javascript.FOLDER / "class_map.js").as_uri()}";
        const nearest = (...gap) => {{
          const found = [], reach = (x, y) => found.push(Math.hypot(x - 50, y - 40));
          const context = {{ beginPath() {{}}, stroke() {{}}, arc: (x, y, radius) => found.push(radius), moveTo: reach, lineTo: reach }};
          drawCursor(context, 100, 80, [50, 40], {{ card: "white", ink: "black" }}, ...gap);
          return Math.min(...found);
        }};
        console.log(JSON.stringify([nearest(), nearest(16)]));"""
    assert json.loads(node.run("--input-type=module", "-e", script)) == [8, 16]


@pytest.mark.parametrize("precision", weights.PRECISIONS)
@pytest.mark.parametrize("beta", [0.03, 0.05, 1.0, 7.0, 99.9, 100.0])
def test_gated_browser_forward_equals_pytorch(beta, precision):
    torch.manual_seed(3)
    network = networks.gated_mlp([7, 33, 11], "silu")
    with torch.no_grad():
        for module in network[::2]:
            module.gate.normal_(std=0.5)
    inputs = torch.randn(6, 7)
    outputs = browser_outputs(network, inputs, precision, beta)
    with torch.no_grad():
        for layer, (weight, bias) in zip(network[::2], weights.unpacked(network, precision), strict=True):
            layer.weight.copy_(weight)
            layer.bias.copy_(bias)
        expected = network(inputs, torch.tensor([beta]).log())
    torch.testing.assert_close(outputs, expected, rtol=1e-3, atol=1e-3)  # the gates' float16


def test_packing_int8_twice_changes_nothing():
    torch.manual_seed(4)
    network = networks.mlp([5, 4], "none")
    assert weights.lossless_precision(network) == "float16"
    once = weights.unpacked(network, "int8")[0][0]
    with torch.no_grad():
        network[0].weight.copy_(once)
    torch.testing.assert_close(weights.unpacked(network, "int8")[0][0], once, rtol=1e-6, atol=0)
    assert weights.lossless_precision(network) == weights.lossless_precision(network, network) == "int8"
    fresh = networks.mlp([5, 4], "none")
    assert weights.lossless_precision(network, fresh) == weights.lossless_precision(fresh, network) == "float16"


def test_grey_levels_are_the_nearest_bytes():
    levels = torch.arange(256)
    assert weights.uint8_bytes(levels / 255) == bytes(range(256))
    assert weights.uint8_bytes((levels[1:-1] + 0.4) / 255) == weights.uint8_bytes((levels[1:-1] - 0.4) / 255) == bytes(range(1, 255))


def test_pack_refuses_what_the_browser_cannot_read():
    with pytest.raises(ValueError, match="precision"):
        weights.pack(networks.mlp([2, 2]), "float64")
    with pytest.raises(ValueError, match="linear"):
        weights.pack(torch.nn.Sequential(torch.nn.ReLU()))
    broken = networks.mlp([2, 2])
    with torch.no_grad():
        broken[0].weight[0, 0] = torch.nan
    with pytest.raises(ValueError, match="finite"):
        weights.pack(broken)
    with pytest.raises(ValueError, match="float16"):
        weights.float16_bytes(torch.tensor([1e6]))
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        weights.uint8_bytes(torch.tensor([2.0]))


@pytest.mark.parametrize("script", sorted(JS_TESTS.glob("*.test.mjs")), ids=lambda path: path.name)
def test_javascript(script):
    node.run(script)


@pytest.mark.parametrize("module", sorted(javascript.FOLDER.glob("*.js")), ids=lambda path: path.name)
def test_module_loads_in_node(module):
    node.run("--input-type=module", "--eval", f"await import({json.dumps(module.as_uri())})")


@pytest.mark.parametrize("selector", [".vae-explorer", '.vae-explorer[data-vae-theme="dark"]'], ids=["light", "dark"])
def test_the_digits_of_a_map_are_legible_on_its_card(selector):
    blocks = re.findall(rf"^{re.escape(selector)} \{{(.*?)\}}", javascript.style_sheet(), re.M | re.S)
    colours = dict(re.findall(r"--vae-([\w-]+): (#\w{6});", "".join(blocks)))
    for name in ("soft", *(f"class-{label}" for label in range(10))):
        assert contrast(colours[name], colours["card"]) >= 4.5, name


def test_no_number_of_a_canvas_may_be_nan():
    kinds = [kind for kind in Canvas.__subclasses__() if kind.__module__.startswith("vae_tutorial.explorers")]
    found = [(kind, name) for kind in kinds for name, trait in kind.class_traits(sync=True).items() if isinstance(trait, traitlets.Float)]
    assert len(found) > 40
    for kind, name in found:
        with pytest.raises(traitlets.TraitError, match=f"{name} must be (finite|positive), not nan"):
            kind(**{name: float("nan")})


def test_javascript_imports_and_exports_nothing_in_vain():
    modules = {path.name: path.read_text("utf-8") for path in javascript.FOLDER.glob("*.js")}
    asked = {path.name: path.read_text("utf-8") for path in JS_TESTS.glob("*.mjs")}
    wanted = set()
    for name, text in (modules | asked).items():
        for imported, source in re.findall(r'^import \{ ([\w, ]+) \} from "[./\w]*?(\w+\.js)";$', text, re.M):
            wanted |= {(source, each) for each in imported.split(", ")}
            in_vain = [each for each in imported.split(", ") if len(re.findall(rf"\b{each}\b", text)) < 2]
            assert not in_vain, f"{name} imports {in_vain} from {source} and does not use it"
    exported = {(name, each) for name, text in modules.items() for each in javascript.EXPORTED.findall(text)}
    assert len(exported) > 100
    assert exported <= wanted, f"exported, and imported by no module and no test: {sorted(exported - wanted)}"


def joined_modules():
    return sorted(path.name for path in javascript.FOLDER.glob("*.js") if "export default" in path.read_text("utf-8"))


@pytest.mark.parametrize("entry", joined_modules())
def test_joined_module_loads_in_node(entry, tmp_path):
    joined = tmp_path / "joined.mjs"
    joined.write_text(javascript.join_modules(entry), "utf-8")
    program = f"const m = await import({json.dumps(joined.as_uri())}); console.log(typeof m.default.render)"
    assert node.run("--input-type=module", "--eval", program).strip() == "function"


@pytest.mark.parametrize(
    ("modules", "error", "message"),
    [
        ({"a.js": 'import * as b from "./b.js";'}, ValueError, "a.js:1: write imports as one line"),
        ({"a.js": 'import { b } from "./b.js";'}, FileNotFoundError, "no module b.js"),
        ({"a.js": 'import { b } from "./b.js";', "b.js": "const b = 1;"}, ValueError, "b.js does not export b"),
        (
            {"a.js": 'import { b } from "./b.js";', "b.js": 'import { a } from "./a.js";'},
            ValueError,
            "circle of imports: a.js → b.js → a.js",
        ),
        (
            {"a.js": 'import { b } from "./b.js";\nconst c = 1;', "b.js": "export const b = 1;\nconst c = 2;"},
            ValueError,
            "'c' is already declared in b.js",
        ),
        (
            {"a.js": 'import { b } from "./b.js";', "b.js": "export const b = 1;\nexport default b;"},
            ValueError,
            "b.js:2: only the entry",
        ),
    ],
)
def test_joiner_names_the_mistake(tmp_path, modules, error, message):
    for name, text in modules.items():
        (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(error, match=message):
        javascript.join_modules("a.js", tmp_path)


def test_style_sheet_carries_the_palette():
    palette = json.loads((javascript.DATA / "palette.json").read_text("utf-8"))
    css = javascript.style_sheet()
    for name, colour in palette.items():
        assert css.count(f"--vae-{name}: {colour['light']};") == 1
        assert css.count(f"--vae-{name}: {colour['dark']};") == 1


def test_importing_the_package_imports_no_widgets():
    program = "import sys, vae_tutorial.models; sys.exit(any(name in sys.modules for name in ('ipywidgets', 'anywidget')))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def canvas_of(box):
    canvas = box.children[-1]
    assert isinstance(canvas, Canvas)
    assert "0x" not in repr(box)
    return canvas


def test_latent_map(vae, autoencoder, images):
    canvas = canvas_of(explorers.latent_map(vae, images, points=30))
    assert len(canvas.vae_points) == 30 * 2 * 2
    assert canvas.vae_points == weights.float16_bytes(vae.encode(images.x[:30])[0])
    assert len(canvas.labels) == 30
    assert canvas.autoencoder_layers == []
    assert canvas.vae_layers[0] == {"in": 2, "out": 16, "activation": "silu"}
    both = canvas_of(explorers.latent_map(vae, images, autoencoder, points=40, precision="float16"))
    assert len(both.autoencoder_weights) == 2 * sum(p.numel() for p in autoencoder.decoder.parameters())


def test_latent_map_range_holds_the_bulk_of_both_models(vae, autoencoder, images):
    with torch.no_grad():
        wide = Autoencoder(latent_dim=2, hidden=(16,))
        wide.encoder[-1].weight.mul_(40)
        bulk = torch.quantile(wide.encode(images.x).abs().flatten(), 0.98)
    box = explorers.latent_map(vae, images, wide, points=40)
    assert bulk <= canvas_of(box).extent <= bulk + 0.5
    assert box.children[0].max == canvas_of(box).extent == -box.children[1].min
    assert canvas_of(explorers.latent_map(vae, images, points=40)).extent == 3.5


def test_latent_map_refuses_other_models(vae, images):
    with pytest.raises(ValueError, match="latent dimension of 3"):
        explorers.latent_map(VAE(latent_dim=3), images, points=10)
    with pytest.raises(ValueError, match="points must lie in 1 … 40"):
        explorers.latent_map(vae, images, points=41)
    with pytest.raises(ValueError, match="logits"):
        explorers.latent_map(VAE(latent_dim=2, likelihood="gaussian"), images, points=10)
    with pytest.raises(ValueError, match="labels"):
        explorers.latent_map(vae, Images(images.x, images.y + 1, "shifted"), points=40)


def test_draw_digit(vae, images):
    canvas = canvas_of(explorers.draw_digit(vae, images, points=20, samples=[3, 14]))
    assert list(canvas.sample_labels) == [3, 4]
    assert canvas.samples == weights.uint8_bytes(images.x[[3, 14]])
    assert canvas.encoder_layers[-1]["out"] == 4
    assert list(canvas_of(explorers.draw_digit(vae, images, points=20)).sample_labels) == sorted(2 * list(range(10)))
    for samples in ([40], [-1], [3, -1], []):
        with pytest.raises(ValueError, match="samples must be indices"):
            explorers.draw_digit(vae, images, points=20, samples=samples)
    with pytest.raises(traitlets.TraitError):
        canvas.eps1 = 3.5


def test_objectives_in_the_browser_equal_the_library(vae, images):
    x = images.x[:1]
    with torch.no_grad():
        mu, log_var = vae.encode(x)
        x_logits = vae.decode(mu)
    job = {"logits": x_logits, "x": x, "mu": mu, "logVar": log_var}
    text = json.dumps({name: value.flatten().tolist() for name, value in job.items()})
    found = json.loads(node.run(JS_TESTS / "objectives.mjs", text=text))
    rate = torch.distributions.kl_divergence(vae.posterior(x), vae.prior)
    distortion = -vae.likelihood(mu).log_prob(x)
    assert found["rate"] == pytest.approx(rate.item(), rel=1e-5)
    assert found["distortion"] == pytest.approx(distortion.item(), rel=1e-5)
    assert found["squaredError"] == pytest.approx((x_logits - x).square().sum().item(), rel=1e-5)


def test_bottleneck(images):
    torch.manual_seed(5)
    model = Autoencoder(latent_dim=6, hidden=(16,))
    box = explorers.bottleneck(model, images, d=3)
    canvas = canvas_of(box)
    assert (box.children[0].value, box.children[0].max, canvas.d) == (3, 6, 3)
    assert list(canvas.labels) == list(range(10))
    assert len(canvas.codes) == 10 * 6 * 4
    assert len(canvas.squared_errors) == len(canvas.cross_entropies) == 6
    with torch.no_grad():
        z = model.encode(images.x)
        z[:, 2:] = 0
        at_two = model.decode(z).sigmoid()
    assert canvas.squared_errors[1] == pytest.approx((images.x - at_two).square().flatten(1).sum(1).mean().item(), rel=1e-4)
    whole = objectives.cross_entropy(model, images.x)["loss"].mean().item()
    assert canvas.cross_entropies[-1] == pytest.approx(whole, rel=1e-4)


def test_bottleneck_refuses_what_it_cannot_show(images):
    model = Autoencoder(latent_dim=6, hidden=(16,))
    with pytest.raises(ValueError, match="d must lie in 1 … 6"):
        explorers.bottleneck(model, images, d=7)
    with pytest.raises(ValueError, match="at most 12"):
        explorers.bottleneck(model, images, digits=range(13))
    with pytest.raises(ValueError, match="logits"):
        explorers.bottleneck(Autoencoder(latent_dim=6, output="none"), images)
    with pytest.raises(ValueError, match=r"shape \(1, 8, 8\)"):
        explorers.bottleneck(Autoencoder(latent_dim=6, image_shape=(1, 8, 8)), images)


def test_beta_calculator():
    box = explorers.beta_calculator(latent_dim=10, pixels=4096)
    canvas = canvas_of(box)
    assert (canvas.latent_dim, canvas.pixels, box.children[1].value) == (10, 4096, 10)
    with pytest.raises(traitlets.TraitError, match="beta must be positive"):
        canvas.beta = 0.0
    with pytest.raises(ValueError, match="latent_dim must lie in"):
        explorers.beta_calculator(latent_dim=0)


@pytest.fixture(scope="module")
def gaussian():
    torch.manual_seed(6)
    model = VAE(latent_dim=2, hidden=(16,), activation="silu", likelihood="gaussian", sigma="learned")
    with torch.no_grad():
        model.log_sigma.fill_(-1.7)
    return model


def test_mean_and_sample(vae, gaussian, images):
    box = explorers.mean_and_sample(vae, gaussian, images)
    canvas, sliders = canvas_of(box), box.children[:-1]
    assert list(canvas.labels) == list(range(10))
    assert canvas.learned_sigma == pytest.approx(torch.tensor(-1.7).exp().item())
    assert canvas.sigma == pytest.approx(0.185)  # the step of the slider nearest to 0.1827
    assert {slider.description: slider.value for slider in sliders} == pytest.approx(
        {"z₁": canvas.z1, "z₂": canvas.z2, "σ": canvas.sigma, "seed": 0, "row": 14}
    )
    for name, model in (("bernoulli", vae), ("gaussian", gaussian)):
        with torch.no_grad():
            mu = model.encode(images.x[:10])[0]
        codes = torch.frombuffer(bytearray(getattr(canvas, f"{name}_codes")), dtype=torch.float32).view(10, 2)
        torch.testing.assert_close(codes, mu, atol=0.0051, rtol=0)
        assert len(getattr(canvas, f"{name}_weights")) == 2 * sum(p.numel() for p in model.decoder.parameters())
    assert (canvas.z1, canvas.z2) == pytest.approx(torch.frombuffer(bytearray(canvas.bernoulli_codes), dtype=torch.float32)[:2].tolist())
    with pytest.raises(traitlets.TraitError):
        canvas.sigma = 0.0
    with pytest.raises(traitlets.TraitError):
        canvas.likelihood = "laplace"


def test_mean_and_sample_refuses_other_models(vae, gaussian, images):
    with pytest.raises(ValueError, match="bernoulli has a gaussian likelihood"):
        explorers.mean_and_sample(gaussian, vae, images)
    with pytest.raises(ValueError, match="latent dimension of 3"):
        explorers.mean_and_sample(VAE(3, (8,)), gaussian, images)
    with pytest.raises(ValueError, match=r"σ = 1, and the slider goes from 0\.02 to 0\.6"):
        explorers.mean_and_sample(vae, VAE(2, (8,), likelihood="gaussian"), images)
    with pytest.raises(ValueError, match="at most 10"):
        explorers.mean_and_sample(vae, gaussian, images, digits=range(11))


@pytest.mark.parametrize("sigma", [0.05, 0.2, 1.3])
def test_gaussian_distortion_in_the_browser_equals_the_library(gaussian, images, sigma):
    x = images.x[:1]
    with torch.no_grad():
        mean = gaussian.decode(gaussian.encode(x)[0])
    text = json.dumps({"logits": mean.flatten().tolist(), "x": x.flatten().tolist(), "mu": [0], "logVar": [0], "sigma": sigma})
    found = json.loads(node.run(JS_TESTS / "objectives.mjs", text=text))["gaussianDistortion"]
    assert found == pytest.approx(-likelihoods.gaussian(mean, sigma).log_prob(x).item(), rel=1e-4)


def test_sliders_are_linked_in_the_browser(vae, images):
    box = explorers.latent_map(vae, images, points=10)
    canvas = canvas_of(box)
    state = dependency_state(box)
    links = [entry["state"] for entry in state.values() if entry["model_name"] == "LinkModel"]
    found = {(link["source"][0], *link["target"]) for link in links}
    sliders = {f"IPY_MODEL_{slider.model_id}": trait for slider, trait in zip(box.children, ("z1", "z2"), strict=False)}
    assert found == {(slider, f"IPY_MODEL_{canvas.model_id}", trait) for slider, trait in sliders.items()}
