"""Time the book's training loop beside the textbook loop and beside its bare matrix products, in one run.

All three do the same updates of the same 784-400-20-400-784 VAE at batch size 128, turn by turn, an epoch each, so that
whatever else the machine does meets all of them alike. The first turn warms up and is not counted. The two trainings
start from the same weights and are measured on the same test images: equal losses show that nothing was left out.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median, quantiles

import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the textbook's name
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from vae_tutorial.data import load_images
from vae_tutorial.models import VAE
from vae_tutorial.objectives import negative_elbo
from vae_tutorial.training import History, evaluate, fit

BATCH_SIZE = 128
LEARNING_RATE = 1e-3
EPOCHS = {"embedded": 20, "official": 4}  # 620 updates of the small set, 1,872 of the large one
RECORD = Path(__file__).parents[1] / "vae_tutorial" / "timings" / "training.json"
ROWS = {"textbook": "textbook loop", "ours": "training.fit", "products": "bare matrix products"}


class TextbookVAE(nn.Module):
    """The model of PyTorch's own VAE example (github.com/pytorch/examples, folder vae)."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(784, 400)
        self.fc21 = nn.Linear(400, 20)
        self.fc22 = nn.Linear(400, 20)
        self.fc3 = nn.Linear(20, 400)
        self.fc4 = nn.Linear(400, 784)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x (B, 1, 28, 28) → pixels (B, 784), mu and logvar (B, 20)."""
        h1 = F.relu(self.fc1(x.view(-1, 784)))
        mu, logvar = self.fc21(h1), self.fc22(h1)
        std = torch.exp(0.5 * logvar)
        z = mu + torch.randn_like(std) * std
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z)))), mu, logvar

    def as_library_model(self) -> VAE:
        """A copy in the library's layout: one ruler for both, and the same weights to start from."""
        model = VAE(20, (400,))
        layers = [self.fc1.state_dict(), {}, self.fc3.state_dict(), self.fc4.state_dict()]
        heads = self.fc21.state_dict(), self.fc22.state_dict()
        layers[1] = {key: torch.cat([head[key] for head in heads]) for key in heads[0]}
        linear = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
        for layer, state in zip(linear, layers, strict=True):
            layer.load_state_dict(state)
        return model


def textbook_epoch(model: TextbookVAE, loader: DataLoader, optimizer: torch.optim.Optimizer) -> float:
    """One epoch as that example writes it; returns the mean training loss."""
    model.train()
    total = 0.0
    for data, _ in loader:
        optimizer.zero_grad()
        recon, mu, logvar = model(data)
        bce = F.binary_cross_entropy(recon, data.view(-1, 784), reduction="sum")
        kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
        loss = bce + kld
        loss.backward()
        total += loss.item()
        optimizer.step()
    return total / len(loader) / BATCH_SIZE


def matrix_products(updates: int) -> Callable[[], None]:
    """The products of one epoch and nothing else: forward, dW, and dX where a layer lies below."""
    generator = torch.Generator().manual_seed(0)
    layers = [
        [torch.randn(shape, generator=generator) for shape in ((BATCH_SIZE, n), (m, n), (BATCH_SIZE, m))]
        for n, m in ((784, 400), (400, 40), (20, 400), (400, 784))
    ]

    def epoch() -> None:
        for _ in range(updates):
            for position, (x, weight, gradient) in enumerate(layers):
                x @ weight.T  # (B, m)
                gradient.T @ x  # (m, n)
                if position > 0:
                    gradient @ weight  # (B, n)

    return epoch


class EmbeddedMNIST(datasets.MNIST):
    """torchvision's MNIST class, its own `__getitem__` included, over the digits that need no download."""

    def __init__(self, images: Tensor, labels: Tensor, transform: Callable) -> None:
        datasets.VisionDataset.__init__(self, root="", transform=transform)
        self.data, self.targets = (images[:, 0] * 255).round().to(torch.uint8), labels


