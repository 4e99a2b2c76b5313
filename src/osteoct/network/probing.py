"""Why a conversation did not come about: learned by connecting once more, plainly."""

from __future__ import annotations

import socket
import ssl
from typing import Final

from osteoct.errors import NetworkError, PassingNetworkError
from osteoct.network.link import Link, tls_context
from osteoct.network.trust import no_tls, untrusted

_LONGEST_WAIT_S: Final = 1.0
"""For what the other side says first: nothing, unless it refuses this side's certificate."""


def why_no_connection(link: Link, *, host: str, port: int) -> NetworkError | None:
    """What fails without a word of DICOM or HTTP; ``None`` where nothing does.

    In TLS 1.3 this side counts as connected before the other one has looked at its certificate.
    Whoever writes at once may then see a connection that broke and not the reason: here nothing
    is written.
    """
    where = link.address.shown
    try:
        with socket.create_connection((host, port), link.timeout_s) as plain:
            if link.is_encrypted:
                with tls_context(link).wrap_socket(plain, server_hostname=host) as agreed:
                    agreed.settimeout(min(link.timeout_s, _LONGEST_WAIT_S))
                    _listen(agreed)
    except ssl.SSLCertVerificationError as error:
        return untrusted(error.verify_message, where=where)
    except socket.gaierror:
        return NetworkError("there is no host of this name", where=where)
    except ssl.SSLError as error:
        return no_tls(error, where=where, has_certificate=link.certificate is not None)
    except OSError as error:
        return PassingNetworkError(
            "cannot be reached", where=where, found=error.strerror or "no answer in time"
        )
    return None


def _listen(agreed: ssl.SSLSocket) -> None:
    """Wait for a refusal; silence, and an end without a reason, is none."""
    try:
        agreed.recv(1)
    except (TimeoutError, ConnectionError, ssl.SSLEOFError):
        return
