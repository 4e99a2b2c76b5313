"""NIfTI: which affine, which numbers, and every file that must be refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest

from osteoct.anatomy import Level, Part, Structure
from osteoct.errors import (
    InputError,
    IrregularGridError,
    NotCtError,
    OutputError,
    UnreadableInputError,
)
from osteoct.geometry import Geometry
from osteoct.io.labels import read_labels
from osteoct.io.nifti import write_ct, write_labels
from osteoct.io.nifti_header import AFFINES_AGREE_MM
from osteoct.io.volume import read_volume
from osteoct.volume import CTVolume, LabelVolume

AFFINE = np.array([[-0.8, 0, 0, 90], [0, 0.8, 0, -120], [0, 0, 2.5, -700], [0, 0, 0, 1.0]])


def chest(shape: tuple[int, ...] = (24, 20, 12)) -> np.ndarray:
    """Air with a body of muscle and a bone: what a CT's numbers look like."""
    noise = np.random.default_rng(7).normal(0, 12, shape)
    hu = np.full(shape, -1000.0)
    hu[4:-4, 4:-4] = 45
    hu[10:14, 10:14] = 300
    return np.rint(hu + noise).astype(np.int16)


def save(
    path: Path, array: np.ndarray, affine: np.ndarray | None = AFFINE, **fields: object
) -> Path:
    """Write with another library, then set header fields by name."""
    image = nibabel.Nifti1Image(array, affine)
    for name, value in fields.items():
        image.header[name] = value
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_numbers_and_places_are_those_of_another_library(tmp_path, name):
    """nibabel is the reference for voxel order and affine; int16 stays int16."""
    path = save(tmp_path / name, chest())
    ct = read_volume(path)
    assert ct.array.dtype == np.int16
    assert np.array_equal(ct.array, chest())
    assert np.allclose(ct.geometry.affine, nibabel.load(path).affine)
    assert ct.findings == ()


def test_gzip_is_told_by_content_not_by_name(tmp_path):
    """Archives hold gzip data named .nii, and plain data named .nii.gz."""
    packed = save(tmp_path / "a.nii.gz", chest())
    plain = save(tmp_path / "b.nii", chest())
    for source, name in ((packed, "packed.nii"), (plain, "plain.nii.gz")):
        target = source.rename(tmp_path / name)
        assert np.array_equal(read_volume(target).array, chest())


def test_several_gzip_members_are_one_file(tmp_path):
    """pigz and bgzip write members one after the other."""
    data = save(tmp_path / "a.nii", chest()).read_bytes()
    path = tmp_path / "b.nii.gz"
    path.write_bytes(b"".join(gzip.compress(data[i : i + 1000]) for i in range(0, len(data), 1000)))
    assert np.array_equal(read_volume(path).array, chest())


def test_big_endian_numbers_are_turned(tmp_path):
    """Old scanners' workstations wrote big-endian; read as little-endian, HU are noise."""
    header = nibabel.Nifti1Header(endianness=">")
    header.set_data_dtype(">i2")
    image = nibabel.Nifti1Image(chest().astype(">i2"), AFFINE, header)
    nibabel.save(image, tmp_path / "a.nii.gz")
    ct = read_volume(tmp_path / "a.nii.gz")
    assert ct.array.dtype == np.int16
    assert np.array_equal(ct.array, chest())


def test_nifti_2_is_read(tmp_path):
    """NIfTI-2 has another header of another length."""
    nibabel.save(nibabel.Nifti2Image(chest(), AFFINE), tmp_path / "a.nii.gz")
    assert np.array_equal(read_volume(tmp_path / "a.nii.gz").array, chest())


def test_whole_scaling_gives_int16(tmp_path):
    """Stored 0 … 4095 with intercept -1024, as converters write it, is int16 HU."""
    path = save(tmp_path / "a.nii", chest())
    stored = (chest().astype(int) + 1200).astype(np.uint16)
    image = nibabel.Nifti1Image(stored, AFFINE)
    image.header.set_slope_inter(1, -1200)
    nibabel.save(image, path)
    _patch(path, 112, np.array([1, -1200], "<f4"))
    _patch_voxels(path, stored)
    ct = read_volume(path)
    assert ct.array.dtype == np.int16
    assert np.array_equal(ct.array, chest())


