"""Saving and loading: rounding within its bounds, refusals, atomic writes, nothing pickled; and every shipped card."""

import ast
import copy
import hashlib
import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from vae_tutorial import checkpoints
from vae_tutorial.models import VAE, Autoencoder
from vae_tutorial.recipes import measuring
from vae_tutorial.recipes.__main__ import MEASURING_SEED, labels_for, load_recipes
from vae_tutorial.training import evaluate

ROOT = Path(__file__).parents[1]
SHAPE = (1, 3, 4)


@pytest.fixture(params=["VAE", "Autoencoder"])
def model(request) -> VAE | Autoencoder:
    if request.param == "VAE":
        return VAE(2, (8, 5), "silu", "gaussian", 0.4, SHAPE)
    return Autoencoder(2, (8, 5), "tanh", "none", SHAPE)


# ---------------------------------------------------------------- round trips


def test_float32_comes_back_bit_for_bit(model, tmp_path):
    checkpoints.save_model(model, "test-float32", {}, "float32", tmp_path)
    loaded = checkpoints.load_model("test-float32", tmp_path)
    assert type(loaded) is type(model)
    assert loaded.configuration == model.configuration
    assert not loaded.training
    for key, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value)


def test_float16_is_the_nearest_half(model, tmp_path):
    checkpoints.save_model(model, "test-float16", {}, "float16", tmp_path)
    loaded = checkpoints.load_model("test-float16", tmp_path).state_dict()
    for key, value in model.state_dict().items():
        assert loaded[key].dtype == torch.float32
        np.testing.assert_array_equal(loaded[key].numpy(), value.numpy().astype(np.float16).astype(np.float32))


def test_int8_is_within_half_a_step_of_its_row(model, tmp_path):
    checkpoints.save_model(model, "test-int8", {}, "int8", tmp_path)
    loaded = checkpoints.load_model("test-int8", tmp_path).state_dict()
    for key, value in model.state_dict().items():
        if value.ndim == 1:
            assert torch.equal(loaded[key], value)  # biases are few, and kept
            continue
        step = value.abs().amax(1, keepdim=True) / 127
        assert ((loaded[key] - value).abs() <= 0.5001 * step).all()
        levels = loaded[key] / step
        torch.testing.assert_close(levels, levels.round(), atol=1e-3, rtol=0)
    stored = load_file(tmp_path / "test-int8.safetensors")
    assert {tensor.dtype for key, tensor in stored.items() if key.endswith("weight")} == {torch.int8}


def test_quantize_keeps_rows_apart_and_survives_a_row_of_zeros():
    weight = torch.tensor([[100.0, -50.0], [0.001, 0.0005], [0.0, 0.0]])
    integers, scale = checkpoints.quantize(weight)
    assert integers.dtype == torch.int8
    assert integers.tolist() == [[127, -64], [127, 64], [0, 0]]
    torch.testing.assert_close(scale[:2], torch.tensor([100.0, 0.001]) / 127)
    assert torch.equal(integers[2] * scale[2], torch.zeros(2))
    assert (scale > 0).all()  # 0/0 as an integer is whatever a processor makes of it


@pytest.mark.parametrize("shape", [(6, 3, 4, 4), (2, 5)])
def test_quantize_rounds_every_row_of_a_convolution_by_its_own_largest_weight(shape):
    weight = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    weight[1] *= 1_000
    integers, scale = checkpoints.quantize(weight)
    for row, whole, step in zip(weight, integers, scale, strict=True):
        assert step == pytest.approx(float(row.abs().max()) / 127)
        assert (whole * step - row).abs().max() <= 0.5001 * step


