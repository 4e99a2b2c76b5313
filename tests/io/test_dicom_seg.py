"""DICOM segmentations written by highdicom give the voxels they were made of."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Callable
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest
from highdicom.sr.coding import CodedConcept
from pydicom.sr.codedict import codes

from osteoct.anatomy import Level, Part
from osteoct.errors import InputError, IrregularGridError, LabelsError, UnreadableInputError
from osteoct.io.alignment import align_labels
from osteoct.io.dicom_seg_grid import FramePlace, place_frames
from osteoct.io.labels import read_labels
from osteoct.io.nifti import write_labels
from osteoct.io.volume import read_volume
from osteoct.phantom.acquisition import PhantomScan, scan
from osteoct.phantom.dicom import write_dicom
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.spine import lumbar_spine
from osteoct.volume import CTVolume

CODES = {
    Level.L1: "66794005", Level.L2: "14293000", Level.L3: "36470004",
    Level.L4: "11994002", Level.L5: "49668003",
}  # fmt: skip
TOTAL = {Level.L1: 31, Level.L2: 30, Level.L3: 29, Level.L4: 28, Level.L5: 27}
VERTEBRA = CodedConcept("51282000", "SCT", "Vertebra")
BODY = CodedConcept("3572006", "SCT", "Vertebral body")

# From Python 3.13 on an SQLite connection that nobody closed warns; highdicom, which only writes
# the files of these tests, leaves its own to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")


@pytest.fixture(autouse=True)
def _collect_here():
    """Let highdicom's connections go while their warning is ignored, not in another test."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def shot() -> PhantomScan:
    return scan(lumbar_spine(), Scanner(pixel_mm=2.0, slice_mm=4.0))


@pytest.fixture(scope="module")
def series(shot, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("series")
    write_dicom(shot.ct, folder)
    return folder


def describe(number: int, label: str, concept: CodedConcept) -> hd.seg.SegmentDescription:
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=label,
        segmented_property_category=codes.SCT.AnatomicalStructure,
        segmented_property_type=concept,
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
    )


def write_seg(
    path: Path,
    series: Path,
    masks: list[np.ndarray],
    segments: list[tuple[str, CodedConcept]],
    kind: str = "BINARY",
) -> Path:
    """A SEG of masks (I, J, K), slices in the order of the series, empty frames left out."""
    images = [pydicom.dcmread(file) for file in sorted(series.glob("*.dcm"))]
    stack = np.stack([mask.transpose(2, 1, 0) for mask in masks], axis=-1)
    labels = np.zeros(stack.shape[:3], np.uint8)
    for n in range(stack.shape[-1]):
        labels[stack[..., n] > 0] = n + 1
    seg = hd.seg.Segmentation(
        source_images=images,
        pixel_array=stack.astype(bool) if kind == "BINARY" else labels,
        segmentation_type=kind,
        segment_descriptions=[describe(n, *s) for n, s in enumerate(segments, 1)],
        series_instance_uid=hd.UID(),
        series_number=2,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="none",
        manufacturer_model_name="none",
        software_versions="0",
        device_serial_number="0",
    )
    seg.save_as(path)
    return path


def vertebrae_of(shot: PhantomScan) -> dict[Level, np.ndarray]:
    numbers = {s.level: n for n, s in shot.vertebrae.structures.items()}
    return {level: shot.vertebrae.array == numbers[level] for level in TOTAL}


Naming = Callable[[Level], tuple[str, CodedConcept]]
NAMINGS: dict[str, Naming] = {
    "code": lambda lv: (f"Segment {lv.order}", CodedConcept(CODES[lv], "SCT", "vertebra")),
    "label": lambda lv: (f"vertebrae_{lv}", VERTEBRA),
    "both": lambda lv: (f"{lv} vertebra", CodedConcept(CODES[lv], "SCT", "vertebra")),
}


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
@pytest.mark.parametrize("naming", NAMINGS)
def test_vertebrae_survive_the_way_through_dicom(shot, series, tmp_path, naming, kind):
    """Empty frames are not stored; positions put the others where they were."""
    masks = vertebrae_of(shot)
    segments = [NAMINGS[naming](level) for level in masks]
    path = write_seg(tmp_path / "seg.dcm", series, list(masks.values()), segments, kind)
    labels = read_labels(path)
    assert {s.level: n for n, s in labels.structures.items()} == TOTAL
    aligned = align_labels(labels, read_volume(series).geometry)
    direct = align_labels(shot.vertebrae, read_volume(series).geometry)
    numbers = {s.level: n for n, s in direct.structures.items()}
    for level, number in TOTAL.items():
        assert np.array_equal(aligned.array == number, direct.array == numbers[level]), level


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
def test_a_real_spine_through_dicom(shared_data, tmp_path, kind):
    """TotalSegmentator's masks and CT, written as a series and a SEG, give the same voxels."""
    example = shared_data / "ts-example"
    truth = read_labels(example / "total_vertebrae.nii.gz")
    ct = read_volume(example / "ct.nii.gz")
    (tmp_path / "ct").mkdir()
    rounded = CTVolume(array=np.rint(ct.hu()).clip(-1024, 3000), geometry=ct.geometry)
    write_dicom(rounded, tmp_path / "ct")
    masks = [truth.array == n for n in TOTAL.values()]
    segments = [NAMINGS["code"](level) for level in TOTAL]
    path = write_seg(tmp_path / "seg.dcm", tmp_path / "ct", masks, segments, kind)
    aligned = align_labels(read_labels(path), truth.geometry)
    for number in TOTAL.values():
        assert np.array_equal(aligned.array == number, truth.array == number)


