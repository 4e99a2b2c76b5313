"""Certificates that one side does not take from the other."""

from __future__ import annotations

import ssl
from typing import Final

from osteoct.errors import NetworkError, PassingNetworkError

_ABOUT_CERTIFICATES: Final = ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED", "DECRYPT_ERROR")
"""What is in the names of the alerts that are about this side's certificate (RFC 8446, 6.2)."""

_NOT_OF_AUTHORITY: Final = ("expired", "not yet valid", "not valid for")
"""Another authority would not help against these."""


def untrusted(why: str, *, where: str) -> NetworkError:
    """The failure of an archive's certificate."""
    helps = not any(words in why for words in _NOT_OF_AUTHORITY)
    return NetworkError(
        "the certificate is not trusted",
        where=where,
        found=why,
        hint="--ca names the file of who vouches for it" if helps else None,
    )


def no_tls(error: ssl.SSLError, *, where: str, has_certificate: bool) -> NetworkError:
    """The failure of a connection that TLS was not agreed on for, or that broke off in it."""
    reason = error.reason or ""
    if isinstance(error, ssl.SSLEOFError) or "EOF" in reason:
        return PassingNetworkError("broke off", where=where, found="an end in the middle of TLS")
    alert = reason.partition("ALERT_")[2]
    if not alert:
        return NetworkError("TLS cannot be agreed on", where=where, found=reason or "no TLS there")
    words = alert.replace("_", " ").lower()
    if not any(name in alert for name in _ABOUT_CERTIFICATES):
        hint = None if has_certificate else "--cert, if the archive wants one"
        return NetworkError("TLS cannot be agreed on", where=where, found=words, hint=hint)
    if has_certificate:
        what, hint = "the archive does not take this side's certificate", "--cert, --cert-key"
    else:
        what, hint = "the archive wants a certificate of this side", "--cert, --cert-key"
    return NetworkError(what, where=where, found=words, hint=hint)
