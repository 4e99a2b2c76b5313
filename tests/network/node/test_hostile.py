"""Senders that mean harm, or are broken: the node stays up, bounded, and says what it refused.

At full size (ten thousand associations, an object of 4 GB): ``benchmarks/listener_hostile.py``.
"""

from __future__ import annotations

import struct
import threading
import time

import pytest
from pydicom import dcmread
from pydicom.uid import CTImageStorage
from pynetdicom.dsutils import encode
from pynetdicom.pdu_primitives import P_DATA

from osteoct.network.node.inbox import InboxLimits

ABORT = 7


def wait_for(condition, *, seconds=10.0):
    """Whether something came true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return False


def closes(plain, *, seconds=10.0):
    """Whether the other side ends the connection, whatever it says before."""
    plain.settimeout(seconds)
    try:
        while plain.recv(65536):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    plain.close()
    return True


def threads():
    """Threads of associations."""
    return sum("AcceptorThread" in t.name or "DULService" in t.name for t in threading.enumerate())


@pytest.fixture
def alive(listen, associate, make, tmp_path):
    """Starts a node; afterwards an honest sender is served, and no thread or part is left."""
    started = []

    def start(**settings):
        started.append(listen(**({"timeout_s": 1.0} | settings)))
        return started[-1]

    yield start
    make.series(tmp_path / "honest", images=1)
    for at in started:
        association = associate(at.port)
        assert association.send_c_store(dcmread(tmp_path / "honest" / "000.dcm")).Status == 0
        association.release()
        assert wait_for(lambda: threads() == 0)
        assert not list(at.inbox.arriving.iterdir())


GARBAGE = {
    "text": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "zeros": bytes(10_000),
    "noise": bytes((i * 197 + 31) % 256 for i in range(10_000)),
    "unknown type": struct.pack(">BBL", 9, 0, 4) + bytes(4),
    "an empty request": struct.pack(">BBL", 1, 0, 0),
    "a request of nothing": struct.pack(">BBL", 1, 0, 68) + bytes(68),
    "data before a request": struct.pack(">BBL", 4, 0, 10) + bytes(10),
    "an answer to no question": struct.pack(">BBL", 2, 0, 68) + bytes(68),
    "a release of nothing": struct.pack(">BBL", 5, 0, 4) + bytes(4),
    "four gigabytes announced": struct.pack(">BBL", 1, 0, 2**32 - 1) + bytes(1000),
}


@pytest.mark.parametrize("sent", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage(alive, raw, sent):
    """Whatever it is, the connection ends and nothing else does."""
    at = alive()
    plain = raw.connect(at.port)
    plain.sendall(sent)
    assert closes(plain)


def fragment(context, control, data, *, said=None):
    """A PDU of one fragment, whose length may be a lie."""
    item = struct.pack(">LBB", len(data) + 2 if said is None else said, context, control) + data
    return struct.pack(">BBL", 4, 0, len(item)) + item


AFTER = {
    "garbage": b"\xff" * 100,
    "a request again": None,
    "a fragment longer than its PDU": fragment(1, 3, b"", said=9999),
    "an empty fragment": struct.pack(">BBL", 4, 0, 5) + struct.pack(">LB", 1, 1),
    "a command that is none": fragment(1, 3, b"x" * 10),
    "data without a command": fragment(1, 2, b"x" * 10),
    "a context that was not agreed on": fragment(99, 3, bytes(10)),
    "a PDU of a gigabyte": struct.pack(">BBL", 4, 0, 2**30) + bytes(1000),
}


@pytest.mark.parametrize("sent", AFTER.values(), ids=AFTER.keys())
def test_garbage_in_an_association(alive, raw, sent):
    """Of one who is allowed to call: aborted, counted, told in our words."""
    at = alive()
    plain = raw.connect(at.port)
    plain.sendall(raw.request())
    assert plain.recv(1) == b"\x02"
    plain.sendall(raw.request() if sent is None else sent)
    assert closes(plain)
    assert wait_for(lambda: at.node.counts.refused)
    assert set(at.node.counts.refused) == {"what is not DICOM, or not in its order"}


@pytest.mark.parametrize(("field", "data_set"), [(0x0100, 0x0101), (0x0001, 0x0101), (0x0030, 1)])
def test_commands_that_are_not_answered(alive, raw, field, data_set):
    """An event report, a C-STORE of nothing, an echo with an object: not begun on."""
    at = alive()
    plain = raw.connect(at.port)
    plain.sendall(raw.request())
    assert plain.recv(1) == b"\x02"
    values = ((0x0100, field), (0x0110, 7), (0x0800, data_set))
    body = b"".join(struct.pack("<HHLH", 0, n, 2, value) for n, value in values)
    plain.sendall(fragment(1, 3, struct.pack("<HHLL", 0, 0, 4, len(body)) + body))
    assert closes(plain)
    assert set(at.node.counts.refused) == {"what is not DICOM, or not in its order"}


def test_a_command_without_an_end(alive, raw):
    """Fragments of a command are gathered in memory: not without a bound."""
    at = alive()
    plain = raw.connect(at.port)
    plain.sendall(raw.request())
    sent = 0

    def send_for_ever():
        nonlocal sent
        while True:
            plain.sendall(fragment(1, 1, bytes(10_000)))
            sent += 10_000

    with pytest.raises(ConnectionError):
        send_for_ever()
    assert sent < 20_000_000  # what the buffers of both sides hold
    assert set(at.node.counts.refused) == {"what is not DICOM, or not in its order"}


@pytest.mark.parametrize("half", ["a PDU", "nothing at all", "a request in drips"])
def test_half_a_pdu(alive, raw, half):
    """Waiting senders are waited for, and then no more."""
    at = alive(timeout_s=0.5)
    plain = raw.connect(at.port)
    if half == "a PDU":
        plain.sendall(raw.request()[:-20])
    elif half != "nothing at all":
        for byte in raw.request()[:8]:
            plain.sendall(bytes([byte]))
            time.sleep(0.02)
    assert closes(plain, seconds=5)


def test_more_connections_than_are_served(alive, raw):
    """Two threads each: those too many are closed at once, and the place is free again later."""
    at = alive(most_associations=4, timeout_s=0.5)
    opened = [raw.connect(at.port) for _ in range(60)]
    assert wait_for(lambda: at.node.counts.refused)
    assert threads() <= 2 * (4 + 8) + 2
    assert set(at.node.counts.refused) == {"more connections at once than are served"}
    assert all(closes(plain) for plain in opened)


def test_many_associations_one_after_the_other(alive, raw):
    """Opened and dropped: nothing piles up."""
    at = alive()
    for _ in range(100):
        plain = raw.connect(at.port)
        plain.sendall(raw.request())
        plain.recv(1)
        plain.close()
    assert wait_for(lambda: threads() == 0)
    assert at.node.counts.associations == 100


def test_an_object_larger_than_is_taken(alive, associate, make, tmp_path):
    """It is heard out, refused for good, and never on disk beyond the bound."""
    at = alive(limits=InboxLimits(free_bytes=0, largest_bytes=100_000))
    make.series(tmp_path / "s", images=1)
    image = dcmread(tmp_path / "s" / "000.dcm")
    image.PixelData = bytes(150_000)
    assert associate(at.port).send_c_store(image).Status == 0xC003
    assert at.node.counts.refused == {"an object larger than is taken": 1}
    assert at.inbox.studies() == ()


def test_an_object_without_an_end(alive, associate, make, tmp_path):
    """Twice the largest, and the line is cut."""
    at = alive(limits=InboxLimits(free_bytes=0, largest_bytes=100_000))
    make.series(tmp_path / "s", images=1)
    image = dcmread(tmp_path / "s" / "000.dcm")
    image.PixelData = bytes(5_000_000)
    association = associate(at.port)
    assert association.send_c_store(image).get("Status") is None
    assert at.node.counts.refused == {"an object without an end": 1}


def test_a_sender_that_goes_away_in_the_middle(alive, associate, make, tmp_path):
    """Half an image is no image, and its half does not stay."""
    at = alive()
    make.series(tmp_path / "s", images=1)
    image = dcmread(tmp_path / "s" / "000.dcm")
    image.PixelData = bytes(300_000)
    association = associate(at.port)
    _send(association, image, pieces=10)
    assert wait_for(lambda: any(p.stat().st_size for p in at.inbox.arriving.iterdir()))
    association.dul.socket.socket.shutdown(2)
    assert wait_for(lambda: not list(at.inbox.arriving.iterdir()))
    assert at.inbox.studies() == ()


def test_sequences_a_thousand_deep(alive, associate, make, tmp_path):
    """Nothing is read by a function that calls itself until the stack ends the program."""
    at = alive()
    make.series(tmp_path / "s", images=1)
    image = dcmread(tmp_path / "s" / "000.dcm")
    depth = 3000
    item = bytes.fromhex("feff00e0ffffffff")
    begin = bytes.fromhex("08001511") + b"SQ\0\0\xff\xff\xff\xff" + item
    end = bytes.fromhex("feff0de000000000feffdde000000000")
    status = _store(associate(at.port), image, extra=begin * depth + end * depth)
    assert status.Status in (0x0000, 0xC000)
    assert len(at.inbox.studies()) == (status.Status == 0)


@pytest.mark.parametrize("uid", ["../../etc/passwd", "1" * 200, "1.2.\0.3", "", "Ä.1"])
def test_uids_that_are_none(alive, associate, make, tmp_path, uid):
    """Announced as the object's own: refused before a file is opened."""
    at = alive()
    make.series(tmp_path / "s", images=1)
    image = dcmread(tmp_path / "s" / "000.dcm")
    status = _store(associate(at.port), image, announced=uid)
    assert status is None or status.Status == 0xC001
    assert not list(tmp_path.rglob("*passwd*"))
    assert at.inbox.studies() == ()