def _patch(path: Path, offset: int, values: np.ndarray) -> None:
    """Change bytes of an uncompressed file: nibabel sets some fields only its own way."""
    data = bytearray(path.read_bytes())
    data[offset : offset + values.nbytes] = values.tobytes()
    path.write_bytes(bytes(data))


def _patch_voxels(path: Path, voxels: np.ndarray) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - voxels.nbytes] + voxels.tobytes(order="F"))


def test_fractional_scaling_gives_float32(tmp_path):
    """A slope of 0.5 makes half HU, which int16 would cut off."""
    path = save(tmp_path / "a.nii", chest())
    _patch(path, 112, np.array([0.5, -500.0], "<f4"))
    ct = read_volume(path)
    assert ct.array.dtype == np.float32
    assert np.array_equal(ct.array, chest().astype(np.float32) * np.float32(0.5) - 500)


@pytest.mark.parametrize("slope", [0.0, np.nan])
def test_slope_zero_or_nan_means_no_scaling(tmp_path, slope):
    """The standard says so; multiplied, every voxel would be the intercept."""
    path = save(tmp_path / "a.nii", chest())
    _patch(path, 112, np.array([slope, 77.0], "<f4"))
    assert np.array_equal(read_volume(path).array, chest())


def test_infinite_slope_is_refused(tmp_path):
    """It would give no number at all."""
    path = save(tmp_path / "a.nii", chest())
    _patch(path, 112, np.array([np.inf, 0.0], "<f4"))
    with pytest.raises(UnreadableInputError, match="scaling"):
        read_volume(path)


def test_hu_beyond_int16_do_not_overflow(tmp_path):
    """An implant of 40 000 HU cast to int16 would be -25 536."""
    array = chest().astype(np.int32)
    array[11, 11, 5] = 40_000
    ct = read_volume(save(tmp_path / "a.nii.gz", array))
    assert ct.array.dtype == np.float32
    assert ct.array[11, 11, 5] == 40_000
    assert np.array_equal(ct.array, array)


def test_whole_floats_become_int16(tmp_path):
    """A float64 file of whole HU needs a quarter of its memory."""
    ct = read_volume(save(tmp_path / "a.nii.gz", chest().astype(np.float64)))
    assert ct.array.dtype == np.int16
    assert np.array_equal(ct.array, chest())


def test_not_finite_voxels_count_as_never_measured(tmp_path):
    """A resampled CT has NaN outside the scan: neither a failure nor 0 HU."""
    array = chest().astype(np.float32)
    array[0], array[1, 0, 0] = np.nan, np.inf
    ct = read_volume(save(tmp_path / "a.nii.gz", array))
    assert ct.padding_hu is not None
    assert np.array_equal(ct.array == ct.padding_hu, ~np.isfinite(array))
    assert [f.code for f in ct.findings] == ["not-finite-voxels"]
    assert ct.findings[0].evidence["voxels"] == 20 * 12 + 1


def test_an_image_of_nan_is_refused(tmp_path):
    """Nothing was measured anywhere."""
    with pytest.raises(UnreadableInputError, match="almost no numbers"):
        read_volume(save(tmp_path / "a.nii.gz", np.full((8, 8, 8), np.nan, np.float32)))


def test_sform_wins_over_qform_and_the_quarrel_is_told(tmp_path):
    """RAS and LPS treated alike: the posterior arch was measured as the body."""
    image = nibabel.Nifti1Image(chest(), AFFINE)
    image.set_sform(AFFINE, code=2)
    image.set_qform(AFFINE @ np.diag([-1, -1, 1, 1.0]), code=1)
    nibabel.save(image, tmp_path / "a.nii.gz")
    ct = read_volume(tmp_path / "a.nii.gz")
    assert np.allclose(ct.geometry.affine, AFFINE)
    assert [f.code for f in ct.findings] == ["affine-disagree"]


