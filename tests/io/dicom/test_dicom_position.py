"""What a header says of position and sides: kept, and told where it contradicts itself."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.io.dicom.series import read_dicom
from osteoct.records import Severity

AXIAL = (1, 0, 0, 0, 1, 0)


def tilted(degrees):
    """Rows that turn from left towards head; columns stay towards the back."""
    angle = np.radians(degrees)
    return (np.cos(angle), 0, np.sin(angle), 0, 1, 0)


def read(ct, folder, orientation=AXIAL, **tags):
    return read_dicom(ct(orientation=orientation, tags=tags).write(folder))


def position_findings(volume):
    return [f for f in volume.findings if f.code == "patient-position"]


@pytest.mark.parametrize(
    ("written", "kept"), [("HFS", "HFS"), ("FFDR", "FFDR"), ("HFP ", "HFP"), ("UP", None)]
)
def test_position_is_kept_where_it_is_a_defined_term(ct, tmp_path, written, kept):
    """Anything else may be free text, and free text may hold a name."""
    assert read(ct, tmp_path, PatientPosition=written).acquisition.patient_position == kept


@pytest.mark.parametrize("position", ["HFS", "FFS", "HFP", "FFP"])
@pytest.mark.parametrize("orientation", [AXIAL, (-1, 0, 0, 0, 1, 0), (1, 0, 0, 0, -1, 0)])
def test_position_and_axes_contradict_nothing(ct, tmp_path, position, orientation):
    """The axes are written for the patient, whichever way he entered the scanner."""
    assert position_findings(read(ct, tmp_path, orientation, PatientPosition=position)) == []


@pytest.mark.parametrize(
    ("letters", "fires"),
    [
        (["L", "P"], False),
        (["R", "P"], True),
        (["L", "A"], True),
        (["P", "L"], True),
        (["LH", "P"], False),
        (["L"], False),
        (["X", "P"], False),
    ],
)
def test_letters_and_cosines(ct, tmp_path, letters, fires):
    """They name the same directions; one value, or unknown letters, say nothing."""
    found = position_findings(read(ct, tmp_path, PatientOrientation=letters))
    assert [f.severity for f in found] == [Severity.WARNING] * fires


@pytest.mark.parametrize(("degrees", "fires"), [(59.9, False), (60.1, True)])
def test_limit_of_letters(ct, tmp_path, degrees, fires):
    """Sixty degrees from the letter, another one would name it."""
    volume = read(ct, tmp_path, tilted(degrees), PatientOrientation=["L", "P"])
    assert bool(position_findings(volume)) is fires


@pytest.mark.parametrize(
    ("tag", "value", "fires"),
    [
        ("Laterality", "L", True),
        ("ImageLaterality", "R", True),
        ("ImageLaterality", "U", False),
        ("Laterality", "", False),
    ],
)
def test_a_spine_has_no_side(ct, tmp_path, tag, value, fires):
    """A side is told, as a note; that there is none is as it should be."""
    found = position_findings(read(ct, tmp_path, **{tag: value}))
    assert [f.severity for f in found] == [Severity.INFO] * fires
