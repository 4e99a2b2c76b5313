"""Reading whole series: HU at the right place, or a failure that says what is wrong."""

from __future__ import annotations

import itertools
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, generate_uid

from osteoct.errors import (
    HuNotRecoverableError,
    InputError,
    IrregularGridError,
    MixedSeriesError,
    NotCtError,
    UnreadableInputError,
)
from osteoct.io.dicom.series import find_series, read_dicom, read_dicom_with_identity

AXES = [
    (*a, *b)
    for a, b in itertools.product(
        [s * np.eye(3, dtype=int)[k] for s in (1, -1) for k in range(3)], repeat=2
    )
    if np.dot(a, b) == 0
]


def codes(volume):
    return [f.code for f in volume.findings]


def test_hu_lie_where_the_positions_say(ct, tmp_path, assert_truth):
    """The first promise: each HU belongs to its place, and int16 keeps it exactly."""
    volume = read_dicom(ct().write(tmp_path))
    assert volume.geometry.shape == (10, 8, 6)
    assert volume.geometry.spacing_mm == (1.0, 2.0, 3.0)
    assert volume.geometry.axis_codes == "LPS"
    assert volume.array.dtype == np.int16
    assert_truth(volume)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    order=st.permutations(range(5)),
    orientation=st.sampled_from(AXES),
    intercept=st.sampled_from([0, -1024, -1000]),
)
def test_file_order_and_orientation_change_no_hu(
    ct, tmp_path_factory, assert_truth, order, orientation, intercept
):
    """Rows, columns and slices may run in any direction and files have any name."""
    folder = tmp_path_factory.mktemp("any")
    series = ct(n=5, orientation=[float(c) for c in orientation], intercept=intercept)

    def renumber(ds, n):
        ds.InstanceNumber = order[n]

    series.write(folder, renumber, name="x{:03d}")
    for n, new in enumerate(order):
        (folder / f"x{n:03d}").rename(folder / f"{new}.dcm")
    assert_truth(read_dicom(folder))


def test_oblique_stack_keeps_its_directions(ct, tmp_path, assert_truth):
    """A rotated stack (not a tilted gantry) is a regular grid and is not resampled."""
    c, s = np.cos(0.3), np.sin(0.3)
    volume = read_dicom(ct(orientation=(1, 0, 0, 0, c, s)).write(tmp_path))
    assert volume.geometry.is_orthogonal
    assert codes(volume) == []
    assert_truth(volume, atol=0.51)


def test_spacing_never_comes_from_thickness(ct, tmp_path):
    """SliceThickness and SpacingBetweenSlices are wrong in a third of archives."""
    tags = {"SliceThickness": 9, "SpacingBetweenSlices": 11}
    volume = read_dicom(ct(tags=tags).write(tmp_path))
    assert volume.geometry.spacing_mm[2] == 3.0
    assert volume.acquisition.slice_thickness_mm == 9.0


def test_each_slice_is_rescaled_with_its_own_values(ct, tmp_path, assert_truth):
    """Some scanners write another intercept per slice; one for all would shift HU."""

    def change(ds, n):
        stored = np.frombuffer(ds.PixelData, "<i2") + 1024 * (n % 2)
        ds.PixelData = stored.astype("<i2").tobytes()
        ds.RescaleIntercept = -1024 - 1024 * (n % 2)

    assert_truth(read_dicom(ct().write(tmp_path, change)))


def test_fractional_slope_gives_float32(ct, tmp_path, assert_truth):
    """HU that are not whole numbers must not be rounded to int16."""

    def change(ds, _n):
        stored = np.frombuffer(ds.PixelData, "<i2").astype(int)
        ds.PixelData = (stored * 2 + 1).astype("<i2").tobytes()
        ds.RescaleSlope, ds.RescaleIntercept = 0.5, -1024.5

    volume = read_dicom(ct().write(tmp_path, change))
    assert volume.array.dtype == np.float32
    assert_truth(volume)