def test_convolutions_come_back_from_eight_bits(tmp_path):
    torch.manual_seed(0)
    model = VAE(3, (8,), channels=(2, 4))
    checkpoints.save_model(model, "test-conv", {}, "int8", tmp_path)
    loaded = checkpoints.load_model("test-conv", tmp_path).state_dict()
    for key, value in model.state_dict().items():
        coarsest = value.abs().max() / 127 if value.ndim > 1 else 0.0
        assert (loaded[key] - value).abs().max() <= 0.5001 * coarsest
    stored = load_file(tmp_path / "test-conv.safetensors")
    assert {tensor.dtype for key, tensor in stored.items() if key.endswith("weight")} == {torch.int8}


def test_the_card_says_what_was_given_and_what_was_written(model, tmp_path):
    checkpoints.save_model(model, "test-card", {"data": "digits of pi", "numbers": {"loss": 3.14}}, "int8", tmp_path)
    card = checkpoints.model_card("test-card", tmp_path)
    content = (tmp_path / "test-card.safetensors").read_bytes()
    assert card["data"] == "digits of pi"
    assert card["numbers"] == {"loss": 3.14}
    assert card["bytes"] == len(content)
    assert card["sha256"] == hashlib.sha256(content).hexdigest()
    assert card["configuration"] == model.configuration
    assert (card["name"], card["class"], card["precision"]) == ("test-card", type(model).__name__, "int8")


def test_a_card_that_cannot_be_written_leaves_the_old_checkpoint_whole(model, tmp_path):
    checkpoints.save_model(model, "test-card", {"numbers": {"loss": 1.0}}, folder=tmp_path)
    with torch.no_grad():
        next(model.parameters()).add_(1)
    with pytest.raises(TypeError, match="the card of test-card holds something else"):
        checkpoints.save_model(model, "test-card", {"numbers": {"loss": np.zeros(2)}}, folder=tmp_path)
    assert checkpoints.model_card("test-card", tmp_path)["numbers"] == {"loss": 1.0}
    checkpoints.load_model("test-card", tmp_path)  # weights and card are still those of one another


def test_weights_that_lie_otherwise_in_memory_are_saved(model, tmp_path):
    with torch.no_grad():
        first = next(module for module in model.modules() if isinstance(module, torch.nn.Linear))
        first.weight = torch.nn.Parameter(first.weight.T.contiguous().T)
    assert not first.weight.is_contiguous()
    checkpoints.save_model(model, "test-turned", {}, "float32", tmp_path)
    torch.testing.assert_close(checkpoints.load_model("test-turned", tmp_path).state_dict(), model.state_dict())
    checkpoints.save_model(model, "test-turned", {}, "int8", tmp_path)


def test_an_old_card_does_not_overrule_new_weights(model, tmp_path):
    checkpoints.save_model(model, "test-twice", {}, "float32", tmp_path)
    old = checkpoints.model_card("test-twice", tmp_path)
    with torch.no_grad():
        model.decoder[0].bias.add_(1.0)
    checkpoints.save_model(model, "test-twice", old, "float32", tmp_path)
    assert torch.equal(checkpoints.load_model("test-twice", tmp_path).decoder[0].bias, model.decoder[0].bias)


# ---------------------------------------------------------------- refusals


def test_unknown_names_and_precisions_are_refused_with_the_known_ones(model, tmp_path):
    checkpoints.save_model(model, "test-known", {}, "float32", tmp_path)
    for ask in (checkpoints.load_model, checkpoints.model_card):
        with pytest.raises(ValueError, match=r"test-unknown.*choose from \['test-known'\]"):
            ask("test-unknown", tmp_path)
    with pytest.raises(ValueError, match=r"int4.*'int8'"):
        checkpoints.save_model(model, "test-int4", {}, "int4", tmp_path)
    assert checkpoints.model_names(tmp_path) == ["test-known"]
    with pytest.raises(ValueError, match=r"holds one of .*'VAE'.*, not a Linear"):
        checkpoints.save_model(torch.nn.Linear(2, 2), "test-linear", {}, "float32", tmp_path)
    assert checkpoints.model_names(tmp_path) == ["test-known"]


