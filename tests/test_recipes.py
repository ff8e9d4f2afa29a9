"""Recipes: the list, the refusals, and a run in miniature whose card is measured on the rounded weights."""

import sys
from base64 import b64decode
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import norm

from vae_tutorial import checkpoints, networks, objectives, training
from vae_tutorial.data import Images
from vae_tutorial.experiments.records import load_record
from vae_tutorial.laboratory import spiral
from vae_tutorial.models import VAE, Autoencoder
from vae_tutorial.recipes import __main__ as command
from vae_tutorial.recipes import measuring, mnist_2d, mnist_beta, mnist_denoising
from vae_tutorial.rotation import pictures
from vae_tutorial.sprites import Sprites
from vae_tutorial.training import evaluate, fit
from vae_tutorial.vector_quantisation import VectorQuantisedVAE

RECIPES = command.load_recipes()
AUTOENCODERS = {"mnist-2d-autoencoder", "mnist-16d-autoencoder", "mnist-bottleneck", "mnist-denoising", "mnist-denoising-patch"}


def images_of(digits: Images, start: int, stop: int) -> Images:
    return Images(digits.x[start:stop], digits.y[start:stop], f"digits {start} to {stop}")


@pytest.fixture
def miniature(train_digits, test_digits, monkeypatch) -> dict[tuple[str, bool], Images]:
    """A few hundred digits in place of every data set that a recipe loads."""
    sets = {
        ("train", True): images_of(train_digits, 0, 256),
        ("test", True): images_of(test_digits, 0, 100),
        ("train", False): images_of(train_digits, 300, 380),
        ("test", False): images_of(test_digits, 300, 320),
    }
    monkeypatch.setattr(measuring, "load_images", lambda name, split, full=False, root=None: sets[split, full])
    return sets


def tiny_recipe(
    channels: tuple[int, ...] = (), products: str = "float32", objective: Callable = objectives.negative_elbo,
    on_epoch: Callable | None = None,
) -> SimpleNamespace:  # fmt: skip
    """Two epochs of two updates on the miniature digits."""

    def train(images, state, seed=0):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = VAE(2, (16,), channels=channels)
        fit(
            model, images.x, objective, epochs=2, learning_rate=1e-2, precision=products, seed=seed, checkpoint=state,
            on_epoch=on_epoch, progress=False,
        )  # fmt: skip
        assert state.exists()
        return model

    return SimpleNamespace(
        __doc__="A miniature.\n", NAME="mnist-tiny", DATA="mnist", BINARISATION="none", SEED=0, EPOCHS=2, PRODUCTS=products,
        PRECISION="int8", MEASURE=objectives.negative_elbo, train=train, further=lambda model, images: {"images": images.source},
    )  # fmt: skip


def test_a_run_writes_a_card_whose_numbers_are_those_of_the_weights_as_shipped(miniature, tmp_path):
    recipe, state = tiny_recipe(), tmp_path / "state"
    numbers = command.run(recipe, None, tmp_path, state)
    card = checkpoints.model_card("mnist-tiny", tmp_path)
    assert card["numbers"] == numbers
    assert card["images"] == "digits 0 to 100"  # what the recipe itself adds
    assert (card["training_images"], card["data"]) == (256, "digits 0 to 256")
    assert card["command"] == "python -m vae_tutorial.recipes mnist-tiny"
    shipped = checkpoints.load_model("mnist-tiny", tmp_path)
    held_out = {
        "official_test": miniature["test", True].x,
        "embedded": torch.cat([miniature["train", False].x, miniature["test", False].x]),
    }
    assert set(numbers) == set(held_out)
    unrounded = recipe.train(miniature["train", True], tmp_path / "again")
    for name, x in held_out.items():
        measured = evaluate(shipped, x, recipe.MEASURE, seed=command.MEASURING_SEED)
        assert numbers[name] == pytest.approx(measured, rel=1e-6)
        assert numbers[name]["loss"] != evaluate(unrounded, x, recipe.MEASURE, seed=command.MEASURING_SEED)["loss"]


def weights_of(recipe: SimpleNamespace, folder: Path) -> bytes:
    """The file that a run from nothing writes."""
    folder.mkdir()
    command.run(recipe, None, folder, folder / "state")
    return (folder / "mnist-tiny.safetensors").read_bytes()


