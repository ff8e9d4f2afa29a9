"""List the recipes, or run them: train, round the weights, measure what will be shipped, write the card."""

import argparse
import importlib
import pkgutil
import time
from pathlib import Path
from types import ModuleType

import torch

from vae_tutorial import recipes
from vae_tutorial.checkpoints import SHIPPED, load_model, model_card, model_names, save_model
from vae_tutorial.data import Images, load_images
from vae_tutorial.training import evaluate

MEASURING_SEED = 1_000_000  # of the noise in the reported numbers; no training uses it


def load_recipes() -> dict[str, ModuleType]:
    """Every recipe module by its checkpoint's name."""
    modules = [importlib.import_module(f"{recipes.__name__}.{found.name}") for found in pkgutil.iter_modules(recipes.__path__)]
    return {module.NAME: module for module in modules if hasattr(module, "NAME")}


def held_out(root: str | Path | None) -> dict[str, Images]:
    """The two sets that no shipped checkpoint was trained on: the official test images, and the 5,000 embedded digits."""
    train, test = load_images("mnist", "train"), load_images("mnist", "test")
    embedded = Images(torch.cat([train.x, test.x]), torch.cat([train.y, test.y]), "the 5,000 embedded digits")
    return {"official_test": load_images("mnist", "test", full=True, root=root), "embedded": embedded}


def run(recipe: ModuleType, root: str | Path | None, folder: Path, state: Path) -> dict:
    """Train one recipe and write its checkpoint into `folder`; returns the measured numbers."""
    started = time.perf_counter()
    train = load_images("mnist", "train", full=True, root=root)
    model = recipe.train(train.x, state)
    card = {
        "recipe": recipe.__doc__.strip(),
        "command": f"python -m vae_tutorial.recipes {recipe.NAME}",
        "data": train.source, "training_images": len(train), "seed": recipe.SEED, "epochs": recipe.EPOCHS,
        "minutes": round((time.perf_counter() - started) / 60, 1), "threads": torch.get_num_threads(), "torch": torch.__version__,
    }  # fmt: skip
    save_model(model, recipe.NAME, card, recipe.PRECISION, folder)
    shipped = load_model(recipe.NAME, folder)  # the rounded weights
    card["numbers"] = {name: evaluate(shipped, images.x, recipe.MEASURE, seed=MEASURING_SEED) for name, images in held_out(root).items()}
    save_model(model, recipe.NAME, card, recipe.PRECISION, folder)
    state.unlink(missing_ok=True)
    return card["numbers"]


def expectation(name: str) -> str:
    """What the shipped checkpoint reached and took, from its card."""
    if name not in model_names():
        return "not made yet"
    card = model_card(name)
    loss = card["numbers"]["official_test"]["loss"]
    return f"loss {loss:.1f} on the official test images; {card['minutes']} minutes on {card['threads']} core(s)"


def main() -> None:
    """The command line."""
    known = load_recipes()
    parser = argparse.ArgumentParser(prog="python -m vae_tutorial.recipes", description=__doc__)
    parser.add_argument("name", nargs="?", choices=[*known, "all"], help="which to remake; without it, the list")
    parser.add_argument("--data", type=Path, help="folder with MNIST/raw (downloaded there if missing)")
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