@pytest.mark.parametrize(("precision", "value"), [("float16", 1e6), ("int8", float("nan")), ("float32", float("inf"))])
def test_weights_that_are_not_finite_are_refused(model, tmp_path, precision, value):
    with torch.no_grad():
        model.decoder[0].weight[0, 0] = value
    with pytest.raises(ValueError, match=f"decoder.0.weight is not finite in {precision}"):
        checkpoints.save_model(model, "test-broken", {}, precision, tmp_path)
    assert checkpoints.model_names(tmp_path) == []


@pytest.mark.parametrize("text", ["[]", "{}", "3", '{"class": "VAE"}'])
def test_a_card_without_its_keys_is_named(tmp_path, text):
    (tmp_path / "test-card.json").write_text(text)
    with pytest.raises(ValueError, match=r"test-card.json is not a complete card"):
        checkpoints.load_model("test-card", tmp_path)


@pytest.mark.parametrize(
    "damage",
    [lambda content: content[:-5], lambda content: content[:-1] + bytes([content[-1] ^ 1]), lambda content: b""],
    ids=["truncated", "flipped bit", "empty"],
)
def test_damaged_weights_are_named_and_refused(damage, model, tmp_path):
    checkpoints.save_model(model, "test-damaged", {"command": "remake it so"}, "float32", tmp_path)
    path = tmp_path / "test-damaged.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"test-damaged\.safetensors is missing, corrupt .* remake it so"):
        checkpoints.load_model("test-damaged", tmp_path)


def test_missing_weights_and_half_a_card_are_named_and_refused(model, tmp_path):
    checkpoints.save_model(model, "test-half", {"command": "remake it so"}, "float32", tmp_path)
    weights, card = tmp_path / "test-half.safetensors", tmp_path / "test-half.json"
    content = weights.read_bytes()
    weights.unlink()
    with pytest.raises(ValueError, match=r"test-half\.safetensors is missing.* remake it so"):
        checkpoints.load_model("test-half", tmp_path)
    weights.write_bytes(content)
    card.write_text(card.read_text("utf-8")[:-20], "utf-8")
    with pytest.raises(ValueError, match=r"test-half\.json is not a complete card"):
        checkpoints.load_model("test-half", tmp_path)


def test_weights_of_another_card_are_refused(model, tmp_path):
    checkpoints.save_model(model, "test-one", {}, "float32", tmp_path)
    checkpoints.save_model(model, "test-two", {}, "float16", tmp_path)
    (tmp_path / "test-one.safetensors").write_bytes((tmp_path / "test-two.safetensors").read_bytes())
    with pytest.raises(ValueError, match="not its card's"):
        checkpoints.load_model("test-one", tmp_path)


# ---------------------------------------------------------------- atomic writes


def fail(*_: object) -> None:
    raise OSError("disk full")


