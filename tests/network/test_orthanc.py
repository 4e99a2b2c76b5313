"""A real server: objects in and out over both protocols, nothing doubled."""

from __future__ import annotations

import hashlib

import pytest

from osteoct.network.fetching import fetch_series, list_series
from osteoct.network.query import make_query
from osteoct.network.sending import send_files

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""pynetdicom leaves a socket that the other side closed to the garbage collector."""


@pytest.mark.parametrize("way", ["node", "web"])
def test_there_and_back_again(way, orthanc, make, tmp_path):
    """Sent, sent again, listed, fetched, fetched again: the pixels are those that were sent."""
    study = make.series(tmp_path / "in", images=5, day="20240105")
    link = make.link(getattr(orthanc, way))
    before = orthanc.count()
    first, second = (send_files([tmp_path / "in"], link) for _ in range(2))
    assert (first.stored, first.present, second.stored, second.present) == (5, 0, 0, 5)
    assert orthanc.count() - before == 5

    query = make_query((), "date=2024-01-01..2024-01-31, description=*LUMBAR*, body-part=lspine")
    names = {s.study for s in list_series(link, query) if s.images == 5}
    assert hashlib.sha256(study.encode()).hexdigest()[:12] in names

    asked = make_query((study,), None)
    assert fetch_series(link, asked, tmp_path / "out").whole == 1
    assert fetch_series(link, asked, tmp_path / "out").present == 1
    assert _pixels(tmp_path / "out") == _pixels(tmp_path / "in")
    assert not list(tmp_path.glob(".*"))


def test_sent_to_a_port_of_ours(orthanc, make, tmp_path):
    """C-MOVE, for archives that offer no C-GET."""
    study = make.series(tmp_path / "in", images=3)
    link = make.link(orthanc.node)
    send_files([tmp_path / "in"], link)
    asked = make_query((study,), None)
    done = fetch_series(link, asked, tmp_path / "out", move_port=orthanc.move)
    assert (done.whole, done.images) == (1, 3)
    assert _pixels(tmp_path / "out") == _pixels(tmp_path / "in")


def _pixels(folder):
    """The pixel data of every image, by UID."""
    from pydicom import dcmread  # noqa: PLC0415 -- beside its only use

    images = [dcmread(p) for p in folder.rglob("*.dcm")]
    return {d.SOPInstanceUID: (d.SeriesInstanceUID, d.PixelData) for d in images}
