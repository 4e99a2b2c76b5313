"""The node: who may call, what is taken, what each object is answered with."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from pynetdicom import AE, build_context, evt
from pynetdicom.sop_class import Verification

from osteoct.errors import ConfigError, NetworkError
from osteoct.network.archive import CT_CLASSES
from osteoct.network.association import silence
from osteoct.network.dimse import SYNTAXES
from osteoct.network.extra import check_network_extra
from osteoct.network.link import saying_nothing
from osteoct.network.node.arriving import Arriving
from osteoct.network.node.guard import OFFERED_PDU_BYTES, OrderlyMachine, PduReader
from osteoct.network.node.images import read_image
from osteoct.network.node.inbox import Inbox, Kept
from osteoct.network.node.intake import Intake
from osteoct.network.node.refusals import Refusal, RefusedError, Tally
from osteoct.network.node.server import NodeServer

_SUCCESS: Final = 0x0000

_REJECTED: Final = {(1, 3): Refusal.CALLER, (1, 7): Refusal.CALLED}
"""By source and diagnostic of a rejection (DICOM PS3.8, table 9-21)."""

_SPARE: Final = 8
"""Connections beyond the associations that are served: those are told that the node is busy."""


@dataclass(frozen=True, kw_only=True)
class NodeSettings:
    """How a node is reached, and by whom.

    Parameters
    ----------
    port
        0 takes a free one; see :attr:`Node.port`.
    host
        Address to listen on; by default only programs of this machine reach it.
    callers
        AE titles that may send. Empty is refused unless ``any_caller`` says that it is meant.
    most_associations
        Served at once.
    timeout_s
        Seconds that a PDU, an answer, or nothing at all may take.
    certificate, certificate_key
        PEM files of this node: only TLS is spoken then.
    ca
        Who vouches for callers: each must show a certificate then.
    """

    port: int
    ae_title: str = "OSTEOCT"
    host: str = "127.0.0.1"
    callers: frozenset[str] = frozenset()
    any_caller: bool = False
    most_associations: int = 16
    timeout_s: float = 30.0
    certificate: Path | None = None
    certificate_key: Path | None = None
    ca: Path | None = None


@dataclass(frozen=True, kw_only=True)
class NodeCounts:
    """What came since the start."""

    associations: int = 0
    accepted: int = 0
    repeated: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)


class Node:
    """A node that listens from ``start`` to ``stop``, or for the time of a ``with`` block.

    Parameters
    ----------
    hear
        Told, in a line, what is refused; called from threads of the node.

    Raises
    ------
    ConfigError, DependencyError
        The settings cannot be meant, or the extra ``network`` is missing.
    """

    def __init__(
        self, inbox: Inbox, settings: NodeSettings, hear: Callable[[str], None] = lambda _: None
    ) -> None:
        check_network_extra("listening")
        self._inbox, self._settings = inbox, settings
        self._tls = _tls_context(settings)
        self._entity = _make_entity(settings)
        self._tally = Tally(hear)
        self._lock = threading.Lock()
        self._associations = self._accepted = self._repeated = 0
        self._intakes: dict[Any, Intake] = {}
        self._server: NodeServer | None = None
        self._quiet = ExitStack()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        assert self._server is not None  # noqa: S101 -- asked of a node that was started
        return int(self._server.server_address[1])

    @property
    def counts(self) -> NodeCounts:
        """What came since the start."""
        with self._lock:
            return NodeCounts(
                associations=self._associations,
                accepted=self._accepted,
                repeated=self._repeated,
                refused=self._tally.counts,
            )

    def start(self) -> None:
        """Listen.

        Raises
        ------
        NetworkError
            The port is taken, or may not be used.
        """
        settings = self._settings
        self._quiet.enter_context(saying_nothing())
        try:
            self._server = self._entity.make_server(
                (settings.host, settings.port),
                ae_title=settings.ae_title,
                contexts=_contexts(),
                ssl_context=self._tls,
                evt_handlers=self._handlers(),
                server_class=NodeServer,
                most_connections=settings.most_associations + _SPARE,
                most_s=settings.timeout_s,
                refuse=self._tally.add,
            )
        except OSError as error:
            self._quiet.close()
            raise NetworkError(
                "cannot be listened on",
                where=f"{settings.host}:{settings.port}",
                found=error.strerror or "an input/output error",
                wanted="a free port, and the right to use it",
            ) from None
        self._entity._servers.append(self._server)  # noqa: SLF001 -- its shutdown looks for it
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True
        ).start()

    def stop(self) -> None:
        """Take no more, end what is under way, tell what was not told yet."""
        server, self._server = self._server, None
        if server is None:
            return
        server.shutdown()
        for association in server.active_associations:
            association.abort()
            association.join(self._settings.timeout_s)
        self._forget_ended(all_of_them=True)
        self._quiet.close()
        self._tally.tell_rest()

    def _handlers(self) -> list[tuple[Any, Callable[[Any], Any]]]:
        """What is called by the library in its threads."""
        return [
            (evt.EVT_CONN_OPEN, self._on_open),
            (evt.EVT_CONN_CLOSE, self._on_close),
            (evt.EVT_REJECTED, self._on_rejected),
            (evt.EVT_ACCEPTED, self._on_accepted),
            (evt.EVT_C_STORE, self._on_store),
        ]

    def _on_open(self, event: Any) -> None:  # noqa: ANN401 -- pynetdicom's
        """Set bounds to a connection before a byte of it is read."""
        association = event.assoc
        refuse = self._tally.add
        association.dimse = Intake(association, begin=self._begin, refuse=refuse)
        machine = OrderlyMachine(association.dul, refuse=refuse)
        machine.current_state = association.dul.state_machine.current_state
        association.dul.state_machine = machine
        connection = association.dul.socket
        connection.recv = PduReader(connection, most_s=self._settings.timeout_s, refuse=refuse)
        with self._lock:
            self._intakes[association] = association.dimse
        self._forget_ended()

    def _on_close(self, event: Any) -> None:  # noqa: ANN401 -- pynetdicom's
        self._forget(event.assoc)

    def _on_rejected(self, event: Any) -> None:  # noqa: ANN401 -- pynetdicom's
        answer = event.assoc.acceptor.primitive
        key = (getattr(answer, "result_source", 0), getattr(answer, "diagnostic", 0))
        self._tally.add(_REJECTED.get(key, Refusal.BUSY))

    def _on_accepted(self, event: Any) -> None:  # noqa: ANN401 -- pynetdicom's
        with self._lock:
            self._associations += 1
        if event.assoc.rejected_contexts:
            self._tally.add(Refusal.CLASS, len(event.assoc.rejected_contexts))

    def _on_store(self, event: Any) -> int:  # noqa: ANN401 -- pynetdicom's
        """Answer for an object: success means that it is on disk."""
        arrived = event.assoc.dimse.next_arrived()
        try:
            kept = self._keep(arrived, caller=str(event.assoc.requestor.ae_title).strip())
        except RefusedError as refused:
            self._tally.add(refused.refusal)
            return refused.refusal.status or Refusal.DAMAGED.status or 0
        except OSError:
            self._tally.add(Refusal.UNWRITABLE)
            return Refusal.UNWRITABLE.status or 0
        finally:
            arrived.drop()
        with self._lock:
            self._accepted += kept is Kept.NEW
            self._repeated += kept is Kept.REPEATED
        return _SUCCESS

    def _keep(self, arrived: Arriving, *, caller: str) -> Kept:
        arrived.close()
        image = read_image(arrived.path)
        if (image.sop_class, image.uid) != (arrived.sop_class, arrived.uid):
            raise RefusedError(Refusal.UNLIKE)
        return self._inbox.keep(arrived.path, image, caller=caller)

    def _begin(self, sop_class: str, uid: str, syntax: str) -> Arriving:
        return Arriving(self._inbox, sop_class=sop_class, uid=uid, syntax=syntax)

    def _forget(self, association: Any) -> None:  # noqa: ANN401 -- pynetdicom's
        with self._lock:
            intake = self._intakes.pop(association, None)
        if intake is not None:
            intake.drop()

    def _forget_ended(self, *, all_of_them: bool = False) -> None:
        """Clear up after associations of whose end nothing was heard."""
        with self._lock:
            known = list(self._intakes)
        for association in known:
            has_ended = association.ident is not None and not association.is_alive()
            if all_of_them or has_ended:
                self._forget(association)


def _make_entity(settings: NodeSettings) -> Any:  # noqa: ANN401 -- pynetdicom's
    """Our side: who may call, by what name, how many at once."""
    if not settings.callers and not settings.any_caller:
        raise ConfigError(
            "nobody may call",
            where="--allow",
            found="no AE title",
            wanted="the AE titles of those who send, or --allow-any",
        )
    silence()
    try:
        entity = AE(ae_title=settings.ae_title)
        if not settings.any_caller:
            entity.require_calling_aet = sorted(settings.callers)
    except ValueError:
        raise ConfigError(
            "is no AE title", where="--ae-title or --allow", wanted="1 to 16 signs of ASCII"
        ) from None
    entity.require_called_aet = True
    entity.maximum_associations = settings.most_associations
    entity.maximum_pdu_size = OFFERED_PDU_BYTES
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = settings.timeout_s
    return entity


def _contexts() -> list[Any]:
    """Each class with each encoding; the sender's order decides."""
    kinds = [build_context(uid, list(SYNTAXES)) for uid in CT_CLASSES]
    return [build_context(Verification), *kinds]


def _tls_context(settings: NodeSettings) -> ssl.SSLContext | None:
    """What a node with a certificate asks of callers; ``None`` without one."""
    if settings.certificate is None:
        if settings.ca is not None:
            raise ConfigError("needs a certificate of this node", where="--ca", wanted="--cert")
        return None
    try:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=settings.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(settings.certificate, settings.certificate_key, password=lambda: "")
    except (OSError, ValueError):
        raise ConfigError("cannot be used", where="--cert", wanted="PEM, key unencrypted") from None
    if settings.ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    return context