def write_half(path: Path, content: bytes) -> int:
    with path.open("wb") as file:
        file.write(content[: len(content) // 2])
    raise OSError("disk full")


@pytest.mark.parametrize("broken", ["replace", "write"])
def test_a_write_that_breaks_leaves_the_old_file_and_nothing_else(broken, tmp_path, monkeypatch):
    target = tmp_path / "file"
    checkpoints.write_atomically(target, b"old")
    if broken == "replace":
        monkeypatch.setattr("os.replace", fail)
    else:
        monkeypatch.setattr(Path, "write_bytes", write_half)
    with pytest.raises(OSError, match="disk full"):
        checkpoints.write_atomically(target, b"new and longer")
    monkeypatch.undo()
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]
    checkpoints.write_atomically(target, b"new")
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize("last", ["weights", "card"])
def test_a_checkpoint_that_breaks_off_leaves_old_files_whole_and_a_new_one_unlisted(last, model, tmp_path, monkeypatch):
    """Weights come before their card: what is listed is there."""
    checkpoints.save_model(model, "test-old", {"numbers": {"loss": 1.0}}, "float32", tmp_path)
    before, card = copy.deepcopy(model.state_dict()), (tmp_path / "test-old.json").read_bytes()
    files: list[Path] = []
    write = Path.write_bytes

    def breaking(path: Path, content: bytes) -> int:
        files.append(path)
        return write(path, content) if len(files) < ("weights", "card").index(last) + 1 else write_half(path, content)

    with torch.no_grad():
        next(model.parameters()).add_(1)
    for name in ("test-old", "test-new"):
        files.clear()
        monkeypatch.setattr(Path, "write_bytes", breaking)
        with pytest.raises(OSError, match="disk full"):
            checkpoints.save_model(model, name, {"numbers": {"loss": 2.0}}, "float32", tmp_path)
        monkeypatch.undo()
    assert checkpoints.model_names(tmp_path) == ["test-old"]
    assert (tmp_path / "test-old.json").read_bytes() == card
    if last == "weights":
        torch.testing.assert_close(checkpoints.load_model("test-old", tmp_path).state_dict(), before)


def test_a_state_that_cannot_be_written_leaves_the_last_one(tmp_path, monkeypatch):
    state = tmp_path / "state"
    checkpoints.save_training_state(state, {"w": torch.ones(3)}, {"epoch": 1})
    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        checkpoints.save_training_state(state, {"w": torch.zeros(3)}, {"epoch": 2})
    tensors, record = checkpoints.load_training_state(state)
    assert record == {"epoch": 1}
    assert tensors["w"].tolist() == [1.0, 1.0, 1.0]


def test_a_training_state_comes_back_whole(tmp_path):
    tensors = {"a": torch.randn(3, 4).T, "b.step": torch.tensor(7.0), "random_state": torch.get_rng_state()}
    record = {"identity": {"seed": 0}, "history": {"loss": [1 / 3, 2e-17]}}
    checkpoints.save_training_state(tmp_path / "new" / "state", tensors, record)
    found, found_record = checkpoints.load_training_state(tmp_path / "new" / "state")
    assert found_record == record
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[key], tensors[key]) for key in tensors)


def test_a_renamed_tensor_in_a_training_state_is_noticed(tmp_path):
    """As long as the old name, so that nothing else in the file moves."""
    state = tmp_path / "state"
    checkpoints.save_training_state(state, {"first": torch.ones(3), "second": torch.zeros(3)}, {"epoch": 1})
    state.write_bytes(state.read_bytes().replace(b"second", b"sevent"))
    with pytest.raises(ValueError, match="is corrupt: delete it"):
        checkpoints.load_training_state(state)


# ---------------------------------------------------------------- no pickle


