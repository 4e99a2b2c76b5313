"""How an archive is spoken to: names, secrets, certificates, patience."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from osteoct.errors import ConfigError
from osteoct.io.dicom.elements import quietly
from osteoct.network.address import Address, DimseAddress, is_loopback
from osteoct.network.credentials import Credentials

_TALKATIVE: Final = ("pynetdicom", "dicomweb_client", "urllib3", "requests", "retrying")
"""Their log lines quote UIDs, names in answers, and headers that hold secrets."""


@dataclass(frozen=True, kw_only=True)
class Link:
    """An archive and the way to it.

    Parameters
    ----------
    own_title
        The AE title that this side calls itself.
    tls
        Encrypt DIMSE; an address decides for DICOMweb.
    ca, certificate, certificate_key
        PEM files: who may vouch for the archive (default: the system's), and this side's own.
    timeout_s
        Seconds without an answer after which the other side counts as gone.
    attempts
        Attempts in a row without progress before giving up.
    """

    address: Address
    own_title: str = "OSTEOCT"
    credentials: Credentials = field(default_factory=Credentials)
    tls: bool = False
    ca: Path | None = None
    certificate: Path | None = None
    certificate_key: Path | None = None
    timeout_s: float = 60.0
    attempts: int = 5
    first_wait_s: float = 1.0

    @property
    def is_encrypted(self) -> bool:
        """Whether nobody on the way can read along."""
        return self.tls if isinstance(self.address, DimseAddress) else self.address.is_encrypted


def check_link(link: Link) -> None:
    """Refuse what cannot be meant, before anything is sent.

    Raises
    ------
    ConfigError
        Credentials would travel in the clear, or a certificate cannot be used.
    """
    if not link.credentials.is_empty and not (link.is_encrypted or is_loopback(link.address.host)):
        raise ConfigError(
            "credentials would travel unencrypted",
            where=link.address.shown,
            wanted="an address with https://, or --tls",
        )
    named = (("--ca", link.ca), ("--cert", link.certificate), ("--cert-key", link.certificate_key))
    for option, path in named:
        if path is not None and not path.is_file():
            raise ConfigError("does not exist", where=f"{option} {path}", wanted="a PEM file")
        if path is not None and not link.is_encrypted:
            raise ConfigError("the connection is not encrypted", where=option, wanted="TLS")
    if link.is_encrypted:
        tls_context(link)


def tls_context(link: Link) -> ssl.SSLContext:
    """Certificates are always checked, and so is the name of the host."""
    where = "--ca"
    try:
        context = ssl.create_default_context(cafile=link.ca)
        if link.certificate is not None:
            where = "--cert"
            context.load_cert_chain(link.certificate, link.certificate_key, password=_no_password)
    except (OSError, ValueError):
        raise ConfigError("cannot be used", where=where, wanted="PEM, key unencrypted") from None
    return context


def _no_password() -> str:
    """A terminal is never asked."""
    return ""


@contextmanager
def saying_nothing() -> Iterator[None]:
    """Keep in what the libraries would log: it quotes patients and secrets."""
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    before = [(one.level, one.propagate) for one in loggers]
    for one in loggers:
        one.setLevel(logging.CRITICAL + 1)
        one.propagate = False
    try:
        with quietly():
            yield
    finally:
        for one, (level, propagate) in zip(loggers, before, strict=True):
            one.setLevel(level)
            one.propagate = propagate
