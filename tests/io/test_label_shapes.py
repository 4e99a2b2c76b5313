"""The same masks in every shape that programs write give the same voxels per level.

Each shape runs twice: with blocks made here, and with TotalSegmentator's masks of a real spine. The
writers below are not the package's: nibabel, text written by hand, and highdicom.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import pytest

from osteoct.anatomy import SCHEMES, Level, Part, Structure
from osteoct.config import AnalysisConfig
from osteoct.errors import InputError
from osteoct.geometry import Geometry
from osteoct.io.alignment import align_labels
from osteoct.io.labels import read_labels
from osteoct.io.nifti import write_labels
from osteoct.io.volume import read_volume
from osteoct.pipeline import analyze_volumes
from osteoct.volume import LabelVolume

LEVELS = (Level.T12, Level.L1, Level.L2, Level.L3, Level.L4, Level.L5)
CODES = {
    Level.T12: 23215003, Level.L1: 66794005, Level.L2: 14293000, Level.L3: 36470004,
    Level.L4: 11994002, Level.L5: 49668003,
}  # fmt: skip


@dataclass(frozen=True)
class Spine:
    """What every shape must give back: a mask per level, on one grid."""

    masks: Mapping[Level, np.ndarray]
    geometry: Geometry

    def map(self, numbers: Mapping[Level, int]) -> np.ndarray:
        array = np.zeros(self.geometry.shape, np.uint8)
        for level, mask in self.masks.items():
            array[mask] = numbers[level]
        return array


@dataclass(frozen=True)
class Written:
    """What a user would type."""

    path: Path
    scheme: str | None = None
    part: Part = Part.VERTEBRA


Writer = Callable[[Path, Spine], Written]


def blocks() -> Spine:
    """One block per level, feet last, the topmost and the lowest at the border of their image."""
    affine = np.array([[-1.5, 0, 0, 40], [0, 1.25, 0, -30], [0, 0, 3, -200], [0, 0, 0, 1.0]])
    geometry = Geometry(shape=(20, 18, 24), affine=affine)
    masks = {}
    for n, level in enumerate(LEVELS):
        mask = np.zeros(geometry.shape, bool)
        mask[3 + n : 14, 4 : 15 - n, 20 - 4 * n : 23 - 4 * n] = True
        masks[level] = mask
    return Spine(masks, geometry)


@pytest.fixture(scope="module")
def real_spine(shared_data) -> Spine:
    image = nibabel.load(shared_data / "ts-example" / "total_vertebrae.nii.gz")
    array = np.asanyarray(image.dataobj)
    numbers = dict(zip(LEVELS, (32, 31, 30, 29, 28, 27), strict=True))
    geometry = Geometry(shape=array.shape, affine=image.affine)
    return Spine({level: array == n for level, n in numbers.items()}, geometry)


def numbers_of(scheme_id: str, levels: tuple[Level, ...] = LEVELS) -> dict[Level, int]:
    return {s.level: n for n, s in SCHEMES[scheme_id].structures.items() if s.level in levels}


def save(path: Path, array: np.ndarray, geometry: Geometry) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(array, geometry.affine), path)
    return path


def with_table(scheme_id: str, part: Part = Part.VERTEBRA) -> Writer:
    def write(folder: Path, spine: Spine) -> Written:
        array = spine.map(numbers_of(scheme_id))
        structures = {
            n: Structure(name=s.name, part=Part.OTHER)
            for n, s in SCHEMES[scheme_id].structures.items()
        }
        labels = LabelVolume(array=array, geometry=spine.geometry, structures=structures)
        write_labels(labels, folder / "segmentations.nii.gz")
        (folder / "statistics.json").write_text('{"vertebrae_L1": {"volume": 1.0}}')
        return Written(folder / "segmentations.nii.gz", part=part)

    return write


def without_table(scheme_id: str, part: Part = Part.VERTEBRA) -> Writer:
    def write(folder: Path, spine: Spine) -> Written:
        array = spine.map(numbers_of(scheme_id))
        return Written(save(folder / "m.nii.gz", array, spine.geometry), scheme_id, part)

    return write


def class_folder(folder: Path, spine: Spine) -> Written:
    for level, mask in spine.masks.items():
        save(folder / f"vertebrae_{level}.nii.gz", mask.astype(np.uint8), spine.geometry)
    save(folder / "liver.nii.gz", np.zeros(spine.geometry.shape, np.uint8), spine.geometry)
    return Written(folder)


def statistics_folder(folder: Path, spine: Spine) -> Written:
    class_folder(folder, spine)
    for name in ("statistics.json", "statistics_radiomics.json"):
        (folder / name).write_text('{"vertebrae_L1": {"volume": 1.0, "intensity": 2.0}}')
    (folder / "preview.png").write_bytes(b"\x89PNG")
    return Written(folder)


def bodies_folder(folder: Path, spine: Spine) -> Written:
    class_folder(folder, spine)
    return Written(folder, "totalsegmentator-vertebrae-pp", Part.BODY)


def verse_file(folder: Path, spine: Spine) -> Written:
    step = spine.geometry.reorientation_to("PIR")
    array = np.ascontiguousarray(step.apply_to_array(spine.map(numbers_of("verse"))))
    path = folder / "sub-verse1" / "sub-verse1_seg-vert_msk.nii.gz"
    save(path, array, step.apply_to_geometry(spine.geometry))
    (path.parent / "sub-verse1_seg-subreg_ctd.json").write_text('[{"direction": ["P", "I", "R"]}]')
    (path.parent / "sub-verse1_snp.png").write_bytes(b"\x89PNG")
    return Written(path, "verse")


def verse_folder(folder: Path, spine: Spine) -> Written:
    verse_file(folder, spine)
    return Written(folder, "verse")


def spine_segment_folder(folder: Path, spine: Spine) -> Written:
    array = spine.map(numbers_of("spine-segment"))
    save(folder / "case_vertebral-level.nii.gz", array, spine.geometry)
    save(folder / "case_process-body.nii.gz", 2 * (array > 0).astype(np.uint8), spine.geometry)
    save(folder / "case_cort-trab.nii.gz", (array > 0).astype(np.uint8), spine.geometry)
    (folder / "case_centroids.json").write_text("{}")
    return Written(folder)


def spine_segment_file(folder: Path, spine: Spine) -> Written:
    spine_segment_folder(folder, spine)
    return Written(folder / "case_vertebral-level.nii.gz")


def seg_nrrd(
    path: Path, layers: np.ndarray, geometry: Geometry, fields: list[dict[str, object]]
) -> Path:
    """A file as 3D Slicer writes it, by hand: layers (N, I, J, K), fastest axis first."""
    lps = np.diag([-1, -1, 1, 1]) @ geometry.affine
    directions = ["(" + ",".join(repr(float(v)) for v in lps[:3, n]) + ")" for n in range(3)]
    is_list = len(layers) > 1
    sizes = [len(layers)] * is_list + list(layers.shape[1:])
    lines = [
        "NRRD0004",
        "# Complete NRRD file format specification at:",
        "type: unsigned char",
        f"dimension: {3 + is_list}",
        "space: left-posterior-superior",
        "sizes: " + " ".join(map(str, sizes)),
        "space directions: " + "none " * is_list + " ".join(directions),
        "kinds: " + "list " * is_list + "domain domain domain",
        "encoding: gzip",
        "space origin: (" + ",".join(repr(float(v)) for v in lps[:3, 3]) + ")",
        *(f"Segment{n}_{key}:={value}" for n, f in enumerate(fields) for key, value in f.items()),
        "Segmentation_MasterRepresentation:=Binary labelmap",
        "Segmentation_ReferenceImageExtentOffset:=0 0 0",
    ]
    data = gzip.compress(np.asarray(layers, np.uint8).tobytes(order="F"))
    path.write_bytes("\n".join(lines).encode() + b"\n\n" + data)
    return path


def tags(level: Level) -> str:
    """Terminology as Slicer writes it: context, category, type, modifier, region, modifier."""
    return (
        "TerminologyEntry:Segmentation category and type - DICOM master list"
        f"~SCT^123037004^Anatomical Structure~SCT^{CODES[level]}^vertebra~^^"
        "~Anatomic codes - DICOM master list~^^~^^|"
    )


def slicer(name: str, *, has_codes: bool = False, part: Part = Part.VERTEBRA) -> Writer:
    def write(folder: Path, spine: Spine) -> Written:
        numbers = {level: n for n, level in enumerate(spine.masks, 1)}
        fields = [
            {"Name": name.format(level=level, n=n), "LabelValue": n, "Layer": 0}
            | ({"Tags": tags(level)} if has_codes else {})
            for level, n in numbers.items()
        ]
        path = folder / "m.seg.nrrd"
        seg_nrrd(path, spine.map(numbers)[None], spine.geometry, fields)
        return Written(path, part=part)

    return write


def cropped_slicer(folder: Path, spine: Spine) -> Written:
    """Slicer stores the box of the labels; origin and directions say where it lies."""
    numbers = {level: n for n, level in enumerate(spine.masks, 1)}
    array = spine.map(numbers)
    found = np.argwhere(array)
    box = tuple(slice(a, b + 1) for a, b in zip(found.min(0), found.max(0), strict=True))
    fields = [{"Name": str(lv), "LabelValue": n, "Layer": 0} for lv, n in numbers.items()]
    path = folder / "m.seg.nrrd"
    seg_nrrd(path, array[box][None], spine.geometry.cropped(box), fields)
    return Written(path)


def layered_slicer(folder: Path, spine: Spine) -> Written:
    """Vertebrae on two layers, and a third segment over all of them."""
    layers = np.zeros((3, *spine.geometry.shape), np.uint8)
    fields: list[dict[str, object]] = []
    for n, (level, mask) in enumerate(spine.masks.items()):
        layers[n % 2][mask] = 1 + n // 2
        fields.append({"Name": f"{level} vertebra", "LabelValue": 1 + n // 2, "Layer": n % 2})
    layers[2] = sum(spine.masks.values())
    fields.append({"Name": "bone", "LabelValue": 1, "Layer": 2})
    return Written(seg_nrrd(folder / "m.seg.nrrd", layers, spine.geometry, fields))


def old_slicer(folder: Path, spine: Spine) -> Written:
    """Before version 4.11: one layer per segment, neither layer nor label value."""
    layers = np.stack(list(spine.masks.values())).astype(np.uint8)
    fields: list[dict[str, object]] = [{"Name": str(level)} for level in spine.masks]
    return Written(seg_nrrd(folder / "m.seg.nrrd", layers, spine.geometry, fields))


SNAP_HEAD = """################################################
# ITK-SnAP Label Description File
# File format:
# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL
################################################
    0     0    0    0        0  0  0    "Clear Label"
