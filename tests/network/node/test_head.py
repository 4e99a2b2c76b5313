"""Headers walked over: what pydicom reads of honest ones, and bounds on the others."""

from __future__ import annotations

import io
import struct
from contextlib import suppress

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from osteoct.network.node import head
from osteoct.network.node.head import read_head
from osteoct.network.node.refusals import RefusedError

ROWS, MODALITY, UID = 0x00280010, 0x00080060, 0x00080018
WANTED = (ROWS, MODALITY, UID)
SEQUENCE = bytes.fromhex("08004011") + b"SQ\0\0" + b"\xff" * 4
ITEM, ITEM_END = bytes.fromhex("feff00e0ffffffff"), bytes.fromhex("feff0de000000000")
SEQUENCE_END = bytes.fromhex("feffdde000000000")


def write(syntax, *, undefined=True):
    """A file with nested sequences whose items hold what is wanted at the top."""
    inner = Dataset()
    inner.Rows, inner.Modality = 77, "MR"
    nested = Dataset()
    nested.ReferencedImageSequence = [inner, Dataset()]
    nested.is_undefined_length_sequence_item = undefined
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = "1.2.3"
    ds.Modality, ds.PatientName, ds.Rows, ds.Columns = "CT", "X^" + "Y" * 60, 2, 2
    ds.SourceImageSequence = [nested]
    ds["SourceImageSequence"].is_undefined_length = undefined
    ds.BitsAllocated = ds.BitsStored = 16
    ds.PixelRepresentation = 0
    ds.PixelData = bytes(8)
    file = io.BytesIO()
    ds.save_as(file, enforce_file_format=True)
    return file


@pytest.mark.parametrize("undefined", [True, False])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_an_honest_header(syntax, undefined):
    """What pydicom reads at the top, not what lies in items; to the byte where pixels begin."""
    file = write(syntax, undefined=undefined)
    found = read_head(file, WANTED)
    file.seek(0)
    dataset = pydicom.dcmread(file)
    assert (found.short(ROWS), found.text(MODALITY), found.text(UID)) == (2, "CT", "1.2.3")
    assert found.syntax == dataset.file_meta.TransferSyntaxUID
    assert len(file.getvalue()) - found.pixels_at == len(dataset.PixelData)


def insert(content):
    """An honest file with something before its modality."""
    whole = write(ExplicitVRLittleEndian).getvalue()
    at = whole.index(bytes.fromhex("08006000") + b"CS")
    return io.BytesIO(whole[:at] + content + whole[at:])


@pytest.mark.parametrize(
    ("content", "is_taken"),
    [
        (SEQUENCE + (ITEM + ITEM_END) * 10 + SEQUENCE_END, True),
        ((SEQUENCE + ITEM) * 32 + (ITEM_END + SEQUENCE_END) * 32, True),
        ((SEQUENCE + ITEM) * 33 + (ITEM_END + SEQUENCE_END) * 33, False),
        (SEQUENCE + ITEM, False),
        (SEQUENCE + b"no item at all", False),
        (bytes.fromhex("02001000") + b"UI" + struct.pack("<H", 2) + b"1\0", False),
        (bytes.fromhex("08001800") + b"UT\0\0" + struct.pack("<L", 2000) + bytes(2000), False),
        (bytes.fromhex("09001010") + b"UT\0\0" + struct.pack("<L", 2000) + bytes(2000), True),
    ],
    ids=["items", "deep", "too deep", "open", "rubbish", "meta again", "long wanted", "long other"],
)
def test_what_is_hostile(content, is_taken):
    """Depth exactly at its bound; a second group 0002 would have it inflated or read otherwise."""
    if is_taken:
        assert read_head(insert(content), WANTED).text(MODALITY) == "CT"
    else:
        with pytest.raises(RefusedError):
            read_head(insert(content), WANTED)


def test_more_elements_than_an_image_has(monkeypatch):
    """Exactly as many are read."""
    monkeypatch.setattr(head, "MOST_ELEMENTS", 200)
    few = SEQUENCE + (ITEM + ITEM_END) * 50 + SEQUENCE_END
    assert read_head(insert(few), WANTED).pixels_at is not None
    with pytest.raises(RefusedError):
        read_head(insert(few * 4), WANTED)


@pytest.mark.parametrize("length", range(0, 330, 7))
def test_a_file_that_ends_early(length):
    """Wherever it was cut: refused, or without pixels."""
    cut = io.BytesIO(write(ExplicitVRLittleEndian).getvalue()[:length])
    with suppress(RefusedError):
        assert read_head(cut, WANTED).pixels_at is None
