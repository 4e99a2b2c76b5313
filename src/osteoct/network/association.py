"""Opening an association, and saying why where that fails."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from typing import Any

from pynetdicom import AE, _config
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import UserIdentityNegotiation
from pynetdicom.presentation import PresentationContext

from osteoct.errors import ConfigError, NetworkError, PassingNetworkError
from osteoct.network.address import DimseAddress
from osteoct.network.link import Link, tls_context
from osteoct.network.trust import untrusted

_REJECTED = {
    (1, 3): "this side's AE title is not known there: --ae-title",
    (1, 7): "that AE title is not served there: the part of the address before @",
}
"""Diagnostics of the service user by source and number (DICOM PS3.8, table 9-21)."""

_TRANSIENT = 2
"""Result of a rejection that may pass (DICOM PS3.8, table 9-21)."""


class NothingAcceptedError(NetworkError):
    """The archive speaks, and takes none of the classes that were offered."""


def silence() -> None:
    """Have the library log nothing of what passes: it quotes patients."""
    _config.LOG_HANDLER_LEVEL = "none"
    _config.LOG_REQUEST_IDENTIFIERS = _config.LOG_RESPONSE_IDENTIFIERS = False


def make_entity(link: Link) -> AE:
    """Our side, with its name and its patience; the library logs nothing of what passes."""
    silence()
    try:
        entity = AE(ae_title=link.own_title)
    except ValueError:
        raise ConfigError(
            "is no AE title", where="--ae-title", wanted="1 to 16 signs of ASCII"
        ) from None
    entity.acse_timeout = entity.dimse_timeout = link.timeout_s
    entity.network_timeout = entity.connection_timeout = link.timeout_s
    return entity


def associate(
    link: Link,
    address: DimseAddress,
    contexts: Sequence[PresentationContext],
    *,
    roles: Sequence[Any] = (),
    handlers: Sequence[Any] = (),
) -> Association:
    """An established association.

    Raises
    ------
    PassingNetworkError
        Nobody answers, or the archive is too busy.
    NothingAcceptedError
        None of the contexts is taken.
    NetworkError
        The certificate is not trusted, or the archive does not want this caller.
    """
    tls = (tls_context(link), address.host) if link.tls else None
    association = make_entity(link).associate(
        address.host,
        address.port,
        contexts=list(contexts),
        ae_title=address.title,
        ext_neg=[*roles, *_identity(link)],
        tls_args=tls,
        evt_handlers=list(handlers),
    )
    if association.is_established:
        return association
    if association.rejected_contexts and not association.is_rejected:
        raise NothingAcceptedError(
            "the archive does not offer what is asked for",
            where=address.shown,
            found="no presentation context accepted",
        )
    raise _why_not(association, link, address)


def _identity(link: Link) -> list[UserIdentityNegotiation]:
    """User and password, where there are any (DICOM PS3.7, D.3.3.7)."""
    known = link.credentials
    if known.user is None or known.password is None:
        return []
    identity = UserIdentityNegotiation()
    identity.user_identity_type = 2
    identity.primary_field = known.user.encode()
    identity.secondary_field = known.password.encode()
    return [identity]


def _why_not(association: Association, link: Link, address: DimseAddress) -> NetworkError:
    where = address.shown
    if association.is_rejected:
        answer = association.acceptor.primitive
        key = (getattr(answer, "result_source", None), getattr(answer, "diagnostic", None))
        is_passing = getattr(answer, "result", None) == _TRANSIENT
        kind = PassingNetworkError if is_passing else NetworkError
        return kind(
            "the archive refused the association",
            where=where,
            hint=_REJECTED.get(key),  # type: ignore[arg-type]
        )
    cause = _try_connection(link, address)
    if cause is not None:
        return cause
    return PassingNetworkError(
        "something answers, but not as a DICOM node does",
        where=where,
        found="the association was broken off or not answered in time",
        hint=None if link.tls else "a node that wants TLS needs --tls",
    )


def _try_connection(link: Link, address: DimseAddress) -> NetworkError | None:
    """Connect once more, plainly, to learn what is wrong; ``None`` where that works."""
    where = address.shown
    try:
        with socket.create_connection((address.host, address.port), link.timeout_s) as plain:
            if link.tls:
                tls_context(link).wrap_socket(plain, server_hostname=address.host).close()
    except ssl.SSLCertVerificationError as error:
        return untrusted(error.verify_message, where=where)
    except socket.gaierror:
        return NetworkError("there is no host of this name", where=where)
    except ssl.SSLError as error:
        return NetworkError(
            "TLS cannot be agreed on", where=where, found=error.reason or "no TLS there"
        )
    except OSError as error:
        return PassingNetworkError(
            "cannot be reached", where=where, found=error.strerror or "no answer in time"
        )
    return None
