"""Bounds of one connection: how long a PDU may be, how long it may take, what order it comes in."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from pynetdicom.fsm import StateMachine

from osteoct.network.node.refusals import Refusal

LONGEST_PDU_BYTES: Final = 2**18
"""Twice what is offered to senders. The library would gather what a PDU says of its length."""

OFFERED_PDU_BYTES: Final = 2**17

_READ_BYTES: Final = 2**16


class PduReader:
    """Reads for an association in place of the library's own method, within bounds.

    A length that cannot be meant, and a PDU that does not end in time, are as if the connection had
    been closed, which is how the library takes an ``OSError``.

    Parameters
    ----------
    connection
        The library's socket of an association.
    most_s
        Seconds for one PDU to come, and for the other side to take an answer.
    """

    def __init__(
        self,
        connection: Any,  # noqa: ANN401 -- pynetdicom's
        *,
        most_s: float,
        refuse: Callable[[Refusal], None],
    ) -> None:
        self._socket, self._most_s, self._refuse = connection.socket, most_s, refuse

    def __call__(self, nr_bytes: int) -> bytearray:
        """Return so many bytes, or fewer where the other side closes."""
        if nr_bytes > LONGEST_PDU_BYTES:
            self._refuse(Refusal.PROTOCOL)
            raise OSError("too long")
        found = bytearray(nr_bytes)
        view, have = memoryview(found), 0
        deadline = time.monotonic() + self._most_s
        while have < nr_bytes:
            left = deadline - time.monotonic()
            if left <= 0:
                self._refuse(Refusal.SLOW)
                raise TimeoutError("too slow")
            self._socket.settimeout(left)
            try:
                count = self._socket.recv_into(view[have:], min(nr_bytes - have, _READ_BYTES))
            except TimeoutError:
                self._refuse(Refusal.SLOW)
                raise
            if count == 0:
                return found[:have]
            have += count
        self._socket.settimeout(self._most_s)
        return found


class OrderlyMachine(StateMachine):
    """The library's machine; a message out of order ends the association without a trace."""

    def __init__(self, dul: Any, *, refuse: Callable[[Refusal], None]) -> None:  # noqa: ANN401
        super().__init__(dul)
        self._refuse = refuse

    def do_action(self, event: str) -> None:
        """Do what an event asks for."""
        try:
            super().do_action(event)
        except Exception:  # noqa: BLE001 -- of whatever a stranger sends, in a thread not ours
            self._refuse(Refusal.PROTOCOL)
            self.dul.kill_dul()