def test_a_folder_with_its_ct_beside_it(shot, series, tmp_path):
    """An export holds the series and its segmentation; the SOP class tells them apart."""
    masks = vertebrae_of(shot)
    shutil.copytree(series, tmp_path / "export")
    write_seg(
        tmp_path / "export" / "seg.dcm", series, [masks[Level.L2]], [NAMINGS["code"](Level.L2)]
    )
    labels = read_labels(tmp_path / "export")
    assert int((labels.array == 30).sum()) == int(masks[Level.L2].sum())


def test_vertebrae_and_bodies_in_one_file(shot, series, tmp_path):
    """They overlap by nature; each part is read by itself, and not as the other."""
    whole, body = shot.vertebrae.array > 0, shot.bodies.array > 0
    l3 = vertebrae_of(shot)[Level.L3]
    segments = [NAMINGS["code"](Level.L3), ("L3", BODY), ("spine", codes.SCT.Bone)]
    path = write_seg(tmp_path / "seg.dcm", series, [l3, l3 & body, whole], segments)
    vertebra, bodies = read_labels(path), read_labels(path, part=Part.BODY)
    assert vertebra.findings == bodies.findings == ()
    assert int((vertebra.array > 0).sum()) == int(l3.sum())
    assert int((bodies.array > 0).sum()) == int((l3 & body).sum())
    (structure,) = bodies.structures.values()
    assert (structure.part, structure.level) == (Part.BODY, Level.L3)


def test_bodies_named_like_vertebrae_need_their_scheme(shot, series, tmp_path):
    """vertebrae_pp calls bodies ``vertebrae_L3``; as a SEG they have no telling numbers."""
    body = vertebrae_of(shot)[Level.L3] & (shot.bodies.array > 0)
    path = write_seg(tmp_path / "seg.dcm", series, [body], [("vertebrae_L3", VERTEBRA)])
    with pytest.raises(LabelsError, match="--masks"):
        read_labels(path, part=Part.BODY)
    bodies = read_labels(path, part=Part.BODY, scheme="totalsegmentator-vertebrae-pp")
    assert [s.level for s in bodies.structures.values()] == [Level.L3]


def test_overlapping_levels_are_told(shot, series, tmp_path):
    """Each voxel counts once, by a stated rule."""
    masks = vertebrae_of(shot)
    l2 = masks[Level.L2] | np.roll(masks[Level.L1], -2, axis=2)
    segments = [NAMINGS["label"](Level.L2), NAMINGS["label"](Level.L1)]
    labels = read_labels(write_seg(tmp_path / "seg.dcm", series, [l2, masks[Level.L1]], segments))
    (finding,) = labels.findings
    assert (finding.code, finding.level) == ("masks-overlap", Level.L2)
    assert int((labels.array == 31).sum()) == int(masks[Level.L1].sum())


def test_a_label_against_its_code_is_refused(shot, series, tmp_path):
    """One of the two is wrong, and nobody here knows which."""
    mask = vertebrae_of(shot)[Level.L3]
    code = CodedConcept(CODES[Level.L4], "SCT", "L4 vertebra")
    path = write_seg(tmp_path / "seg.dcm", series, [mask], [("L3", code)])
    with pytest.raises(LabelsError, match="'L3' with the SNOMED code of 'L4 vertebra'"):
        read_labels(path)


def test_two_segments_of_one_level_are_refused(shot, series, tmp_path):
    """One of them would be lost."""
    masks = vertebrae_of(shot)
    segments = [("L3", VERTEBRA), NAMINGS["code"](Level.L3)]
    path = write_seg(tmp_path / "seg.dcm", series, [masks[Level.L3], masks[Level.L4]], segments)
    with pytest.raises(LabelsError, match="two labels of L3"):
        read_labels(path)