@pytest.mark.parametrize(("factor", "codes"), [(0.9, []), (1.1, ["affine-disagree"])])
def test_affines_disagree_exactly_beyond_the_tolerance(tmp_path, factor, codes):
    """The gate fires at its limit and not before."""
    moved = AFFINE.copy()
    moved[0, 3] += factor * AFFINES_AGREE_MM
    image = nibabel.Nifti1Image(chest(), AFFINE)
    image.set_sform(AFFINE, code=1)
    image.set_qform(moved, code=1)
    nibabel.save(image, tmp_path / "a.nii.gz")
    assert [f.code for f in read_volume(tmp_path / "a.nii.gz").findings] == codes


def test_qform_serves_where_the_sform_is_unset(tmp_path):
    """Many dcm2niix-era files have a qform only."""
    image = nibabel.Nifti1Image(chest(), None)
    image.set_sform(None, code=0)
    image.set_qform(AFFINE, code=1)
    nibabel.save(image, tmp_path / "a.nii.gz")
    assert np.allclose(read_volume(tmp_path / "a.nii.gz").geometry.affine, AFFINE, atol=1e-4)


def test_a_file_without_orientation_is_refused(tmp_path):
    """Left and right, front and back would be guesses."""
    path = save(tmp_path / "a.nii.gz", chest(), None, qform_code=0, sform_code=0)
    with pytest.raises(IrregularGridError, match="sform_code 0 and qform_code 0"):
        read_volume(path)


@pytest.mark.parametrize(("unit", "mm"), [("meter", 1000), ("micron", 0.001), ("unknown", 1)])
def test_units_of_length_become_mm(tmp_path, unit, mm):
    """A volume in metres read as mm is a billionth of itself."""
    affine = AFFINE.copy()
    affine[:3] /= mm
    image = nibabel.Nifti1Image(chest(), affine)
    image.header.set_xyzt_units(unit)
    nibabel.save(image, tmp_path / "a.nii.gz")
    ct = read_volume(tmp_path / "a.nii.gz")
    assert ct.geometry.spacing_mm == pytest.approx((0.8, 0.8, 2.5), rel=1e-4)


def test_mm_that_claim_to_be_metres_are_refused(tmp_path):
    """Voxels of 800 mm: the unit is wrong, and no rule can know which."""
    image = nibabel.Nifti1Image(chest(), AFFINE)
    image.header.set_xyzt_units("meter")
    nibabel.save(image, tmp_path / "a.nii.gz")
    with pytest.raises(IrregularGridError, match="unit of length"):
        read_volume(tmp_path / "a.nii.gz")


def test_sheared_voxels_are_refused_with_their_angle(tmp_path):
    """A tilted gantry that nobody corrected: depths in mm would be wrong."""
    affine = AFFINE.copy()
    affine[1, 2] = 2.5 * np.tan(np.radians(10))
    image = nibabel.Nifti1Image(chest(), affine)
    image.set_qform(None, code=0)
    nibabel.save(image, tmp_path / "a.nii.gz")
    with pytest.raises(IrregularGridError, match=r"axes 80\.00 degrees"):
        read_volume(tmp_path / "a.nii.gz")


def test_frames_in_a_fourth_axis(tmp_path):
    """One frame is a volume; two are a time series whose first frame nobody asked for."""
    one, two = chest()[..., np.newaxis], np.stack([chest(), chest()], axis=-1)
    assert read_volume(save(tmp_path / "one.nii.gz", one)).array.shape == chest().shape
    with pytest.raises(IrregularGridError, match="24 x 20 x 12 x 2"):
        read_volume(save(tmp_path / "two.nii.gz", two))


