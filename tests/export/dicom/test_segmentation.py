"""The segmentation lies where the phantom's vertebrae lie, as highdicom reads it."""

from __future__ import annotations

from dataclasses import replace

import highdicom as hd
import numpy as np
import pydicom
import pytest

from osteoct.anatomy import Level, Part
from osteoct.config import AnalysisConfig
from osteoct.errors import GeometryError
from osteoct.export.case_folder import read_finished_case
from osteoct.export.dicom.origin import file_bytes, find_origin
from osteoct.export.dicom.segmentation import make_segmentation
from osteoct.export.exporting import export_case
from osteoct.export.segments import list_segments
from osteoct.io.dicom.source import read_source
from osteoct.io.dicom_sr import read_structured_report
from osteoct.io.labels import read_labels
from osteoct.io.volume import read_volume
from osteoct.pipeline import analyze_volumes
from osteoct.protocols import PROTOCOLS, Region

pytestmark = pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")

LEVELS = (Level.L1, Level.L2, Level.L3)
ORIENTATIONS = ("LPS", "RAI", "LAS", "PIR")
"""As scanners store it; reversed and turned; flipped in plane; sagittal."""


def segment(finished, path, *, deflate=False):
    """Write the segmentation of a case."""
    case = read_finished_case(finished.case)
    origin = find_origin(case, read_source(finished.series))
    compartments = case.read_compartments()
    made = make_segmentation(origin, compartments, list_segments(case.result, compartments))
    path.write_bytes(file_bytes(made, deflate=deflate))
    return path


def points(mask, affine):
    """Where the voxels of a mask lie, in whole micrometres, so that sets of them compare."""
    places = np.argwhere(mask) @ affine[:3, :3].T + affine[:3, 3]
    return {tuple(p) for p in np.rint(places * 1000).astype(int)}


def voxels_of(path, name):
    """The voxels of a segment and where highdicom puts them, RAS+."""
    seg = hd.seg.segread(path)
    labels = {n: seg.get_segment_description(n).segment_label for n in seg.segment_numbers}
    number = next(n for n, label in labels.items() if label == name)
    volume = seg.get_volume(
        segment_numbers=[number], combine_segments=False, allow_missing_positions=True
    )
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.affine
    return points(volume.array[..., 0] > 0, affine)


def number_of(labels, level):
    return next(n for n, s in labels.structures.items() if s.level is level)


def voxels_of_phantom(labels):
    return points(labels.array == number_of(labels, Level.L3), labels.geometry.affine)


def assert_in_place(path, shot):
    # no assert on the sets themselves: pytest would print a million numbers
    assert not voxels_of(path, "L3 vertebra") ^ voxels_of_phantom(shot.vertebrae)
    assert not voxels_of(path, "L3 vertebral body") ^ voxels_of_phantom(shot.bodies)


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_every_orientation_lies_where_the_phantom_lies(finish, measured, tmp_path, codes):
    """An index taken for a place puts the vertebra into its neighbour, or into the belly."""
    assert_in_place(segment(finish(measured, tmp_path, codes), tmp_path / "seg.dcm"), measured.shot)


@pytest.mark.parametrize(("codes", "first"), [("LPS", "L2"), ("LAI", "L3")])
def test_segments_come_in_the_order_in_which_viewers_show_slices(
    finish, measured, tmp_path, codes, first
):
    """OHIF's libraries lose slices of segments that come in another one."""
    finished = finish(measured, tmp_path, codes)
    export_case(finished.case, ["dicom"], out=tmp_path / "out", source=finished.series)
    segments = pydicom.dcmread(tmp_path / "out" / "seg.dcm").SegmentSequence
    levels = [segment.SegmentLabel.split()[0] for segment in segments]
    assert (levels[0], set(levels)) == (first, {"L2", "L3"})
    assert levels == sorted(levels, reverse=first == "L3")
    normal = np.cross(*np.reshape(first_image(finished).ImageOrientationPatient, (2, 3)))
    assert (normal[2] < 0) == (first == "L3")
    report = read_structured_report(tmp_path / "out" / "sr.dcm")
    assert report.levels == finished.result.levels


def first_image(finished):
    return pydicom.dcmread(next(finished.series.glob("*.dcm")))


def test_thick_slices(finish, measured_at_5_mm, tmp_path):
    """Slices are as thick as they are far apart, and frames that are empty are not stored."""
    path = segment(finish(measured_at_5_mm, tmp_path), tmp_path / "seg.dcm")
    assert_in_place(path, measured_at_5_mm.shot)
    written = pydicom.dcmread(path)
    shared = written.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert (shared.SliceThickness, shared.SpacingBetweenSlices) == (5, 5)
    assert (
        written.NumberOfFrames
        < len(written.SegmentSequence) * read_volume(tmp_path / "ct").geometry.shape[2]
    )


