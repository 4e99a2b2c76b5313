"""Nodes that break off, refuse, or are none: what was sent and kept, and what is said."""

from __future__ import annotations

import socket
import threading

import pytest
from pydicom.uid import MRImageStorage

from osteoct.errors import NetworkError, OutputError
from osteoct.network.fetching import fetch_series
from osteoct.network.query import make_query
from osteoct.network.sending import send_files

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""pynetdicom leaves a socket that the other side closed to the garbage collector."""


@pytest.mark.parametrize("offers_find", [True, False])
def test_a_node_that_breaks_off_gets_every_object_once(offers_find, make_node, make, tmp_path):
    """What was answered before is not sent again, whether the node can be asked or not."""
    make.series(tmp_path / "in", images=6)
    node, heard = make_node(offers_find=offers_find), []
    node.breaks_after = 3
    sent = send_files([tmp_path / "in"], make.link(node.address), hear=heard.append)
    assert (sent.stored, len(node.kept), len(node.received), len(heard)) == (6, 6, 6, 1)


def test_a_node_that_breaks_off_is_fetched_from_again(make_node, make, tmp_path):
    """Nothing stands under its name before it is whole; what came is not fetched twice."""
    study = make.series(tmp_path / "in", images=6)
    node = make_node()
    send_files([tmp_path / "in"], make.link(node.address))
    asked, out = make_query((study,), None), tmp_path / "out"
    node.breaks_after = 2
    done = fetch_series(make.link(node.address, attempts=1), asked, out)
    assert (done.incomplete, done.is_whole) == (1, False)
    assert not list(out.rglob("*"))
    kept = {p.name: p.stat().st_mtime_ns for p in tmp_path.glob(".out.fetching/**/*.dcm")}
    assert len(kept) == 2
    assert fetch_series(make.link(node.address), asked, out).whole == 1
    times = {p.name: p.stat().st_mtime_ns for p in out.rglob("*.dcm")}
    assert len(times) == 6
    assert kept.items() <= times.items()
    assert not list(tmp_path.glob(".*"))


def test_a_series_that_grew_is_completed(make_node, make, tmp_path):
    """Counts are compared with what the node lists today."""
    study = make.series(tmp_path / "in", images=4)
    files = sorted((tmp_path / "in").iterdir())
    node = make_node()
    link, asked, out = make.link(node.address), make_query((study,), None), tmp_path / "out"
    for part in (files[:3], files[3:]):
        send_files(part, link)
        assert fetch_series(link, asked, out).whole == 1
    assert len(list(out.rglob("*.dcm"))) == 4


def test_a_full_disk_is_said(make_node, make, tmp_path, monkeypatch):
    """In our words, and what came is kept."""
    study = make.series(tmp_path / "in")
    node = make_node()
    link = make.link(node.address)
    send_files([tmp_path / "in"], link)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OutputError, match="disk full"):
        fetch_series(link, make_query((study,), None), tmp_path / "out")


@pytest.mark.parametrize(
    ("status", "stored", "refused", "changed"),
    [(0xB000, 4, 0, 4), (0x0111, 4, 0, 0), (0xA900, 0, 4, 0), (0xC001, 0, 4, 0)],
)
def test_each_answer_counts(status, stored, refused, changed, make_node, make, tmp_path):
    """A refusal is none of the network's failures; a warning is told."""
    make.series(tmp_path / "in")
    node = make_node()
    node.status = status
    sent = send_files([tmp_path / "in"], make.link(node.address))
    assert (sent.stored, sent.refused, sent.changed) == (stored, refused, changed)


def test_a_node_without_room_is_asked_again_and_then_left(make_node, make, tmp_path):
    """Out of resources may pass."""
    make.series(tmp_path / "in")
    node = make_node()
    node.status = 0xA700
    with pytest.raises(NetworkError, match="come back later"):
        send_files([tmp_path / "in"], make.link(node.address))
    assert len(node.received) == 8


def test_a_class_that_is_not_taken_is_refused(make_node, make, tmp_path):
    """And the others are sent."""
    make.series(tmp_path / "in" / "a", images=2)
    make.series(tmp_path / "in" / "b", images=3, sop_class=MRImageStorage)
    sent = send_files([tmp_path / "in"], make.link(make_node().address))
    assert (sent.stored, sent.refused) == (2, 3)
    alone = send_files([tmp_path / "in" / "b"], make.link(make_node(offers_find=False).address))
    assert (alone.stored, alone.refused) == (0, 3)
    assert "class and encoding" in sent.reasons[0][0]


def test_a_wrong_title_is_named(make_node, make, tmp_path):
    """The one mistake everybody makes."""
    make.series(tmp_path / "in")
    wrong = make_node().address.replace("NODE", "OTHER")
    with pytest.raises(NetworkError, match="before @"):
        send_files([tmp_path / "in"], make.link(wrong))


def test_nobody_there(make, tmp_path):
    """The reason is that of the system."""
    make.series(tmp_path / "in")
    with pytest.raises(NetworkError, match="Connection refused"):
        send_files([tmp_path / "in"], make.link(f"A@127.0.0.1:{make.port()}"))


@pytest.mark.parametrize("garbage", [b"\x00" * 100, b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
def test_garbage_is_no_node(garbage, make, tmp_path):
    """Whatever answers, it ends in one line."""
    make.series(tmp_path / "in")
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_answer, args=(server, garbage), daemon=True).start()
        address = f"A@127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(NetworkError, match="not as a DICOM node"):
            send_files([tmp_path / "in"], make.link(address, attempts=1, timeout_s=1.0))


def _answer(server, garbage):
    """The same bytes to each who comes."""
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            connection.settimeout(1)
            connection.recv(65536)
            connection.sendall(garbage)
