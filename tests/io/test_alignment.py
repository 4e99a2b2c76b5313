"""Masks and CT meet in patient space: exactly, by rule, or not at all."""

from __future__ import annotations

import itertools

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nibabel.orientations import axcodes2ornt, ornt_transform

from osteoct.anatomy import Level, Part, Structure
from osteoct.errors import GeometryError
from osteoct.geometry import Geometry, Reorientation
from osteoct.io.alignment import align_labels
from osteoct.io.labels import read_labels
from osteoct.io.volume import read_volume
from osteoct.records import Severity
from osteoct.volume import LabelVolume

L1 = Structure(name="vertebrae_L1", part=Part.VERTEBRA, level=Level.L1)
L2 = Structure(name="vertebrae_L2", part=Part.VERTEBRA, level=Level.L2)
LIVER = Structure(name="liver", part=Part.OTHER)

COUNTS = {31: 2143, 30: 2242, 29: 2335, 28: 2406, 27: 2431}
MEANS = {31: 195.8, 30: 214.8, 29: 219.9, 28: 227.5, 27: 239.6}

ORIENTATIONS = [
    "".join(codes)
    for order in itertools.permutations(("RL", "AP", "SI"))
    for codes in itertools.product(*order)
]


def volume(array: np.ndarray, geometry: Geometry, **structures: Structure) -> LabelVolume:
    named = structures or {"a31": L1, "a30": L2, "a287": L2}
    return LabelVolume(
        array=array, geometry=geometry, structures={int(k[1:]): s for k, s in named.items()}
    )


def boxed(shape: tuple[int, int, int], **boxes: tuple[slice, slice, slice]) -> np.ndarray:
    array = np.zeros(shape, np.uint16)
    for label, box in boxes.items():
        array[box] = int(label[1:])
    return array


def restored(image: nibabel.Nifti1Image, codes: str) -> nibabel.Nifti1Image:
    """The image stored along other axes, by another library."""
    start = axcodes2ornt(nibabel.aff2axcodes(image.affine))
    return image.as_reoriented(ornt_transform(start, axcodes2ornt(codes)))


def check_truth(ct_path, mask_path):
    """Voxel counts and mean HU of L1 … L5 as published with the data."""
    ct = read_volume(ct_path)
    labels = align_labels(read_labels(mask_path), ct.geometry)
    assert labels.geometry == ct.geometry
    inside = {label: ct.hu()[labels.array == label] for label in COUNTS}
    assert {label: hu.size for label, hu in inside.items()} == COUNTS
    assert {label: round(float(hu.mean()), 1) for label, hu in inside.items()} == MEANS
    assert not any(f.code.startswith("mask-") for f in labels.findings)


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_the_truth_holds_in_all_48_orientations(shared_data, tmp_path, codes):
    """CT from DICOM and mask from NIfTI met by array index: L1 of 347 HU was reported as 77."""
    folder = shared_data / "ts-example"
    mask = nibabel.load(folder / "total_vertebrae.nii.gz")
    stored = restored(mask, codes)
    stored.header.extensions[:] = mask.header.extensions
    nibabel.save(stored, tmp_path / "mask.nii")
    assert read_labels(tmp_path / "mask.nii").geometry.axis_codes == codes
    check_truth(folder / "ct.nii.gz", tmp_path / "mask.nii")


@pytest.mark.parametrize("codes", ["LPS", "PIR", "SRA", "IAL"])
def test_the_truth_holds_when_the_ct_was_stored_otherwise(shared_data, tmp_path, codes):
    """The mask follows the CT, whichever of the two was turned."""
    folder = shared_data / "ts-example"
    nibabel.save(restored(nibabel.load(folder / "ct.nii.gz"), codes), tmp_path / "ct.nii")
    check_truth(tmp_path / "ct.nii", folder / "total_vertebrae.nii.gz")


@settings(max_examples=40, deadline=None)
@given(
    axes=st.permutations(range(3)),
    flips=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    angle=st.floats(-40, 40),
)
def test_every_reorientation_is_undone_exactly(axes, flips, angle):
    """Any permutation and flip of an oblique grid, with a label above 255: an exact copy."""
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    affine = np.array([[c, -s, 0, 5], [s, c, 0, -7], [0, 0, 1, 9], [0, 0, 0, 1]])
    grid = Geometry(shape=(7, 6, 5), affine=affine @ np.diag([0.7, 0.9, 2.0, 1]))
    array = np.random.default_rng(1).choice(np.array([0, 31, 287], np.uint16), grid.shape)
    labels = volume(array, grid)
    turned = labels.apply(Reorientation(axes=tuple(axes), flips=flips))
    aligned = align_labels(turned, grid)
    assert np.array_equal(aligned.array, array)
    assert aligned.geometry == grid
    assert aligned.findings == ()


