"""The templates of CONTRIBUTING.md work as they stand."""

import re
import shutil
from pathlib import Path

import ipywidgets
import node
import pytest
import torch
import traitlets
from ipywidgets.embed import dependency_state

from vae_tutorial.explorers import javascript
from vae_tutorial.models import VAE

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def block(language: str, first_words: str) -> str:
    """The one fenced block of a language that begins with these words."""
    (found,) = (text for text in re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.M | re.S) if text.startswith(first_words))
    return found


@pytest.fixture
def scripts(tmp_path) -> Path:
    """The explorers' JavaScript with the template beside it."""
    folder = tmp_path / "js"
    shutil.copytree(javascript.FOLDER, folder)
    (folder / "decoded_digit.js").write_text(block("js", "// Decoded digit"), "utf-8")
    return folder


@pytest.fixture
def template(scripts, monkeypatch) -> dict:
    """The template's Python module, run."""
    joined = javascript.join_modules("decoded_digit.js", scripts)
    monkeypatch.setattr(javascript, "join_modules", lambda entry: joined)
    module: dict = {"__name__": "decoded_digit"}
    exec(compile(block("python", '"""Decoded digit'), "decoded_digit.py", "exec"), module)
    return module


def test_the_explorers_javascript_joins_and_loads_in_node(scripts, tmp_path):
    (tmp_path / "joined.mjs").write_text(javascript.join_modules("decoded_digit.js", scripts), "utf-8")
    script = f"const module = await import({str((tmp_path / 'joined.mjs').as_uri())!r}); console.log(typeof module.default.render);"
    assert node.run("--input-type=module", "-e", script).strip() == "function"


def test_the_explorers_factory_gives_linked_sliders_over_a_canvas(template):
    torch.manual_seed(0)
    vae = VAE(latent_dim=2, hidden=(8,), activation="relu")
    box = template["decoded_digit"](vae, z1=1.5)
    assert isinstance(box, ipywidgets.VBox)
    first, second, canvas = box.children
    assert (first.value, second.value, repr(canvas)) == (1.5, 0.0, "DecodedDigit(z1=1.5, z2=0.0)")
    saved = [model["model_name"] for model in dependency_state(box, drop_defaults=False).values()]
    assert saved.count("LinkModel") == 2
    with pytest.raises(traitlets.TraitError):
        template["decoded_digit"](vae, z1=4.0)
    with pytest.raises(ValueError, match="latent dimension of 3"):
        template["decoded_digit"](VAE(latent_dim=3, hidden=(8,), activation="relu"))


def test_paths_and_names_in_the_guide_exist():
    paths = set(re.findall(r"`((?:book|tests|vae_tutorial|benchmarks)/[\w./-]+\.\w+)`", GUIDE))
    real = [path for path in paths if not re.search(r"NAME|PAGE|PART|IDEA|decoded_digit", path)]
    assert len(real) > 10
    for path in real:
        assert (ROOT / path).exists(), path
