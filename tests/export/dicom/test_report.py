"""The structured report says what the result says, no more, and comes back as it was written."""

from __future__ import annotations

import shutil

import highdicom as hd
import pydicom
import pytest

from osteoct.anatomy import Level
from osteoct.classify.rules import load_rules
from osteoct.errors import UnreadableInputError
from osteoct.export.exporting import export_case
from osteoct.io.dicom_sr import read_structured_report
from osteoct.protocols import Region

pytestmark = pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")


SLICES_MM = 3.0
"""Distance of the phantom's slices."""


@pytest.fixture(scope="module")
def document(exported):
    return pydicom.dcmread(exported / "sr.dcm")


@pytest.fixture(scope="module")
def report(document):
    """As highdicom's own parser of TID 1500 reads it, which refuses what does not fit."""
    return hd.sr.ComprehensiveSR.from_dataset(document).content


def items_of(dataset):
    """Every content item, at any depth."""
    for item in dataset.get("ContentSequence", ()):
        yield item
        yield from items_of(item)


def named(items, meaning):
    return [i for i in items if i.ConceptNameCodeSequence[0].CodeMeaning == meaning]


def test_every_field_comes_back_as_it_was(finished, exported):
    """A number that loses digits on the way could cross a cut-off; a missing one stays missing."""
    back, result = read_structured_report(exported / "sr.dcm"), finished.result
    assert back.levels == result.levels
    assert back.summaries == result.summaries
    assert back.opinions == result.opinions
    assert (back.usability, back.usability_codes) == (result.usability, result.usability_codes)
    assert (back.masks_used, back.study_date) == (result.masks_used, "20200102")
    told = [f.model_copy(update={"evidence": {}, "place_mm": None}) for f in result.findings]
    assert sorted(map(repr, back.findings)) == sorted(map(repr, told))


def test_another_parser_reads_the_same_numbers(finished, report):
    """Highdicom finds volume and HU of a region by their codes, with units, exactly."""
    level = finished.result.level(Level.L3)
    groups = {
        (g.finding_type.value, g.method.value): g
        for g in report.get_volumetric_roi_measurement_groups()
    }
    cases = {("TRABECULAR_CORE", p): (p, Region.TRABECULAR) for p in finished.result.protocols}
    cases[("3572006", "body-core-4")] = ("body-core-4", Region.BODY)
    for key, (protocol, region) in cases.items():
        measure, group = level.region(protocol, region), groups[key]
        found = {
            (m.name.value, m.derivation.value if m.derivation else None): (m.value, m.unit.value)
            for m in group.get_measurements()
        }
        assert found["118565006", None] == (measure.volume_cm3, "cm3")
        assert found["112031", "373098007"] == (measure.hu.mean_hu, "[hnsf'U]")
        assert found["112031", "373099004"] == (measure.hu.median_hu, "[hnsf'U]")
        assert found["112031", "386136009"] == (measure.hu.sd_hu, "[hnsf'U]")
        assert [s.value.value for s in group.finding_sites] == ["36470004"]


def test_measurements_refer_to_their_segment(exported, report):
    """A number beside another region's outline is a wrong number."""
    seg = pydicom.dcmread(exported / "seg.dcm")
    segments = {int(s.SegmentNumber): s for s in seg.SegmentSequence}
    groups = report.get_volumetric_roi_measurement_groups()
    assert len(groups) == 7
    for group in groups:
        reference = group.referenced_segment
        segment = segments[int(reference.referenced_segment_numbers[0])]
        assert reference.referenced_sop_instance_uid == seg.SOPInstanceUID
        assert group.tracking_uid == segment.TrackingUID
        kind = segment.SegmentedPropertyTypeCodeSequence[0].CodeValue
        assert group.finding_type.value == kind or "vertebra" in segment.SegmentLabel


def test_what_was_not_measured_has_a_reason_and_no_number(report):
    """L1 is absent and L2 is cut: a 0 would be below every cut-off."""
    sites = {"66794005": "level-absent", "14293000": "cut-by-border"}
    seen = set()
    for group in report.get_image_measurement_groups():
        site = [s.value.value for s in group.finding_sites]
        if group.method is None or len(site) != 1 or site[0] not in sites:
            continue
        assert not group.get_measurements()
        reasons = [e.value.value for e in group.get_qualitative_evaluations()]
        assert reasons == [sites[site[0]]]
        seen.add(site[0])
    assert seen == set(sites)
    for item in items_of_numbers(report[0]):
        assert item.MeasuredValueSequence


def items_of_numbers(root):
    return [item for item in items_of(root) if item.ValueType == "NUM"]


def test_it_is_preliminary_and_read_by_nobody(finished, document):
    """The observer is a program: its name and version, and no person's."""
    assert document.VerificationFlag == "UNVERIFIED"
    assert document.PreliminaryFlag == "PRELIMINARY"
    assert "VerifyingObserverSequence" not in document
    items = list(items_of(document))
    assert named(items, "Observer Type")[0].ConceptCodeSequence[0].CodeValue == "121007"
    version = finished.result.provenance.osteoct_version
    assert named(items, "Device Observer Name")[0].TextValue == f"osteoct {version}"
    assert document.SoftwareVersions == version


def test_the_disclaimer_comes_before_the_first_number(document):
    """Whoever reads the report reads first what it cannot do."""
    items = list(document.ContentSequence)
    names = [i.ConceptNameCodeSequence[0].CodeMeaning for i in items]
    assert names.index("Comment") < names.index("Imaging Measurements")
    said = named(items, "Comment")[0].TextValue
    assert "cannot rule out low bone density" in said
    assert "not a diagnosis" in said


