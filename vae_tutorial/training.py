"""The one training loop of the book."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from vae_tutorial.devices import fork_random_states, moved_to, training_device
from vae_tutorial.likelihoods import check_pixels
from vae_tutorial.networks import products_in, resolve_precision
from vae_tutorial.objectives import Terms
from vae_tutorial.resuming import identify, probe, resume, save
from vae_tutorial.schedules import Schedule, constant

Objective = Callable[..., Terms]


@dataclass
class History:
    """Mean terms per epoch, nats per image: `history.train["loss"]`, `history.validation["rate"]`.

    Attributes:
        train: averages over the epoch's batches, while the weights still moved.
        validation: averages over the held-out images at the end of each epoch; empty without them.
        seconds: wall-clock time of each epoch.
    """

    train: dict[str, list[float]] = field(default_factory=dict)
    validation: dict[str, list[float]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.seconds)


def fit(
    model: nn.Module,
    x: Tensor,
    objective: Objective,
    *,
    epochs: int,
    batch_size: int = 128,
    learning_rate: float | Schedule = 1e-3,
    weight_decay: float = 0.0,
    settings: Mapping[str, float | Schedule] | None = None,
    labels: Tensor | None = None,
    transform: Callable[[Tensor], Tensor] | None = None,
    validation: Tensor | None = None,
    validation_labels: Tensor | None = None,
    precision: str = "float32",
    device: str | torch.device | None = None,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    on_epoch: Callable[[History], None] | None = None,
    progress: bool = True,
) -> History:
    """Minimise the batch mean of an objective with Adam (Kingma & Ba 2015; decoupled weight decay, Loshchilov & Hutter 2019).

    The model is changed in place and left in evaluation mode where it was; the global random state is left as it was.

    Args:
        model: what is trained.
        x: training images (N, C, H, W), kept in memory, or what has a length N and gives x[indices] (B, C, H, W), such as
            `sprites.Sprites`.
        objective: see `objectives`; `objective(model, batch, **settings)` → terms of shape (B,), one of them `"loss"`.
        epochs: passes over x; the incomplete last batch of a pass is dropped.
        batch_size: B.
        learning_rate: a number, or a schedule over progress in [0, 1].
        weight_decay: of AdamW.
        settings: keyword arguments of the objective, such as `{"beta": warm_up(1.0, until=0.3)}`.
        labels: classes (N,); the objective then gets `label=` (B,).
        transform: applied to each batch where x is, drawn anew each time: `torch.bernoulli` is dynamic binarisation.
        validation: held-out images, measured after each epoch with noise of its own; `transform` is not applied to them.
        validation_labels: their classes.
        precision: of the networks' products, see `networks.resolve_precision`; all else is in float32.
        device: where to train: `"fastest"` is the first GPU that works, if there is one; without it, where the model is.
        seed: of the order of the images and of the noise.
        checkpoint: file that takes the whole training state after each epoch; if it is there, training goes on from it
            and ends, on a device of the same kind, with the weights it would have had without the interruption.
        on_epoch: called with the history after each epoch, for live curves; the model is then where it was.
        progress: show a bar.

    Raises:
        ValueError: images of another shape or type than the model's, pixels outside [0, 1] under a Bernoulli likelihood, a
            batch larger than the data, labels that are not one for each image, terms that are not (B,), a negative learning
            rate or number of epochs, an unknown precision, or a checkpoint of another training.
        RuntimeError: an unknown device.
        FloatingPointError: the loss, or a weight, is no longer finite; the message names the epoch and the terms that are not.
    """
    _check(model, x, labels)
    if validation is not None:
        _check(model, validation, validation_labels)
        if (labels is None) != (validation_labels is None):
            raise ValueError("labels and validation_labels go together: the objective wants both or neither")
    if epochs < 0:
        raise ValueError(f"epochs must be at least 0, got {epochs}")
    if not 1 <= batch_size <= len(x):
        raise ValueError(f"batch_size must lie between 1 and the {len(x)} training images, got {batch_size}")
    rate_of_learning = _as_schedule(learning_rate)
    if min(probe(rate_of_learning)) < 0:
        raise ValueError("the learning rate must not be negative")
    schedules = {name: _as_schedule(value) for name, value in (settings or {}).items()}
    home, device = next(model.parameters()).device, training_device(model, device)
    products = resolve_precision(precision, device)  # refuses an unknown one before any work
    history, path = History(), Path(checkpoint) if checkpoint else None
    identity = {} if path is None else identify(
        x, model=str(model), configuration=getattr(model, "configuration", None), objective=objective, transform=transform,
        seen={"labels": labels, "validation": validation, "validation_labels": validation_labels}, seed=seed, epochs=epochs,
        batch_size=batch_size, learning_rate=rate_of_learning, weight_decay=weight_decay, settings=schedules, precision=products,
    )  # fmt: skip
    trained = nn.ModuleDict({"model": model} | ({"objective": objective} if isinstance(objective, nn.Module) else {}))
    updates = len(x) // batch_size
    with fork_random_states(), moved_to(trained, device):
        torch.manual_seed(seed)
        optimizer = torch.optim.AdamW(model.parameters(), weight_decay=weight_decay, fused=True)
        if path and path.exists():
            history = History(**resume(path, identity, trained, optimizer))
        bar = tqdm(range(len(history), epochs), initial=len(history), total=epochs, unit="epoch", disable=not progress)
        for epoch in bar:
            started, sums = time.perf_counter(), {}
            model.train()
            for step, chosen in enumerate(torch.randperm(len(x))[: updates * batch_size].view(updates, batch_size)):
                now = (epoch * updates + step) / (epochs * updates)
                for group in optimizer.param_groups:
                    group["lr"] = rate_of_learning(now)
                batch = (x[chosen] if transform is None else transform(x[chosen])).to(device)
                given = {name: value(now) for name, value in schedules.items()}
                given |= {} if labels is None else {"label": labels[chosen].to(device)}
                with products_in(products, device):
                    terms = _checked(objective(model, batch, **given), len(batch))
                means = {name: term.mean() for name, term in terms.items()}  # over the batch: the only reduction
                if not means["loss"].isfinite():
                    _refuse(means, epoch)
                optimizer.zero_grad()
                means["loss"].backward()
                optimizer.step()
                sums = {name: sums.get(name, 0.0) + mean.detach() for name, mean in means.items()}
            if not all(parameter.isfinite().all() for parameter in model.parameters()):
                raise FloatingPointError(f"weights are not finite after epoch {epoch + 1}: lower the learning rate")
            _append(history.train, {name: float(total) / updates for name, total in sums.items()})
            model.eval()
            if validation is not None:
                final = {name: value((epoch + 1) / epochs) for name, value in schedules.items()}
                _append(history.validation, evaluate(model, validation, objective, settings=final, labels=validation_labels, seed=seed))
            history.seconds.append(time.perf_counter() - started)
            bar.set_postfix({name: f"{values[-1]:.1f}" for name, values in (history.validation or history.train).items()})
            if path:
                save(path, identity, trained, optimizer, vars(history))
            if on_epoch:
                with fork_random_states(), moved_to(trained, home):  # pictures drawn on the way do not change the training
                    on_epoch(history)
    model.eval()
    return history


@torch.no_grad()
def evaluate(
    model: nn.Module,
    x: Tensor,
    objective: Objective,
    *,
    settings: Mapping[str, float] | None = None,
    labels: Tensor | None = None,
    seed: int,
    batch_size: int = 1_000,
) -> dict[str, float]:
    """Average an objective's terms over images, the same noise at each call.

    Args:
        model: as in `fit`.
        x: images (N, C, H, W).
        objective: as in `fit`.
        settings: keyword arguments of the objective.
        labels: classes (N,); the objective then gets `label=` (B,).
        seed: of the noise.
        batch_size: images at a time; beyond the noise drawn, the result depends on it only where an objective holds the images of
            a batch against each other, as `objectives.total_correlation` does.

    Returns:
        Means over the N images, nats per image.

    Raises:
        ValueError: as `fit`, or a schedule among the settings.
    """
    _check(model, x, labels)
    if schedules := [name for name, value in (settings or {}).items() if callable(value)]:
        raise ValueError(f"{', '.join(schedules)}: evaluate wants numbers, not schedules, which change only in training")
    totals: dict[str, float] = {}
    device = next(model.parameters()).device
    with fork_random_states():
        torch.manual_seed(seed)
        for chosen in torch.arange(len(x)).split(batch_size):
            given = {} if labels is None else {"label": labels[chosen].to(device)}
            terms = _checked(objective(model, x[chosen].to(device), **(settings or {}), **given), len(chosen))
            for name, term in terms.items():
                totals[name] = totals.get(name, 0.0) + float(term.sum(dtype=torch.float64))
    return {name: total / len(x) for name, total in totals.items()}


def _check(model: nn.Module, x: Tensor, labels: Tensor | None) -> None:
    """Refuse images and labels that torch would refuse later in words of its own, or take for something else."""
    if isinstance(x, Tensor):
        wanted, kept_in = getattr(model, "image_shape", x.shape[1:]), next(model.parameters()).dtype
        if tuple(x.shape[1:]) != tuple(wanted):
            raise ValueError(f"this model wants images (N, {', '.join(map(str, wanted))}), not {tuple(x.shape)}: view them so")
        if x.dtype != kept_in:
            raise ValueError(f"images are {x.dtype}, the model's weights {kept_in}: take x.to({kept_in})")
        if getattr(model, "bounded", True):  # what is rendered on demand is in range by construction
            check_pixels(x)
    elif hasattr(x, "dtype"):  # NumPy's
        raise ValueError(f"images are a tensor (N, C, H, W), not a {type(x).__name__}: take torch.as_tensor(x, dtype=torch.float32)")
    if labels is not None and not isinstance(labels, Tensor):
        raise ValueError(f"labels are a tensor (N,), not a {type(labels).__name__}: take torch.as_tensor(labels)")
    if labels is not None and len(labels) != len(x):
        raise ValueError(f"every image wants its label: got {len(x)} images and {len(labels)} labels")


def _checked(terms: Terms, count: int) -> Terms:
    """Refuse what is not one number for each image: a mean is averaged already, a table (B, B) holds images against others."""
    if not isinstance(terms, Mapping) or "loss" not in terms:
        raise ValueError(f"an objective returns a dict of terms, one of them 'loss', not {terms!r:.200}")
    for name, term in terms.items():
        if not isinstance(term, Tensor) or term.shape != (count,):
            found = tuple(term.shape) if isinstance(term, Tensor) else repr(term)
            raise ValueError(f"the term {name!r} is {found}: an objective gives one number for each of the {count} images, not averaged")
    return terms


def _as_schedule(value: float | Schedule) -> Schedule:
    return value if callable(value) else constant(value)


def _append(table: dict[str, list[float]], means: dict[str, float]) -> None:
    for name, mean in means.items():
        table.setdefault(name, []).append(mean)


def _refuse(means: Terms, epoch: int) -> None:
    """Stop at the first bad batch, while the terms still tell which of them went wrong."""
    guilty = {name: mean.item() for name, mean in means.items() if name != "loss" and not mean.isfinite()} or {"loss": means["loss"].item()}
    terms = " and ".join(f"{name} is {mean}" for name, mean in guilty.items())
    raise FloatingPointError(f"{terms} in epoch {epoch + 1}: lower the learning rate, or bound the log-variance")