def test_a_row_flip_without_its_affine_is_refused():
    """LPS taken for RAS: same shape, other place, 100 mm apart. Never matched by index."""
    grid = Geometry.from_spacing((40, 40, 20), (1, 1, 2), (-20, -130, 30))
    array = boxed(grid.shape, a31=(slice(10, 20), slice(5, 15), slice(5, 15)))
    confused = Geometry(shape=grid.shape, affine=np.diag([-1, -1, 1, 1.0]) @ grid.affine)
    with pytest.raises(GeometryError, match=r"corners \d+\.\d mm apart"):
        align_labels(volume(array, confused), grid)


def test_a_shift_of_half_a_voxel_is_refused():
    """Corner taken for centre: small, systematic, and every surface voxel is wrong."""
    grid = Geometry.from_spacing((20, 20, 20), (1, 1, 1))
    shifted = Geometry.from_spacing((20, 20, 20), (1, 1, 1), (0.5, 0.5, 0.5))
    array = boxed(grid.shape, a31=(slice(5, 10),) * 3)
    with pytest.raises(GeometryError, match=r"corners 0\.9 mm apart"):
        align_labels(volume(array, shifted), grid)


def test_equal_numbers_of_voxels_in_another_order_are_refused():
    """A mask of another scan whose axes were permuted as well."""
    grid = Geometry.from_spacing((20, 30, 40), (1, 1, 1))
    other = Geometry.from_spacing((40, 20, 30), (1, 1, 1))
    array = boxed(other.shape, a31=(slice(5, 10),) * 3)
    with pytest.raises(GeometryError, match="number of voxels"):
        align_labels(volume(array, other), grid)


def test_another_patients_mask_does_not_overlap():
    """Both extents are told."""
    grid = Geometry.from_spacing((20, 20, 20), (1, 1, 1))
    far = Geometry.from_spacing((10, 10, 10), (1, 1, 1), (500, 0, 0))
    with pytest.raises(GeometryError, match=r"no overlap.*x 500 to 510 mm.*x 0 to 20 mm"):
        align_labels(volume(boxed(far.shape, a31=(slice(2, 5),) * 3), far), grid)


def test_labels_that_all_lie_outside_the_ct_do_not_overlap():
    """The grids meet, the vertebrae do not: nothing would be measured."""
    grid = Geometry.from_spacing((20, 20, 20), (1, 1, 1))
    beside = Geometry.from_spacing((30, 10, 10), (1, 1, 1), (10, 0, 0))
    with pytest.raises(GeometryError, match="no overlap"):
        align_labels(volume(boxed(beside.shape, a31=(slice(20, 25),) * 3), beside), grid)


def test_a_cropped_mask_lands_on_its_voxels():
    """Where voxel centres coincide the copy is exact, label by label."""
    grid = Geometry.from_spacing((30, 28, 26), (0.7, 0.8, 1.5), (-11, 3, 90))
    full = boxed(
        grid.shape,
        a31=(slice(10, 15), slice(8, 13), slice(9, 12)),
        a287=(slice(15, 17), slice(8, 13), slice(9, 12)),
    )
    window = (slice(4, 25), slice(3, 22), slice(5, 20))
    cropped = volume(full, grid).cropped(window).reoriented("PIL")
    aligned = align_labels(cropped, grid)
    assert np.array_equal(aligned.array, full)
    assert aligned.array.dtype == np.uint16
    assert [(f.code, f.severity) for f in aligned.findings] == [("mask-resampled", Severity.INFO)]


@pytest.mark.parametrize("mask_mm", [1.0, 1.5, 3.0])
def test_resampling_keeps_shape_and_place(mask_mm):
    """A ball of 15 mm on a coarser grid keeps volume, centre and surface (closed form)."""
    grid = Geometry.from_spacing((50, 50, 50), (0.8, 0.8, 0.8), (-20, -20, -20))
    count = round(44 / mask_mm)
    coarse = Geometry.from_spacing((count,) * 3, (mask_mm,) * 3, (-22, -22, -22))
    points = coarse.to_patient(np.moveaxis(np.indices(coarse.shape), 0, -1))
    array = np.where(np.linalg.norm(points, axis=-1) < 15, 31, 0).astype(np.uint8)
    aligned = align_labels(volume(array, coarse), grid)
    inside = np.argwhere(aligned.array == 31)
    volume_mm3 = len(inside) * grid.voxel_volume_mm3
    coarse_mm3 = np.count_nonzero(array) * coarse.voxel_volume_mm3
    assert volume_mm3 == pytest.approx(coarse_mm3, rel=0.03)
    centre_mm = coarse.to_patient(np.argwhere(array == 31)).mean(axis=0)
    assert np.abs(grid.to_patient(inside).mean(axis=0) - centre_mm).max() < 0.1
    (finding,) = aligned.findings
    assert finding.severity is (Severity.WARNING if mask_mm > 1 else Severity.INFO)
    assert "0.8 x 0.8 x 0.8" in str(finding.evidence["ct_spacing_mm"])