def test_the_image_library_is_of_the_images_that_were_measured(finished, document):
    """Each image once, and what all share as their own headers have it."""
    images = [pydicom.dcmread(f) for f in finished.series.iterdir()]
    library = named(document.ContentSequence, "Image Library")[0]
    (group,) = library.ContentSequence
    entries = [i for i in group.ContentSequence if i.ValueType == "IMAGE"]
    found = [e.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for e in entries]
    assert sorted(found) == sorted(i.SOPInstanceUID for i in images)
    told = {i.ConceptNameCodeSequence[0].CodeMeaning: i for i in group.ContentSequence}
    image = images[0]
    assert told["Modality"].ConceptCodeSequence[0].CodeValue == "CT"
    assert told["Study Date"].Date == image.StudyDate
    assert image.FrameOfReferenceUID == told["Frame of Reference UID"].UID
    numbers = {
        name: float(item.MeasuredValueSequence[0].NumericValue)
        for name, item in told.items()
        if item.ValueType == "NUM"
    }
    assert (numbers["Pixel Data Rows"], numbers["Pixel Data Columns"]) == (56, 52)
    assert numbers["Vertical Pixel Spacing"] == image.PixelSpacing[0]
    assert numbers["Horizontal Pixel Spacing"] == image.PixelSpacing[1]
    assert numbers["Slice Thickness"] == image.SliceThickness
    assert numbers["Spacing between slices"] == SLICES_MM
    axes = [f"{line} {axis}" for line in ("Row", "Column") for axis in "XYZ"]
    directions = [numbers[f"Image Orientation (Patient) {axis}"] for axis in axes]
    assert directions == list(image.ImageOrientationPatient)


def test_the_image_library_tells_only_what_is_known(finished, tmp_path):
    """A thickness that the user stated is none of the images'; without identifiers no date."""
    scan = finished.result.acquisition.model_copy(update={"stated": ("slice_thickness_mm",)})
    result = finished.result.model_copy(update={"acquisition": scan})
    case = tmp_path / "case"
    shutil.copytree(finished.case, case)
    (case / "case.json").write_text(result.model_dump_json(by_alias=True), encoding="utf-8")
    export_case(case, ["dicom"], out=tmp_path / "out", source=finished.series, deidentify=True)
    document = pydicom.dcmread(tmp_path / "out" / "sr.dcm")
    library = named(document.ContentSequence, "Image Library")[0]
    names = {i.ConceptNameCodeSequence[0].CodeMeaning for i in items_of(library)}
    assert not {"Slice Thickness", "Study Date"} & names
    frame = named(items_of(library), "Frame of Reference UID")[0].UID
    assert frame == pydicom.dcmread(tmp_path / "out" / "seg.dcm").FrameOfReferenceUID


def test_an_opinion_names_whose_cut_off_it_is(finished, document):
    """A cut-off without its source, its region and its conditions is a bare number."""
    texts = {i.TextValue for i in items_of(document) if i.ValueType == "TEXT"}
    rules = {rule.id: rule for rule in load_rules()}
    assert finished.result.opinions
    for opinion in finished.result.opinions:
        assert opinion.reason in texts
        assert any(rules[opinion.rule].citation in text for text in texts)


def test_no_pseudonym_ties_the_report_to_other_results(finished, exported):
    """The report lies beside the patient's name: a case id in it would say whose that case is."""
    content = (exported / "sr.dcm").read_bytes() + (exported / "seg.dcm").read_bytes()
    for word in (finished.result.case_id, finished.result.patient_pseudonym):
        assert word is None or f"{word}\0".encode() not in content


def change(document, tmp_path, edit):
    """A damaged copy."""
    copy = pydicom.dcmread(document.filename)
    edit(copy)
    copy.save_as(tmp_path / "sr.dcm")
    return tmp_path / "sr.dcm"


def test_a_number_in_another_unit_is_refused(document, tmp_path):
    """The same digits in mm instead of HU are another number."""

    def edit(copy):
        number = named(items_of(copy), "Attenuation Coefficient")[0]
        unit = number.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0]
        unit.CodeValue, unit.CodeMeaning = "mm", "mm"

    with pytest.raises(UnreadableInputError, match="another unit"):
        read_structured_report(change(document, tmp_path, edit))


def test_a_report_of_another_program_is_refused(document, tmp_path):
    """Other programs' numbers follow other recipes."""

    def edit(copy):
        del copy.ContentSequence[-1].ContentSequence

    with pytest.raises(UnreadableInputError, match="no report of osteoct"):
        read_structured_report(change(document, tmp_path, edit))


def test_a_damaged_report_is_refused_without_its_words(document, tmp_path):
    """Half a report would be half the levels; and a message names nobody."""

    def edit(copy):
        for item in items_of(copy):
            if item.ValueType == "CODE" and item.ConceptCodeSequence[0].get("CodeValue") == "mask":
                item.ConceptCodeSequence[0].CodeValue = "PHANTOM^SPINE"

    path = change(document, tmp_path, edit)
    with pytest.raises(UnreadableInputError, match="damaged") as caught:
        read_structured_report(path)
    assert "PHANTOM" not in caught.value.line
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(UnreadableInputError, match="damaged"):
        read_structured_report(path)


def test_a_segmentation_is_no_report(exported):
    with pytest.raises(UnreadableInputError, match="no structured report"):
        read_structured_report(exported / "seg.dcm")
