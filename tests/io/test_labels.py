"""Masks: names decide, schemes are matched by (number, name), and nothing is guessed."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 -- the name its own documentation gives it

from osteoct.anatomy import SCHEMES, Level, Part, Structure
from osteoct.errors import ConfigError, GeometryError, LabelsError, UnreadableInputError
from osteoct.geometry import Geometry
from osteoct.io.labels import read_labels
from osteoct.io.nifti import write_labels
from osteoct.volume import LabelVolume

GRID = Geometry.from_spacing((12, 10, 8), (1.5, 1.5, 1.5))


def label_map(path: Path, ids: Mapping[int, str | None], *, dtype: type = np.uint16) -> Path:
    """A map with one block of 1 × 10 × 8 voxels per label; a label named ``None`` has no name."""
    array = np.zeros(GRID.shape, dtype)
    for row, label in enumerate(ids):
        array[row] = label
    names = {n: Structure(name=s, part=Part.OTHER) for n, s in ids.items() if s is not None}
    write_labels(LabelVolume(array=array, geometry=GRID, structures=names), path)
    return path


def raw_map(path: Path, array: np.ndarray, geometry: Geometry = GRID) -> Path:
    """A label map without names, written by another library."""
    nibabel.save(nibabel.Nifti1Image(array, geometry.affine), path)
    return path


def block(value: float = 1, *, rows: slice = slice(2, 4), dtype: type = np.uint8) -> np.ndarray:
    array = np.zeros(GRID.shape, dtype)
    array[rows, 2:8, 2:6] = value
    return array


def levels_of(labels: LabelVolume, part: Part) -> dict[int, Level | None]:
    return {n: s.level for n, s in labels.structures.items() if s.part is part}


def test_totalsegmentator_names_are_found_in_its_own_files(shared_data):
    """Real output of TotalSegmentator 2.18: the extension holds the names."""
    labels = read_labels(shared_data / "ts-example" / "total_vertebrae.nii.gz")
    assert labels.scheme_id == "totalsegmentator-v2"
    assert labels.structures[31].level is Level.L1
    counts = {int(n): int((labels.array == n).sum()) for n in range(27, 32)}
    assert counts == {31: 2143, 30: 2242, 29: 2335, 28: 2406, 27: 2431}
    assert labels.findings == ()


def test_bodies_called_vertebrae_are_told_from_vertebrae(shared_data):
    """vertebrae_pp names bodies ``vertebrae_L1``: read as vertebrae, every volume is too small."""
    path = shared_data / "ts-example" / "vertebrae_pp_refined.nii.gz"
    with pytest.raises(LabelsError, match="--body-masks"):
        read_labels(path)
    bodies = read_labels(path, part=Part.BODY)
    assert bodies.scheme_id == "totalsegmentator-vertebrae-pp"
    assert bodies.structures[20] == Structure(name="vertebrae_L1", part=Part.BODY, level=Level.L1)


def test_bodies_without_levels_and_discs(shared_data):
    """vertebrae_body has one label for all bodies."""
    path = shared_data / "ts-example" / "vertebrae_body.nii.gz"
    with pytest.raises(LabelsError, match="--body-masks"):
        read_labels(path)
    bodies = read_labels(path, part=Part.BODY)
    assert levels_of(bodies, Part.BODY) == {1: None}
    assert levels_of(bodies, Part.DISC) == {2: None}


def test_whole_vertebrae_are_refused_as_bodies(shared_data):
    """The other way round: the arch would be measured as body."""
    with pytest.raises(LabelsError, match="--masks"):
        read_labels(shared_data / "ts-example" / "total_vertebrae.nii.gz", part=Part.BODY)


def test_all_117_classes_need_no_finding(shared_data):
    """Organs are not unknown: the table names them."""
    labels = read_labels(shared_data / "ts-example" / "total_fast.nii.gz")
    assert labels.findings == ()
    assert labels.structures[5].part is Part.OTHER


def test_verse_masks_need_their_scheme(shared_data):
    """VerSe files hold no names; 20 is L1 there and T12 elsewhere."""
    path = shared_data / "verse-masks" / "sub-verse010_seg-vert_msk.nii.gz"
    with pytest.raises(LabelsError, match=r"--labels.*verse"):
        read_labels(path)
    labels = read_labels(path, scheme="verse")
    assert labels.geometry.axis_codes == "PIR"
    assert labels.structures[20].level is Level.L1
    # head is up: L1 lies above L5 in patient space whatever the storage
    heights = [
        labels.geometry.to_patient(np.argwhere(labels.array == n).mean(axis=0))[2]
        for n in (20, 21, 22, 23, 24)
    ]
    assert heights == sorted(heights, reverse=True)


@pytest.mark.parametrize("scheme_id", sorted(SCHEMES))
def test_every_scheme_is_recognised_by_its_own_names(tmp_path, scheme_id):
    """All names with all numbers fit the scheme they come from, and no other meaning."""
    scheme = SCHEMES[scheme_id]
    part = Part.VERTEBRA if Part.VERTEBRA in scheme.parts else Part.BODY
    wanted = next(n for n, s in scheme.structures.items() if s.part is part)
    names = {n: s.name for n, s in scheme.structures.items()}
    array = block(wanted, dtype=np.uint16)
    everything = {n: Structure(name=s, part=Part.OTHER) for n, s in names.items()}
    write_labels(
        LabelVolume(array=array, geometry=GRID, structures=everything), tmp_path / "m.nii.gz"
    )
    labels = read_labels(tmp_path / "m.nii.gz", part=part)
    assert SCHEMES[str(labels.scheme_id)].structures == scheme.structures
    assert labels.structures == scheme.structures


def test_version_1_numbers_are_not_read_as_version_2(tmp_path):
    """Version 1 masks read as version 2: the row "L5" was small bowel."""
    path = label_map(tmp_path / "m.nii.gz", {18: "vertebrae_L5", 22: "vertebrae_L1"})
    labels = read_labels(path)
    assert labels.scheme_id == "totalsegmentator-v1"
    assert levels_of(labels, Part.VERTEBRA) == {18: Level.L5, 22: Level.L1}
    with pytest.raises(LabelsError, match="the names fit totalsegmentator-v1"):
        read_labels(path, scheme="totalsegmentator-v2")


def test_names_that_contradict_the_stated_scheme_are_refused(tmp_path):
    """31 named small bowel cannot be L1, whatever the option says."""
    path = label_map(tmp_path / "m.nii.gz", {31: "small_bowel", 30: "vertebrae_L2"})
    with pytest.raises(LabelsError, match="label 31 named 'small_bowel'"):
        read_labels(path, scheme="totalsegmentator-v2")


def test_a_pair_that_two_schemes_share_with_two_meanings_is_refused(tmp_path):
    """21 is vertebrae_L2 in version 1 (whole) and in vertebrae_pp (body): somebody must say."""
    path = label_map(tmp_path / "m.nii.gz", {21: "vertebrae_L2"})
    with pytest.raises(LabelsError, match="mean different things"):
        read_labels(path)
    with pytest.raises(LabelsError, match="mean different things"):
        read_labels(path, part=Part.BODY)
    whole = read_labels(path, scheme="totalsegmentator-v1")
    body = read_labels(path, scheme="totalsegmentator-vertebrae-pp", part=Part.BODY)
    assert (whole.structures[21].part, body.structures[21].part) == (Part.VERTEBRA, Part.BODY)


def test_names_outside_any_scheme_still_decide(tmp_path):
    """Somebody renumbered the labels; the names are right, no scheme is claimed."""
    path = label_map(tmp_path / "m.nii.gz", {1: "vertebrae_L1", 2: "L2", 3: "liver"})
    labels = read_labels(path)
    assert labels.scheme_id is None
    assert levels_of(labels, Part.VERTEBRA) == {1: Level.L1, 2: Level.L2}
    assert labels.structures[3].part is Part.OTHER


def test_an_unknown_scheme_is_a_configuration_error():
    """A typing mistake is not the file's fault."""
    with pytest.raises(ConfigError, match="wanted one of"):
        read_labels("m.nii.gz", scheme="totalsegmentator-v9")


