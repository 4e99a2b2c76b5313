"""The HTTP session of a DICOMweb service, and its failures in our words."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from osteoct.errors import NetworkError, OsteoctError, PassingNetworkError
from osteoct.io.dicom.elements import PARSE_ERRORS
from osteoct.network.address import WebAddress
from osteoct.network.credentials import Credentials
from osteoct.network.link import Link
from osteoct.network.trust import untrusted

_PASSING: Final = (408, 425, 429, 500, 502, 503, 504)
_MEANINGS: Final = {
    401: ("the archive does not know who asks", "credentials: see docs/how-to/pacs.md"),
    403: ("the archive does not allow this", "whose credentials are used may not do it"),
    404: ("the archive has no such thing", "is the address that of the DICOMweb root?"),
    407: ("the proxy wants credentials", None),
    413: ("the archive finds the request too large", None),
}


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
        """As requests does it, but an option beats ``REQUESTS_CA_BUNDLE``."""
        merged: dict[str, Any] = super().merge_environment_settings(
            url, proxies, stream, verify, cert
        )
        if self._trusted is not True:
            merged["verify"] = self._trusted
        return merged


def status_of(error: requests.HTTPError) -> int:
    """The status of an answer that is an error; 0 where there was none."""
    return 0 if error.response is None else int(error.response.status_code)


@contextmanager
def explained(address: WebAddress) -> Iterator[None]:
    """Turn the libraries' failures into ours; theirs quote addresses, headers and answers."""
    where = address.shown
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
    except requests.exceptions.SSLError as error:
        raise untrusted(_verify_message(error), where=where) from None
    except requests.exceptions.ProxyError:
        raise PassingNetworkError("the proxy does not answer", where=where) from None
    except requests.ConnectionError:
        raise PassingNetworkError(
            "cannot be reached, or broke off", where=where, found="no connection"
        ) from None
    except requests.Timeout:
        raise PassingNetworkError("gave no answer in time", where=where) from None
    except requests.exceptions.ChunkedEncodingError:
        raise PassingNetworkError("broke off in the middle of an answer", where=where) from None
    except (requests.RequestException, *PARSE_ERRORS):
        raise PassingNetworkError(
            "the answer cannot be understood", where=where, wanted="DICOMweb"
        ) from None


def _by_status(code: int, where: str) -> NetworkError:
    """A status that is an error, in words."""
    kind = PassingNetworkError if code in _PASSING else NetworkError
    what, hint = _MEANINGS.get(code, ("the archive refuses the request", None))
    return kind(what, where=where, found=f"status {code}", hint=hint)


def _verify_message(error: BaseException) -> str:
    """What is wrong with a certificate, without whatever else the message holds."""
    seen: BaseException | None = error
    while seen is not None:
        for part in (seen, *seen.args, getattr(seen, "reason", None)):
            if isinstance(part, ssl.SSLCertVerificationError):
                return part.verify_message
        inner = seen.args[0] if seen.args and isinstance(seen.args[0], BaseException) else None
        seen = getattr(inner, "reason", None) or inner
    return "TLS cannot be agreed on"
