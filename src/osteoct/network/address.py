"""Where an archive is: ``AE@HOST:PORT`` or the address of a DICOMweb service."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlsplit

from osteoct.errors import ConfigError

_DIMSE = re.compile(r"(?P<title>[^@\\\x00-\x1f]{1,16})@(?P<host>\[[^\]]+\]|[^:@/]+):(?P<port>\d+)")
"""AE titles have 1 to 16 signs, no backslash (DICOM PS3.5, table 6.2-1)."""

_LARGEST_PORT = 65535
_PORTS = {"http": 80, "https": 443}
_WANTED = "AE@HOST:PORT or https://HOST/PATH"


@dataclass(frozen=True, kw_only=True)
class DimseAddress:
    """A node that speaks DIMSE."""

    title: str
    host: str
    port: int

    @property
    def shown(self) -> str:
        """As messages call it."""
        return f"{self.title}@{self.host}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class WebAddress:
    """The root of a DICOMweb service; ``studies`` and so on lie below it."""

    url: str
    host: str
    port: int

    @property
    def shown(self) -> str:
        """As messages call it."""
        return self.url

    @property
    def is_encrypted(self) -> bool:
        """Whether nobody on the way can read along."""
        return self.url.startswith("https://")


Address: TypeAlias = DimseAddress | WebAddress


def parse_address(text: str, *, option: str) -> Address:
    """Read an address; one that holds a password is refused and not repeated.

    Raises
    ------
    ConfigError
        It is no address, or it holds credentials.
    """
    if "://" in text:
        return _parse_url(text, option)
    match = _DIMSE.fullmatch(text.strip())
    if match is None or not 0 < int(match["port"]) <= _LARGEST_PORT or not match["title"].strip():
        raise ConfigError("is no address of an archive", where=option, wanted=_WANTED)
    return DimseAddress(
        title=match["title"].strip(), host=match["host"].strip("[]"), port=int(match["port"])
    )


def is_loopback(host: str) -> bool:
    """Whether what is sent there never leaves this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _parse_url(text: str, option: str) -> WebAddress:
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigError("is no address of an archive", where=option, wanted=_WANTED)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigError(
            "holds more than an address",
            where=option,
            found="a user, password or question in it",
            wanted=_WANTED,
            hint="credentials come from the environment or from --credentials",
        )
    url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    return WebAddress(url=url, host=host, port=port or _PORTS[parts.scheme])
