"""List the recipes, or run them: train, round the weights, measure what will be shipped, write the card."""

import argparse
import importlib
import pkgutil
import time
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor

from vae_tutorial import recipes
from vae_tutorial.checkpoints import SHIPPED, model_card, model_names, rounded, save_model
from vae_tutorial.data import Images
from vae_tutorial.recipes.measuring import MEASURING_SEED, held_out, training_images
from vae_tutorial.training import evaluate


def load_recipes() -> dict[str, ModuleType]:
    """Every recipe module by its checkpoint's name."""
    modules = [importlib.import_module(f"{recipes.__name__}.{found.name}") for found in pkgutil.iter_modules(recipes.__path__)]
    return {module.NAME: module for module in modules if hasattr(module, "NAME")}


def labels_for(recipe: ModuleType, images: Images) -> Tensor | None:
    """The classes (N,) where a recipe's objective wants them (`LABELLED = True`), else None."""
    return images.y if getattr(recipe, "LABELLED", False) else None


def run(recipe: ModuleType, root: str | Path | None, folder: Path, state: Path, seed: int | None = None) -> dict:
    """Train one recipe, from its own seed unless told another, and write its checkpoint into `folder`; returns the measured numbers.

    What only its own page needs a recipe adds to its card: from the training, as a dict beside the model that `train`
    returns, or from the shipped weights and the first held-out set, as `further(model, images) -> dict`.
    """
    started = time.perf_counter()
    seed = recipe.SEED if seed is None else seed
    images = training_images(recipe.DATA, root, seed)
    made = recipe.train(images, state, seed)
    model, recorded = made if isinstance(made, tuple) else (made, {})
    card = {
        "recipe": recipe.__doc__.strip(),
        "command": f"python -m vae_tutorial.recipes {recipe.NAME}",
        "data": images.source, "training_images": len(images), "binarisation": recipe.BINARISATION, "seed": seed,
        "epochs": recipe.EPOCHS, "minutes": round((time.perf_counter() - started) / 60, 1), "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }  # fmt: skip
    shipped = rounded(model, recipe.PRECISION)  # what is in the folder stays until all is measured
    sets = held_out(recipe.DATA, root, recipe.BINARISATION != "none")
    card["numbers"] = {
        name: evaluate(shipped, part.x, recipe.MEASURE, labels=labels_for(recipe, part), seed=MEASURING_SEED) for name, part in sets.items()
    }
    card |= recorded | (recipe.further(shipped, next(iter(sets.values()))) if hasattr(recipe, "further") else {})
    save_model(model, recipe.NAME, card, recipe.PRECISION, folder)
    state.unlink(missing_ok=True)
    return card["numbers"]


def expectation(name: str) -> str:
    """What the shipped checkpoint reached and took, from its card."""
    if name not in model_names():
        return "not made yet"
    card = model_card(name)
    images, numbers = next(iter(card["numbers"].items()))
    where = {"sprites": "held-out sprites", "spiral": "other points", "places": "other places"}.get(images, "the official test images")
    return f"{card['data']}: loss {numbers['loss']:.1f} on {where}; {card['minutes']} minutes on {card['threads']} core(s)"


def main() -> None:
    """The command line."""
    known = load_recipes()
    parser = argparse.ArgumentParser(prog="python -m vae_tutorial.recipes", description=__doc__)
    parser.add_argument("name", nargs="?", choices=[*known, "all"], help="which to remake; without it, the list")
    parser.add_argument("--data", type=Path, help="folder with MNIST/raw and FashionMNIST/raw (downloaded there if missing)")
    parser.add_argument("--to", type=Path, default=SHIPPED, help="where the checkpoint goes (default: the package)")
    options = parser.parse_args()
    if options.name is None:
        for name, recipe in known.items():
            print(f"{name:22} {recipe.__doc__}\n{'':22} {expectation(name)}")
        return
    options.to.mkdir(parents=True, exist_ok=True)
    for name in known if options.name == "all" else [options.name]:
        state = options.to / f".{name}.partial"
        print(name, run(known[name], options.data, options.to, state))


if __name__ == "__main__":
    main()