def test_file_names_numbers_and_feet_first_say_nothing_about_places(finish, measured, tmp_path):
    """Positions alone do: names and instance numbers run the other way here."""
    finished = finish(measured, tmp_path)
    files = sorted(finished.series.glob("*.dcm"))
    for n, file in enumerate(files):
        image = pydicom.dcmread(file)
        image.InstanceNumber, image.PatientPosition = len(files) - n, "FFS"
        image.save_as(finished.series / f"reversed-{len(files) - n:04d}.dcm")
        file.unlink()
    path = segment(finished, tmp_path / "seg.dcm")
    assert_in_place(path, measured.shot)


def test_enhanced_multi_frame_source(finish, measured, tmp_path):
    """All planes lie in one file: a frame of the segmentation refers to a frame of it."""
    single = finish(measured, tmp_path / "single")
    images = [pydicom.dcmread(f) for f in sorted(single.series.glob("*.dcm"))]
    (tmp_path / "enhanced").mkdir()
    hd.legacy.LegacyConvertedEnhancedCTImage(
        images[::-1],
        series_instance_uid=hd.UID(),
        series_number=2,
        sop_instance_uid=hd.UID(),
        instance_number=1,
    ).save_as(tmp_path / "enhanced" / "ct.dcm")
    finished = finish(measured, tmp_path, series=tmp_path / "enhanced")
    path = segment(finished, tmp_path / "seg.dcm")
    assert_in_place(path, measured.shot)
    source = pydicom.dcmread(finished.series / "ct.dcm")
    for frame in pydicom.dcmread(path).PerFrameFunctionalGroupsSequence:
        reference = frame.DerivationImageSequence[0].SourceImageSequence[0]
        own = source.PerFrameFunctionalGroupsSequence[int(reference.ReferencedFrameNumber) - 1]
        assert reference.ReferencedSOPInstanceUID == source.SOPInstanceUID
        assert (
            own.PlanePositionSequence[0].ImagePositionPatient
            == frame.PlanePositionSequence[0].ImagePositionPatient
        )


def test_frames_refer_to_the_image_they_lie_on(finished, tmp_path):
    """Viewers go by the reference, others by the position: both have to lead to one image."""
    written = pydicom.dcmread(segment(finished, tmp_path / "seg.dcm"))
    images = {i.SOPInstanceUID: i for i in map(pydicom.dcmread, finished.series.glob("*.dcm"))}
    first = next(iter(images.values()))
    for keyword in ("StudyInstanceUID", "FrameOfReferenceUID", "PatientID", "PatientName"):
        assert written[keyword].value == first[keyword].value
    for frame in written.PerFrameFunctionalGroupsSequence:
        reference = frame.DerivationImageSequence[0].SourceImageSequence[0]
        image = images[reference.ReferencedSOPInstanceUID]
        position = frame.PlanePositionSequence[0].ImagePositionPatient
        assert position == image.ImagePositionPatient
    listed = written.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    assert {i.ReferencedSOPInstanceUID for i in listed} == set(images)


def test_tilted_gantry(finish, measured, tmp_path):
    """The grid is straightened: its planes are those of the series, their first pixels are not."""
    finished = finish(measured, tmp_path)
    for n, file in enumerate(sorted(finished.series.glob("*.dcm"))):
        image = pydicom.dcmread(file)
        x, y, z = image.ImagePositionPatient
        image.ImagePositionPatient = [x, f"{y + 0.5 * n:.3f}", z]
        image.save_as(file)
    ct, labels = read_volume(finished.series), measured.shot.vertebrae
    analysis = analyze_volumes(ct, labels, config=AnalysisConfig(levels=LEVELS), case_id="tilted")
    tilted = finish(replace(measured, analysis=analysis), tmp_path, series=finished.series)
    path = segment(tilted, tmp_path / "seg.dcm")
    assert pydicom.dcmread(path).Rows == ct.geometry.shape[1] > labels.geometry.shape[1]
    back = read_labels(path)
    voxels = np.argwhere(back.array == number_of(back, Level.L3))
    assert len(voxels) == analysis.result.level(Level.L3).vertebra_voxels
    index = ct.geometry.to_index(back.geometry.to_patient(voxels))
    np.testing.assert_allclose(index, np.rint(index), atol=1e-3)  # on the straight grid
    middle = back.geometry.to_patient(voxels).mean(axis=0)
    there = np.argwhere(labels.array == number_of(labels, Level.L3))
    np.testing.assert_allclose(middle, labels.geometry.to_patient(there).mean(axis=0), atol=0.5)


