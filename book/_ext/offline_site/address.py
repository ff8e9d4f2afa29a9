"""Where the site will stand, if that is known: `BASE_URL=https://… make book`.

The pages link to each other by relative addresses and need no base. Only what others read of them does: the social card's
address and the canonical link.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sphinx.errors import ConfigError

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config


def use_base_url(app: Sphinx, config: Config) -> None:
    """Hand the environment's `BASE_URL` to what writes it into the pages."""
    if base := base_url(os.environ.get("BASE_URL", "")):
        config.html_baseurl = config.ogp_site_url = base


def base_url(given: str) -> str:
    """The address with one slash at its end; empty if there is none.

    Raises:
        ConfigError: no web address.
    """
    if not given:
        return ""
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ConfigError(f"BASE_URL={given!r} is no web address: give it as https://host/folder/, or leave it unset")
    return given.rstrip("/") + "/"
