"""The repository's address, in every place that needs it: `make address URL=https://github.com/YOU/REPOSITORY`, or `URL=` for none.

`_config.yml` has it for the buttons that launch, show and report; each notebook's first cell, which must work without the rest of
the book, installs the package from it.
"""

import argparse
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
GITHUB = "https://github.com/"
ADDRESS = re.compile(rf"{GITHUB}[\w-]+/[\w.-]+|https://[\w.-]*gitlab[\w.-]*(/[\w.-]+){{2,}}")  # the theme makes buttons for these
BINDER, COLAB = "https://mybinder.org", "https://colab.research.google.com"
BUTTONS = ("use_repository_button", "use_issues_button")


def tidy(given: str) -> str:
    """The repository's address as it is written down, without the `.git` or the slash at its end that a browser or git may add.

    Raises:
        ValueError: no address of a repository.
    """
    url = re.sub(r"(\.git)?/*$", "", given.strip(), count=1)
    if given and not ADDRESS.fullmatch(url):
        wanted = f"{GITHUB}YOU/REPOSITORY with nothing behind it (GitLab's works, too)"
        raise ValueError(f"{given!r} is no repository's address: give it as {wanted}, or leave it empty")
    return url


def write_address(given: str, root: Path = ROOT) -> list[Path]:
    """Write it, or with an empty one take it out and the buttons with it; returns the files that changed.

    Raises:
        ValueError: no address of a repository.
    """
    url = tidy(given)
    services = {"binderhub_url": BINDER if url else "", "colab_url": COLAB if url.startswith(GITHUB) else ""}  # Colab opens GitHub's only
    values = {name: f'"{value}"' for name, value in ({"url": url} | services).items()}
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
        path.write_bytes(written[path].encode())  # the lines end as they do in the repository, on Windows too
    return changed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="https://github.com/YOU/REPOSITORY, or an empty one for none")
    try:
        print(f"{len(write_address(parser.parse_args().url))} files changed")
    except ValueError as error:
        parser.error(str(error))