def test_nobody_drew_it(exported):
    """An attribute of type 2 (PS3.3, table 10-12), which dciodvfy does not miss."""
    assert pydicom.dcmread(exported / "seg.dcm")["ContentCreatorName"].is_empty


def test_codes_labels_and_algorithm(finished, tmp_path):
    """SNOMED where a code exists, a declared private scheme where none does, version and masks."""
    written = pydicom.dcmread(segment(finished, tmp_path / "seg.dcm"))
    found = {
        item.SegmentLabel: (
            item.SegmentedPropertyTypeCodeSequence[0].CodingSchemeDesignator,
            item.SegmentedPropertyTypeCodeSequence[0].CodeValue,
            item.AnatomicRegionSequence[0].CodeValue,
        )
        for item in written.SegmentSequence
    }
    assert found["L3 vertebra"] == ("SCT", "36470004", "51282000")
    assert found["L3 vertebral body"] == ("SCT", "3572006", "36470004")
    assert found["L3 trabecular core, axial-roi"] == ("99OSTEOCT", "TRABECULAR_CORE", "36470004")
    assert found["L3 cortical shell, body-core-4"][:2] == ("99OSTEOCT", "CORTICAL_SHELL")
    assert written.CodingSchemeIdentificationSequence[0].CodingSchemeDesignator == "99OSTEOCT"
    made_by = written.SegmentSequence[0].SegmentationAlgorithmIdentificationSequence[0]
    assert made_by.AlgorithmName == "osteoct"
    assert made_by.AlgorithmVersion == finished.result.provenance.osteoct_version
    assert written.SegmentSequence[0].SegmentAlgorithmType == "SEMIAUTOMATIC"  # the user's masks
    assert written.SegmentsOverlap == "YES"


def test_only_what_was_measured_has_a_core(finished, tmp_path):
    """L1 is absent and L2 cut: no core of theirs is drawn; the cut vertebra itself is shown."""
    written = pydicom.dcmread(segment(finished, tmp_path / "seg.dcm"))
    labels = [item.SegmentLabel for item in written.SegmentSequence]
    assert not [label for label in labels if label.startswith("L1")]
    assert [label for label in labels if label.startswith("L2")] == ["L2 vertebra"]
    assert len([label for label in labels if label.startswith("L3")]) == 7


def test_volume_of_a_segment_is_the_volume_measured(finished, tmp_path):
    """Core and shell come from the label map by name: another map would give other volumes."""
    path = segment(finished, tmp_path / "seg.dcm")
    level = finished.result.level(Level.L3)
    voxel_mm3 = read_volume(finished.series).geometry.voxel_volume_mm3
    words = {Region.TRABECULAR: "trabecular core", Region.CORTICAL: "cortical shell"}
    for measure in level.regions:
        if measure.region in words:
            name = f"L3 {words[measure.region]}, {measure.protocol}"
            assert len(voxels_of(path, name)) * voxel_mm3 / 1000 == pytest.approx(
                measure.volume_cm3
            )
    assert {m.protocol for m in level.regions} == set(PROTOCOLS)


def test_deflated_is_smaller_and_the_same(finished, tmp_path):
    """The data set is packed, the pixels in it are as they were."""
    plain, packed = tmp_path / "plain.dcm", tmp_path / "packed.dcm"
    segment(finished, plain)
    segment(finished, packed, deflate=True)
    assert packed.stat().st_size < plain.stat().st_size / 5
    assert pydicom.dcmread(packed).PixelData == pydicom.dcmread(plain).PixelData


def test_read_back_as_masks_it_gives_the_same_numbers(measured, finished, tmp_path):
    """What osteoct writes it takes as masks, vertebrae and bodies told from cores and shells."""
    path = segment(finished, tmp_path / "seg.dcm")
    again = analyze_volumes(
        read_volume(finished.series),
        read_labels(path),
        bodies=read_labels(path, part=Part.BODY),
        config=AnalysisConfig(levels=LEVELS),
        case_id="again",
    ).result
    # the series holds whole HU, the phantom's scan in memory does not: measured on the same image
    direct = analyze_volumes(
        read_volume(finished.series),
        measured.shot.vertebrae,
        bodies=measured.shot.bodies,
        config=AnalysisConfig(levels=LEVELS),
        case_id="again",
    ).result
    assert [level.regions for level in again.levels] == [level.regions for level in direct.levels]


def test_another_grid_is_refused(finish, measured, tmp_path):
    """A result cut to part of the series would lie somewhere else in it."""
    finished = finish(measured, tmp_path)
    next(iter(sorted(finished.series.glob("*.dcm")))).unlink()
    with pytest.raises(GeometryError, match="different grids"):
        segment(finished, tmp_path / "seg.dcm")
