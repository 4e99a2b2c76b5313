"""Certificates that nobody known vouches for."""

from __future__ import annotations

from osteoct.errors import NetworkError


def untrusted(why: str, *, where: str) -> NetworkError:
    """The failure of a certificate that nobody known vouches for."""
    return NetworkError(
        "the certificate is not trusted",
        where=where,
        found=why,
        hint="--ca names the file of who vouches for it",
    )