@pytest.mark.parametrize(("channels", "products", "threads"), [((), "float32", 1), ((2, 4), "bfloat16", 2)], ids=["dense", "convolutions"])
def test_two_runs_of_a_recipe_write_the_same_file(channels, products, threads, miniature, tmp_path):
    torch.set_num_threads(threads)
    try:
        one = weights_of(tiny_recipe(channels, products), tmp_path / "one")
        torch.manual_seed(99)  # the recipe has a seed of its own
        assert weights_of(tiny_recipe(channels, products), tmp_path / "two") == one
    finally:
        torch.set_num_threads(1)


@pytest.mark.parametrize(("instructions", "products"), [(True, "bfloat16"), (False, "float32")])
def test_a_card_says_in_which_products_fast_ones_were(instructions, products, miniature, tmp_path, monkeypatch):
    monkeypatch.setattr(networks, "has_bfloat16", lambda device: instructions)
    fast, named = (weights_of(tiny_recipe(products=each), tmp_path / each) for each in ("fast", products))
    assert fast == named
    assert fast != weights_of(tiny_recipe(products={"float32": "bfloat16", "bfloat16": "float32"}[products]), tmp_path / "other")
    assert [checkpoints.model_card("mnist-tiny", tmp_path / each)["products"] for each in ("fast", products)] == [products, products]


CLOCK = SimpleNamespace(now=0.0, perf_counter=lambda: CLOCK.now)


def slow_elbo(model: VAE, x: torch.Tensor) -> objectives.Terms:
    """An update that takes ten minutes by the clock of `slow`."""
    CLOCK.now += 600.0
    return objectives.negative_elbo(model, x)


@pytest.fixture
def slow(monkeypatch) -> SimpleNamespace:
    """The clock that the training and its card go by."""
    for module in (training, command):
        monkeypatch.setattr(module, "time", CLOCK)
    return CLOCK


def interrupt(history: training.History) -> None:
    raise KeyboardInterrupt


def test_an_interrupted_trainings_card_counts_what_went_before(slow, miniature, tmp_path, capsys):
    state, begun = tmp_path / "state", slow.now
    with pytest.raises(KeyboardInterrupt):
        command.run(tiny_recipe(objective=slow_elbo, on_epoch=interrupt), None, tmp_path, state)
    assert slow.now - begun == 1_200  # one epoch of two updates
    assert capsys.readouterr().out == ""
    for _ in range(2):  # goes on; then finds all done
        command.run(tiny_recipe(objective=slow_elbo), None, tmp_path, state)
        assert checkpoints.model_card("mnist-tiny", tmp_path)["minutes"] == 40.0
        assert slow.now - begun == 2_400
    told = capsys.readouterr().out.splitlines()
    assert told == [f"{epochs} epochs are done already, by {state}: delete it to train from the start" for epochs in (1, 2)]
    whole = weights_of(tiny_recipe(objective=slow_elbo), tmp_path / "whole")
    assert (tmp_path / "mnist-tiny.safetensors").read_bytes() == whole
    assert checkpoints.model_card("mnist-tiny", tmp_path / "whole")["minutes"] == 40.0


def test_a_run_from_another_seed_says_so(miniature, tmp_path):
    own, other = (command.run(tiny_recipe(), None, tmp_path, tmp_path / f"state{seed}", *seed) for seed in ((), (7,)))
    assert checkpoints.model_card("mnist-tiny", tmp_path)["seed"] == 7
    assert own["official_test"]["loss"] != other["official_test"]["loss"]


def test_a_run_that_fails_while_measuring_leaves_the_old_checkpoint(miniature, tmp_path, monkeypatch):
    command.run(tiny_recipe(), None, tmp_path, tmp_path / "state")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def no_network(*given):
        raise FileNotFoundError("no network")

    monkeypatch.setattr(command, "held_out", no_network)
    with pytest.raises(FileNotFoundError, match="no network"):
        command.run(tiny_recipe(), None, tmp_path, tmp_path / "other", 7)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name != "other"} == before


