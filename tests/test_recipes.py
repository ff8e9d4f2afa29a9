"""Recipes: the list, the refusals, and a run in miniature whose card is measured on the rounded weights."""

import sys
from types import SimpleNamespace

import pytest
import torch

from vae_tutorial import checkpoints, objectives
from vae_tutorial.data import Images
from vae_tutorial.models import VAE, Autoencoder
from vae_tutorial.recipes import __main__ as command
from vae_tutorial.training import evaluate, fit

RECIPES = command.load_recipes()


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
    monkeypatch.setattr(command, "load_images", lambda name, split, full=False, root=None: sets[split, full])
    return sets


def tiny_recipe() -> SimpleNamespace:
    def train(x, state):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model = VAE(2, (16,))
        fit(model, x, objectives.negative_elbo, epochs=2, learning_rate=1e-2, checkpoint=state, progress=False)
        assert state.exists()
        return model

    return SimpleNamespace(
        __doc__="A miniature.\n", NAME="mnist-tiny", SEED=0, EPOCHS=2, PRECISION="int8", MEASURE=objectives.negative_elbo, train=train
    )


def test_a_run_writes_a_card_whose_numbers_are_those_of_the_weights_as_shipped(miniature, tmp_path):
    recipe, state = tiny_recipe(), tmp_path / "state"
    numbers = command.run(recipe, None, tmp_path, state)
    card = checkpoints.model_card("mnist-tiny", tmp_path)
    assert card["numbers"] == numbers
    assert not state.exists()
    assert (card["training_images"], card["data"]) == (256, "digits 0 to 256")
    assert card["command"] == "python -m vae_tutorial.recipes mnist-tiny"
    shipped = checkpoints.load_model("mnist-tiny", tmp_path)
    held_out = {
        "official_test": miniature["test", True].x,
        "embedded": torch.cat([miniature["train", False].x, miniature["test", False].x]),
    }
    assert set(numbers) == set(held_out)
    unrounded = recipe.train(miniature["train", True].x, tmp_path / "again")
    for name, x in held_out.items():
        measured = evaluate(shipped, x, recipe.MEASURE, seed=command.MEASURING_SEED)
        assert numbers[name] == pytest.approx(measured, rel=1e-6)
        assert numbers[name]["loss"] != evaluate(unrounded, x, recipe.MEASURE, seed=command.MEASURING_SEED)["loss"]


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_trains_the_kind_of_model_it_says(name, train_digits, tmp_path, monkeypatch):
    recipe = RECIPES[name]
    monkeypatch.setattr(recipe, "EPOCHS", 1)
    before = torch.get_rng_state()
    model = recipe.train(train_digits.x[:512], tmp_path / "state")
    assert isinstance(model, VAE if recipe.MEASURE is objectives.negative_elbo else Autoencoder)
    assert torch.equal(torch.get_rng_state(), before)
    assert (tmp_path / "state").exists()  # an interrupted run goes on from here
    measured = evaluate(model, train_digits.x[:512], recipe.MEASURE, seed=0)
    fresh = type(model)(**model.configuration)
    assert measured["loss"] < evaluate(fresh, train_digits.x[:512], recipe.MEASURE, seed=0)["loss"]


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_states_itself(name):
    recipe = RECIPES[name]
    assert recipe.NAME == name == recipe.__name__.rsplit(".", 1)[1].replace("_", "-")
    assert recipe.__doc__.strip()
    assert recipe.PRECISION in ("float16", "int8")


def run_command(monkeypatch, *arguments) -> None:
    monkeypatch.setattr(sys, "argv", ["recipes", *map(str, arguments)])
    command.main()


def test_without_a_name_the_recipes_are_listed(monkeypatch, capsys):
    run_command(monkeypatch)
    listed = capsys.readouterr().out
    places = [listed.index(f"{name} ") for name in RECIPES]
    for name, start, stop in zip(RECIPES, places, [*places[1:], None], strict=True):
        assert RECIPES[name].__doc__.strip() in listed[start:stop]
        card = checkpoints.model_card(name)
        assert f"loss {card['numbers']['official_test']['loss']:.1f} on the official test images" in listed[start:stop]


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