"""


def itk_snap(label_file: str, name: str = "{level}") -> Writer:
    def write(folder: Path, spine: Spine) -> Written:
        numbers = {level: n for n, level in enumerate(spine.masks, 1)}
        rows = [
            f'  {n:3} {n:3}  204   51     0.50  1  1    "{name.format(level=level)}"\n'
            for level, n in numbers.items()
        ]
        (folder / label_file).write_text(SNAP_HEAD + "".join(rows) + '  9 1 2 3 1 1 1 "Label 9"\n')
        (folder / "readme.txt").write_text("made on a Tuesday\n")
        return Written(save(folder / "case.nii.gz", spine.map(numbers), spine.geometry))

    return write


def itk_snap_folder(folder: Path, spine: Spine) -> Written:
    itk_snap("case.label")(folder, spine)
    return Written(folder)


def nnunet(*, is_old: bool) -> Writer:
    def write(folder: Path, spine: Spine) -> Written:
        numbers = {level: n for n, level in enumerate(spine.masks, 1)}
        named = {"background": 0} | {f"vertebrae_{level}": n for level, n in numbers.items()}
        labels = {str(n): name for name, n in named.items()} if is_old else named
        (folder / "dataset.json").write_text(
            json.dumps({"labels": labels, "file_ending": ".nii.gz"})
        )
        (folder / "plans.json").write_text("{}")
        return Written(save(folder / "case_001.nii.gz", spine.map(numbers), spine.geometry))

    return write


def nnunet_folder(folder: Path, spine: Spine) -> Written:
    nnunet(is_old=False)(folder, spine)
    return Written(folder)


SHAPES: dict[str, Writer] = {
    "v2 with table": with_table("totalsegmentator-v2"),
    "v1 with table": with_table("totalsegmentator-v1"),
    "v3 with table": with_table("totalsegmentator-v3"),
    "v2 and scheme": without_table("totalsegmentator-v2"),
    "v1 and scheme": without_table("totalsegmentator-v1"),
    "v3 and scheme": without_table("totalsegmentator-v3"),
    "one file per class": class_folder,
    "statistics folder": statistics_folder,
    "bodies with table": with_table("totalsegmentator-vertebrae-pp", Part.BODY),
    "bodies and scheme": without_table("totalsegmentator-vertebrae-pp", Part.BODY),
    "bodies, one file per class": bodies_folder,
    "verse file": verse_file,
    "verse folder": verse_folder,
    "spine-segment folder": spine_segment_folder,
    "spine-segment file": spine_segment_file,
    "slicer, level": slicer("{level}"),
    "slicer, level and word": slicer("{level} vertebra"),
    "slicer, TotalSegmentator's names": slicer("vertebrae_{level}"),
    "slicer, names and codes": slicer("{level}", has_codes=True),
    "slicer, codes alone": slicer("Segment_{n}", has_codes=True),
    "slicer, bodies": slicer("{level} body", part=Part.BODY),
    "slicer, bodies with codes": slicer("{level} body", has_codes=True, part=Part.BODY),
    "slicer, cropped": cropped_slicer,
    "slicer, layers": layered_slicer,
    "slicer, old": old_slicer,
    "itk-snap, same stem": itk_snap("case.label"),
    "itk-snap, same stem, text": itk_snap("case.txt", "vertebrae_{level}"),
    "itk-snap, only label file": itk_snap("labels.txt"),
    "itk-snap, folder": itk_snap_folder,
    "nnU-Net 2": nnunet(is_old=False),
    "nnU-Net 1": nnunet(is_old=True),
    "nnU-Net folder": nnunet_folder,
}


def check_same(written: Written, spine: Spine) -> LabelVolume:
    """Every level has the voxels it had, on the grid it came from."""
    labels = read_labels(written.path, scheme=written.scheme, part=written.part)
    found = {s.level: n for n, s in labels.structures.items() if s.part is written.part}
    aligned = align_labels(labels, spine.geometry)
    for level, mask in spine.masks.items():
        assert np.array_equal(aligned.array == found[level], mask), level
    assert all(f.level is None for f in aligned.findings)
    return labels


@pytest.mark.parametrize("shape", SHAPES)
def test_blocks_in_every_shape(tmp_path, shape):
    """Two axes flipped or not, thick slices, labels at the border: nothing moves."""
    spine = blocks()
    check_same(SHAPES[shape](tmp_path, spine), spine)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_real_spine_in_every_shape(tmp_path, real_spine, shape):
    """TotalSegmentator's own masks, rewritten: the numbers cannot differ where no voxel does."""
    check_same(SHAPES[shape](tmp_path, real_spine), real_spine)


