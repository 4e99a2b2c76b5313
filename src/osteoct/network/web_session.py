"""The HTTP session of a DICOMweb service, and its failures in our words."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase, HTTPBasicAuth
from requests.utils import get_environ_proxies, select_proxy

from osteoct.errors import NetworkError, OsteoctError, PassingNetworkError
from osteoct.io.dicom.elements import PARSE_ERRORS
from osteoct.network.address import WebAddress, is_loopback
from osteoct.network.credentials import Credentials
from osteoct.network.link import Link
from osteoct.network.probing import why_no_connection
from osteoct.network.trust import no_tls, untrusted

_PASSING: Final = (408, 425, 429, 500, 502, 503, 504)
_MEANINGS: Final = {
    401: ("the archive does not know who asks", "credentials: see docs/how-to/pacs.md"),
    403: ("the archive does not allow this", "whose credentials are used may not do it"),
    404: ("the archive has no such thing", "is the address that of the DICOMweb root?"),
    407: ("the proxy wants credentials", "HTTPS_PROXY=http://USER:PASSWORD@PROXY:PORT"),
    413: ("the archive finds the request too large", None),
}

_TUNNEL: Final = re.compile(r"Tunnel connection failed: (\d{3})")
"""How the standard library says that a proxy refused; what follows is the proxy's text."""

_OF_PROXY: Final = 407


class _Authorisation(AuthBase):
    """Credentials as headers; being set, it also keeps ``~/.netrc`` from being read."""

    def __init__(self, credentials: Credentials) -> None:
        self._known = credentials

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add what there is."""
        known = self._known
        if known.token is not None:
            request.headers["Authorization"] = f"Bearer {known.token}"
        elif known.user is not None and known.password is not None:
            basic = HTTPBasicAuth(known.user.encode(), known.password.encode())
            request = basic(request)
        return request


class WebSession(requests.Session):
    """Follows no redirect, takes proxies from the environment and certificates from options."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self.auth = _Authorisation(link.credentials)
        self.max_redirects = 0
        self._trusted: bool | str = str(link.ca) if link.ca else True
        if link.certificate is not None:
            key = link.certificate_key
            self.cert = (str(link.certificate), str(key)) if key else str(link.certificate)

    def merge_environment_settings(
        self,
        url: Any,  # noqa: ANN401 -- as requests has it
        proxies: Any,  # noqa: ANN401
        stream: Any,  # noqa: ANN401
        verify: Any,  # noqa: ANN401
        cert: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """As requests does it, but an option beats ``REQUESTS_CA_BUNDLE``.

        This machine is asked without a proxy: another one would ask itself, and read what may go
        unencrypted here alone.
        """
        merged: dict[str, Any] = super().merge_environment_settings(
            url, proxies, stream, verify, cert
        )
        if is_loopback(urlsplit(url).hostname or ""):
            merged["proxies"] = {}
        if self._trusted is not True:
            merged["verify"] = self._trusted
        return merged


def status_of(error: requests.HTTPError) -> int:
    """The status of an answer that is an error; 0 where there was none."""
    return 0 if error.response is None else int(error.response.status_code)


@contextmanager
def explained(link: Link) -> Iterator[None]:
    """Turn the libraries' failures into ours; theirs quote addresses, headers and answers."""
    where = link.address.shown
    try:
        yield
    except OsteoctError:
        raise
    except requests.HTTPError as error:
        raise _by_status(status_of(error), where) from error
    except requests.TooManyRedirects:
        raise NetworkError(
            "the archive sends elsewhere, where nothing is sent unasked",
            where=where,
            hint="name the address it redirects to, if that one is meant",
        ) from None
    except (requests.RequestException, *PARSE_ERRORS) as error:
        raise _failure(error, link) from None


def _failure(error: Exception, link: Link) -> NetworkError:
    """What a failure means; the order is that of requests' tree, leaves first."""
    kinds, where = requests.exceptions, link.address.shown
    if isinstance(error, kinds.SSLError):
        return _of_tls(error, link)
    if isinstance(error, kinds.ProxyError | kinds.InvalidSchema | kinds.InvalidProxyURL):
        return _of_proxy(error, where)
    if isinstance(error, kinds.ConnectionError):
        return _of_connection(link)
    if isinstance(error, kinds.Timeout):
        return PassingNetworkError("gave no answer in time", where=where)
    if isinstance(error, kinds.ChunkedEncodingError):
        return PassingNetworkError("broke off in the middle of an answer", where=where)
    return PassingNetworkError("the answer cannot be understood", where=where, wanted="DICOMweb")


def _by_status(code: int, where: str) -> NetworkError:
    """A status that is an error, in words."""
    kind = PassingNetworkError if code in _PASSING else NetworkError
    what, hint = _MEANINGS.get(code, ("the archive refuses the request", None))
    return kind(what, where=where, found=f"status {code}", hint=hint)


def _of_tls(error: BaseException, link: Link) -> NetworkError:
    """What is wrong with a certificate, without whatever else the message holds."""
    where, has_certificate = link.address.shown, link.certificate is not None
    causes = [cause for cause in _causes(error) if isinstance(cause, ssl.SSLError)]
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return untrusted(cause.verify_message, where=where)
    found = no_tls(
        causes[0] if causes else ssl.SSLError(), where=where, has_certificate=has_certificate
    )
    return _of_connection(link) if isinstance(found, PassingNetworkError) else found


def _of_proxy(error: BaseException, where: str) -> NetworkError:
    """A proxy that cannot be used, is not there, or does not let through."""
    if not isinstance(error, requests.exceptions.ProxyError):
        wanted = "http://PROXY:PORT in HTTPS_PROXY"
        return NetworkError(
            "the proxy of the environment cannot be used", where=where, wanted=wanted
        )
    told = next((m for cause in _causes(error) if (m := _TUNNEL.search(str(cause)))), None)
    if told is None:
        return PassingNetworkError("the proxy does not answer", where=where)
    code = int(told[1])
    if code == _OF_PROXY:
        return _by_status(code, where)
    kind = PassingNetworkError if code in _PASSING else NetworkError
    return kind(
        "the proxy does not let through to the archive",
        where=where,
        found=f"status {code}",
        hint="NO_PROXY names hosts that are reached without it",
    )


def _of_connection(link: Link) -> NetworkError:
    """A connection that ended; one that this side's certificate may have ended is looked into."""
    address = link.address
    if link.is_encrypted and isinstance(address, WebAddress) and not _has_proxy(address):
        cause = why_no_connection(link, host=address.host, port=address.port)
        if cause is not None:
            return cause
    return PassingNetworkError(
        "cannot be reached, or broke off", where=address.shown, found="no connection"
    )


def _has_proxy(address: WebAddress) -> bool:
    """Whether the environment names a proxy for it."""
    if is_loopback(address.host):
        return False
    return bool(select_proxy(address.url, get_environ_proxies(address.url)))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The failures that a failure of requests and urllib3 is wrapped around, itself first."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        parts = (*one.args, getattr(one, "reason", None), one.__cause__, one.__context__)
        waiting += [part for part in parts if isinstance(part, BaseException)]
