"""Accepting connections: not more than are served, and never waiting for one of them."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

from pynetdicom.transport import ThreadedAssociationServer

from osteoct.network.node.refusals import Refusal


class NodeServer(ThreadedAssociationServer):
    """The library's server with a bound on connections, and TLS agreed on beside accepting.

    Parameters
    ----------
    most_connections
        Two threads each; one more is closed at once.
    most_s
        Seconds for the other side to agree on TLS.
    """

    request_queue_size = 128
    """Connections that may wait to be accepted: with the library's five, the sixth of a burst of
    senders waits a second for its next try."""

    def __init__(
        self,
        *given: Any,  # noqa: ANN401 -- handed on to the library
        most_connections: int,
        most_s: float,
        refuse: Callable[[Refusal], None],
        **named: Any,  # noqa: ANN401 -- as above
    ) -> None:
        self._most_connections, self._most_s, self._refuse = most_connections, most_s, refuse
        self._lock, self._beginning = threading.Lock(), 0
        super().__init__(*given, **named)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; a slow one keeps nobody waiting."""
        client, address = self.socket.accept()
        client.settimeout(self._most_s)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if self.ssl_context is not None:
            client = self.ssl_context.wrap_socket(
                client, server_side=True, do_handshake_on_connect=False
            )
        return client, address

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ANN401
        """Whether there is a place for one more."""
        del request, client_address
        with self._lock:
            if len(self.active_associations) + self._beginning < self._most_connections:
                self._beginning += 1
                return True
        self._refuse(Refusal.BUSY)
        return False

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Agree on TLS where it is asked for, then begin."""
        try:
            if self._has_agreed(request):
                super().process_request_thread(request, client_address)
            else:
                self._refuse(Refusal.TLS)
                self.shutdown_request(request)
        finally:
            with self._lock:  # its association is counted from now on
                self._beginning -= 1

    def _has_agreed(self, request: Any) -> bool:  # noqa: ANN401
        """Whether the other side speaks as it should, where TLS is spoken."""
        if not isinstance(request, ssl.SSLSocket):
            return True
        try:
            request.do_handshake()
        except (OSError, ValueError):
            return False
        return True

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Count what went wrong; a trace would name the caller."""
        del request, client_address
        self._refuse(Refusal.PROTOCOL)