def test_a_single_slice_is_refused(tmp_path):
    """A volume of a vertebra cannot be told from one slice."""
    with pytest.raises(IrregularGridError, match="single slice"):
        read_volume(save(tmp_path / "a.nii.gz", chest((24, 20, 1))))
    with pytest.raises(IrregularGridError):
        read_volume(save(tmp_path / "b.nii.gz", chest((24, 20, 1))[..., 0]))


@pytest.mark.parametrize(
    "dtype", [np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]), np.dtype(np.complex64)]
)
def test_colours_and_complex_numbers_are_not_ct(tmp_path, dtype):
    """A screenshot or k-space data: no channel of it is HU."""
    with pytest.raises(NotCtError, match="one real number per voxel"):
        read_volume(save(tmp_path / "a.nii.gz", np.zeros((8, 8, 8), dtype)))


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path, name):
    """A copy that broke off: in the header, in the voxels, in the checksum."""
    data = save(tmp_path / name, chest()).read_bytes()
    for kept in (3, 100, 360, len(data) // 2, len(data) - 5, len(data) - 1):
        short = tmp_path / f"{kept}-{name}"
        short.write_bytes(data[:kept])
        with pytest.raises(UnreadableInputError):
            read_volume(short)


def test_a_flipped_bit_in_gzip_data_is_noticed(tmp_path):
    """The checksum at the end is read even though all voxels are there."""
    data = bytearray(save(tmp_path / "a.nii.gz", chest()).read_bytes())
    data[-6] ^= 1
    (tmp_path / "b.nii.gz").write_bytes(bytes(data))
    with pytest.raises(UnreadableInputError, match="damaged"):
        read_volume(tmp_path / "b.nii.gz")


def test_a_header_that_declares_more_than_the_file_can_hold(tmp_path):
    """348 bytes that ask for gigabytes get none of them."""
    header = nibabel.Nifti1Header()
    header.set_data_dtype(np.int16)
    header.set_sform(np.eye(4), code=1)
    for shape in ((2000, 1000, 1000), (30000, 30000, 30000)):
        header.set_data_shape(shape)
        header["vox_offset"], header["magic"] = 352, b"n+1"
        path = tmp_path / "bomb.nii.gz"
        path.write_bytes(gzip.compress(header.binaryblock + bytes(4 + (1 << 20))))
        with pytest.raises(UnreadableInputError, match=r"truncated|too many voxels"):
            read_volume(path)


def test_more_data_than_declared_is_not_inflated_for_ever(tmp_path):
    """A gzip bomb behind a small image ends at a limit."""
    data = save(tmp_path / "a.nii", chest()).read_bytes()
    path = tmp_path / "b.nii.gz"
    path.write_bytes(gzip.compress(data + bytes(40 << 20)))
    with pytest.raises(UnreadableInputError, match="more data than"):
        read_volume(path)


def test_an_extension_of_impossible_size_is_refused(tmp_path):
    """vox_offset is a float of the file's choosing."""
    path = save(tmp_path / "a.nii", chest())
    for offset in (1e9, 100.0, np.nan, np.inf):
        _patch(path, 108, np.array([offset], "<f4"))
        with pytest.raises(UnreadableInputError, match="start of its voxels"):
            read_volume(path)


def test_header_pairs_and_foreign_files_are_refused(tmp_path):
    """Header pairs, text and noise named .nii.gz: all end in InputError, not in a traceback."""
    nibabel.save(nibabel.Nifti1Pair(chest(), AFFINE), tmp_path / "pair.hdr")
    (tmp_path / "pair.hdr").rename(tmp_path / "pair.nii")
    (tmp_path / "text.nii.gz").write_text("not an image")
    (tmp_path / "packed-text.nii.gz").write_bytes(gzip.compress(b"x" * 5000))
    (tmp_path / "empty.nii.gz").write_bytes(b"")
    for name in ("pair.nii", "text.nii.gz", "packed-text.nii.gz", "empty.nii.gz", "missing.nii"):
        with pytest.raises(UnreadableInputError, match="wanted") as caught:
            read_volume(tmp_path / name)
        assert name in str(caught.value)


def test_damaged_headers_end_in_an_input_error(tmp_path):
    """Any header byte may be wrong; the failure tree holds (no traceback from a library)."""
    data = bytearray(save(tmp_path / "a.nii", chest((8, 8, 8))).read_bytes())
    rng = np.random.default_rng(3)
    refused = 0
    for _ in range(300):
        broken = data.copy()
        for place in rng.integers(0, 348, 3):
            broken[place] = rng.integers(0, 256)
        (tmp_path / "b.nii").write_bytes(bytes(broken))
        try:
            read_volume(tmp_path / "b.nii")
        except InputError:
            refused += 1
    assert refused > 50


def labels_255() -> LabelVolume:
    """A label map with a label above 255."""
    array = np.zeros((6, 5, 4), np.uint16)
    array[1:3, 1:3, 1:3], array[3:5, 1:3, 1:3], array[0, 0, 0] = 31, 300, 2
    structures = {
        31: Structure(name="vertebrae_L1", part=Part.VERTEBRA, level=Level.L1),
        300: Structure(name='spine & ]]> <odd> "name"', part=Part.OTHER),
        2: Structure(name="kidney", part=Part.OTHER),
    }
    geometry = Geometry(shape=array.shape, affine=AFFINE)
    return LabelVolume(array=array, geometry=geometry, structures=structures)


def test_written_labels_come_back_whole(tmp_path):
    """Names, numbers above 255 and the grid survive the round trip."""
    labels = labels_255()
    write_labels(labels, tmp_path / "m.nii.gz")
    back = read_labels(tmp_path / "m.nii.gz")
    assert np.array_equal(back.array, labels.array)
    assert {n: s.name for n, s in back.structures.items()} == {
        n: s.name for n, s in labels.structures.items()
    }
    assert back.geometry.is_same_grid(labels.geometry)
    assert back.scheme_id == "totalsegmentator-v2"


def test_written_labels_are_nifti_to_another_library(tmp_path):
    """nibabel is the reference: smallest type, both codes, millimetres, the extension."""
    write_labels(labels_255(), tmp_path / "m.nii.gz")
    image = nibabel.load(tmp_path / "m.nii.gz")
    assert image.get_data_dtype() == np.uint16
    assert np.array_equal(np.asanyarray(image.dataobj), labels_255().array)
    assert np.allclose(image.header.get_sform(), AFFINE)
    assert np.allclose(image.header.get_qform(), AFFINE, atol=1e-4)
    assert (int(image.header["sform_code"]), int(image.header["qform_code"])) == (1, 1)
    assert image.header.get_xyzt_units()[0] == "mm"
    assert b'<Label Key="31"' in image.header.extensions[0].get_content()


def test_the_same_labels_give_the_same_bytes(tmp_path):
    """Results are compared by hash: no time, no name in the gzip header."""
    for name in ("one.nii.gz", "two.nii.gz"):
        write_labels(labels_255(), tmp_path / name)
    first, second = ((tmp_path / n).read_bytes() for n in ("one.nii.gz", "two.nii.gz"))
    assert first == second
    assert first[4:8] == bytes(4)
    assert not first[3] & 8


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_a_written_ct_comes_back(tmp_path, dtype):
    """Both types of a CT, and a view in another orientation, survive the round trip."""
    array = chest().astype(dtype) + np.asarray(0.5 if dtype == np.float32 else 0, dtype)
    ct = CTVolume(array=array, geometry=Geometry(shape=array.shape, affine=AFFINE))
    view = ct.reoriented("PIR")
    write_ct(view, tmp_path / "ct.nii.gz")
    back = read_volume(tmp_path / "ct.nii.gz")
    assert back.array.dtype == dtype
    assert back.geometry.axis_codes == "PIR"
    assert np.array_equal(back.reoriented("LAS").array, array)


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path):
    """A missing folder is an OutputError that names the file."""
    with pytest.raises(OutputError, match=r"m\.nii\.gz"):
        write_labels(labels_255(), tmp_path / "none" / "m.nii.gz")
    assert list(tmp_path.iterdir()) == []
