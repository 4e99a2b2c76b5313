"""HTTP as a fetch of weights needs it: proxies honoured, nothing else than http and https."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from email.message import Message
from http.client import HTTPException, HTTPResponse
from typing import IO, Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from osteoct import __version__
from osteoct.errors import SegmenterUnavailableError
from osteoct.segment.weights.mirror import MIRROR_VARIABLE, host_of

TIMEOUT_S: Final = 20.0
"""For a connection, and for the next bytes of one: firewalls drop packets without a word."""

RANGE_NOT_SATISFIABLE: Final = 416

_PASSING: Final = (408, 425, 429, 500, 502, 503, 504)
"""What a server says when it may be otherwise in a moment."""

_HOW_TO_GO_ON: Final = (
    "a proxy is named by HTTPS_PROXY and HTTP_PROXY, a mirror by " + MIRROR_VARIABLE + "; without "
    "internet, osteoct weights export FILE where the weights are and osteoct weights import FILE "
    "here"
)


class PassingError(Exception):
    """A failure that may be gone when it is tried again.

    Parameters
    ----------
    wait_s
        How long the server asks to wait; ``None`` where it does not.
    """

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        self.wait_s = wait_s
        super().__init__(reason)


class RangeRefusedError(Exception):
    """The server has no such part of the file."""


def open_url(url: str, headers: Mapping[str, str]) -> HTTPResponse:
    """Ask for a file; what cannot be had is raised, not returned.

    Raises
    ------
    PassingError
        Worth another try.
    RangeRefusedError
        The part of the file that was asked for does not exist.
    SegmenterUnavailableError
        Not worth another try.
    """
    request = Request(  # noqa: S310 - only http and https have handlers
        url,
        headers={
            "User-Agent": f"osteoct/{__version__}",
            "Accept-Encoding": "identity",
            **headers,
        },
    )
    try:
        response: HTTPResponse = _make_opener().open(request, timeout=TIMEOUT_S)
    except HTTPError as error:
        with error:
            raise _failure_of_status(error, url) from None
    except (URLError, HTTPException, OSError, ValueError) as error:
        raise _failure_of_connection(error, url) from None
    return response


def unreachable(url: str, reason: str) -> SegmenterUnavailableError:
    """Return the failure of a fetch that the network does not allow."""
    return SegmenterUnavailableError(
        "the weights cannot be fetched", where=host_of(url), found=reason, hint=_HOW_TO_GO_ON
    )


class _SafeRedirects(HTTPRedirectHandler):
    """Follows redirects, but never from https to where anybody on the way could answer."""

    def redirect_request(
        self,
        req: Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> Request | None:
        if req.type == "https" and not newurl.startswith("https:"):
            raise unreachable(req.full_url, "a redirect from https to an address without it")
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def _make_opener() -> OpenerDirector:
    """An opener for http and https alone: no files, no ftp, no cookies, no passwords."""
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(),
        HTTPHandler(),
        HTTPSHandler(),
        _SafeRedirects(),
        HTTPDefaultErrorHandler(),
        HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


def _failure_of_status(error: HTTPError, url: str) -> Exception:
    """What to make of a status that is no success."""
    said = f"{error.code} {error.reason}"
    if error.code == RANGE_NOT_SATISFIABLE:
        return RangeRefusedError()
    if error.code in _PASSING:
        return PassingError(said, _seconds(error.headers.get("Retry-After")))
    return unreachable(url, f"{said} for {url}")


def _failure_of_connection(error: Exception, url: str) -> Exception:
    """What to make of a connection that failed."""
    reason: Any = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, ssl.SSLCertVerificationError):
        return unreachable(
            url,
            f"a certificate that is not trusted ({reason.verify_message}): SSL_CERT_FILE names"
            " the file of your own authority",
        )
    if isinstance(error, ValueError):
        return unreachable(url, f"an address that cannot be used ({error})")
    return PassingError(_in_words(reason))


def _in_words(reason: object) -> str:
    """A reason as the operating system puts it, without Python's own signs."""
    if isinstance(reason, TimeoutError):
        return f"no answer within {TIMEOUT_S:g} s"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return str(reason) or type(reason).__name__


def _seconds(text: str | None) -> float | None:
    """``Retry-After`` in seconds; the form with a date is not honoured."""
    return float(text) if text is not None and text.isdigit() else None
