"""The repository's address, in every place that needs it: `make address URL=https://github.com/YOU/REPOSITORY`, or `URL=` for none.

`_config.yml` has it for the buttons that launch, show and report; each notebook's first cell, which must work without the rest of
the book, installs the package from it.
"""

import argparse
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ADDRESS = re.compile(r"https://[\w.-]+(/[\w.~-]+)+")
SERVICES = {"colab_url": "https://colab.research.google.com", "binderhub_url": "https://mybinder.org"}
BUTTONS = ("use_repository_button", "use_issues_button")


def write_address(url: str, root: Path = ROOT) -> list[Path]:
    """Write it, or with an empty one take it out and the buttons with it; returns the files that changed.

    Raises:
        ValueError: no address of a repository.
    """
    if url and not ADDRESS.fullmatch(url):
        raise ValueError(f"{url!r} is no repository's address: give it as https://github.com/YOU/REPOSITORY, or leave it empty")
    values = {"url": f'"{url}"'} | {service: f'"{place if url else ""}"' for service, place in SERVICES.items()}
    values |= dict.fromkeys(BUTTONS, "true" if url else "false")
    config = root / "_config.yml"
    text = config.read_text("utf-8")
    for key, value in values.items():
        text = re.sub(rf"(?m)^(  {key}: ).*$", rf"\g<1>{value}", text)
    written = {config: text}
    for page in sorted((root / "book").rglob("*.ipynb")):
        written[page] = re.sub(r'(REPOSITORY = \\")[^"\\]*(\\")', rf"\g<1>{url}\g<2>", page.read_text("utf-8"))
    changed = [path for path, text in written.items() if path.read_text("utf-8") != text]
    for path in changed:
        path.write_text(written[path], "utf-8")
    return changed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="https://github.com/YOU/REPOSITORY, or an empty one for none")
    try:
        print(f"{len(write_address(parser.parse_args().url))} files changed")
    except ValueError as error:
        parser.error(str(error))
