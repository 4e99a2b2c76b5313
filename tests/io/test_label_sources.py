"""Names that lie beside the masks: whose they are, and what happens when they disagree."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest

from osteoct.anatomy import SCHEMES, Level, Part, Structure
from osteoct.errors import InputError, LabelsError
from osteoct.geometry import Geometry
from osteoct.io.itk_snap import parse_label_descriptions
from osteoct.io.label_sources import gather_names
from osteoct.io.labels import read_labels
from osteoct.io.nifti import write_labels
from osteoct.io.nnunet_dataset import parse_labels
from osteoct.io.slicer_segments import find_segments
from osteoct.volume import LabelVolume

GRID = Geometry.from_spacing((8, 8, 8), (1.5, 1.5, 1.5))


def mask(path: Path, *numbers: int, names: dict[int, str] | None = None) -> Path:
    """A map with one slice per label, with a table inside or without."""
    array = np.zeros(GRID.shape, np.uint8)
    for n, number in enumerate(numbers, 1):
        array[:, :, n] = number
    if names is None:
        nibabel.save(nibabel.Nifti1Image(array, GRID.affine), path)
        return path
    structures = {n: Structure(name=s, part=Part.OTHER) for n, s in names.items()}
    write_labels(LabelVolume(array=array, geometry=GRID, structures=structures), path)
    return path


def snap(path: Path, names: dict[int, str]) -> None:
    path.write_text("".join(f'{n} 1 2 3 1 1 1 "{name}"\n' for n, name in names.items()))


def dataset(folder: Path, labels: dict[str, object]) -> None:
    (folder / "dataset.json").write_text(json.dumps({"labels": labels}))


def levels(path: Path, **options) -> dict[int, Level | None]:
    found = read_labels(path, **options).structures
    return {n: s.level for n, s in found.items() if s.part is not Part.OTHER}


def test_a_file_without_names_stays_refused(tmp_path):
    """Nothing is guessed from numbers; what could be typed is listed."""
    with pytest.raises(LabelsError) as failure:
        read_labels(mask(tmp_path / "m.nii.gz", 20, 21))
    assert all(scheme in failure.value.line for scheme in SCHEMES)


def test_names_that_fit_no_scheme_list_the_schemes(tmp_path):
    """The message shows what was found and what would have been understood."""
    snap(tmp_path / "m.txt", {20: "bone one", 21: "bone two"})
    with pytest.raises(LabelsError, match="'bone one'") as failure:
        read_labels(mask(tmp_path / "m.nii.gz", 20, 21))
    assert all(scheme in failure.value.line for scheme in SCHEMES)


def test_table_and_label_file_that_disagree_are_both_told(tmp_path):
    """The label file of another patient lies in the same folder."""
    path = mask(tmp_path / "m.nii.gz", 31, names={31: "vertebrae_L1", 5: "liver"})
    snap(tmp_path / "labels.txt", {31: "L2", 5: "Leber"})
    with pytest.raises(
        LabelsError, match=r"table inside the file and the ITK-SNAP.*'vertebrae_L1'"
    ):
        read_labels(path)


def test_label_file_and_dataset_that_disagree_are_both_told(tmp_path):
    """Neither is better than the other."""
    path = mask(tmp_path / "m.nii.gz", 1)
    snap(tmp_path / "m.label", {1: "L1"})
    dataset(tmp_path, {"background": 0, "L2": 1})
    with pytest.raises(LabelsError, match=r"ITK-SNAP label file .* and the nnU-Net"):
        read_labels(path)


def test_sources_that_agree_fill_each_others_gaps(tmp_path):
    """L1 and vertebrae_L1 are one meaning."""
    path = mask(tmp_path / "m.nii.gz", 1, 2)
    snap(tmp_path / "m.label", {1: "L1"})
    dataset(tmp_path, {"background": 0, "vertebrae_L1": 1, "vertebrae_L2": 2})
    assert levels(path) == {1: Level.L1, 2: Level.L2}
    assert gather_names({1: "L1 vertebra"}, path, where="m")[1] == "L1 vertebra"


def test_names_against_the_stated_scheme_are_refused(tmp_path):
    """A label file that calls 31 L2 speaks against total, where it is L1; agreement passes."""
    path = mask(tmp_path / "m.nii.gz", 31)
    snap(tmp_path / "m.label", {31: "L2"})
    with pytest.raises(LabelsError, match="contradict the scheme"):
        read_labels(path, scheme="totalsegmentator-v2")
    snap(tmp_path / "m.label", {31: "L1"})
    assert levels(path, scheme="totalsegmentator-v2") == {31: Level.L1}


def test_two_labels_of_one_level_are_refused(tmp_path):
    """One of them would be lost without a word."""
    path = mask(tmp_path / "m.nii.gz", 1, 2)
    snap(tmp_path / "m.label", {1: "L1", 2: "vertebra L1"})
    with pytest.raises(LabelsError, match="two labels of L1"):
        read_labels(path)


def test_of_several_label_files_only_the_masks_own_counts(tmp_path):
    """Without the mask's name on one of them, none is the mask's."""
    path = mask(tmp_path / "m.nii.gz", 1)
    snap(tmp_path / "a.label", {1: "L1"})
    snap(tmp_path / "b.label", {1: "L2"})
    with pytest.raises(LabelsError, match="labels have no names"):
        read_labels(path)
    snap(tmp_path / "m.label", {1: "L3"})
    assert levels(path) == {1: Level.L3}


def test_other_text_beside_the_masks_is_no_label_file(tmp_path):
    """Notes, and a data set description that is not nnU-Net's."""
    (tmp_path / "m.txt").write_text("31 is the first one\n")
    (tmp_path / "dataset.json").write_text('["a list"]')
    with pytest.raises(LabelsError, match="labels have no names"):
        read_labels(mask(tmp_path / "m.nii.gz", 31))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('# ITK-SnAP Label Description File\n1 1 2 3 1 1 1 "L1"\nnonsense\n', "nonsense"),
        ('1 1 2 3 1 1 1 "L1"\n1 1 2 3 1 1 1 "L2"\n', "label 1 twice"),
    ],
)
def test_a_broken_label_file_is_refused(text, found):
    """Half a table would leave levels without a name."""
    with pytest.raises(LabelsError, match=found):
        parse_label_descriptions(text, where="m")


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ({"background": 0, "spine": [1, 2]}, "region-based"),
        ({"L1": 1, "L2": 1}, "two names for label 1"),
        ({"L1": -1}, "-1"),
        ({"L1": True}, "True"),
        ({"L1": "x"}, "'x'"),
    ],
)
def test_unusable_datasets_are_refused(labels, found):
    """A region of several numbers is no vertebra."""
    with pytest.raises(LabelsError, match=found):
        parse_labels(labels, where="m")