def unpickling(source: str) -> list[str]:
    """What in a module's syntax tree reads or writes pickles; joblib may start processes, but not load or dump files."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = getattr(node, "module", None) or ""
            names = [alias.name for alias in node.names] + [module]
            found += [f"import {name}" for name in names if name.split(".")[0] in ("pickle", "dill", "cloudpickle", "shelve")]
            found += [f"joblib.{alias.name}" for alias in node.names if module == "joblib" and alias.name in ("load", "dump", "Memory")]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            called = ast.unparse(node.func)
            if called in ("torch.load", "torch.save", "torch.hub.load", "joblib.load", "joblib.dump", "joblib.Memory"):
                found.append(called)
            if node.func.attr == "load" and any(word.arg == "allow_pickle" for word in node.keywords):
                found.append(f"{called}(allow_pickle=…)")
    return found


def test_the_search_for_pickles_finds_them():
    source = "import pickle\nfrom joblib import load\nimport torch\ntorch.load('x')\nnp.load('y', allow_pickle=True)\nnp.load('z')"
    assert unpickling(source) == ["import pickle", "joblib.load", "torch.load", "np.load(allow_pickle=…)"]
    assert unpickling("import joblib\njoblib.Parallel()\njoblib.dump(1, 'x')") == ["joblib.dump"]


@pytest.mark.parametrize("path", sorted((ROOT / "vae_tutorial").rglob("*.py")), ids=lambda path: path.stem)
def test_nothing_is_pickled(path):
    assert unpickling(path.read_text("utf-8")) == []


# ---------------------------------------------------------------- shipped checkpoints

REQUIRED = {"mnist-2d", "mnist-2d-autoencoder", "mnist-bottleneck"}
TRAINING_IMAGES = {
    "mnist": 55_000, "fashion-mnist": 60_000, "embedded": 4_000, "sprites": measuring.SPRITES, "spiral": measuring.POINTS_ON_SPIRAL,
    "places": measuring.PLACES,
}  # fmt: skip
MOST_BYTES = {"mnist-2d": 540_000}
MOST_NATS = {"mnist-2d": 141.0}  # grey-level Bernoulli −ELBO, one sample, official test images; VAE Explainer ships 150.8


def test_every_explorers_model_is_shipped_and_every_recipe_has_its_checkpoint():
    assert set(checkpoints.model_names()) >= REQUIRED
    assert set(checkpoints.model_names()) == set(load_recipes())


def test_what_ships_beside_the_code_stays_light():
    package = checkpoints.SHIPPED.parent
    patterns = tomllib.loads((package.parent / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-data"]["vae_tutorial"]
    files = {path for pattern in patterns for path in package.glob(pattern) if path.is_file()}
    assert sum(path.stat().st_size for path in files) < 10_000_000
    assert {path.parent.name for path in files} >= {"weights", "runs", "images", "js"}


@pytest.mark.parametrize("name", checkpoints.model_names())
def test_card_describes_the_file(name):
    card = checkpoints.model_card(name)
    content = (checkpoints.SHIPPED / f"{name}.safetensors").read_bytes()
    assert hashlib.sha256(content).hexdigest() == card["sha256"]
    assert len(content) == card["bytes"] <= MOST_BYTES.get(name, 1_000_000)
    recipe = load_recipes()[name]
    assert (card["seed"], card["epochs"], card["precision"]) == (recipe.SEED, recipe.EPOCHS, recipe.PRECISION)
    assert (card["training_images"], card["binarisation"]) == (TRAINING_IMAGES[recipe.DATA], recipe.BINARISATION)
    assert ("minus the embedded 5,000" in card["data"]) == (recipe.DATA == "mnist")
    assert card["command"] == f"python -m vae_tutorial.recipes {name}"
    assert card["products"] in {"float32": ("float32",), "fast": ("float32", "bfloat16")}[getattr(recipe, "PRODUCTS", "float32")]
    assert set(card["numbers"]) == ({recipe.DATA} if recipe.DATA in ("sprites", "spiral", "places") else {"official_test", "embedded"})
    assert "/" not in json.dumps(card | {"replay": None})  # no path of the machine that trained it (base64 has slashes)


@pytest.mark.parametrize("name", checkpoints.model_names())
def test_numbers_on_the_card_are_those_of_the_shipped_weights(name):
    recipe = load_recipes()[name]
    images = measuring.at_hand(recipe.DATA, recipe.BINARISATION != "none")
    labels = labels_for(recipe, images)
    measured = evaluate(checkpoints.load_model(name), images.x, recipe.MEASURE, labels=labels, seed=MEASURING_SEED)
    assert measured == pytest.approx(next(reversed(checkpoints.model_card(name)["numbers"].values())), abs=0.05)


@pytest.mark.parametrize("name", [name for name in checkpoints.model_names() if load_recipes()[name].DATA == "mnist"])
def test_embedded_digits_are_as_new_to_the_model_as_the_official_test_images(name):
    numbers = checkpoints.model_card(name)["numbers"]
    assert numbers["embedded"]["loss"] == pytest.approx(numbers["official_test"]["loss"], rel=0.02)


@pytest.mark.parametrize("name", MOST_NATS)
def test_shipped_vae_is_as_good_as_promised(name):
    assert checkpoints.model_card(name)["numbers"]["official_test"]["loss"] <= MOST_NATS[name]
