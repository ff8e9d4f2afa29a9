"""List the recipes, or run them: train, round the weights, measure what will be shipped, write the card."""

import argparse
import importlib
import json
import pkgutil
import time
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor

from vae_tutorial import recipes
from vae_tutorial.checkpoints import SHIPPED, load_training_state, model_card, model_names, rounded, save_model
from vae_tutorial.data import Images
from vae_tutorial.networks import resolve_precision
from vae_tutorial.recipes.measuring import MEASURING_SEED, held_out, training_images
from vae_tutorial.training import evaluate

OTHER_SEEDS = SHIPPED.parent / "runs" / "recipe-seeds.json"  # of an experiment: those stand above the recipes, which read the file alone
GOES_ON = (
    "A call that was interrupted and is made again goes on from where it was: it says so, and what that call had trained already it only "
    "measures again. Checkpoints of earlier calls are always trained anew."
)


def load_recipes() -> dict[str, ModuleType]:
    """Every recipe module by its checkpoint's name."""
    modules = [importlib.import_module(f"{recipes.__name__}.{found.name}") for found in pkgutil.iter_modules(recipes.__path__)]
    return {module.NAME: module for module in modules if hasattr(module, "NAME")}


def labels_for(recipe: ModuleType, images: Images) -> Tensor | None:
    """The classes (N,) where a recipe's objective wants them (`LABELLED = True`), else None."""
    return images.y if getattr(recipe, "LABELLED", False) else None


def run(recipe: ModuleType, root: str | Path | None, folder: Path, state: Path, seed: int | None = None) -> dict:
    """Train one recipe, from its own seed unless told another, and write its checkpoint into `folder`; returns the measured numbers.

    `state` takes the training on the way and stays: with it, the same call goes on, or only measures what is trained.
    What only its own page needs a recipe adds to its card: from the training, as a dict beside the model that `train`
    returns, or from the shipped weights and the first held-out set, as `further(model, images) -> dict`.
    """
    started = time.perf_counter()
    seed = recipe.SEED if seed is None else seed
    images, spent = training_images(recipe.DATA, root, seed), seconds_in(state)
    made = recipe.train(images, state, seed)
    model, recorded = made if isinstance(made, tuple) else (made, {})
    card = {
        "recipe": recipe.__doc__.strip(),
        "command": f"python -m vae_tutorial.recipes {recipe.NAME}",
        "data": images.source, "training_images": len(images), "binarisation": recipe.BINARISATION, "seed": seed,
        "epochs": recipe.EPOCHS, "minutes": round((spent + time.perf_counter() - started) / 60, 1), "threads": torch.get_num_threads(),
        "products": resolve_precision(getattr(recipe, "PRODUCTS", "float32")), "torch": torch.__version__,
    }  # fmt: skip
    shipped = rounded(model, recipe.PRECISION)  # what is in the folder stays until all is measured
    sets = held_out(recipe.DATA, root, recipe.BINARISATION != "none")
    card["numbers"] = {
        name: evaluate(shipped, part.x, recipe.MEASURE, labels=labels_for(recipe, part), seed=MEASURING_SEED) for name, part in sets.items()
    }
    card |= recorded | (recipe.further(shipped, next(iter(sets.values()))) if hasattr(recipe, "further") else {})
    save_model(model, recipe.NAME, card, recipe.PRECISION, folder)
    return card["numbers"]


def seconds_in(state: Path) -> float:
    """What an interrupted training has spent on its finished epochs, and a line that says that it goes on; 0 without one.

    Raises:
        ValueError: the file is corrupt or truncated.
    """
    if not state.exists():
        return 0.0
    seconds = load_training_state(state)[1]["history"]["seconds"]
    print(f"{len(seconds)} epochs are done already, by {state}: delete it to train from the start")
    return sum(seconds)


def expected_time(name: str) -> tuple[float, int]:
    """Minutes and cores: the shipped checkpoint's or, if shorter, another seed's, since machines are busy at times."""
    card, others = model_card(name), json.loads(OTHER_SEEDS.read_text("utf-8"))["runs"]
    return min([(card["minutes"], card["threads"]), *((run["seconds"] / 60, 1) for run in others if run["setting"]["recipe"] == name)])


def expectation(name: str) -> str:
    """What the shipped checkpoint reached, from its card, and what that takes."""
    if name not in model_names():
        return "not made yet"
    card = model_card(name)
    (minutes, cores), (images, numbers) = expected_time(name), next(iter(card["numbers"].items()))
    where = {"sprites": "held-out sprites", "spiral": "other points", "places": "other places"}.get(images, "the official test images")
    return f"{card['data']}: loss {numbers['loss']:.1f} on {where}; {minutes:.1f} minutes on {cores} core(s)"


def main() -> None:
    """The command line."""
    known = load_recipes()
    parser = argparse.ArgumentParser(prog="python -m vae_tutorial.recipes", description=__doc__, epilog=GOES_ON)
    parser.add_argument("name", nargs="?", choices=[*known, "all"], help="which to remake, or every one of them; without it, the list")
    parser.add_argument("--data", type=Path, help="folder with MNIST/raw and FashionMNIST/raw (downloaded there if missing)")
    parser.add_argument("--to", type=Path, default=SHIPPED, help="where the checkpoint goes (default: the package)")
    options = parser.parse_args()
    if options.name is None:
        for name, recipe in known.items():
            print(f"{name:22} {recipe.__doc__}\n{'':22} {expectation(name)}")
        print(f"{'all':22} {sum(expected_time(name)[0] for name in known if name in model_names()):.0f} minutes, one after the other")
        return
    options.to.mkdir(parents=True, exist_ok=True)
    states = {name: options.to / f".{name}.partial" for name in (known if options.name == "all" else [options.name])}
    for name, state in states.items():
        print(name, run(known[name], options.data, options.to, state), flush=True)
    for state in states.values():  # not before all are done, so that the same call can go on
        state.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