def test_the_training_of_another_seed_is_not_gone_on_with(miniature, tmp_path):
    command.run(tiny_recipe(), None, tmp_path, tmp_path / "state")
    with pytest.raises(ValueError, match="belongs to another training"):
        command.run(tiny_recipe(), None, tmp_path, tmp_path / "state", 7)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_trains_the_kind_of_model_it_says(name, train_digits, tmp_path, monkeypatch):
    recipe = RECIPES[name]
    for module in {recipe, mnist_2d, mnist_beta, mnist_denoising}:
        monkeypatch.setattr(module, "EPOCHS", 8 if name == "mnist-likelihood" else 1)  # at its rate four updates take it up, not down
    few = {"sprites": lambda: Sprites(512, seed=0), "spiral": lambda: spiral(512, seed=0), "places": lambda: pictures(torch.rand(512, 2))}
    images = Images(few[recipe.DATA](), None, "a few") if recipe.DATA in few else images_of(train_digits, 0, 512)
    before, products, chosen = torch.get_rng_state(), [], networks.products_in
    monkeypatch.setattr(training, "products_in", lambda *given: products.append(given[0]) or chosen(*given))
    made = recipe.train(images, tmp_path / "state")
    assert set(products) == {networks.resolve_precision(getattr(recipe, "PRODUCTS", "float32"))}  # as its card will say
    model = made[0] if isinstance(made, tuple) else made
    assert isinstance(model, Autoencoder if name in AUTOENCODERS else VectorQuantisedVAE if name == "mnist-vq" else VAE)
    assert torch.equal(torch.get_rng_state(), before)
    assert (tmp_path / "state").exists() or name == "mnist-replay"  # an interrupted run goes on from here
    labels = command.labels_for(recipe, images)
    measured = evaluate(model, images.x, recipe.MEASURE, labels=labels, seed=0)
    fresh = type(model)(**model.configuration)
    assert measured["loss"] < evaluate(fresh, images.x, recipe.MEASURE, labels=labels, seed=0)["loss"]


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_states_itself(name):
    recipe = RECIPES[name]
    assert recipe.NAME == name == recipe.__name__.rsplit(".", 1)[1].replace("_", "-")
    assert recipe.__doc__.strip()
    assert recipe.PRECISION in ("float16", "int8")
    assert recipe.DATA in ("mnist", "fashion-mnist", "embedded", "sprites", "spiral", "places")
    assert recipe.BINARISATION in ("none", "dynamic")


def test_the_recipe_that_needs_no_download_gives_its_card_again(monkeypatch, tmp_path):
    """Trained anew, rounded, measured: held-out terms within 1 nat of the card's, curves within 1.5 from the tenth epoch on."""
    recipe, card = RECIPES["mnist-replay"], checkpoints.model_card("mnist-replay")
    embedded = measuring.load_images
    monkeypatch.setattr(measuring, "load_images", lambda *given, full=False, root=None: embedded(*given))
    numbers = command.run(recipe, None, tmp_path, tmp_path / "state")
    again = checkpoints.model_card("mnist-replay", tmp_path)
    for term, value in card["numbers"]["embedded"].items():
        assert numbers["embedded"][term] == pytest.approx(value, abs=1.0)  # processors add in different orders
    for part in ("train", "held_out"):
        for term, values in card["replay"][part].items():
            assert again["replay"][part][term][10:] == pytest.approx(values[10:], abs=1.5)
    assert len(again["replay"]["frames"]) == len(card["replay"]["frames"]) == len(recipe.FRAMES)


def test_a_frame_holds_the_codes_and_the_decoded_digits(test_digits):
    recipe, x = RECIPES["mnist-replay"], test_digits.x[:20]
    model = VAE(2, (16,))
    frame = recipe.frame(model, x)
    codes = np.frombuffer(b64decode(frame["codes"]), "<f2").reshape(20, 2)
    np.testing.assert_allclose(codes, model.posterior(x).mean.detach().numpy(), atol=1e-2)
    sheet = torch.tensor(np.array(Image.open(BytesIO(b64decode(frame["digits"]))).convert("L")))
    assert sheet.shape == (28 * recipe.SIDE, 28 * recipe.SIDE)
    low, high = norm.ppf(0.5 / recipe.SIDE), norm.ppf(1 - 0.5 / recipe.SIDE)
    for place, z in {(0, 0): (low, high), (0, -1): (high, high), (-1, 0): (low, low)}.items():
        tile = sheet.view(recipe.SIDE, 28, recipe.SIDE, 28)[place[0], :, place[1]]
        expected = model.likelihood(torch.tensor(z, dtype=torch.float32)).mean[0] * 255
        torch.testing.assert_close(tile.float(), expected.detach(), atol=0.6 + 255 / (recipe.LEVELS - 1) / 2, rtol=0)


def run_command(monkeypatch, *arguments) -> None:
    monkeypatch.setattr(sys, "argv", ["recipes", *map(str, arguments)])
    command.main()