def test_segments_without_a_vertebra_are_refused(shot, series, tmp_path):
    """Whatever they are, they are told by name."""
    path = write_seg(
        tmp_path / "seg.dcm", series, [shot.bodies.array > 0], [("aorta", codes.SCT.Aorta)]
    )
    with pytest.raises(LabelsError, match="'aorta'"):
        read_labels(path)


def test_a_ct_is_no_segmentation(series):
    """The series itself, given as masks by mistake."""
    with pytest.raises(UnreadableInputError, match="modality CT"):
        read_labels(series)


def test_several_segmentations_are_refused(shot, series, tmp_path):
    """Nothing says which one is meant."""
    mask = vertebrae_of(shot)[Level.L3]
    for name in ("a.dcm", "b.dcm"):
        write_seg(tmp_path / name, series, [mask], [("L3", VERTEBRA)])
    with pytest.raises(LabelsError, match="several"):
        read_labels(tmp_path)


def test_shares_are_refused(shot, series, tmp_path):
    """A FRACTIONAL segmentation needs a threshold that nobody stated."""
    path = write_seg(tmp_path / "s.dcm", series, [shot.bodies.array > 0], [("L3", VERTEBRA)])
    dataset = pydicom.dcmread(path)
    dataset.SegmentationType = "FRACTIONAL"
    dataset.save_as(path)
    with pytest.raises(LabelsError, match="FRACTIONAL"):
        read_labels(path)


@pytest.mark.parametrize("share", [0.2, 0.7, 0.99])
def test_a_truncated_file_is_refused(shot, series, tmp_path, share):
    """Half the frames are no segmentation, and the failure quotes no header."""
    mask = vertebrae_of(shot)[Level.L3]
    path = write_seg(tmp_path / "s.dcm", series, [mask], [("L3", VERTEBRA)])
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(InputError) as failure:
        read_labels(path)
    assert "PHANTOM" not in failure.value.line


def test_a_compressed_label_map_is_the_same(shot, series, tmp_path):
    """Archives compress what they keep."""
    masks = vertebrae_of(shot)
    segments = [NAMINGS["code"](level) for level in masks]
    path = write_seg(tmp_path / "seg.dcm", series, list(masks.values()), segments, "LABELMAP")
    dataset = pydicom.dcmread(path)
    dataset.compress(pydicom.uid.RLELossless)
    dataset.save_as(tmp_path / "packed.dcm")
    packed = read_labels(tmp_path / "packed.dcm")
    assert np.array_equal(packed.array, read_labels(path).array)


def place(z_mm: float, x_mm: float = 0.0) -> FramePlace:
    return FramePlace(
        position=(x_mm, 0.0, z_mm), orientation=(1, 0, 0, 0, 1, 0), pixel_spacing=(0.5, 0.7)
    )


def test_frames_that_are_not_stored_leave_room():
    """Slices 0, 1 and 4 of five; rows and columns keep their own spacing."""
    geometry, slices = place_frames([place(8), place(0), place(2)], columns=4, rows=6, where="s")
    assert slices == (4, 0, 1)
    assert geometry.shape == (4, 6, 5)
    assert geometry.spacing_mm == pytest.approx((0.7, 0.5, 2.0))


@pytest.mark.parametrize(
    ("places", "match"),
    [
        ([place(0), place(2), place(4.5)], "unevenly"),
        ([place(0), place(2), place(4, 3.0)], "sideways"),
        ([place(0), place(0)], "single slice"),
        ([place(0), FramePlace(position=(), orientation=(), pixel_spacing=())], "where they lie"),
    ],
)
def test_frames_on_no_grid_are_refused(places, match):
    """A frame put into the wrong slice moves a surface by its whole distance."""
    with pytest.raises(IrregularGridError, match=match):
        place_frames(places, columns=4, rows=6, where="s")


def test_what_was_read_can_be_written(shot, series, tmp_path):
    """The labels are ordinary label volumes from here on."""
    masks = vertebrae_of(shot)
    segments = [NAMINGS["both"](level) for level in masks]
    path = write_seg(tmp_path / "seg.dcm", series, list(masks.values()), segments)
    labels = read_labels(path)
    write_labels(labels, tmp_path / "m.nii.gz")
    again = read_labels(tmp_path / "m.nii.gz")
    assert np.array_equal(again.array, labels.array)
    assert {n: s.level for n, s in again.structures.items()} == {
        n: s.level for n, s in labels.structures.items()
    }
