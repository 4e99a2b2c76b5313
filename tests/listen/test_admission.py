"""From a study in the inbox to work in the ledger: once, whatever happens in between."""

from __future__ import annotations

import time

import pytest

from osteoct.listen.admission import Admitter
from osteoct.network.node.inbox import HeldStudy
from osteoct.run.batch import open_batch
from osteoct.run.plan.choices import SegmenterChoice, make_choices
from osteoct.run.records import Cause, State


@pytest.fixture
def batch(tmp_path):
    with open_batch(str(tmp_path / "store"), create=True) as opened:
        yield opened


@pytest.fixture
def admitter(batch, tmp_path):
    choices = make_choices(tmp_path, segmenter=SegmenterChoice(name="phantom-masks"))
    return Admitter(batch=batch, choices=choices, secret=b"a key of this test")


def held(folder, *, revision="a", images=24, expected=None):
    """The phantom's folder as a study that is held."""
    return HeldStudy(
        name="study-000000000000",
        folder=folder,
        images=images,
        expected=expected,
        last_at=time.time(),
        callers=frozenset(),
        revision=revision,
    )


@pytest.mark.parametrize(
    ("expected", "words"),
    [(30, "24 of 30 announced"), (24, "not all announced"), (None, "not all")],
)
def test_missing_images_are_a_finding(patient, batch, admitter, expected, words):
    """A study that was given up is analysed, and whoever reads the result is told.

    Where all of the study came, or nothing was said of it, a series announced more.
    """
    admitter.admit(held(patient / "ct-dicom", expected=expected), is_incomplete=True)
    (claim,) = batch.ledger.claim("me", 1, lease_s=60)
    (finding,) = (f for f in claim.item.findings if f.code == "study-incomplete")
    assert words in finding.message
    assert finding.evidence == {"images": 24, "expected": 30 if expected == 30 else None}


def test_no_finding_without_missing_images(patient, batch, admitter):
    """What is complete says nothing of images."""
    admitter.admit(held(patient / "ct-dicom", expected=24), is_incomplete=False)
    (claim,) = batch.ledger.claim("me", 1, lease_s=60)
    assert "study-incomplete" not in {f.code for f in claim.item.findings}


def test_the_same_images_are_the_same_work(patient, batch, admitter):
    """After a restart, and after the same study was sent again, nothing is done again."""
    study = held(patient / "ct-dicom")
    first = admitter.admit(study, is_incomplete=False)
    again = admitter.admit(study, is_incomplete=False)
    assert first == again
    row = batch.ledger.row(first.case_id)
    assert (row.state, row.key) == (State.PENDING, first.key)
    assert batch.ledger.counts()[State.PENDING] == 1
    assert first.case_id.startswith("c-")


def test_an_incomplete_study_is_other_work(patient, batch, admitter):
    """When the rest comes, the result without the finding replaces the one with it."""
    part = admitter.admit(held(patient / "ct-dicom", expected=30), is_incomplete=True)
    whole = admitter.admit(held(patient / "ct-dicom"), is_incomplete=False)
    assert part.case_id == whole.case_id
    assert part.key != whole.key
    assert batch.ledger.row(whole.case_id).key == whole.key


def test_what_cannot_be_measured_is_a_row(patient, batch, admitter, tmp_path):
    """One image is no volume: refused, and not forgotten."""
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "0.dcm").write_bytes(next((patient / "ct-dicom").iterdir()).read_bytes())
    note = admitter.admit(held(folder, images=1), is_incomplete=False)
    row = batch.ledger.row(note.case_id)
    assert note.key is None
    assert (row.state, row.failure.cause) == (State.REFUSED, Cause.INPUT)