def _store(association, image, **given):
    """Send an object as no library would; the answer, or ``None`` where the line was cut."""
    association._reactor_checkpoint.clear()
    _send(association, image, **given)
    _, answer = association.dimse.get_msg(block=True)
    association._reactor_checkpoint.set()
    return answer


def _send(association, image, *, extra=b"", announced=None, pieces=None):
    """A C-STORE with elements and UIDs as they are given, or its first pieces alone."""
    data = encode(image, is_implicit_vr=False, is_little_endian=True)
    patient = data.index(bytes.fromhex("10001000"))
    data = data[:patient] + extra + data[patient:]
    uid = (image.SOPInstanceUID if announced is None else announced).encode("utf-8")
    values = (
        (0x0002, CTImageStorage.encode() + bytes(len(CTImageStorage) % 2)),
        (0x0100, struct.pack("<H", 1)),
        (0x0110, struct.pack("<H", 7)),
        (0x0700, struct.pack("<H", 2)),
        (0x0800, struct.pack("<H", 1)),
        (0x1000, uid + bytes(len(uid) % 2)),
    )
    command = b"".join(struct.pack("<HHL", 0, n, len(value)) + value for n, value in values)
    command = struct.pack("<HHLL", 0, 0, 4, len(command)) + command
    starts = range(0, len(data), 16_000)
    fragments = [b"\x03" + command]
    fragments += [bytes([2 * (n == starts[-1])]) + data[n : n + 16_000] for n in starts]
    for one in fragments[:pieces]:
        primitive = P_DATA()
        primitive.presentation_data_value_list = [[1, one]]
        association.dul.send_pdu(primitive)
