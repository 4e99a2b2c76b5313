"""User, password and token of an archive: from the environment or a file nobody else can read."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from osteoct.errors import ConfigError

USER_VARIABLE: Final = "OSTEOCT_PACS_USER"
PASSWORD_VARIABLE: Final = "OSTEOCT_PACS_PASSWORD"  # noqa: S105 -- the name of a variable
TOKEN_VARIABLE: Final = "OSTEOCT_PACS_TOKEN"  # noqa: S105 -- the name of a variable

_KEYS: Final = ("user", "password", "token")
_MODE: Final = 0o600
_MOST_BYTES: Final = 65536
"""Longer is no such file; tokens have a few thousand signs at most."""


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What an archive knows a caller by; shown nowhere, ``repr`` included."""

    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        return self.user is None and self.token is None


def load_credentials(
    file: Path | None, environment: Mapping[str, str] | None = None
) -> Credentials:
    """Read credentials from a file where one is named, else from the environment.

    Parameters
    ----------
    file
        TOML with ``user`` and ``password``, or ``token``; its mode must be 0600.

    Raises
    ------
    ConfigError
        The file is readable by others, is not such a file, or a part is missing. What it holds
        is never repeated.
    """
    if file is not None:
        return _check(_read(file), where=str(file))
    given = os.environ if environment is None else environment
    names = (USER_VARIABLE, PASSWORD_VARIABLE, TOKEN_VARIABLE)
    values = {key: given[name] for key, name in zip(_KEYS, names, strict=True) if given.get(name)}
    return _check(values, where="environment")


def _read(file: Path) -> dict[str, object]:
    """The keys of the file; its mode is that of the very file that is read."""
    try:
        with file.open("rb") as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            if os.name == "posix" and mode != _MODE:
                raise ConfigError(
                    "holds credentials and may be read by others",
                    where=str(file),
                    found=f"mode {mode:04o}",
                    wanted=f"mode {_MODE:04o}",
                    hint="chmod 600",
                )
            text = opened.read(_MOST_BYTES).decode()
        return tomllib.loads(text)
    except OSError as error:
        raise ConfigError(
            "cannot be read", where=str(file), found=error.strerror or "an input/output error"
        ) from None
    except ValueError:  # what is wrong would quote what it holds
        raise ConfigError(
            "is no TOML", where=str(file), wanted=f"keys {', '.join(_KEYS)}"
        ) from None


def _check(values: Mapping[str, object], *, where: str) -> Credentials:
    """Refuse unknown keys, what is no text, and half a pair; no value is repeated."""
    texts = {key: value for key, value in values.items() if isinstance(value, str)}
    is_whole = ("user" in texts) == ("password" in texts)
    has_breaks = any("\n" in v or "\r" in v for v in texts.values())
    if set(values) - set(_KEYS) or len(texts) != len(values) or not is_whole or has_breaks:
        raise ConfigError(
            "credentials are not whole",
            where=where,
            wanted="user and password, or token, each a line of text",
        )
    return Credentials(**texts)
