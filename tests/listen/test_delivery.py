"""Results to archives: none lost, none doubled, none waits for another."""

from __future__ import annotations

import os
import shutil

import pytest
from pydicom.uid import SegmentationStorage

from osteoct.export.exporting import EXPORT_FILE
from osteoct.listen.delivery import Delivery
from osteoct.listen.outbox import Outbox

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""pynetdicom leaves a socket that the other side closed to the garbage collector."""

KEY = "0123456789abcdef"


@pytest.fixture
def node(network):
    """An archive of this process."""
    made = network.Node()
    yield made
    made.server.shutdown()


@pytest.fixture
def outbox(tmp_path):
    made = Outbox(tmp_path / "outbox")
    made.prepare()
    return made


@pytest.fixture
def post(outbox, network, tmp_path):
    """Put a parcel with one object into the outbox, so many seconds after the epoch."""

    def put(case_id, *, key=KEY, at=1000.0):
        series = tmp_path / f"{case_id}-{key}"
        network.make_series(series, images=1, sop_class=SegmentationStorage)
        place = outbox.place(case_id, key)
        place.mkdir()
        shutil.copy(series / "000.dcm", place / "seg.dcm")
        (place / EXPORT_FILE).touch()
        os.utime(place / EXPORT_FILE, (at, at))
        return outbox.find(case_id, key)

    return put


def deliver(outbox, network, address, said, **choices):
    link = network.link_to(address, attempts=1, **choices)
    return Delivery(outbox, link, files=("seg.dcm", "sr.dcm"), hear=said.append)


def run_out(delivery):
    """Attempt whatever waits until nothing does."""
    while waiting := delivery.waiting():
        delivery.attempt(waiting[0])


def test_sent_once_also_after_a_restart(outbox, post, network, node):
    """The answer lies on the disk: whoever starts anew sends nothing again."""
    post("c-b", at=2000.0)
    post("c-a", at=1000.0)
    said = []
    delivery = deliver(outbox, network, node.address, said)
    assert [p.case_id for p in delivery.waiting()] == ["c-a", "c-b"]
    run_out(delivery)
    run_out(deliver(outbox, network, node.address, said))
    assert len(node.received) == 2
    assert [line.split(": ")[1][:3] for line in said] == ["c-a", "c-b"]
    assert delivery.delivered == 2


def test_killed_before_the_answer_was_written(outbox, post, network, node):
    """What the archive says it has is not sent again."""
    parcel = post("c-a")
    said = []
    run_out(deliver(outbox, network, node.address, said))
    for answer in parcel.folder.glob("answer-*"):
        answer.unlink()
    run_out(deliver(outbox, network, node.address, said))
    assert len(node.received) == 1
    assert said[-1].endswith("0 objects, 1 there already")


def test_an_archive_that_is_away(outbox, post, network, node):
    """Tried for ever, later each time up to a minute; told when it goes and when it is back."""
    post("c-a")
    post("c-b", at=2000.0)
    said = []
    title, host = node.address.split("@")
    away = deliver(outbox, network, f"{title}@127.0.0.1:{network.free_port()}", said)
    waits = [away.attempt(away.waiting()[0]) for _ in range(8)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert len(said) == 1
    assert len(away.waiting()) == 2
    away._link = network.link_to(f"{title}@{host}", attempts=1)
    run_out(away)
    assert len(node.received) == 2
    assert "answers again" in said[1]
    assert away.delivered == 2


def test_refused_once_for_good(outbox, post, network, node):
    """An archive that does not want an object is not asked again and again."""
    node.status = 0xA900
    post("c-a")
    said = []
    delivery = deliver(outbox, network, node.address, said)
    run_out(delivery)
    assert (delivery.refused, delivery.delivered) == (1, 0)
    assert deliver(outbox, network, node.address, said).waiting() == ()
    assert len(said) == 1
    assert said[0].startswith("refused by NODE@")
    assert not any(secret in said[0] for secret in network.SECRETS)


def test_archives_are_independent(outbox, post, network, node):
    """One that is away holds up no other, and gets its own when it is back."""
    post("c-a")
    said = []
    away = deliver(outbox, network, f"AWAY@127.0.0.1:{network.free_port()}", said)
    away.attempt(away.waiting()[0])
    run_out(deliver(outbox, network, node.address, said))
    assert len(node.received) == 1
    assert len(away.waiting()) == 1


def test_a_newer_result_replaces_one_on_its_way(outbox, post, network, node):
    """An archive that was away gets the newest result of a case alone."""
    post("c-a")
    post("c-other")
    post("c-a", key="f" * 16, at=3000.0)
    outbox.replace_older("c-a", "f" * 16)
    run_out(deliver(outbox, network, node.address, []))
    assert len(node.received) == 2
    assert {p.folder.name for p in outbox.parcels()} == {"c-a.ffffffffffff", f"c-other.{KEY[:12]}"}


def test_a_parcel_without_what_is_sent(outbox, post, network, node):
    """Made when SEG was sent, and now only PDFs are: said once, and not looked at for ever."""
    post("c-a")
    said = []
    link = network.link_to(node.address, attempts=1)
    delivery = Delivery(outbox, link, files=("pdf.dcm",), hear=said.append)
    delivery.attempt(delivery.waiting()[0])
    assert delivery.waiting() == ()
    assert len(said) == 1
    assert node.received == []


def test_a_parcel_that_is_taken_away(outbox, post, network, node):
    """Between being seen and being sent: no failure, and the next one goes."""
    post("c-a")
    post("c-b", at=2000.0)
    said = []
    delivery = deliver(outbox, network, node.address, said)
    first = delivery.waiting()[0]
    shutil.rmtree(first.folder)
    assert delivery.attempt(first) == 0.0
    run_out(delivery)
    assert len(node.received) == 1
    assert len(said) == 1
