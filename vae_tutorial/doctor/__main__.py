"""Start the set-up check, or say that this Python is too old or too new for it; like `environment`, for Python 3.6 too."""

from vae_tutorial.doctor import environment


def main() -> int:
    """Print every finding; the exit code is the number of problems, 100 at most."""
    mine = environment.step_aside()  # first of all: what is imported from here on may have the name of a file of yours
    if not environment.is_fit():
        print(environment.unfit())
        return 1
    from vae_tutorial.doctor import examination  # which such a Python may not be able to import

    return examination.main(mine)


if __name__ == "__main__":
    raise SystemExit(main())