def test_without_a_name_the_recipes_are_listed(monkeypatch, capsys):
    run_command(monkeypatch)
    listed = capsys.readouterr().out
    places = [listed.index(f"{name} ") for name in RECIPES]
    for name, start, stop in zip(RECIPES, places, [*places[1:], None], strict=True):
        assert RECIPES[name].__doc__.strip() in listed[start:stop]
        reached, *_ = checkpoints.model_card(name)["numbers"].values()
        where = {"sprites": "held-out sprites", "spiral": "other points", "places": "other places"}.get(
            RECIPES[name].DATA, "the official test images"
        )
        assert f"loss {reached['loss']:.1f} on {where}" in listed[start:stop]
        minutes, cores = command.expected_time(name)
        assert f"; {minutes:.1f} minutes on {cores} core(s)" in listed[start:stop]
    assert f"all {'':18} {sum(command.expected_time(name)[0] for name in RECIPES):.0f} minutes" in listed


def test_the_expected_time_is_the_shortest_that_was_measured():
    taken = {name: [checkpoints.model_card(name)["minutes"]] for name in RECIPES}
    for run in load_record("recipe-seeds")["runs"]:
        taken[run["setting"]["recipe"]].append(run["seconds"] / 60)
    assert {name: command.expected_time(name)[0] for name in RECIPES} == {name: min(minutes) for name, minutes in taken.items()}
    assert command.expected_time("mnist-2d")[0] < 0.5 * taken["mnist-2d"][0]  # the machine was busy
    assert command.expected_time("mnist-likelihood") == (checkpoints.model_card("mnist-likelihood")["minutes"], 2)


def test_a_recipe_whose_checkpoint_is_missing_says_so(monkeypatch, capsys):
    monkeypatch.setattr(command, "load_recipes", lambda: {"mnist-tiny": tiny_recipe()})
    run_command(monkeypatch)
    assert "not made yet" in capsys.readouterr().out


def test_an_unknown_name_is_refused_with_the_known_ones(monkeypatch, capsys):
    with pytest.raises(SystemExit) as stopped:
        run_command(monkeypatch, "mnist-3d")
    assert stopped.value.code == 2
    message = capsys.readouterr().err
    assert "mnist-3d" in message
    assert all(name in message for name in RECIPES)


def test_the_command_writes_where_it_is_told(miniature, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(command, "load_recipes", lambda: {"mnist-tiny": tiny_recipe()})
    run_command(monkeypatch, "mnist-tiny", "--to", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["mnist-tiny.json", "mnist-tiny.safetensors"]
    assert "mnist-tiny" in capsys.readouterr().out


def test_all_recipes_are_run_one_after_the_other(miniature, monkeypatch, tmp_path):
    recipes = {name: tiny_recipe() for name in ("mnist-tiny", "mnist-tinier")}
    recipes["mnist-tinier"].NAME = "mnist-tinier"
    monkeypatch.setattr(command, "load_recipes", lambda: recipes)
    run_command(monkeypatch, "all", "--to", tmp_path)
    assert checkpoints.model_names(tmp_path) == ["mnist-tinier", "mnist-tiny"]
    assert not list(tmp_path.glob("*.partial"))


def test_all_recipes_again_after_an_interruption_train_none_of_them_twice(slow, miniature, monkeypatch, tmp_path, capsys):
    recipes = {name: tiny_recipe(objective=slow_elbo) for name in ("mnist-one", "mnist-two", "mnist-three")}
    for name, recipe in recipes.items():
        recipe.NAME = name
    monkeypatch.setattr(command, "load_recipes", lambda: recipes)
    begun, whole = slow.now, recipes["mnist-two"].train
    recipes["mnist-two"].train = tiny_recipe(objective=slow_elbo, on_epoch=interrupt).train
    with pytest.raises(KeyboardInterrupt):
        run_command(monkeypatch, "all", "--to", tmp_path)
    assert checkpoints.model_names(tmp_path) == ["mnist-one"]
    recipes["mnist-two"].train = whole
    run_command(monkeypatch, "all", "--to", tmp_path)
    assert slow.now - begun == 3 * 2_400
    assert capsys.readouterr().out.count("epochs are done already") == 2
    assert not list(tmp_path.glob("*.partial"))
    run_command(monkeypatch, "all", "--to", tmp_path)  # a call that ended is not gone on with
    assert slow.now - begun == 6 * 2_400
    assert [checkpoints.model_card(name, tmp_path)["minutes"] for name in recipes] == [40.0] * 3
