"""Messages of one association as they come in, with bounds that the library does not set.

The library gathers an object in memory, or in a temporary folder that it leaves to others, and lets
an error in a message end its thread with a trace. Here objects go to the inbox's own folder, and
whatever is wrong ends the association and is counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from io import BytesIO
from typing import Any, Final

from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dsutils import decode
from pynetdicom.pdu_primitives import P_DATA

from osteoct.network.node.arriving import Arriving
from osteoct.network.node.refusals import Refusal, RefusedError

_COMMAND, _LAST = 0x01, 0x02
"""Bits of a message control header: command or data set, and its last fragment (PS3.8, E.2)."""

_STORE: Final = 0x0001
_WITHOUT: Final = frozenset({0x0030, 0x0FFF})
"""Command fields of C-STORE, and of C-ECHO and C-CANCEL, which have no data set (PS3.7, E.1)."""

_NO_DATA_SET: Final = 0x0101

_MOST_COMMAND_BYTES: Final = 16 * 1024
"""A command of C-STORE has some 200 bytes."""

_MOST_WAITING: Final = 16
"""Messages that may wait for an answer: none were agreed on beyond one."""

_INVALID_PDU: Final = "Evt19"
"""The library's event for a PDU that is none: it answers with an abort (DICOM PS3.8, 9.2)."""


class Intake(DIMSEServiceProvider):
    """Takes the fragments of an association's messages, in the library's thread.

    Parameters
    ----------
    begin
        Makes the object that an announced data set becomes, of its class, UID and encoding.
    refuse
        Told what ended the association.
    """

    def __init__(
        self,
        association: Any,  # noqa: ANN401 -- pynetdicom's
        *,
        begin: Callable[[str, str, str], Arriving],
        refuse: Callable[[Refusal], None],
    ) -> None:
        super().__init__(association)
        self._begin, self._refuse = begin, refuse
        self._arriving: Arriving | None = None
        self._arrived: deque[Arriving] = deque()
        self._command = bytearray()
        self._is_over = False

    def receive_primitive(self, primitive: Any) -> None:  # noqa: ANN401 -- pynetdicom's
        """Take what one PDU holds."""
        if self._is_over:
            return
        try:
            for context, data in primitive.presentation_data_value_list:
                self._take(context, bytes(data))
        except RefusedError as refused:
            self._break_off(refused.refusal)
        except Exception:  # noqa: BLE001 -- of whatever a stranger sends, in a thread not ours
            self._break_off(Refusal.PROTOCOL)

    def next_arrived(self) -> Arriving:
        """The object of the message that is served now; messages are served in their order."""
        return self._arrived.popleft()

    def drop(self) -> None:
        """Leave nothing behind of an association that has ended."""
        self._is_over = True
        if self._arriving is not None:
            self._arriving.drop()
        while self._arrived:
            self._arrived.popleft().drop()

    def _take(self, context: int, data: bytes) -> None:
        """One fragment."""
        control = data[0]
        if not control & _COMMAND:
            self._take_data(context, data)
            return
        if self._arriving is not None or len(self._command) + len(data) > _MOST_COMMAND_BYTES:
            raise RefusedError(Refusal.PROTOCOL)
        self._command += data[1:]
        if control & _LAST:
            whole, self._command = bytes(self._command), bytearray()
            self._take_command(context, whole)

    def _take_command(self, context: int, whole: bytes) -> None:
        """Hand a command on that this node answers; the library would begin on others as well."""
        command = decode(BytesIO(whole), True, True)
        has_data = command.CommandDataSetType != _NO_DATA_SET
        is_known = has_data if command.CommandField == _STORE else command.CommandField in _WITHOUT
        if not is_known or self.msg_queue.qsize() > _MOST_WAITING:
            raise RefusedError(Refusal.PROTOCOL)
        if command.CommandField in _WITHOUT and has_data:
            raise RefusedError(Refusal.PROTOCOL)
        if has_data:
            self._begin_data(context, command)
        self._hand_on(context, bytes([_COMMAND | _LAST]) + whole)

    def _take_data(self, context: int, data: bytes) -> None:
        if self._arriving is None:
            raise RefusedError(Refusal.PROTOCOL)
        self._arriving.write(data[1:])
        if data[0] & _LAST:
            self._arrived.append(self._arriving)
            self._arriving = None
            self._hand_on(context, data[:1])

    def _begin_data(self, context: int, command: Any) -> None:  # noqa: ANN401 -- a data set
        """Begin the object of a C-STORE."""
        agreed = self.assoc._accepted_cx.get(context)  # noqa: SLF001 -- what its own code asks
        sop_class = str(command.get("AffectedSOPClassUID", ""))
        if agreed is None:
            raise RefusedError(Refusal.PROTOCOL)
        if agreed.abstract_syntax != sop_class:
            raise RefusedError(Refusal.UNLIKE)
        uid = str(command.get("AffectedSOPInstanceUID", ""))
        self._arriving = self._begin(sop_class, uid, str(agreed.transfer_syntax[0]))

    def _hand_on(self, context: int, data: bytes) -> None:
        """Give a fragment to the library."""
        fragment = P_DATA()
        fragment.presentation_data_value_list = [[context, data]]
        super().receive_primitive(fragment)

    def _break_off(self, refusal: Refusal) -> None:
        self._refuse(refusal)
        self.drop()
        self.dul.event_queue.put(_INVALID_PDU)
