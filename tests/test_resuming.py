"""Resumption: a training goes on from its file after a real kill, and from nothing else; another training's file is refused.

What goes on starts from other weights than what was interrupted, so that only the file can make the two alike.
"""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from interrupted_training import OPTIONS, make_images, make_model
from torch import Tensor, nn

from vae_tutorial import checkpoints, constraints, networks, objectives, schedules
from vae_tutorial.models import VAE
from vae_tutorial.training import History, fit

ROOT = Path(__file__).parents[1]
OTHER = 13  # seed of initial weights that are not those of the training that was interrupted


def weights_of(model: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def train(start: int = 12, **changes) -> tuple[Tensor, History]:
    """The training of `interrupted_training` from initial weights of the seed `start`."""
    model = make_model(seed=start)
    history = fit(model, make_images(), objectives.negative_elbo, **(OPTIONS | changes))
    return weights_of(model), history


class Stop:
    """Breaks off once so many epochs are complete; keeps how many were whenever it was called."""

    def __init__(self, complete: int = 99) -> None:
        self.complete, self.seen = complete, []

    def __call__(self, history: History) -> None:
        self.seen.append(len(history))
        if len(history) == self.complete:
            raise KeyboardInterrupt


# ---------------------------------------------------------------- going on


def test_without_a_file_other_initial_weights_end_elsewhere():
    assert not torch.equal(train(start=OTHER)[0], train()[0])


def test_a_killed_training_ends_with_the_weights_of_one_that_was_not(tmp_path):
    state = tmp_path / "state.safetensors"
    surroundings = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", "OMP_NUM_THREADS": "1"}
    killed = subprocess.run([sys.executable, "-m", "interrupted_training", str(state)], env=surroundings, capture_output=True, timeout=100)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    _, record = checkpoints.load_training_state(state)
    assert len(record["history"]["seconds"]) == 2  # two epochs were complete, the third was not
    whole, whole_history = train()
    epochs = Stop()
    resumed, resumed_history = train(start=OTHER, checkpoint=state, on_epoch=epochs)
    assert epochs.seen == [3, 4, 5]
    assert torch.equal(resumed, whole)
    assert resumed_history.train == whole_history.train


@pytest.mark.parametrize("complete", [1, 2, 4])
def test_a_training_stopped_after_any_epoch_goes_on(complete, tmp_path):
    options = {"checkpoint": tmp_path / "deep" / "state.safetensors", "validation": make_images()[:20]}
    with pytest.raises(KeyboardInterrupt):
        train(**options, on_epoch=Stop(complete))
    epochs = Stop()
    weights, history = train(start=OTHER, **options, on_epoch=epochs)
    assert epochs.seen == list(range(complete + 1, OPTIONS["epochs"] + 1))  # those that were complete are not run again
    whole, whole_history = train(validation=make_images()[:20])
    assert torch.equal(weights, whole)
    assert (history.train, history.validation) == (whole_history.train, whole_history.validation)
    assert len(history) == OPTIONS["epochs"]


def test_convolutions_laid_out_channels_last_go_on_too(tmp_path):
    """The optimizer goes through weights and moments as they lie in memory, whatever their strides say."""
    x = torch.rand(60, 1, 28, 28, generator=torch.Generator().manual_seed(0))

    def trained(start: int = 0, **options) -> Tensor:
        torch.manual_seed(start)
        model = VAE(2, (8,), channels=(4, 2)).to(memory_format=torch.channels_last)
        fit(model, x, objectives.negative_elbo, epochs=3, batch_size=10, learning_rate=0.01, progress=False, **options)
        return weights_of(model)

    with pytest.raises(KeyboardInterrupt):
        trained(checkpoint=tmp_path / "state", on_epoch=Stop(1))
    assert torch.equal(trained(OTHER, checkpoint=tmp_path / "state"), trained())


def test_an_objectives_own_state_goes_on_too(tmp_path):
    """β of the dual ascent after an interruption is what it would have been without."""

    def run(path: Path, start: int = 12, **options) -> tuple[Tensor, float]:
        hold, model = constraints.HoldRate(target=3.0, step=0.1), make_model(seed=start)
        fit(model, make_images(), hold, epochs=4, batch_size=32, checkpoint=path, progress=False, **options)
        return weights_of(model), hold.log_multiplier.item()

    whole, beta = run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "broken", on_epoch=Stop(2))
    resumed, beta_resumed = run(tmp_path / "broken", OTHER)
    assert torch.equal(resumed, whole)
    assert beta_resumed == beta != 0


def test_a_finished_training_is_not_repeated(tmp_path):
    first, history = train(checkpoint=tmp_path / "state")
    epochs = Stop()
    again, again_history = train(start=OTHER, checkpoint=tmp_path / "state", on_epoch=epochs)
    assert torch.equal(first, again)
    assert again_history == history
    assert epochs.seen == []


# ---------------------------------------------------------------- another training's file