def test_some_unknown_labels_are_a_finding_many_are_a_failure(tmp_path):
    """One stray number is ignored and told; a majority means another program wrote the file."""
    few = raw_map(tmp_path / "a.nii.gz", block(20) + block(99, rows=slice(5, 6)))
    labels = read_labels(few, scheme="verse")
    assert [f.code for f in labels.findings] == ["unknown-labels"]
    assert labels.findings[0].evidence == {"labels": "99", "voxels": 24}
    many = block(20) + block(99, rows=slice(5, 6)) + block(98, rows=slice(6, 7))
    with pytest.raises(LabelsError, match="2 of 3 labels unknown"):
        read_labels(raw_map(tmp_path / "b.nii.gz", many), scheme="verse")


def test_coccyx_and_organs_of_a_stated_scheme_are_known(tmp_path):
    """VerSe 27 and TotalSegmentator's organs are no surprise."""
    verse = raw_map(tmp_path / "a.nii.gz", block(20) + block(27, rows=slice(5, 6)))
    assert read_labels(verse, scheme="verse").findings == ()
    organs = raw_map(tmp_path / "b.nii.gz", block(31) + block(5, rows=slice(5, 9)))
    assert read_labels(organs, scheme="totalsegmentator-v2").findings == ()


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (block(20.5, dtype=np.float32), r"20\.5"),
        (block(-1, dtype=np.int16), "-1 to 0"),
        (block(np.nan, dtype=np.float32), "nan"),
        (block(1e12, dtype=np.float64), r"1e\+12"),
    ],
)
def test_numbers_that_cannot_be_labels_are_refused(tmp_path, array, found):
    """Interpolated masks mix 20 and 0 into 10, which is another vertebra."""
    with pytest.raises(LabelsError, match=found):
        read_labels(raw_map(tmp_path / "m.nii.gz", array), scheme="verse")


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.uint8])
def test_whole_numbers_of_any_type_are_labels(tmp_path, dtype):
    """Many programs write labels as float."""
    labels = read_labels(raw_map(tmp_path / "m.nii.gz", block(20, dtype=dtype)), scheme="verse")
    assert labels.array.dtype == np.uint8
    assert np.array_equal(labels.array, block(20))