def test_a_damaged_dataset_is_refused(tmp_path):
    """It would name the labels if it could be read."""
    (tmp_path / "dataset.json").write_text('{"labels": {')
    with pytest.raises(LabelsError, match="JSON"):
        read_labels(mask(tmp_path / "m.nii.gz", 1))


def test_folders_of_several_cases_are_refused(tmp_path):
    """Two predictions and one dataset.json: nothing says whose CT it is."""
    dataset(tmp_path, {"L1": 1})
    for name in ("case_1.nii.gz", "case_2.nii.gz"):
        mask(tmp_path / name, 1)
    with pytest.raises(LabelsError, match="no mask of the spine"):
        read_labels(tmp_path)


@pytest.mark.parametrize("ending", ["_seg-vert_msk.nii.gz", "_vertebral-level.nii.gz"])
def test_two_cases_of_a_known_program_are_refused(tmp_path, ending):
    """The endings tell the program, not the patient, and no name is repeated."""
    for case in ("DOE", "ROE"):
        mask(tmp_path / f"{case}{ending}", 20)
    with pytest.raises(LabelsError, match="several cases") as failure:
        read_labels(tmp_path, scheme="verse")
    assert "DOE" not in failure.value.line


def test_a_case_without_its_bodies_is_refused(tmp_path):
    """The vertebrae must not stand in for them."""
    mask(tmp_path / "c_vertebral-level.nii.gz", 20)
    with pytest.raises(LabelsError, match=r"_process-body\.nii\.gz"):
        read_labels(tmp_path, part=Part.BODY)