def test_values_above_int16_give_float32(ct, tmp_path):
    """Unsigned 16-bit values with a small intercept overflow int16: metal would turn negative."""

    def change(ds, n):
        ds.PixelRepresentation = 0
        stored = np.full((8, 10), 1000 + n, "<u2")
        stored[0, 0] = 40_000
        ds.PixelData = stored.tobytes()

    volume = read_dicom(ct().write(tmp_path, change))
    assert volume.array.dtype == np.float32
    assert volume.array.max() == 40_000 - 1024
    assert volume.array[1, 1, 3] == 1003 - 1024


@pytest.mark.parametrize(("slope", "intercept"), [(2, -40_000), (-1, 100), (3, 40_000)])
def test_whole_slopes_are_exact(ct, tmp_path, slope, intercept):
    """Wrapping 16-bit arithmetic in place must give what wide arithmetic gives."""
    hu = np.arange(80).reshape(8, 10) * slope - 30 * slope
    stored = (hu - intercept) // slope
    exact = stored * slope + intercept

    def change(ds, _n):
        ds.PixelRepresentation = int(stored.min() < 0)
        kind = "<i2" if ds.PixelRepresentation else "<u2"
        ds.RescaleSlope, ds.RescaleIntercept = slope, intercept
        ds.PixelData = stored.astype(kind).tobytes()

    volume = read_dicom(ct().write(tmp_path, change))
    assert volume.array.dtype == np.int16
    assert np.array_equal(volume.array[:, :, 0].T, exact)


def test_bits_beside_the_stored_ones_are_not_hu(ct, tmp_path):
    """Old overlays sit above BitsStored; signed 12-bit values need their sign extended."""

    def overlay(ds, _n):
        ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 12, 11, 0
        ds.PixelData = np.full(80, 0xF000 | 1064, "<u2").tobytes()

    def signed(ds, _n):
        ds.BitsStored, ds.HighBit, ds.RescaleIntercept = 12, 11, 0
        ds.PixelData = np.full(80, 0x0FFF, "<u2").tobytes()

    assert (read_dicom(ct().write(tmp_path / "a", overlay)).array == 40).all()
    assert (read_dicom(ct().write(tmp_path / "b", signed)).array == -1).all()


@pytest.mark.parametrize(("bits", "kind"), [(8, "u1"), (32, "<i4")])
def test_other_pixel_widths(ct, tmp_path, bits, kind):
    """8 and 32 bits allocated are rare and legal."""

    def change(ds, _n):
        ds.BitsAllocated = ds.BitsStored = bits
        ds.HighBit, ds.PixelRepresentation = bits - 1, int(kind == "<i4")
        ds.PixelData = np.full(80, 200, kind).tobytes()
        ds["PixelData"].VR = "OB" if bits == 8 else "OW"

    assert (read_dicom(ct().write(tmp_path, change)).array == 200 - 1024).all()


@pytest.mark.parametrize("missing", ["RescaleSlope", "RescaleIntercept"])
def test_missing_rescale_is_refused(ct, tmp_path, missing):
    """Without the pair nobody knows whether 1024 was added; a guess would be wrong silently."""
    folder = ct(tags={missing: None}).write(tmp_path)
    with pytest.raises(HuNotRecoverableError, match=r"000.dcm.*RescaleSlope"):
        read_dicom(folder)


@pytest.mark.parametrize("rescale_type", ["HU_MOD", "Z_EFF", "MGML"])
def test_other_units_are_refused(ct, tmp_path, rescale_type):
    """Dual-energy maps are CT images too, and their numbers are not HU."""
    with pytest.raises(HuNotRecoverableError, match=rescale_type):
        read_dicom(ct(tags={"RescaleType": rescale_type}).write(tmp_path))


@pytest.mark.parametrize("rescale_type", ["HU", "US", None])
def test_hu_and_unspecified_units_are_read(ct, tmp_path, rescale_type, assert_truth):
    """Older scanners write US or nothing."""
    assert_truth(read_dicom(ct(tags={"RescaleType": rescale_type}).write(tmp_path)))


def test_padding_is_marked(ct, tmp_path):
    """Voxels outside the reconstructed circle were never measured."""

    def change(ds, _n):
        stored = np.frombuffer(ds.PixelData, "<i2").copy()
        stored[:3] = -2000
        ds.PixelData = stored.tobytes()
        ds.PixelPaddingValue = -2000

    volume = read_dicom(ct().write(tmp_path, change))
    assert volume.padding_hu == -3024
    assert (volume.array == -3024).sum() == 3 * 6
    assert volume.array.dtype == np.int16


