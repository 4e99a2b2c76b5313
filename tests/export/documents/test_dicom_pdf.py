"""PDF and page in DICOM: in the patient's study, valid, and without identifiers where asked."""

from __future__ import annotations

import json
import shutil
import subprocess
from io import BytesIO

import numpy as np
import openpyxl
import pydicom
import pypdfium2
import pytest
from PIL import Image

from osteoct.export.dicom.document import PAGE_DPI
from osteoct.export.exporting import export_case
from osteoct.export.pdf.setting import render_case_pages

pytestmark = pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")

DCIODVFY = shutil.which("dciodvfy")


def errors_of(path):
    """Dciodvfy's errors. The file is an argument of a program, not of a shell."""
    done = subprocess.run(  # noqa: S603 -- the program was found on PATH, the file is ours
        [str(DCIODVFY), "-new", str(path)], capture_output=True, text=True, check=False
    )
    lines = (done.stdout + done.stderr).splitlines()
    assert {"EncapsulatedPDF", "SCImage"} & set(lines), lines
    return [line for line in lines if line.startswith("Error")]


def held_by(dataset):
    """The PDF in it, without the byte that makes its length even."""
    return dataset.EncapsulatedDocument[: dataset.EncapsulatedDocumentLength]


@pytest.fixture(scope="module")
def hidden(laid, tmp_path_factory):
    """Both without identifiers."""
    out = tmp_path_factory.mktemp("hidden") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OSTEOCT_KEY", "a key for tests, not for patients")
        export_case(
            laid.case.folder,
            ["dicom-pdf", "fhir", "excel", "pdf"],
            out=out,
            source=laid.series,
            deidentify=True,
        )
    return out


@pytest.mark.skipif(DCIODVFY is None, reason="dciodvfy is not here: apt-get install dicom3tools")
def test_dciodvfy_finds_nothing(sent, hidden, tmp_path):
    """And does find what is wrong."""
    for folder in (sent, hidden):
        assert errors_of(folder / "pdf.dcm") == errors_of(folder / "page.dcm") == []
    damaged = pydicom.dcmread(sent / "page.dcm")
    del damaged.ConversionType
    damaged.save_as(tmp_path / "page.dcm")
    assert errors_of(tmp_path / "page.dcm")


def test_they_belong_to_the_study(laid, sent):
    """A PACS shows them beside the CT, each as a series of its own, without a place in it."""
    ct = pydicom.dcmread(next(iter(laid.series.glob("*.dcm"))))
    made = [pydicom.dcmread(sent / f"{name}.dcm") for name in ("pdf", "page")]
    for dataset in made:
        for keyword in ("StudyInstanceUID", "PatientID", "PatientName", "StudyDate"):
            assert dataset[keyword].value == ct[keyword].value
        assert "FrameOfReferenceUID" not in dataset
        assert (dataset.ConversionType, dataset.BurnedInAnnotation) == ("WSD", "NO")
        assert dataset.SeriesDescription.startswith("osteoct report")
    uids = {d.SeriesInstanceUID for d in made} | {ct.SeriesInstanceUID}
    assert len(uids) == len({d.SeriesNumber for d in made}) + 1 == 3


def test_they_hold_the_report(laid, sent):
    """The PDF byte for byte; the page pixel for pixel, the right way up and in its colours."""
    pdf = pydicom.dcmread(sent / "pdf.dcm")
    assert held_by(pdf) == (sent / "report.pdf").read_bytes()
    page = pydicom.dcmread(sent / "page.dcm")
    png = render_case_pages(laid.case, dots_per_inch=PAGE_DPI)[0]
    with Image.open(BytesIO(png)) as image:
        assert np.array_equal(page.pixel_array, np.asarray(image.convert("RGB")))
    assert (page.Rows, page.Columns) == (1684, 1191)


def test_without_identifiers(laid, sent, hidden):
    """Neither in attributes nor on the page: the user's name of the case and dates are gone."""
    ct = pydicom.dcmread(next(iter(laid.series.glob("*.dcm"))))
    pdf = pydicom.dcmread(hidden / "pdf.dcm")
    assert pdf.PatientIdentityRemoved == "YES"
    assert pdf.PatientID != ct.PatientID
    document = pypdfium2.PdfDocument(held_by(pdf))
    text = " ".join(document[n].get_textpage().get_text_range() for n in range(len(document)))
    document.close()
    year = laid.case.result.provenance.started_utc[:4]
    assert str(pdf.PatientID) in text
    assert not [w for w in ("cmd|phantom", "Started", "Input", f"{year}-") if w in text]
    bundles = [json.loads((f / "fhir.json").read_text(encoding="utf-8")) for f in (sent, hidden)]
    first, second = ({e["fullUrl"] for e in b["entry"]} for b in bundles)
    assert not first & second  # or the two could be laid side by side
    assert held_by(pdf) == (hidden / "report.pdf").read_bytes()
    names = openpyxl.load_workbook(hidden / "case.xlsx")["levels"]["A"]
    assert {cell.value for cell in names} == {"case_id", str(pdf.PatientID)}
    for name in ("pdf.dcm", "page.dcm", "fhir.json"):
        content = (hidden / name).read_bytes()
        telling = (str(ct.StudyInstanceUID), str(ct.PatientID), "cmd|phantom", f"{year}-")
        assert not [w for w in telling if w.encode() in content], name
