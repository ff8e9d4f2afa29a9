"""The page "Code" keeps its promise: a VAE from nothing in fewer than 80 lines, in short cells."""

import json
from pathlib import Path

PAGE = Path(__file__).parents[1] / "book" / "foundations" / "code.ipynb"


def cells_from_nothing() -> list[list[str]]:
    """The lines of the cells in which the learner writes the VAE, from the data to the training loop."""
    cells = json.loads(PAGE.read_text("utf-8"))["cells"]
    chosen = [cell for cell in cells if "from-nothing" in cell["metadata"].get("tags", [])]
    return [[line for line in "".join(cell["source"]).splitlines() if line.strip()] for cell in chosen]


def test_a_vae_from_nothing_takes_fewer_than_80_lines():
    cells = cells_from_nothing()
    assert sum(map(len, cells)) < 80
    assert max(map(len, cells)) <= 20


def test_those_cells_stand_alone():
    lines = [line for cell in cells_from_nothing()[:-1] for line in cell]  # the last one trains for long
    space = {}
    exec("\n".join(lines), space)
    model = space["VAE"](latent_dim=2)
    optimizer = space["torch"].optim.Adam(model.parameters(), lr=2e-3)
    x = space["train"].x[:100]
    before = sum(space["measure"](model, x, seed=0))
    for _ in range(20):
        space["train_step"](model, x, optimizer)
    assert sum(space["measure"](model, x, seed=0)) < before - 100
