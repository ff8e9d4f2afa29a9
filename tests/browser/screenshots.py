"""Pictures of the built site for those who review it: ``python tests/browser/screenshots.py FOLDER [PAGE …]``.

Every page, full height, light and dark, at 1280 and 360 px.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from built_site import SITE, page_names
from chromium import ADVICE, executable
from playwright.sync_api import sync_playwright
from waiting import settle

# Pictures that wait for the reader come at once: nobody scrolls here.
ALL_PICTURES = """() => Promise.all([...document.querySelectorAll('main img[loading=lazy]')]
    .filter((image) => image.getClientRects().length).map((image) => { image.loading = 'eager'; return image.decode(); }))"""
WIDTHS = (1280, 360)
THEMES = ("light", "dark")


def take(folder: Path, names: list[str]) -> None:
    """Write `PAGE-THEME-WIDTH.png` for every page named, from the files of the site."""
    path = executable() or sys.exit(ADVICE)
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for width in WIDTHS:
            page = browser.new_page(viewport={"width": width, "height": 900}, reduced_motion="reduce")
            for name in names:
                page.goto((SITE / name).resolve().as_uri())
                for theme in THEMES:
                    page.emulate_media(color_scheme=theme)
                    settle(page)
                    page.evaluate(ALL_PICTURES)
                    picture = folder / f"{name.removesuffix('.html').replace('/', '-')}-{theme}-{width}.png"
                    page.screenshot(path=picture, full_page=True)
                    print(picture)
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    take(Path(sys.argv[1]), sys.argv[2:] or [name for name in page_names() if name != "index.html"])