def load_data(folder: Path | None) -> tuple[datasets.MNIST, Tensor, Tensor]:
    """The training images as the textbook and as `fit` want them, and the test images (N, 1, 28, 28)."""
    if folder is None:
        train, test = load_images(split="train"), load_images(split="test")
        return EmbeddedMNIST(train.x, train.y, transforms.ToTensor()), train.x, test.x
    test = load_images(split="test", full=True, root=folder)  # downloads both parts if missing
    dataset = datasets.MNIST(str(folder), train=True, transform=transforms.ToTensor())
    return dataset, dataset.data[:, None] / 255, test.x


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Wall-clock and processor seconds of one call."""
    wall, processor = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - processor


def measure(folder: Path | None, epochs: int, limit: int | None = None, seed: int = 0) -> dict:
    """Run all three turn by turn and return the numbers of the record; `limit` cuts the data for a quick look."""
    dataset, x, x_test = load_data(folder)
    dataset.data, dataset.targets, x = dataset.data[:limit], dataset.targets[:limit], x[:limit].contiguous()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        textbook = TextbookVAE()
    ours = textbook.as_library_model()
    loader = DataLoader(dataset, BATCH_SIZE, shuffle=True, drop_last=True)  # as many updates as ours
    optimizer = torch.optim.Adam(textbook.parameters(), lr=LEARNING_RATE)
    products = matrix_products(len(loader))
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in ROWS}
    started = time.process_time()

    def other_turns(history: History) -> None:
        nonlocal started
        seconds["ours"].append((history.seconds[-1], time.process_time() - started))
        torch.manual_seed(seed + len(history))  # fit sets its own random state aside while this runs
        seconds["textbook"].append(timed(lambda: textbook_epoch(textbook, loader, optimizer)))
        seconds["products"].append(timed(products))
        started = time.process_time()

    fit(
        ours, x, negative_elbo, epochs=epochs + 1, batch_size=BATCH_SIZE, learning_rate=LEARNING_RATE,
        seed=seed, on_epoch=other_turns, progress=False,
    )  # fmt: skip
    trained = {"textbook": textbook.as_library_model().eval(), "ours": ours}
    losses = {name: evaluate(model, x_test, negative_elbo, seed=seed)["loss"] for name, model in trained.items()}
    return {
        "images": len(x), "test_images": len(x_test), "batch_size": BATCH_SIZE, "updates": len(loader) * (epochs + 1), "epochs": epochs + 1,
        "seed": seed, "test_loss": losses, **summarise(seconds, len(loader)),
    }  # fmt: skip


def summarise(seconds: dict[str, list[tuple[float, float]]], updates: int) -> dict:
    """Milliseconds per update, and ratios formed turn by turn: the median and the quartiles of each."""
    counted = {name: turns[1:] for name, turns in seconds.items()}  # without the warm-up
    milliseconds = {name: spread([1e3 * wall / updates for wall, _ in turns]) for name, turns in counted.items()}
    processor = {name: spread([1e3 * cpu / updates for _, cpu in turns]) for name, turns in counted.items()}
    ratios = {}
    for clock, column in (("wall", 0), ("processor", 1)):
        for upper, lower in (("textbook", "ours"), ("ours", "products"), ("textbook", "products")):
            pairs = zip(counted[upper], counted[lower], strict=True)
            ratios.setdefault(f"{upper}/{lower}", {})[clock] = spread([a[column] / b[column] for a, b in pairs])
    return {"milliseconds": {"wall": milliseconds, "processor": processor}, "ratios": ratios}


def spread(values: list[float]) -> dict[str, float]:
    """Median and quartiles, to three decimals."""
    low, _, high = quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return {name: round(value, 3) for name, value in (("median", median(values)), ("low", low), ("high", high))}


def machine() -> dict[str, str | int]:
    """What the numbers were measured on."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": (names or [platform.processor() or platform.machine()])[0], "cores": os.cpu_count() or 1,
        "threads": torch.get_num_threads(), "system": platform.system(), "python": platform.python_version(),
        "torch": torch.__version__, "torchvision": torchvision.__version__,
    }  # fmt: skip


def report(result: dict) -> str:
    """The numbers as a table."""
    wall, processor = result["milliseconds"]["wall"], result["milliseconds"]["processor"]
    lines = [
        f"{result['updates']:,} updates on {result['images']:,} digits, batch {result['batch_size']}, "
        f"{result['machine']['threads']} thread(s)",
        f"\n{'':24}{'wall, ms an update':>26}{'processor, ms':>26}",
    ]
    for name, words in ROWS.items():
        lines.append(f"{words:24}{show(wall[name]):>26}{show(processor[name]):>26}")
    lines.append("")
    for pair, clocks in result["ratios"].items():
        upper, lower = pair.split("/")
        lines.append(f"{ROWS[upper] + ' / ' + ROWS[lower]:46}{show(clocks['wall'], 'x'):>26}{show(clocks['processor'], 'x'):>26}")
    losses = result["test_loss"]
    lines.append(
        f"\ntest loss, nats: textbook {losses['textbook']:.2f}, training.fit {losses['ours']:.2f} ({result['test_images']:,} images)"
    )
    return "\n".join(lines)


def show(values: dict[str, float], unit: str = "") -> str:
    """A median with its quartiles."""
    return f"{values['median']:.2f}{unit} ({values['low']:.2f} to {values['high']:.2f})"


def main(arguments: list[str] | None = None) -> int:
    """The command line; the exit code is 1 if the two trainings do not end at the same test loss."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with MNIST/raw: time the 60,000 official images, not the embedded digits")
    parser.add_argument("--epochs", type=int, help=f"counted turns (default {EPOCHS['embedded']}, or {EPOCHS['official']} with --data)")
    parser.add_argument("--threads", type=int, help="torch's threads (default: torch's own choice)")
    parser.add_argument("--record", action="store_true", help=f"write the numbers into {RECORD.name}, which the results page reads")
    options = parser.parse_args(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    data = "official" if options.data else "embedded"
    command = [
        "python benchmarks/training.py",
        "--data FOLDER" if options.data else "",
        f"--threads {options.threads}" if options.threads else "",
    ]
    result = {"machine": machine(), "date": str(date.today()), "command": " ".join(filter(None, command))}
    result |= measure(options.data, options.epochs or EPOCHS[data])
    print(report(result))
    if options.record:
        known = json.loads(RECORD.read_text("utf-8")) if RECORD.exists() else {}
        name = f"{data}, {result['machine']['threads']} thread{'s' * (result['machine']['threads'] > 1)}"
        RECORD.write_text(json.dumps(known | {name: result}, indent=1) + "\n", "utf-8")
    difference = abs(result["test_loss"]["ours"] - result["test_loss"]["textbook"])
    if difference > 1:
        print(f"the two test losses differ by {difference:.2f} nats: this is not the same training", file=sys.stderr)
    return int(difference > 1)


if __name__ == "__main__":
    sys.exit(main())
