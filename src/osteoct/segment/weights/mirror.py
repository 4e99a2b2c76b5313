"""Where weights are really asked for: their makers' address, or a mirror named by the user."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from osteoct.errors import ConfigError

MIRROR_VARIABLE: Final = "OSTEOCT_WEIGHTS_MIRROR"


def mirrored(url: str, environment: Mapping[str, str] | None = None) -> str:
    """Return the address to ask: the host's part is replaced by the mirror where one is named.

    Raises
    ------
    ConfigError
        The mirror is no plain http or https address.

    >>> mirrored("https://github.com/a/b.zip", {"OSTEOCT_WEIGHTS_MIRROR": "http://m:8000/w/"})
    'http://m:8000/w/a/b.zip'
    """
    base = (os.environ if environment is None else environment).get(MIRROR_VARIABLE, "").strip()
    if not base:
        return url
    parts = urlsplit(base)
    is_plain = not (parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme not in ("http", "https") or not parts.netloc or not is_plain:
        raise ConfigError(
            "no address of a mirror",
            where=MIRROR_VARIABLE,
            wanted="https://HOST[:PORT][/PATH], without a name, password or query",
        )
    return base.rstrip("/") + urlsplit(url).path


def host_of(url: str) -> str:
    """Return who is asked, as messages name them.

    >>> host_of("https://github.com/a/b.zip")
    'github.com'
    """
    return urlsplit(url).netloc