def test_a_file_name_counts_only_where_nothing_speaks_against_it(tmp_path):
    """One label that the program does not write, and the name is not believed."""
    with pytest.raises(LabelsError, match="file's name suggests"):
        read_labels(mask(tmp_path / "c_vertebral-level.nii.gz", 20, 21, 77))
    named = mask(tmp_path / "d_vertebral-level.nii.gz", 31, names={31: "vertebrae_L1"})
    labels = read_labels(named)
    assert (labels.scheme_id, labels.findings) == ("totalsegmentator-v2", ())
    with pytest.raises(LabelsError, match="--masks"):
        read_labels(mask(tmp_path / "e_vertebral-level.nii.gz", 20), part=Part.BODY)


@pytest.mark.parametrize("part", [Part.VERTEBRA, Part.BODY])
def test_verse_names_no_scheme_by_itself(tmp_path, part):
    """The ending is BIDS's, not VerSe's alone."""
    mask(tmp_path / "sub-1_seg-vert_msk.nii.gz", 20)
    with pytest.raises(LabelsError, match="verse"):
        read_labels(tmp_path, part=part)


@pytest.mark.parametrize(
    ("fields", "layers", "match"),
    [
        ({"Segment0_Name": "L1", "Segment1_Name": "L2"}, 1, "share one label"),
        ({"Segment0_Name": "L1", "Segment0_LabelValue": "x"}, 1, "'x'"),
        ({"Segment0_Name": "L1", "Segment0_Layer": "2"}, 2, "layer 2"),
    ],
)
def test_unusable_segments_are_refused(fields, layers, match):
    """Each would give a level the voxels of another, or none."""
    with pytest.raises(LabelsError, match=match):
        find_segments(fields, layers=layers, where="m")


def test_an_ordinary_nrrd_has_no_segments():
    """Other programs' keys mean nothing."""
    assert find_segments({"Segmentation_x": "1", "modality": "CT"}, layers=1, where="m") == ()


def test_real_body_masks_in_their_shapes(shared_data, tmp_path):
    """vertebrae_body as TotalSegmentator wrote it, without its table, and one file per class."""
    source = shared_data / "ts-example" / "vertebrae_body.nii.gz"
    truth = read_labels(source, part=Part.BODY)
    array = np.asarray(truth.array)
    affine = truth.geometry.affine
    nibabel.save(nibabel.Nifti1Image(array, affine), tmp_path / "plain.nii.gz")
    folder = tmp_path / "classes"
    folder.mkdir()
    for number, name in ((1, "vertebrae_body"), (2, "intervertebral_discs")):
        image = nibabel.Nifti1Image((array == number).astype(np.uint8), affine)
        nibabel.save(image, folder / f"{name}.nii.gz")
    (folder / "statistics.json").write_text("{}")
    scheme = "totalsegmentator-vertebrae-body"
    plain = read_labels(tmp_path / "plain.nii.gz", scheme=scheme, part=Part.BODY)
    classes = read_labels(folder, part=Part.BODY)
    for labels in (plain, classes):
        assert np.array_equal(labels.array == 1, array == 1)
    with pytest.raises(InputError):
        read_labels(tmp_path / "plain.nii.gz", part=Part.BODY)


def test_real_pp_bodies_in_their_shapes(shared_data, tmp_path):
    """vertebrae_pp_refined without its table, and one file per class with the scheme."""
    scheme = "totalsegmentator-vertebrae-pp"
    truth = read_labels(shared_data / "ts-example" / "vertebrae_pp_refined.nii.gz", part=Part.BODY)
    affine, array = truth.geometry.affine, np.asarray(truth.array)
    nibabel.save(nibabel.Nifti1Image(array, affine), tmp_path / "plain.nii.gz")
    folder = tmp_path / "classes"
    folder.mkdir()
    for number, structure in truth.structures.items():
        image = nibabel.Nifti1Image((array == number).astype(np.uint8), affine)
        nibabel.save(image, folder / f"{structure.name}.nii.gz")
    for path in (tmp_path / "plain.nii.gz", folder):
        assert np.array_equal(read_labels(path, scheme=scheme, part=Part.BODY).array, array)
