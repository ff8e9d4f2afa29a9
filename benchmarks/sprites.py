"""Print how many sprites a second are rendered, on one thread and on two, in the batches of a training and in one go."""

import time
from statistics import median

import torch

from vae_tutorial.sprites import Sprites

TURNS = 7  # the median counts


def rate(sprites: Sprites, batch_size: int) -> float:
    """Images a second."""
    batches = torch.arange(len(sprites)).split(batch_size)
    seconds = []
    for _ in range(TURNS):
        started = time.perf_counter()
        for batch in batches:
            sprites[batch]
        seconds.append(time.perf_counter() - started)
    return len(sprites) / median(seconds)


def main() -> None:
    """Measure and print."""
    print(f"{'images a second':24}{'batches of 128':>18}{'10,240 in one go':>18}")
    for size in (32, 64):
        sprites = Sprites(10_240, size, seed=0)
        for threads in (1, 2):
            torch.set_num_threads(threads)
            print(f"{f'{size} x {size}, {threads} thread(s)':24}" + "".join(f"{rate(sprites, batch):>18,.0f}" for batch in (128, 10_240)))


if __name__ == "__main__":
    main()