def test_resampling_agrees_with_another_library():
    """SimpleITK's linear interpolation of the indicator, cut at one half, is the reference."""
    sitk = pytest.importorskip("SimpleITK")
    rng = np.random.default_rng(5)
    array = boxed((12, 12, 12), a31=(slice(3, 9),) * 3)
    array[(rng.random(array.shape) < 0.2) & (array > 0)] = 0
    grid = Geometry.from_spacing((30, 30, 30), (0.7, 0.7, 0.7), (3.3, 3.1, 2.9))
    aligned = align_labels(volume(array, Geometry.from_spacing(array.shape, (2, 2, 2))), grid)
    image = sitk.GetImageFromArray((array.T == 31).astype(np.float64))
    image.SetSpacing((2, 2, 2))
    reference = sitk.Resample(
        image, grid.shape, sitk.Transform(), sitk.sitkLinear, (3.3, 3.1, 2.9), (0.7, 0.7, 0.7)
    )
    expected = sitk.GetArrayFromImage(reference).T
    clear = np.abs(expected - 0.5) > 1e-4
    assert np.array_equal(aligned.array[clear] == 31, expected[clear] > 0.5)


def test_touching_labels_leave_no_gap():
    """Two levels that share a face: no seam of background between them."""
    coarse = Geometry.from_spacing((12, 12, 12), (3, 3, 3))
    box = (slice(3, 9), slice(3, 9))
    array = boxed(coarse.shape, a31=(*box, slice(2, 6)), a30=(*box, slice(6, 10)))
    grid = Geometry.from_spacing((35, 36, 37), (1, 1, 1))
    column = align_labels(volume(array, coarse), grid).array[18, 18]
    assert np.array_equal(column[6:29] > 0, np.ones(23, bool))
    assert set(np.flatnonzero(np.diff(column.astype(int))) + 1) == {5, 17, 29}


def test_structures_outside_the_spine_are_dropped_when_resampling():
    """Nobody measures the liver; it must not cost a minute, and it is not an unknown label."""
    coarse = Geometry.from_spacing((12, 12, 12), (3, 3, 3))
    array = boxed(coarse.shape, a31=(slice(2, 6),) * 3, a5=(slice(7, 10),) * 3)
    grid = Geometry.from_spacing((35, 36, 37), (1, 1, 1))
    aligned = align_labels(volume(array, coarse, a31=L1, a5=LIVER), grid)
    assert set(np.unique(aligned.array)) == {0, 31}
    assert set(aligned.structures) == {31}
    kept = align_labels(volume(array, coarse, a31=L1, a5=LIVER), coarse)
    assert set(np.unique(kept.array)) == {0, 5, 31}


def test_labels_beyond_the_ct_are_counted():
    """Cropped to fit without a word is what others do."""
    coarse = Geometry.from_spacing((20, 12, 12), (2, 2, 2))
    array = boxed(coarse.shape, a31=(slice(4, 14), slice(3, 9), slice(3, 9)))
    grid = Geometry.from_spacing((20, 30, 30), (1, 1, 1))  # x up to 19.5 mm: mask rows 4 … 9
    aligned = align_labels(volume(array, coarse), grid)
    finding = next(f for f in aligned.findings if f.code == "mask-beyond-ct")
    assert finding.level is Level.L1
    assert finding.evidence == {"voxels": 4 * 36, "percent": 40.0}
    assert aligned.array[-1].any()


@pytest.mark.parametrize(("rows", "codes"), [((0, 5), ["mask-cut"]), ((1, 5), [])])
def test_a_mask_cut_by_its_own_border_is_told(rows, codes):
    """The CT goes on where the mask image ends: on the CT's grid nobody could see the cut."""
    grid = Geometry.from_spacing((30, 30, 30), (1, 1, 1))
    small = Geometry.from_spacing((10, 12, 12), (2, 2, 2), (4, 4, 4))
    array = boxed(small.shape, a31=(slice(*rows), slice(3, 6), slice(3, 6)))
    aligned = align_labels(volume(array, small), grid)
    assert [f.code for f in aligned.findings if f.code != "mask-resampled"] == codes


def test_thousands_of_labels_do_not_confuse_the_boxes():
    """A label above all structures (another program's instance id) is passed over."""
    coarse = Geometry.from_spacing((12, 12, 12), (3, 3, 3))
    array = boxed(coarse.shape, a31=(slice(2, 6),) * 3, a60000=(slice(7, 10),) * 3)
    grid = Geometry.from_spacing((35, 36, 37), (1, 1, 1))
    aligned = align_labels(volume(array, coarse, a31=L1), grid)
    assert set(np.unique(aligned.array)) == {0, 31}
