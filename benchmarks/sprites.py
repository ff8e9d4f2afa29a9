"""Print how many sprites a second are rendered, in the batches of a training, by the wall clock and by processor time."""

import time
from collections.abc import Callable
from statistics import median

import torch

from vae_tutorial.sprites import Sprites

IMAGES, BATCH_SIZE = 10_240, 128
TURNS = 5  # the median counts


def rate(sprites: Sprites, clock: Callable[[], float]) -> float:
    """Images a second."""
    seconds = []
    for _ in range(TURNS):
        started = clock()
        for batch in torch.arange(len(sprites)).split(BATCH_SIZE):
            sprites[batch]
        seconds.append(clock() - started)
    return len(sprites) / median(seconds)


def main() -> None:
    """Measure and print: on a busy machine only the second column means something."""
    print(f"{'images a second':24}{'wall':>12}{'processor':>12}")
    for size in (32, 64):
        sprites = Sprites(IMAGES, size, seed=0)
        for threads in (1, 2):
            torch.set_num_threads(threads)
            rates = (rate(sprites, clock) for clock in (time.perf_counter, time.process_time))
            print(f"{f'{size} x {size}, {threads} thread(s)':24}" + "".join(f"{value:>12,.0f}" for value in rates), flush=True)


if __name__ == "__main__":
    main()
