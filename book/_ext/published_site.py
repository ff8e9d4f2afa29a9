"""The site as it is published, with files to download: `make published` builds the parts first.

They lie in `downloads/`, and the foot of every page links to them. The site they are added to stays as it is, without that line, for
the copy of it in the zip has no downloads.
"""

import argparse
import re
import shutil
from pathlib import Path

FOLDER = "downloads"
FOOT = re.compile(r'(<div class="extra_footer">.*?)(</div>)', re.S)
SAID = {".zip": "the whole book in one zip", ".whl": "the wheel that its notebooks need"}


def links(page: str, files: list[Path]) -> str:
    """The line with the links, for a page by its name in the site."""
    up = "../" * page.count("/")
    said = [f'<a href="{up}{FOLDER}/{file.name}">{SAID[file.suffix]}</a> ({file.stat().st_size / 1e6:.0f} MB)' for file in files]
    return f"<p>For teachers: {', '.join(said)}.</p>\n"


def write(to: Path, site: Path, files: list[Path]) -> int:
    """Write the site with these files into a new folder beside the old one, then swap; return the number of pages that link to them.

    Raises:
        FileNotFoundError: the site or a file is not built yet.
        ValueError: no page has a foot.
    """
    for part in (site / "index.html", *files):
        if not part.is_file():
            raise FileNotFoundError(f"{part} is missing: run `make bundle` first")
    fresh, count = to.with_name(f"{to.name}.partial"), 0
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(site, fresh)
    (fresh / FOLDER).mkdir()
    for file in files:
        shutil.copy(file, fresh / FOLDER)
    for page in fresh.rglob("*.html"):
        line = links(page.relative_to(fresh).as_posix(), files)
        text, found = FOOT.subn(rf"\g<1>{line}\g<2>", page.read_text("utf-8"))
        if found:
            page.write_text(text, "utf-8")
            count += 1
    if not count:
        raise ValueError("no page has the foot that _config.yml gives it (extra_footer): nothing would link to the downloads")
    shutil.rmtree(to, ignore_errors=True)
    fresh.rename(to)
    return count


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("to", type=Path)
    parser.add_argument("site", type=Path)
    parser.add_argument("files", type=Path, nargs="+")
    options = parser.parse_args()
    print(f"wrote {options.to}: {write(options.to, options.site, options.files)} pages link to {len(options.files)} files")


if __name__ == "__main__":
    main()