def test_padding_range_and_int16_overflow(ct, tmp_path):
    """A padding range gets one value, and padding below int16 does not make the volume float32."""

    def change(ds, _n):
        stored = np.frombuffer(ds.PixelData, "<i2").copy()
        stored[:3] = [-32768, -32760, -32750]
        ds.PixelData = stored.tobytes()
        ds.PixelPaddingValue, ds.PixelPaddingRangeLimit = -32768, -32750

    volume = read_dicom(ct().write(tmp_path, change))
    assert volume.array.dtype == np.int16
    assert volume.padding_hu is not None
    assert (volume.array == volume.padding_hu).sum() == 3 * 6


def test_padding_among_tissue_is_not_believed(ct, tmp_path, assert_truth):
    """A writer that declares 0 with signed pixels would make water unmeasured."""
    series = ct(intercept=0, tags={"PixelPaddingValue": 0})
    volume = read_dicom(series.write(tmp_path))
    assert volume.padding_hu is None
    assert codes(volume) == ["padding-implausible"]
    assert_truth(volume)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_other_uncompressed_syntaxes(ct, tmp_path, syntax, assert_truth):
    """Byte order and implicit VR change the header's layout, not the HU."""

    def change(ds, _n):
        ds.file_meta.TransferSyntaxUID = syntax
        if syntax == ExplicitVRBigEndian:
            ds.PixelData = np.frombuffer(ds.PixelData, "<i2").astype(">i2").tobytes()

    assert_truth(read_dicom(ct().write(tmp_path, change)))


def test_files_without_preamble_are_read(ct, tmp_path, assert_truth):
    """Old exports lack the preamble and the file meta group."""
    folder = tmp_path / "bare"
    folder.mkdir()
    series = ct()
    for n in range(series.n):
        ds = series.dataset(n)
        del ds.file_meta
        ds.save_as(folder / f"{n}", implicit_vr=bool(n % 2), little_endian=True)
    assert_truth(read_dicom(folder))


def test_duplicates_are_read_once(ct, tmp_path, assert_truth):
    """A folder copied into itself holds every slice twice."""
    series = ct(n=3)
    series.write(tmp_path / "a")
    series.write(tmp_path / "b")
    volume = read_dicom(tmp_path)
    assert codes(volume) == ["duplicate-slices"]
    assert volume.findings[0].evidence == {"slices": 3}
    assert_truth(volume)


def test_two_images_at_one_position_are_refused(ct, tmp_path):
    """Same place, other pixels, nothing that tells them apart: either could be right."""
    series = ct()
    series.write(tmp_path / "a")

    def brighter(ds, _n):
        ds.RescaleIntercept = -1000

    series.write(tmp_path / "b", brighter)
    with pytest.raises(IrregularGridError, match="two different images at one position"):
        read_dicom(tmp_path)


def test_pixels_missing_or_truncated_name_the_file(ct, tmp_path):
    """Half a file must not become half a slice of zeros."""
    folder = ct().write(tmp_path / "cut")
    whole = (folder / "003.dcm").read_bytes()
    (folder / "003.dcm").write_bytes(whole[:-20])
    with pytest.raises(UnreadableInputError, match=r"^003.dcm"):
        read_dicom(folder)

    def without(ds, n):
        if n == 2:
            del ds.PixelData

    with pytest.raises(UnreadableInputError, match=r"^002.dcm"):
        read_dicom(ct().write(tmp_path / "none", without))


@pytest.mark.parametrize("cut_at", [40, 133, 400])
def test_truncated_headers_are_not_skipped_silently(ct, tmp_path, cut_at):
    """A slice whose header is damaged leaves a hole, and the hole is a failure."""
    folder = ct().write(tmp_path)
    whole = (folder / "003.dcm").read_bytes()
    (folder / "003.dcm").write_bytes(whole[:cut_at])
    with pytest.raises(InputError):
        read_dicom(folder)


