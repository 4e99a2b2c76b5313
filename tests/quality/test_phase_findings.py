"""Contrast from pixels: every limit from both sides, and two real scans."""

from __future__ import annotations

from statistics import NormalDist

import pytest

from osteoct.io.labels import read_labels
from osteoct.io.tissues import read_tissues
from osteoct.io.volume import read_volume
from osteoct.measure.tissues import TissueHu, TissueHus, measure_tissues
from osteoct.pipeline import analyze_volumes
from osteoct.quality.phase import (
    ARTERIAL_RATIO,
    ARTERIAL_RISE_HU,
    BLOOD_HU,
    BLOOD_NATIVE_HU,
    BLOOD_SPREAD_HU,
    ENHANCED_KIDNEY_HU,
    EVEN_HU,
    LEAST_CERTAINTY,
    PORTAL_RISE_HU,
    check_phase,
    judge_phase,
    note_phase,
)
from osteoct.records import Acquisition, Phase, Severity

NAMES = {"aorta": "aorta", "cava": "inferior_vena_cava", "portal": "portal_vein_and_splenic_vein"}
BEYOND = NormalDist().inv_cdf(LEAST_CERTAINTY) * BLOOD_SPREAD_HU


def tissues(**hu: float) -> TissueHus:
    named = {NAMES.get(name, name): value for name, value in hu.items()}
    return TissueHus(
        found={
            name: TissueHu(name=name, points=99, median_hu=value, sd_hu=10, centre_mm=(0, 0, 0))
            for name, value in named.items()
        }
    )


def phase_of(**hu: float):
    return judge_phase(tissues(**hu)).phase


@pytest.mark.parametrize(
    ("hu", "phase"),
    [
        (44.0, Phase.NATIVE),
        (BLOOD_HU[1] - BEYOND - 0.01, Phase.NATIVE),
        (BLOOD_HU[1] - BEYOND + 0.01, None),
        (BLOOD_HU[1] + BEYOND - 0.01, None),
        (BLOOD_HU[1] + BEYOND + 0.01, Phase.CONTRAST),
    ],
)
def test_contrast_is_told_only_where_it_is_certain(hu, phase):
    """Between the limits pixels say nothing: unknown is not native."""
    assert phase_of(portal=hu) is phase


def test_the_brightest_vessel_decides():
    """Early contrast is in the aorta alone."""
    assert phase_of(aorta=250.0, cava=42.0, portal=44.0) is Phase.ARTERIAL


def test_without_tissues_there_is_nothing_to_judge():
    """No label, no phase, no finding."""
    assert judge_phase(tissues()) is None
    assert judge_phase(tissues(liver=55.0)) is None
    assert check_phase(Acquisition(), None) == ()
    assert note_phase(Acquisition(), None).phase_pixels is None


@pytest.mark.parametrize(("less", "phase"), [(0.1, Phase.ARTERIAL), (0.0, Phase.PORTAL_VENOUS)])
def test_arterial_by_the_portal_vein(less, phase):
    """Exactly at the ratio it is no longer arterial."""
    rise = 200.0
    portal = BLOOD_NATIVE_HU + ARTERIAL_RATIO * rise - less
    assert phase_of(aorta=BLOOD_NATIVE_HU + rise, portal=portal) is phase


@pytest.mark.parametrize(("less", "phase"), [(0.0, Phase.ARTERIAL), (0.1, Phase.CONTRAST)])
def test_arterial_without_a_portal_vein(less, phase):
    """A very bright aorta alone; a less bright one tells contrast and no phase."""
    assert phase_of(aorta=BLOOD_NATIVE_HU + ARTERIAL_RISE_HU - less) is phase


@pytest.mark.parametrize(
    ("aorta", "cava", "phase"),
    [
        (110.0, 110.0 - EVEN_HU, Phase.DELAYED),
        (110.0, 110.0 - EVEN_HU - 0.1, Phase.PORTAL_VENOUS),
        (BLOOD_NATIVE_HU + PORTAL_RISE_HU, 155.0, Phase.PORTAL_VENOUS),
        (BLOOD_NATIVE_HU + PORTAL_RISE_HU - 0.1, 155.0, Phase.DELAYED),
    ],
)
def test_delayed_is_even_and_washed_out(aorta, cava, phase):
    """Both limits, from both sides."""
    assert phase_of(aorta=aorta, cava=cava, portal=aorta) is phase


def test_kidneys_tell_contrast_that_vessels_have_lost():
    """Excretion after an earlier injection: contrast, not native."""
    assert phase_of(aorta=45.0, kidney_left=150.0) is Phase.CONTRAST
    assert phase_of(kidney_left=ENHANCED_KIDNEY_HU + BEYOND + 0.01) is Phase.CONTRAST
    assert phase_of(kidney_left=ENHANCED_KIDNEY_HU + BEYOND - 0.01) is None
    assert phase_of(aorta=45.0, kidney_left=30.0) is Phase.NATIVE


@pytest.mark.parametrize(
    ("stated", "aorta", "code"),
    [
        (Phase.NATIVE, 150.0, "phase-conflict"),
        (Phase.PORTAL_VENOUS, 44.0, "phase-conflict"),
        (Phase.CONTRAST, 44.0, "phase-conflict"),
        (Phase.NATIVE, 44.0, None),
        (Phase.DELAYED, 150.0, None),
        (Phase.NATIVE, 60.0, None),
        (None, 44.0, "phase-by-pixels"),
        (None, 150.0, "phase-by-pixels"),
        (None, 60.0, None),
    ],
)
def test_header_and_pixels(stated, aorta, code):
    """They conflict over contrast, not over its phase; a silent header is filled in by nobody."""
    judged = judge_phase(tissues(aorta=aorta))
    acquisition = note_phase(Acquisition(phase=stated, phase_evidence="the header"), judged)
    assert acquisition.phase is stated
    found = check_phase(acquisition, judged)
    assert [f.code for f in found] == ([] if code is None else [code])
    if code:
        assert found[0].evidence["aorta_hu"] == aorta
        assert found[0].certainty > LEAST_CERTAINTY
    if code == "phase-by-pixels":
        assert (found[0].severity is Severity.WARNING) == (aorta > 100)


def test_the_real_native_scan_is_native(shared_data):
    """All 117 classes at 3 mm, passed as masks: vessels of 41 to 44 HU."""
    folder = shared_data / "ts-example"
    case = analyze_volumes(
        read_volume(folder / "ct.nii.gz"), read_labels(folder / "total_fast.nii.gz")
    ).result
    assert case.acquisition.phase is None
    assert case.acquisition.phase_pixels is Phase.NATIVE
    codes = [f.code for f in case.findings]
    assert "phase-by-pixels" in codes
    assert not {"phase-unknown", "phase-conflict", "hu-scale-off", "image-flipped"} & set(codes)


def test_the_real_contrast_scan_is_portal_venous(shared_data):
    """Header: contrast was given. Pixels: aorta 152, portal vein 141, vena cava 98 HU."""
    ct = read_volume(shared_data / "ts-dicom")
    found = measure_tissues(ct, read_tissues(shared_data / "ts-dicom" / "total.nii.gz"))
    judged = judge_phase(found)
    assert judged.phase is Phase.PORTAL_VENOUS
    assert judged.certainty > 0.99
    assert check_phase(note_phase(ct.acquisition, judged), judged) == ()
