"""Compressed and uncompressed files of one series give the same HU, bit for bit."""

from __future__ import annotations

import gdcm
import numpy as np
import pytest
from openjpeg.utils import encode_array
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from osteoct.errors import IrregularGridError, UnreadableInputError
from osteoct.io.dicom.series import read_dicom


def with_openjpeg(ds, _n, **options):
    pixels = np.frombuffer(ds.PixelData, "<i2").reshape(ds.Rows, ds.Columns)
    code = encode_array(np.ascontiguousarray(pixels), bits_stored=16, **options)
    ds.PixelData = encapsulate([code])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    ds.file_meta.TransferSyntaxUID = JPEG2000 if options else JPEG2000Lossless


def with_pydicom(syntax):
    def change(ds, _n):
        uid = ds.SOPInstanceUID
        ds.compress(syntax, generate_instance_uid=False)
        assert uid == ds.SOPInstanceUID

    return change


def deflated(ds, _n):
    ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian


@pytest.mark.parametrize(
    "change",
    [
        with_openjpeg,
        with_pydicom(JPEGLSLossless),
        with_pydicom(RLELossless),
        deflated,
    ],
    ids=["jpeg2000", "jpeg-ls", "rle", "deflated"],
)
@pytest.mark.parametrize("intercept", [0, -1024])
def test_lossless_syntaxes_are_exact(ct, tmp_path, assert_truth, change, intercept):
    """An archive packs what it likes; signed and unsigned-looking values must survive."""
    series = ct(n=3, rows=32, columns=40, intercept=intercept)
    volume = read_dicom(series.write(tmp_path, change))
    assert volume.array.dtype == np.int16
    assert_truth(volume)


def test_jpeg_lossless_is_exact(ct, tmp_path, assert_truth):
    """JPEG lossless (process 14) is what older archives hold; written here by GDCM."""
    folder = ct(n=3, rows=16, columns=20, intercept=0).write(tmp_path)
    for file in folder.iterdir():
        reader = gdcm.ImageReader()
        reader.SetFileName(str(file))
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(file))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
    assert dcmread(file).file_meta.TransferSyntaxUID == JPEGLosslessSV1
    assert_truth(read_dicom(folder))


def test_lossy_jpeg2000_is_close(ct, tmp_path, assert_truth):
    """Lossy files are read (their loss is the archive's); HU stay within the coder's error."""

    def lossy(ds, n):
        with_openjpeg(ds, n, compression_ratios=[4])

    volume = read_dicom(ct(n=3, rows=32, columns=32).write(tmp_path, lossy))
    assert_truth(volume, atol=12)


@pytest.mark.parametrize("change", [with_openjpeg, with_pydicom(RLELossless)])
def test_truncated_compressed_files_are_named(ct, tmp_path, change):
    """Decoders fill the missing end of a file with something: that must not become HU."""
    folder = ct(n=3, rows=32, columns=32).write(tmp_path, change)
    whole = (folder / "001.dcm").read_bytes()
    (folder / "001.dcm").write_bytes(whole[: len(whole) - 60])
    with pytest.raises(UnreadableInputError, match=r"001\.dcm") as failure:
        read_dicom(folder)
    assert failure.value.found


def test_truncated_deflated_file_leaves_a_hole(ct, tmp_path):
    """A deflated file that ends early has no readable header either: its slice is missing."""
    folder = ct(n=6, rows=32, columns=32).write(tmp_path, deflated)
    whole = (folder / "002.dcm").read_bytes()
    (folder / "002.dcm").write_bytes(whole[: len(whole) - 60])
    with pytest.raises(IrregularGridError, match="1 slice missing") as failure:
        read_dicom(folder)
    assert "002.dcm" in failure.value.__notes__[0]


def test_garbage_in_place_of_a_frame_is_named(ct, tmp_path):
    """Damaged content with a whole frame around it."""

    def garbage(ds, n):
        with_openjpeg(ds, n)
        if n == 1:
            ds.PixelData = encapsulate([b"\x01\x02\x03\x04" * 30])
            ds["PixelData"].VR = "OB"
            ds["PixelData"].is_undefined_length = True

    with pytest.raises(UnreadableInputError, match=r"^001\.dcm"):
        read_dicom(ct(n=3, rows=32, columns=40).write(tmp_path, garbage))


@pytest.mark.parametrize(
    "tags",
    [
        {"BitsAllocated": 12, "BitsStored": 12, "HighBit": 11},
        {"BitsStored": 12, "HighBit": 5},
        {"BitsStored": 20, "HighBit": 19},
    ],
)
def test_impossible_layouts_are_refused(ct, tmp_path, tags):
    """A layout that cannot be is not guessed at."""
    with pytest.raises(UnreadableInputError, match="pixel layout"):
        read_dicom(ct(tags=tags).write(tmp_path))
