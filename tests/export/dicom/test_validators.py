"""Dciodvfy of Debian's dicom3tools, which knows every module of DICOM, prints no error."""

from __future__ import annotations

import shutil
import subprocess

import highdicom as hd
import pydicom
import pytest

from osteoct.analysis import analyze
from osteoct.anatomy import Level
from osteoct.config import AnalysisConfig
from osteoct.export.exporting import export_case

DCIODVFY = shutil.which("dciodvfy")

pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning"),
    pytest.mark.skipif(
        DCIODVFY is None, reason="dciodvfy is not here: apt-get install dicom3tools"
    ),
]


def errors_of(path):
    """Its lines that begin with Error. The file is an argument of a program, not of a shell."""
    done = subprocess.run(  # noqa: S603 -- the program was found on PATH, the file is ours
        [str(DCIODVFY), "-new", str(path)], capture_output=True, text=True, check=False
    )
    lines = (done.stdout + done.stderr).splitlines()
    assert any(line in {"Segmentation", "ComprehensiveSR", "CTImage"} for line in lines), lines
    return [line for line in lines if line.startswith("Error")]


def test_it_finds_an_error_where_there_is_one(exported, tmp_path):
    """A check that cannot fail checks nothing."""
    damaged = pydicom.dcmread(exported / "seg.dcm")
    del damaged.SegmentSequence[0].SegmentLabel
    damaged.save_as(tmp_path / "seg.dcm")
    assert errors_of(tmp_path / "seg.dcm")


@pytest.mark.parametrize("name", ["seg.dcm", "sr.dcm"])
def test_of_the_phantom_series(exported, name):
    """A series of single slices."""
    assert errors_of(exported / name) == []


def test_of_an_enhanced_multi_frame_image(finish, measured, finished, tmp_path):
    """And without identifiers, whose dates and names are other ones."""
    images = [pydicom.dcmread(f) for f in sorted(finished.series.glob("*.dcm"))]
    (tmp_path / "enhanced").mkdir()
    hd.legacy.LegacyConvertedEnhancedCTImage(
        images,
        series_instance_uid=hd.UID(),
        series_number=2,
        sop_instance_uid=hd.UID(),
        instance_number=1,
    ).save_as(tmp_path / "enhanced" / "ct.dcm")
    case = finish(measured, tmp_path, series=tmp_path / "enhanced")
    for out, is_deidentified in (("plain", False), ("deidentified", True)):
        export_case(
            case.case,
            ["dicom"],
            out=tmp_path / out,
            source=case.series,
            deidentify=is_deidentified,
        )
        for name in ("seg.dcm", "sr.dcm"):
            assert errors_of(tmp_path / out / name) == []
    report = pydicom.dcmread(tmp_path / "plain" / "sr.dcm")
    assert str(report).count("111028") == 1  # the image library


def test_of_a_real_chest(shared_data, tmp_path):
    """A scanner's own header, with empty UIDs; both vertebrae are cut, so nothing is measured."""
    series = shared_data / "ts-dicom"
    config = AnalysisConfig(levels=(Level.T11, Level.T12))
    analyze(series, series / "total.nii.gz", out=tmp_path / "case", config=config, case_id="chest")
    export_case(tmp_path / "case", ["dicom"], out=tmp_path / "out", source=series)
    assert errors_of(tmp_path / "out" / "seg.dcm") == []
    assert errors_of(tmp_path / "out" / "sr.dcm") == []
