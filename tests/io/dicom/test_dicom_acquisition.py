"""Facts of the header: kept when present, absent when absent."""

from __future__ import annotations

import pytest

from osteoct.io.dicom.series import read_dicom
from osteoct.records import Phase


def acquisition(ct, tmp_path, **tags):
    return read_dicom(ct(tags=tags).write(tmp_path)).acquisition


def test_all_facts(ct, tmp_path):
    """Each tag lands in its field."""
    found = acquisition(
        ct,
        tmp_path,
        KVP=120,
        ConvolutionKernel=["Br38f", "3"],
        SliceThickness=1.5,
        XRayTubeCurrent=210,
        GantryDetectorTilt=-0.5,
        PatientPosition="HFS",
        ContrastBolusAgent="Omnipaque 350",
        SeriesDescription="Abdomen portalvenös",
        SpecificCharacterSet="ISO_IR 100",
        Manufacturer="SIEMENS",
        ManufacturerModelName="SOMATOM Force",
        StudyDate="20210314",
        PatientAge="063Y",
        PatientSex="F",
    )
    assert found.model_dump(exclude={"stated", "image_type"}) == {
        "modality": "CT",
        "kvp": 120.0,
        "kernel": ("Br38f", "3"),
        "kernel_class": "soft",
        "slice_thickness_mm": 1.5,
        "tube_current_ma": 210.0,
        "gantry_tilt_deg": -0.5,
        "patient_position": "HFS",
        "phase": Phase.PORTAL_VENOUS,
        "phase_evidence": "SeriesDescription says portal-venous",
        "phase_pixels": None,
        "phase_opinion": None,
        "contrast_agent": "iohexol",
        "manufacturer": "SIEMENS",
        "model": "SOMATOM Force",
        "study_date": "2021-03-14",
        "patient_age_years": 63.0,
        "patient_sex": "F",
    }


def test_absent_facts_are_none(ct, tmp_path):
    """Missing is never zero, never 65 years, never M."""
    found = acquisition(ct, tmp_path, SliceThickness=None)
    facts = found.model_dump(exclude={"modality", "image_type"})
    assert set(facts.values()) == {None, ()}


@pytest.mark.parametrize(
    ("tags", "age"),
    [
        ({"PatientAge": "063Y"}, 63),
        ({"PatientAge": "030M"}, 2),
        ({"PatientAge": "008M"}, 0),
        ({"PatientAge": "000Y"}, None),
        ({"PatientAge": "999Y"}, None),
        ({"PatientAge": "old"}, None),
        ({"PatientBirthDate": "19500315", "StudyDate": "20210314"}, 70),
        ({"PatientBirthDate": "20000301", "StudyDate": "20210301"}, 21),
        ({"PatientBirthDate": "19500315"}, None),
        ({"PatientBirthDate": "18500101", "StudyDate": "20210314"}, None),
        ({"PatientBirthDate": "20220101", "StudyDate": "20210314"}, None),
        ({"PatientBirthDate": "19501345", "StudyDate": "20210314"}, None),
    ],
)
@pytest.mark.filterwarnings("ignore:.*:UserWarning")  # pydicom, writing values that are wrong
def test_age(ct, tmp_path, tags, age):
    """From PatientAge, else from the birth date; placeholders are no age."""
    assert acquisition(ct, tmp_path, **tags).patient_age_years == age


@pytest.mark.parametrize(
    ("sex", "found"), [("F", "F"), ("M", "M"), ("O", "O"), ("U", None), ("", None)]
)
def test_sex(ct, tmp_path, sex, found):
    """What is not F, M or O is not told."""
    assert acquisition(ct, tmp_path, PatientSex=sex).patient_sex == found


def test_zeros_that_mean_unknown(ct, tmp_path):
    """Anonymisers and some writers put 0 where they do not know."""
    found = acquisition(ct, tmp_path, KVP=0, SliceThickness=0, XRayTubeCurrent=0)
    assert (found.kvp, found.slice_thickness_mm, found.tube_current_ma) == (None, None, None)