def test_a_scheme_from_a_file_name_is_told(tmp_path):
    """A name is weak evidence: whoever reads the result must know that it was used."""
    written = spine_segment_folder(tmp_path, blocks())
    labels = read_labels(written.path)
    assert [f.code for f in labels.findings] == ["scheme-from-name"]
    bodies = read_labels(written.path, part=Part.BODY)
    assert [f.code for f in bodies.findings] == ["scheme-from-name"]
    assert bodies.structures[2] == Structure(name="body", part=Part.BODY)
    assert np.array_equal(bodies.array == 2, sum(blocks().masks.values()) > 0)
    stated = read_labels(tmp_path / "case_vertebral-level.nii.gz", scheme="spine-segment")
    assert stated.findings == ()


def test_cropped_masks_are_not_called_cut(tmp_path):
    """Slicer stores nothing around its labels; the CT going on there is no sign of a cut level."""
    spine = blocks()
    labels = read_labels(cropped_slicer(tmp_path, spine).path)
    assert not labels.array[[0, -1]].any()
    aligned = align_labels(labels, spine.geometry)
    assert [f.code for f in aligned.findings] == ["mask-resampled"]


@pytest.mark.parametrize(
    "shape", ["v1 and scheme", "verse file", "slicer, cropped", "slicer, layers", "nnU-Net 2"]
)
def test_numbers_of_a_real_spine_do_not_depend_on_the_shape(
    tmp_path, shared_data, real_spine, shape
):
    """From the file to the last digit: volume and HU of every region of every level."""
    example = shared_data / "ts-example"
    ct = read_volume(example / "ct.nii.gz")
    written = SHAPES[shape](tmp_path, real_spine)
    cases = [
        analyze_volumes(ct, labels, bodies=None, config=AnalysisConfig()).result
        for labels in (
            read_labels(example / "total_vertebrae.nii.gz"),
            read_labels(written.path, scheme=written.scheme),
        )
    ]
    assert cases[0].is_measured
    assert _numbers(cases[0].levels) == _numbers(cases[1].levels)
    assert _numbers(cases[0].summaries) == _numbers(cases[1].summaries)


def _numbers(records):
    """All but how sure the names are: some shapes hold no sacrum to count from."""
    return [
        r.model_copy(update={"numbering_certainty": None, "numbering_reason": None})
        for r in records
    ]


@pytest.mark.parametrize("share", [0.3, 0.95])
def test_a_truncated_layered_file_is_refused(tmp_path, share):
    """ITK fills what is missing with what lies in memory."""
    path = layered_slicer(tmp_path, blocks()).path
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(InputError):
        read_labels(path)
