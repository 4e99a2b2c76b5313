"""Fetching over DICOMweb that is cut in the middle goes on; nothing is lost, nothing doubled."""

from __future__ import annotations

import ssl
import threading

import pytest
from pydicom import dcmread

from osteoct.errors import PassingNetworkError
from osteoct.network.archive import SeriesFound, open_archive
from osteoct.network.fetching import fetch_series
from osteoct.network.query import make_query
from osteoct.network.sending import send_files

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""pynetdicom leaves a socket that the other side closed to the garbage collector."""

IMAGES, SIDE = 12, 128
CUT = 200_000
"""Bytes of answers: half of the images, whose pixels are 32 768 bytes each."""


@pytest.fixture
def sent(orthanc, make, tmp_path):
    """A series that lies on the server, and the question for it."""
    study = make.series(tmp_path / "in", images=IMAGES, side=SIDE)
    send_files([tmp_path / "in"], make.link(orthanc.web))
    return make_query((study,), None)


def test_the_next_fetch_asks_for_what_lacks_alone(orthanc, sent, make, make_wire, tmp_path):
    """What came before the cut is kept as it came; each other image is asked for once."""
    wire, out = make_wire(orthanc.http), tmp_path / "out"
    wire.cut_after(CUT)
    done = fetch_series(make.link(_web(wire), attempts=1), sent, out)
    assert (done.incomplete, done.whole) == (1, 0)
    assert not list(out.rglob("*"))
    kept = {p.name: p.stat().st_mtime_ns for p in tmp_path.glob(".out.fetching/**/*.dcm")}
    assert 0 < len(kept) < IMAGES
    wire.asked.clear()
    assert fetch_series(make.link(_web(wire)), sent, out).whole == 1
    asked = [path for path in wire.asked if b"/instances/" in path]
    assert len(asked) == len(set(asked)) == IMAGES - len(kept)
    times = {p.name: p.stat().st_mtime_ns for p in out.rglob("*.dcm")}
    assert kept.items() <= times.items()
    assert _pixels(out) == _pixels(tmp_path / "in")
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_cut_is_bridged_by_the_same_fetch(
    scheme, orthanc, sent, make, make_wire, papers, tmp_path
):
    """Patience begins anew; an end in the middle of TLS is no matter of certificates."""
    context, more = None, {}
    if scheme == "https":
        context, more = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), {"ca": papers / "ca.pem"}
        context.load_cert_chain(papers / "server.pem", papers / "server.key")
    wire, heard = make_wire(orthanc.http, context), []
    wire.cut_after(CUT)
    link = make.link(_web(wire, scheme), **more)
    assert fetch_series(link, sent, tmp_path / "out", hear=heard.append).whole == 1
    assert len(heard) == 1
    assert _pixels(tmp_path / "out") == _pixels(tmp_path / "in")


def test_the_server_is_killed_and_started_again(make, make_wire, tmp_path):
    """The index of a server that fell is whole again when it is back."""
    (tmp_path / "server").mkdir()
    server = make.orthanc(tmp_path / "server")
    server.start()
    try:
        study = make.series(tmp_path / "in", images=IMAGES, side=SIDE)
        send_files([tmp_path / "in"], make.link(server.web))
        wire, heard = make_wire(server.http), []

        rises = threading.Timer(0.3, server.start)

        def fall():
            server.kill()
            rises.start()

        wire.cut_after(CUT, fall)
        link = make.link(_web(wire), attempts=8, first_wait_s=0.1)
        asked = make_query((study,), None)
        assert fetch_series(link, asked, tmp_path / "out", hear=heard.append).whole == 1
        assert heard
        assert _pixels(tmp_path / "out") == _pixels(tmp_path / "in")
        assert server.count() == IMAGES
        rises.join()
    finally:
        server.kill()


def test_images_before_a_break_are_kept_where_the_answer_told_its_length(serve, make, tmp_path):
    """HTTP libraries drop the piece that they were reading: it is a small one."""
    study = make.series(tmp_path / "in", images=IMAGES, side=SIDE)
    files = sorted((tmp_path / "in").iterdir())
    uids = {dcmread(f).SOPInstanceUID for f in files}
    series = SeriesFound(study=study, series="1.2", modality="CT", date="20260102")
    head = b"\r\n--x\r\nContent-Type: application/dicom\r\n\r\n"
    body = b"".join(head + f.read_bytes() for f in files)[2:CUT]
    kind = 'multipart/related; type="application/dicom"; boundary=x'
    link, kept = make.link(serve(200, body, kind=kind, lacks=CUT).url), {}
    archive = open_archive(link, keep=kept.__setitem__)
    with archive, pytest.raises(PassingNetworkError, match="middle"):
        archive.retrieve(series, uids, whole=True)
    assert 0 < len(kept) < IMAGES
    assert kept.keys() < uids


def _web(wire, scheme="http"):
    return f"{scheme}://127.0.0.1:{wire.port}/dicom-web"


def _pixels(folder):
    """The pixel data of every image, by UID; an image that is there twice is told."""
    images = [dcmread(p) for p in folder.rglob("*.dcm")]
    assert len({d.SOPInstanceUID for d in images}) == len(images)
    return {d.SOPInstanceUID: (d.SeriesInstanceUID, d.PixelData) for d in images}
