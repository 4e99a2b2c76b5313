"""Keyed pseudonyms: the same case gets the same name, and nobody without the key can undo it.

Identifiers enter the HMAC byte by byte, never stripped, never lower-cased: ``A-1`` and ``A1`` are
two patients.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets
import tempfile
from pathlib import Path
from typing import Final

from platformdirs import user_config_path

from osteoct.errors import ConfigError
from osteoct.io.identity import SourceIdentity

KEY_FILE_ENV: Final = "OSTEOCT_KEY_FILE"
KEY_ENV: Final = "OSTEOCT_KEY"
KEY_FILE_NAME: Final = "pseudonym.key"

MIN_KEY_BYTES: Final = 16
"""128 bits: a shorter key can be guessed, and patient ids are few enough to try them all."""

_KEY_BYTES = 32
_DIGEST_BYTES = 10
"""80 bits are 16 base32 letters; among 10^8 series two share them with probability below 10^-8."""

_CASE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def case_pseudonym(identity: SourceIdentity, content_sha256: str, key: bytes) -> str:
    """Return the pseudonym of one series of one patient, such as ``c-`` and 16 letters.

    Without a series the content of the file stands in for it.

    >>> case_pseudonym(SourceIdentity(), "00", b"0" * 16) == case_pseudonym(
    ...     SourceIdentity(), "01", b"0" * 16)
    False
    """
    if identity.series_key is None:
        named = (b"content", content_sha256.encode())
    else:
        named = (b"series", identity.series_key)
    return "c-" + _digest(key, b"case", identity.patient_key, *named)


def found_pseudonym(kind: str, *names: bytes | None, key: bytes) -> str:
    """Return the pseudonym of a case that is known by its study or by its place alone.

    Parameters
    ----------
    kind
        What the names are, so that a study and a folder of one name differ.
    """
    return "c-" + _digest(key, b"found", kind.encode(), *names)


def patient_pseudonym(identity: SourceIdentity, key: bytes) -> str | None:
    """Return the pseudonym of the patient, equal over scans; ``None`` where none is named."""
    if identity.patient_key is None:
        return None
    return "p-" + _digest(key, b"patient", identity.patient_key)


def check_case_id(text: str) -> str:
    """Return a case id of the user's own, once it is known to be safe as a file name.

    Raises
    ------
    ConfigError
        Other signs than letters, digits, ``.``, ``_`` and ``-``, a first sign that is no letter
        or digit, a last sign that is a dot, more than 100 signs, or a name that Windows reserves.
    """
    if not _CASE_ID.fullmatch(text) or text.endswith(".") or _RESERVED.fullmatch(text):
        raise ConfigError(
            "case id cannot be a file name",
            where="--case-id",
            found=repr(text[:40]),
            wanted="letters, digits, '.', '_', '-', beginning with a letter or digit",
        )
    return text


def load_key(key_file: Path | None = None) -> bytes:
    """Return the secret key of this installation.

    In this order: ``key_file``, the file named by ``OSTEOCT_KEY_FILE``, the text of
    ``OSTEOCT_KEY``, the file in the user's configuration folder, which is made on first use with
    mode 0600. Two processes that make it at once end up with one key.

    Raises
    ------
    ConfigError
        A key file that was named but cannot be read, a key below :data:`MIN_KEY_BYTES`, or a
        configuration folder that cannot be written.
    """
    named = key_file or (Path(env) if (env := os.environ.get(KEY_FILE_ENV)) else None)
    if named is not None:
        return _read_key(named, where=str(key_file) if key_file else KEY_FILE_ENV)
    if text := os.environ.get(KEY_ENV):
        return _check_key(text.encode(), where=KEY_ENV)
    own = user_config_path("osteoct") / KEY_FILE_NAME
    if not own.exists():
        _make_key(own)
    return _read_key(own, where=KEY_FILE_NAME)


def _read_key(path: Path, *, where: str) -> bytes:
    try:
        return _check_key(path.read_bytes(), where=where)
    except OSError as error:
        raise ConfigError(
            "the key cannot be read", where=where, found=error.strerror, wanted="a readable file"
        ) from error


def _check_key(key: bytes, *, where: str) -> bytes:
    """Refuse a short key; line ends that editors add are not part of it."""
    key = key.rstrip(b"\r\n")
    if len(key) < MIN_KEY_BYTES:
        raise ConfigError(
            "the key is too short",
            where=where,
            found=f"{len(key)} bytes",
            wanted=f"at least {MIN_KEY_BYTES}",
        )
    return key


def _make_key(path: Path) -> None:
    """Write a key whole; whoever links it first wins, and the others read that one."""
    staging: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(prefix=".key-", dir=path.parent)  # mode 0600
        staging = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_hex(_KEY_BYTES).encode())
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(staging)
    except FileExistsError:
        return
    except OSError as error:
        raise ConfigError(
            "the key cannot be made",
            where=KEY_FILE_NAME,
            found=error.strerror,
            wanted="a configuration folder that can be written",
            hint=f"name a key file in {KEY_FILE_ENV}",
        ) from error
    finally:
        if staging is not None:
            staging.unlink(missing_ok=True)


def _digest(key: bytes, *parts: bytes | None) -> str:
    """16 letters; every part carries its length, so that no two lists of parts run together."""
    mac = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts:
        mac.update(b"-" if part is None else len(part).to_bytes(8, "big") + b":" + part)
    return base64.b32encode(mac.digest()[:_DIGEST_BYTES]).decode().lower()