@pytest.mark.parametrize("label", [256, 287, 70_000])
def test_labels_above_255_survive(tmp_path, label):
    """287 cast to uint8 is 31, an L1 that is not there."""
    path = label_map(tmp_path / "m.nii.gz", {label: "vertebrae_L1", 3: "liver"}, dtype=np.uint32)
    labels = read_labels(path)
    assert int((labels.array == label).sum()) == 80
    assert levels_of(labels, Part.VERTEBRA) == {label: Level.L1}


@pytest.mark.parametrize("value", [0, 27])
def test_a_map_without_a_vertebra_is_refused(tmp_path, value):
    """Volume 0 and HU 0 would be below every cut-off."""
    with pytest.raises(LabelsError, match="no vertebrae"):
        read_labels(raw_map(tmp_path / "m.nii.gz", block(value)), scheme="verse")


def test_slicer_segmentations_bring_their_names(tmp_path):
    """3D Slicer keeps names in the NRRD header."""
    image = sitk.GetImageFromArray(block(7).T)
    image.SetSpacing((1.5, 1.5, 1.5))
    for key, value in {"Name": "vertebrae_L3", "LabelValue": "7"}.items():
        image.SetMetaData(f"Segment0_{key}", value)
    sitk.WriteImage(image, str(tmp_path / "m.seg.nrrd"))
    labels = read_labels(tmp_path / "m.seg.nrrd")
    assert levels_of(labels, Part.VERTEBRA) == {7: Level.L3}
    assert labels.geometry.axis_codes == "LPS"


def folder_of(path: Path, masks: Mapping[str, np.ndarray], geometry: Geometry = GRID) -> Path:
    path.mkdir()
    for name, array in masks.items():
        raw_map(path / f"{name}.nii.gz", array, geometry)
    return path


def test_a_folder_of_masks_is_the_map_it_was_made_of(shared_data, tmp_path):
    """The real masks, one file each, give the same voxels per level."""
    source = nibabel.load(shared_data / "ts-example" / "total_vertebrae.nii.gz")
    array = np.asanyarray(source.dataobj)
    for label, structure in SCHEMES["totalsegmentator-v2"].structures.items():
        mask = nibabel.Nifti1Image((array == label).astype(np.uint8), source.affine)
        nibabel.save(mask, tmp_path / f"{structure.name}.nii.gz")
    labels = read_labels(tmp_path)
    assert labels.scheme_id == "totalsegmentator-v2"
    assert np.array_equal(labels.array, array)


def test_masks_of_other_structures_are_not_opened(tmp_path):
    """A folder has 117 files; the broken liver is nobody's business."""
    folder = folder_of(tmp_path / "m", {"vertebrae_L1": block(255), "vertebrae_L2": block(0)})
    (folder / "liver.nii.gz").write_text("not an image")
    (folder / "statistics.json").write_text("{}")
    labels = read_labels(folder)
    assert np.array_equal(labels.array, block(31))


def test_a_broken_mask_of_the_spine_is_a_failure(tmp_path):
    """Skipping it would call the level absent."""
    folder = folder_of(tmp_path / "m", {"vertebrae_L1": block()})
    (folder / "vertebrae_L2.nii.gz").write_text("not an image")
    with pytest.raises(UnreadableInputError, match=r"vertebrae_L2\.nii\.gz"):
        read_labels(folder)