def test_damaged_last_slice_is_said(ct, tmp_path):
    """At the end of a stack no hole shows: a finding has to say it."""
    folder = ct().write(tmp_path)
    broken = (folder / "005.dcm").read_bytes()
    (folder / "005.dcm").write_bytes(broken[:160])
    volume = read_dicom(folder)
    assert codes(volume) == ["files-damaged"]


@pytest.mark.parametrize("modality", ["MR", "PT"])
def test_other_modalities_are_named(ct, tmp_path, modality):
    """A user who gave the MR wants to read that, not "no series"."""
    tags = {"Modality": modality, "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}
    with pytest.raises(NotCtError, match=f"6 × modality {modality}"):
        read_dicom(ct(tags=tags).write(tmp_path))


def test_colour_images_are_not_ct(ct, tmp_path):
    """Colour overlays saved as CT hold no HU."""
    tags = {"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3}
    with pytest.raises(NotCtError, match="colour image"):
        read_dicom(ct(tags=tags).write(tmp_path))


def test_a_single_slice_is_no_volume(ct, tmp_path):
    """One slice has no distance to the next."""
    folder = ct(n=1).write(tmp_path)
    with pytest.raises(IrregularGridError, match="single slice"):
        read_dicom(folder)
    with pytest.raises(IrregularGridError, match="folder"):
        read_dicom(folder / "000.dcm")


def test_two_patients_are_refused_without_naming_them(ct, tmp_path):
    """No rule may choose between people."""
    ct().write(tmp_path / "a")
    other = ct(tags={"PatientID": "SECRET9"})
    other.write(tmp_path / "b")
    with pytest.raises(MixedSeriesError, match="2 patients") as failure:
        read_dicom(tmp_path)
    assert "SECRET9" not in str(failure.value)
    listing = find_series(tmp_path)
    assert listing.patients == 2
    assert listing.chosen is None
    _, identity = read_dicom_with_identity(tmp_path, series=other.uid)
    assert identity.patient_key == b"SECRET9\0"


def test_series_asked_for_wins_and_must_exist(ct, tmp_path, assert_truth):
    """A user who names a series gets it, whatever the rules would choose."""
    ct(n=20).write(tmp_path / "long")
    short = ct(n=4, tags={"SeriesNumber": 9})
    short.write(tmp_path / "short")
    assert read_dicom(tmp_path).geometry.shape[2] == 20
    volume = read_dicom(tmp_path, series=short.uid)
    assert volume.geometry.shape[2] == 4
    assert_truth(volume)
    assert read_dicom(tmp_path, series="9").geometry.shape[2] == 4
    with pytest.raises(InputError, match="not there"):
        read_dicom(tmp_path, series=generate_uid())


def test_zip_is_read_like_its_folder(ct, tmp_path, assert_truth):
    """Portals hand out zip files."""
    folder = ct().write(tmp_path / "x y")
    with zipfile.ZipFile(tmp_path / "case.zip", "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"deep/{file.name}")
    assert_truth(read_dicom(tmp_path / "case.zip"))
    assert find_series(tmp_path / "case.zip").chosen is not None


def test_identity_is_absent_where_the_header_is_silent(ct, tmp_path):
    """Two scans with an empty id must not become one patient."""
    tags = {"PatientID": " ", "IssuerOfPatientID": "HOSPITAL"}
    series = ct(tags=tags)
    _, identity = read_dicom_with_identity(series.write(tmp_path))
    assert identity.patient_key is None
    assert identity.series_key == series.uid.encode()


def test_nothing_there_is_unreadable(tmp_path):
    """An empty folder and a wrong path are told apart from "not CT"."""
    with pytest.raises(UnreadableInputError, match="no files"):
        read_dicom(tmp_path)
    with pytest.raises(UnreadableInputError, match="does not exist"):
        read_dicom(tmp_path / "no-such")
    assert find_series(tmp_path).series == ()


def test_relative_paths_work(ct, tmp_path, monkeypatch, assert_truth):
    """The command line gives relative paths."""
    ct().write(tmp_path / "a")
    monkeypatch.chdir(tmp_path)
    assert_truth(read_dicom(Path("a")))
