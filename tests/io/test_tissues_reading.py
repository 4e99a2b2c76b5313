"""Labels of tissues: a map with names, or a folder of masks."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.anatomy import LANDMARKS, PHASE_ORGANS, TISSUES, Part, Structure
from osteoct.errors import GeometryError, LabelsError
from osteoct.geometry import Geometry
from osteoct.io.alignment import check_meeting
from osteoct.io.nifti import write_labels
from osteoct.io.tissues import read_tissues
from osteoct.volume import LabelVolume

GRID = Geometry.from_spacing((6, 7, 8), (3.0, 3.0, 3.0))


def write(path, name="liver", grid=GRID, label=1):
    array = np.zeros(grid.shape, np.uint8)
    array[1:4, 1:4, 1:4] = label
    structures = {label: Structure(name=name, part=Part.OTHER)}
    write_labels(LabelVolume(array=array, geometry=grid, structures=structures), path)


def test_the_real_map_of_117_classes(shared_data):
    """Tissues, bones to count from and organs that tell the phase, by their own names."""
    made = read_tissues(shared_data / "ts-example" / "total_fast.nii.gz")
    assert {s.name for s in made.structures.values()} == {*TISSUES, *LANDMARKS, *PHASE_ORGANS}
    assert made.structures[52].name == "aorta"


def test_a_folder_of_masks(tmp_path):
    """Each by the name of its file; what is no tissue is not opened."""
    write(tmp_path / "liver.nii.gz")
    write(tmp_path / "aorta.nii.gz", label=7)
    (tmp_path / "stomach.nii.gz").write_bytes(b"not opened")
    made = read_tissues(tmp_path)
    assert [s.name for s in made.structures.values()] == ["aorta", "liver"]
    assert (made.array == 1).sum() == 27  # the shared voxels stay with the first


def test_masks_on_different_grids_are_refused(tmp_path):
    """They would be joined by array index."""
    write(tmp_path / "aorta.nii.gz")
    write(tmp_path / "liver.nii.gz", grid=Geometry.from_spacing((6, 7, 8), (3.0, 3.0, 2.0)))
    with pytest.raises(GeometryError, match="different grids"):
        read_tissues(tmp_path)


@pytest.mark.parametrize("name", ["vertebrae_L1", "stomach"])
def test_a_map_without_a_tissue_is_refused(tmp_path, name):
    """Silence would look like a check that found nothing."""
    write(tmp_path / "map.nii.gz", name=name)
    with pytest.raises(LabelsError, match="names no tissue"):
        read_tissues(tmp_path / "map.nii.gz")


def test_other_inputs_are_refused(tmp_path, shared_data):
    """An empty folder, and a DICOM file."""
    with pytest.raises(LabelsError, match="names no tissue"):
        read_tissues(tmp_path)
    with pytest.raises(LabelsError, match="no label map of tissues"):
        read_tissues(shared_data / "ts-dicom" / "16573.dcm")


def test_labels_must_lie_on_the_ct():
    """In patient space: another grid is right, another place is not; nothing is moved."""
    check_meeting(GRID, Geometry.from_spacing((18, 21, 24), (1.0, 1.0, 1.0)))
    check_meeting(GRID.reorientation_to("LPI").apply_to_geometry(GRID), GRID)
    far = Geometry.from_spacing((9, 9, 9), (1, 1, 1), (500, 0, 0))
    with pytest.raises(GeometryError, match="tissues: no overlap"):
        check_meeting(GRID, far, where="tissues")
    with pytest.raises(GeometryError, match="number of voxels"):
        check_meeting(GRID, Geometry.from_spacing(GRID.shape, (3.0, 3.0, 2.0)))