def test_overlapping_masks_are_told_and_stay_with_the_upper_level(tmp_path):
    """Each voxel counts once, by a stated rule."""
    masks = {"vertebrae_L2": block(rows=slice(3, 6)), "vertebrae_L1": block(rows=slice(2, 4))}
    labels = read_labels(folder_of(tmp_path / "m", masks))
    assert {n: int((labels.array == n).sum()) for n in (31, 30)} == {31: 48, 30: 48}
    (finding,) = labels.findings
    assert (finding.code, finding.level) == ("masks-overlap", Level.L2)
    assert finding.evidence["voxels"] == 24


def test_masks_on_different_grids_are_refused(tmp_path):
    """They would meet by array index."""
    folder = folder_of(tmp_path / "m", {"vertebrae_L1": block()})
    raw_map(folder / "vertebrae_L2.nii.gz", block(), Geometry.from_spacing(GRID.shape, (1, 1, 1)))
    with pytest.raises(GeometryError, match="different grids"):
        read_labels(folder)


def test_a_mask_of_several_labels_is_refused(tmp_path):
    """A whole map under the name of one level would make one giant vertebra."""
    folder = folder_of(
        tmp_path / "m", {"vertebrae_L1": block() + block(2, rows=slice(5, 6)), "sacrum": block()}
    )
    with pytest.raises(LabelsError, match="several labels"):
        read_labels(folder)


def test_folders_without_what_was_asked_for(tmp_path):
    """Each failure says what the folder holds and what to do."""
    (tmp_path / "empty").mkdir()
    organs = folder_of(tmp_path / "organs", {"liver": block(), "spleen": block()})
    bodies = folder_of(tmp_path / "bodies", {"vertebrae_body": block(), "liver": block()})
    blank = folder_of(tmp_path / "blank", {"vertebrae_L1": block(0), "vertebrae_L2": block(0)})
    for folder, match in (
        (tmp_path / "empty", "no mask of the spine"),
        (organs, "no mask of the spine"),
        (bodies, "--body-masks"),
        (blank, "2 empty masks"),
    ):
        with pytest.raises(LabelsError, match=match):
            read_labels(folder)


def test_bodies_per_level_in_a_folder_need_their_scheme(tmp_path):
    """The files of vertebrae_pp are named like those of total: only the user knows."""
    folder = folder_of(tmp_path / "m", {"vertebrae_L1": block(), "vertebrae_L2": block(0)})
    with pytest.raises(LabelsError, match="totalsegmentator-vertebrae-pp"):
        read_labels(folder, part=Part.BODY)
    bodies = read_labels(folder, part=Part.BODY, scheme="totalsegmentator-vertebrae-pp")
    assert np.array_equal(bodies.array, block(20))
    with pytest.raises(LabelsError, match="--body-masks"):
        read_labels(folder, scheme="totalsegmentator-vertebrae-pp")


def test_one_body_mask_in_a_folder_is_read(tmp_path):
    """A folder with the single file vertebrae_body.nii.gz."""
    bodies = read_labels(folder_of(tmp_path / "m", {"vertebrae_body": block()}), part=Part.BODY)
    assert levels_of(bodies, Part.BODY) == {1: None}
    assert np.array_equal(bodies.array, block(1))


def test_findings_name_no_file(tmp_path):
    """Findings go into results, and a path may hold a patient's name; failures do not go there."""
    home = tmp_path / "DOE^JANE"
    home.mkdir()
    masks = {"vertebrae_L2": block(rows=slice(3, 6)), "vertebrae_L1": block(rows=slice(2, 4))}
    image = nibabel.Nifti1Image(block(20) + block(99, rows=slice(5, 6)), GRID.affine)
    image.set_sform(GRID.affine, code=1)
    image.set_qform(np.diag([1.5, 1.5, 3.0, 1.0]), code=1)
    nibabel.save(image, home / "m.nii.gz")
    findings = (
        *read_labels(folder_of(home / "f", masks)).findings,
        *read_labels(home / "m.nii.gz", scheme="verse").findings,
    )
    assert {f.code for f in findings} == {"masks-overlap", "affine-disagree", "unknown-labels"}
    assert not any("DOE" in f.model_dump_json() for f in findings)


def test_zipped_masks_are_read(tmp_path):
    """A zip of one map, and a zip of a folder of masks."""
    path = label_map(tmp_path / "m.nii.gz", {31: "vertebrae_L1"})
    folder = folder_of(tmp_path / "f", {"vertebrae_L1": block(), "vertebrae_L2": block(0)})
    with zipfile.ZipFile(tmp_path / "map.zip", "w") as archive:
        archive.write(path, "m.nii.gz")
    with zipfile.ZipFile(tmp_path / "folder.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"masks/{file.name}")
    assert np.array_equal(read_labels(tmp_path / "map.zip").array, read_labels(path).array)
    assert np.array_equal(read_labels(tmp_path / "folder.zip").array, block(31))
