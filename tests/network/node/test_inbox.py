"""What lies in the inbox: named by no sender, whole or not there, the same after a restart."""

from __future__ import annotations

import os
import shutil

import pytest
from pydicom import dcmread
from pydicom.uid import generate_uid

from osteoct.errors import OutputError
from osteoct.network.node.images import read_image
from osteoct.network.node.inbox import Inbox, InboxLimits, Kept
from osteoct.network.node.refusals import Refusal, RefusedError

ANY = InboxLimits(free_bytes=0)


@pytest.fixture
def series(make, tmp_path):
    """Files of one series of four images."""
    make.series(tmp_path / "sent")
    return sorted((tmp_path / "sent").iterdir())


def put(inbox, file, *, caller="A", **changes):
    """Keep a copy of a file, with other values."""
    part = inbox.arriving / f"{generate_uid()}.part"
    dataset = dcmread(file)
    for name, value in changes.items():
        setattr(dataset, name, value)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.save_as(part)
    return inbox.keep(part, read_image(part), caller=caller)


def test_an_image_is_kept_once(tmp_path, series):
    """A repetition is no second image; what is returned tells them apart."""
    inbox = Inbox(tmp_path / "in", ANY)
    assert [put(inbox, file) for file in series] == [Kept.NEW] * 4
    revision = inbox.studies()[0].revision
    assert put(inbox, series[0], caller="B") is Kept.REPEATED
    (study,) = inbox.studies()
    assert (study.images, study.revision, study.expected) == (4, revision, None)
    assert not list(inbox.arriving.iterdir())


def test_no_name_says_whose_they_are(tmp_path, series, make):
    """Neither UIDs nor names of people are names of files, and nobody else may look."""
    inbox = Inbox(tmp_path / "in", ANY)
    for file in series:
        put(inbox, file)
    uids = {
        str(dcmread(f)[t].value) for f in series for t in ("SOPInstanceUID", "StudyInstanceUID")
    }
    shown = [str(p.relative_to(tmp_path)) for p in (tmp_path / "in").rglob("*")]
    assert not [word for word in (*make.secrets, *uids) for name in shown if word in name]
    assert repr(inbox.studies()).count("A") == 0
    assert (tmp_path / "in").stat().st_mode & 0o077 == 0


def test_another_image_under_the_same_uid_is_refused(tmp_path, series):
    """The first stays: what was answered for is not replaced by what comes later."""
    inbox = Inbox(tmp_path / "in", ANY)
    put(inbox, series[0])
    with pytest.raises(RefusedError) as refused:
        put(inbox, series[0], PixelData=bytes(range(128)))
    assert refused.value.refusal is Refusal.CHANGED
    (kept,) = (tmp_path / "in").glob("study-*/*/*.dcm")
    assert dcmread(kept).PixelData == dcmread(series[0]).PixelData


def test_a_restart_finds_what_was_there(tmp_path, series):
    """Same studies, same revision, same time; parts are swept, a damaged file lacks and is told."""
    inbox = Inbox(tmp_path / "in", ANY)
    for file in series:
        put(inbox, file, NumberOfStudyRelatedInstances=4, NumberOfSeriesRelatedInstances=4)
    before = inbox.studies()[0]
    (inbox.arriving / "half.part").write_bytes(b"half")
    again = Inbox(tmp_path / "in", ANY).studies()[0]
    assert (again.revision, again.images, again.expected) == (before.revision, 4, 4)
    assert again.has_whole_series is True
    assert again.last_at == pytest.approx(before.last_at, abs=1)
    assert not list(inbox.arriving.iterdir())
    damaged = next((tmp_path / "in").glob("study-*/*/*.dcm"))
    os.truncate(damaged, damaged.stat().st_size - 10)
    said = []
    (study,) = Inbox(tmp_path / "in", ANY, hear=said.append).studies()
    assert (study.images, study.has_whole_series) == (3, False)
    assert said == ["1 images of the inbox were damaged and are gone: send them again"]


def test_counts_are_those_that_all_series_say(tmp_path, series):
    """One silent series leaves it open whether the others are all there is."""
    inbox = Inbox(tmp_path / "in", ANY)
    put(inbox, series[0], NumberOfSeriesRelatedInstances=1)
    assert inbox.studies()[0].has_whole_series is True
    put(inbox, series[1], SeriesInstanceUID=generate_uid())
    assert inbox.studies()[0].has_whole_series is None
    put(inbox, series[2], NumberOfStudyRelatedInstances=-5)
    assert inbox.studies()[0].expected is None


def test_a_study_is_removed_only_as_it_was_seen(tmp_path, series):
    """An image that came meanwhile saves it."""
    inbox = Inbox(tmp_path / "in", ANY)
    put(inbox, series[0])
    seen = inbox.studies()[0]
    put(inbox, series[1])
    assert not inbox.remove(seen.name, seen.revision)
    assert inbox.remove(seen.name, inbox.studies()[0].revision)
    assert inbox.studies() == ()
    assert not list((tmp_path / "in").glob("study-*"))
    assert put(inbox, series[0]) is Kept.NEW


def test_bounds(tmp_path, series):
    """Studies, bytes and disk: exactly at the bound there is room, beyond it there is none."""
    inbox = Inbox(tmp_path / "in", InboxLimits(free_bytes=0, most_studies=1))
    put(inbox, series[0])
    put(inbox, series[1])
    with pytest.raises(RefusedError, match="inbox has no room"):
        put(inbox, series[2], StudyInstanceUID=generate_uid())
    size = sum(f.stat().st_size for f in (tmp_path / "in").rglob("*.dcm"))
    exact = Inbox(tmp_path / "in", InboxLimits(free_bytes=0, most_bytes=size))
    exact.check_room()
    with pytest.raises(RefusedError, match="inbox has no room"):
        exact.check_room(1)
    free = shutil.disk_usage(tmp_path).free
    with pytest.raises(RefusedError, match="disk has no room"):
        Inbox(tmp_path / "in", InboxLimits(free_bytes=2 * free)).check_room()


def test_a_folder_that_cannot_be_made(tmp_path):
    """One line, without the path twice."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="the inbox cannot be written"):
        Inbox(tmp_path / "file" / "in", ANY)
