"""The whole book in one zip for a USB stick: site, slides, notebooks and wheel. `make bundle` builds the parts first.

`index.html` at its top opens the site by a double-click; `READ-ME.txt` says what else is there.
"""

import argparse
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

TOP = "variational-autoencoders-live"
FRONT_DOOR = """<!DOCTYPE html>
<html lang="en-GB">
<head><meta charset="utf-8"><title>Variational Autoencoders, Live</title>
<meta http-equiv="refresh" content="0; url=site/index.html"></head>
<body><p><a href="site/index.html">Open the book</a></p></body>
</html>
"""
READ_ME = r"""Variational Autoencoders, Live

index.html   Double-click it: the whole book, sliders and instructor's guide included, without a network.
slides/      The deck of the 90-minute session: open index.html in it; S shows the speaker's notes.
student/     The pages as notebooks, exercises without solutions.
solutions/   The same with the solutions shown.
{wheel}
             The package that the notebooks import. To run them, copy this folder to your disk and open a terminal in
             it. You need Python {pythons}, no later one: for 3.12 below write the one that you have.
             Not on a Mac with an Intel processor: PyTorch, from 2.3 on, has no wheel for it. There, open index.html,
             or run the notebooks on Colab or a class server.
             On Linux and macOS (on Debian and Ubuntu first: sudo apt install python3.12-venv):
                 python3.12 -m venv vae
                 vae/bin/pip install {wheel} jupyterlab
                 vae/bin/python -m vae_tutorial.doctor
                 vae/bin/jupyter lab student
             On Windows (copy the folder to a short name, such as C:\vae-book: paths there may be too long):
                 py -3.12 -m venv vae
                 vae\Scripts\pip install {wheel} jupyterlab
                 vae\Scripts\python -m vae_tutorial.doctor
                 vae\Scripts\jupyter lab student
             PyTorch and the rest come from the network, once. The third line checks the set-up.

Text CC BY 4.0, code BSD-3-Clause. Licences of the data: README of the project.
"""
WHEN = (2000, 1, 1, 0, 0, 0)  # the same content makes the same zip
PYTHONS = "3.11, 3.12 or 3.13"


def contents(site: Path, notebooks: Path, slides: Path, wheel: Path) -> Iterator[tuple[str, bytes | Path]]:
    """Every file of the zip by its name, and what is in it.

    Raises:
        FileNotFoundError: a part is not built yet.
    """
    for part, made_by in (
        (site / "index.html", "make book"), (notebooks / "student", "make classroom"), (slides / "index.html", "make slides"),
        (wheel, "make bundle"),
    ):  # fmt: skip
        if not part.exists():
            raise FileNotFoundError(f"{part} is missing: run `{made_by}` first")
    yield "index.html", FRONT_DOOR.encode()
    yield "READ-ME.txt", READ_ME.format(wheel=wheel.name, pythons=PYTHONS).replace("\n", "\r\n").encode()  # for old editors, too
    yield wheel.name, wheel
    folders = {"site": site, "slides": slides, "student": notebooks / "student", "solutions": notebooks / "solutions"}
    for name, folder in folders.items():
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.name != ".buildinfo":
                yield f"{name}/{path.relative_to(folder).as_posix()}", path


def write(to: Path, **parts: Path) -> int:
    """Write the zip of these parts (see `contents`) atomically; return the number of files in it."""
    files = list(contents(**parts))
    to.parent.mkdir(parents=True, exist_ok=True)
    partial = to.with_name(f".{to.name}.{os.getpid()}")  # no temporary file, which other accounts could not read
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files:
                entry = zipfile.ZipInfo(f"{TOP}/{name}", WHEN)
                entry.external_attr = 0o644 << 16
                data = content.read_bytes() if isinstance(content, Path) else content
                archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
        os.replace(partial, to)
    finally:
        partial.unlink(missing_ok=True)
    return len(files)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    for part in ("to", "site", "notebooks", "slides", "wheels"):
        parser.add_argument(part, type=Path)
    options = parser.parse_args()
    wheels = sorted(options.wheels.glob("vae_tutorial-*.whl"))
    wheel = wheels[-1] if wheels else options.wheels / "vae_tutorial.whl"
    count = write(options.to, site=options.site, notebooks=options.notebooks, slides=options.slides, wheel=wheel)
    print(f"wrote {options.to}: {count} files, {options.to.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
