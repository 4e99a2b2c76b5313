"""What a restart knows of studies, and what a user may ask to be sent."""

from __future__ import annotations

import pytest

from osteoct.errors import ConfigError
from osteoct.listen.notes import Notes, Stage, StudyNote
from osteoct.listen.settings import ListenSettings, parse_kinds


def test_notes_outlive_the_process(tmp_path):
    """What was written is known again; what is damaged is unknown, and so planned again."""
    note = StudyNote(revision="r", case_id="c-a", key="k", stage=Stage.EXPORTED)
    notes = Notes(tmp_path)
    notes.put("study-a", note)
    notes.put("study-b", note)
    notes.put("study-c", note)
    notes.forget("study-b")
    (tmp_path / "study-c.json").write_text('{"revision"')
    after = Notes(tmp_path)
    assert after.names() == ("study-a",)
    assert after.get("study-a") == note
    assert after.get("study-b") is None


def test_only_what_is_sent_is_made():
    """Nobody needs typst for SEG and SR."""
    assert ListenSettings().formats == ("dicom",)
    chosen = ListenSettings(kinds=parse_kinds("sr,pdf,sc"))
    assert chosen.formats == ("dicom", "dicom-pdf")
    assert chosen.files == ("sr.dcm", "pdf.dcm", "page.dcm")


@pytest.mark.parametrize("text", ["", "seg,", "SEG", "fhir"])
def test_unknown_kinds_are_named(text):
    with pytest.raises(ConfigError, match="seg,sr,pdf,sc"):
        parse_kinds(text)
