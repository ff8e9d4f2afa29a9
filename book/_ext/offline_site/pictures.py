"""Pictures that a page carries inside become files beside it, which a browser fetches when the reader comes near them."""

from __future__ import annotations

import base64
import hashlib
import re
import struct
from io import BytesIO
from pathlib import Path

from PIL import Image

FOLDER = "_images"
SMALL = 4_096  # characters; a smaller picture is quicker inside the page than asked for
PICTURE = re.compile(rf'<img\b([^>]*?)\s+src="data:image/png;base64,([A-Za-z0-9+/=]{{{SMALL},}})"([^>]*)>')
WIDTH = re.compile(r'\swidth="(\d+)"')


def move_pictures(html: str, page: Path, site: Path) -> str:
    """Return the page with its PNGs as files of the site, each named by its content: as lossless WebP, unless the PNG is smaller.

    Width and height stay with the image, so that nothing on the page moves when it arrives.
    """
    up = "../" * len(page.relative_to(site).parent.parts)

    def move(found: re.Match[str]) -> str:
        attributes, png = found[1] + found[3], base64.b64decode(found[2])
        content, kind = min((png, "png"), (webp(png), "webp"), key=lambda each: len(each[0]))
        name = f"{FOLDER}/figure-{hashlib.sha256(png).hexdigest()[:16]}.{kind}"
        target = site / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(content)
        return f'<img{sized(attributes, png)} loading="lazy" src="{up}{name}">'

    return PICTURE.sub(move, html)


def webp(png: bytes) -> bytes:
    """Return the picture, pixel for pixel, as WebP: a sixth smaller than matplotlib's PNG, or half for points in many colours."""
    target = BytesIO()
    Image.open(BytesIO(png)).save(target, "webp", lossless=True)
    return target.getvalue()


def sized(attributes: str, png: bytes) -> str:
    """Return an image's attributes with the height that belongs to its width, or with both as the PNG has them."""
    width, height = struct.unpack(">II", png[16:24])
    shown = WIDTH.search(attributes)
    if shown is None:
        return f'{attributes} width="{width}" height="{height}"'
    return f'{attributes} height="{round(int(shown[1]) * height / width)}"'