CHANGES = [
    ("seed", {"seed": 1}),
    ("epochs", {"epochs": 9}),
    ("batch_size", {"batch_size": 16}),
    ("weight_decay", {"weight_decay": 0.1}),
    ("learning_rate", {"learning_rate": 1e-4}),
    ("learning_rate", {"learning_rate": schedules.one_cycle(1e-2, rise=0.3)}),  # begins and ends as the other
    ("settings", {"settings": {"beta": 4.0}}),
    ("settings", {"settings": {"beta": schedules.warm_up(1.0, until=0.7)}}),  # likewise
    ("validation", {"validation": torch.zeros(3, 1, 28, 28)}),
    ("transform", {"transform": torch.bernoulli}),
]


@pytest.mark.parametrize(("name", "changes"), CHANGES)
def test_the_state_of_another_training_is_refused(name, changes, tmp_path):
    train(checkpoint=tmp_path / "state")
    with pytest.raises(ValueError, match=rf"state belongs to another training \({name} differ\)"):
        train(checkpoint=tmp_path / "state", **changes)


def test_the_state_of_another_model_or_data_or_objective_is_refused(tmp_path):
    train(checkpoint=tmp_path / "state")
    options = OPTIONS | {"checkpoint": tmp_path / "state"}
    with pytest.raises(ValueError, match=r"another training .*data"):
        fit(make_model(), make_images().flip(0), objectives.negative_elbo, **options)
    with pytest.raises(ValueError, match=r"another training .*model"):
        fit(make_model(hidden=(9,)), make_images(), objectives.negative_elbo, **options)

    def other_objective(model: nn.Module, x: Tensor, beta: float) -> objectives.Terms:
        return objectives.negative_elbo(model, x, beta)

    with pytest.raises(ValueError, match=r"another training .*objective"):
        fit(make_model(), make_images(), other_objective, **options)
    with pytest.raises(ValueError, match=r"another training .*objective"):
        fit(make_model(), make_images(), partial(objectives.negative_elbo, 4.0), **options)
    with pytest.raises(ValueError, match=r"another training .*configuration"):  # the same layers, another likelihood
        fit(make_model(likelihood="gaussian"), make_images(), objectives.negative_elbo, **options)
    with pytest.raises(ValueError, match="a lambda cannot be told from another"):
        fit(make_model(), make_images(), lambda model, x, beta: objectives.negative_elbo(model, x, beta), **options)


def test_fast_products_go_on_only_on_a_processor_that_multiplies_alike(tmp_path, monkeypatch):
    """Half a training in bfloat16 and half in float32 is neither's weights, and its card would name one of the two."""
    fast = {"checkpoint": tmp_path / "state", "precision": "fast"}
    monkeypatch.setattr(networks, "has_bfloat16", lambda device: True)
    weights, _ = train(**fast)
    assert torch.equal(train(**fast | {"precision": "bfloat16"})[0], weights)
    monkeypatch.setattr(networks, "has_bfloat16", lambda device: False)
    with pytest.raises(ValueError, match=r"another training .*precision differ"):
        train(**fast)


@pytest.mark.parametrize("changed", ["labels", "validation_labels"])
def test_the_labels_belong_to_the_training(changed, tmp_path):
    x, y = make_images(), torch.arange(len(make_images())) % 2

    def labelled(**changes: Tensor) -> None:
        model = VAE(2, (8,), conditioned_on="label", labels=2)
        options = {"epochs": 1, "batch_size": 64, "checkpoint": tmp_path / "state", "progress": False}
        fit(model, x, objectives.negative_elbo, validation=x, **{"labels": y, "validation_labels": y} | changes, **options)

    labelled()
    with pytest.raises(ValueError, match=rf"another training \({changed} differ\)"):
        labelled(**{changed: 1 - y})


def test_another_target_is_another_training(tmp_path):
    options = {"epochs": 1, "batch_size": 64, "checkpoint": tmp_path / "state", "progress": False}
    fit(make_model(), make_images(), constraints.HoldRate(3.0), **options)
    with pytest.raises(ValueError, match=r"another training \(objective differ\)"):
        fit(make_model(), make_images(), constraints.HoldRate(4.0), **options)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.99])
def test_a_truncated_state_is_named_and_refused(share, tmp_path):
    state = tmp_path / "state"
    train(checkpoint=state, epochs=1)
    content = state.read_bytes()
    state.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"state is .*delete it to start afresh"):
        train(checkpoint=state, epochs=1)


@pytest.mark.parametrize("place", [2, 40, -200, -4])
def test_a_flipped_bit_in_the_state_is_refused(place, tmp_path):
    state = tmp_path / "state"
    train(checkpoint=state, epochs=1)
    content = bytearray(state.read_bytes())
    content[place] ^= 1
    state.write_bytes(bytes(content))
    with pytest.raises(ValueError, match=r"state is .*delete it to start afresh"):
        train(checkpoint=state, epochs=1)
