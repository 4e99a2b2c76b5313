"""Header values from raw bytes: what cannot be decoded is absent, never a warning."""

from __future__ import annotations

import logging
import warnings

import pytest
from pydicom import Dataset, dcmread
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from osteoct.io.dicom import tags
from osteoct.io.dicom.elements import NOTHING, Elements, quietly


def elements_of(tag, value, vr="DS", *, is_little_endian=True):
    ds = Dataset()
    raw = RawDataElement(Tag(tag), vr, len(value), value, 0, False, is_little_endian)
    ds._dict[Tag(tag)] = raw
    return Elements(ds)


@pytest.mark.parametrize(
    ("value", "numbers"),
    [
        (b"1.5 ", (1.5,)),
        (b"1\\-2e3\\ 3\0", (1.0, -2000.0, 3.0)),
        (b"", ()),
        (b"1,5", ()),
        (b"Doe^Jane", ()),
        (b"nan", ()),
        (b"inf\\1", ()),
    ],
)
def test_decimal_strings(value, numbers):
    """A comma for a point or a name for a number is no number; NaN is none either."""
    assert elements_of(tags.KVP, value).numbers(tags.KVP) == numbers


def test_binary_values_in_both_byte_orders():
    """Rows are binary, and their byte order is the file's."""
    assert elements_of(tags.ROWS, b"\x00\x02", "US").short(tags.ROWS) == 512
    big = elements_of(tags.ROWS, b"\x02\x00", "US", is_little_endian=False)
    assert big.short(tags.ROWS) == 512
    padding = elements_of(tags.PIXEL_PADDING, b"\x30\xf8", "US")
    assert padding.short(tags.PIXEL_PADDING, is_signed=True) == -2000
    assert elements_of(tags.ROWS, b"\x00", "US").short(tags.ROWS) is None


def test_binary_floats():
    """Enhanced CT keeps the tube current as a binary float."""
    import struct  # noqa: PLC0415 - only here

    value = struct.pack("<d", 222.5)
    assert elements_of(tags.TUBE_CURRENT_MA, value, "FD").number(tags.TUBE_CURRENT_MA) == 222.5
    nan = struct.pack("<d", float("nan"))
    assert elements_of(tags.TUBE_CURRENT_MA, nan, "FD").number(tags.TUBE_CURRENT_MA) is None
    assert elements_of(tags.TUBE_CURRENT_MA, b"123", "FD").numbers(tags.TUBE_CURRENT_MA) == ()


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("ISO_IR 100", "artériel"),
        ("ISO_IR 192", "动脉期"),
        ("GB18030", "动脉期"),
        ("ISO_IR 13", "ﾄﾞｳﾐｬｸ"),
        (None, "artériel"),
    ],
)
def test_words_in_their_character_set(ct, tmp_path, charset, text):
    """Phases are written in the hospital's own script."""
    used = {"SpecificCharacterSet": charset} if charset else {"SpecificCharacterSet": "ISO_IR 192"}
    folder = ct(n=1, tags={**used, "SeriesDescription": text}).write(tmp_path)
    ds = dcmread(folder / "000.dcm", specific_tags=[tags.SERIES_DESCRIPTION])
    if charset is None:
        del ds.SpecificCharacterSet
    assert Elements(ds).words(tags.SERIES_DESCRIPTION) == text


def test_an_unknown_character_set_is_no_failure(ct, tmp_path):
    """A misspelt character set is common and no reason to stop."""
    folder = ct(n=1, tags={"SeriesDescription": "portal"}).write(tmp_path)
    file = folder / "000.dcm"
    ds = dcmread(file, specific_tags=[tags.SERIES_DESCRIPTION])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds.SpecificCharacterSet = "ISO_FOO"
    assert Elements(ds).words(tags.SERIES_DESCRIPTION) == "portal"


def test_quietly_is_undone():
    """Whoever embeds osteoct keeps pydicom's log as it was."""
    logger = logging.getLogger("pydicom")
    with quietly():
        assert logger.disabled
    assert not logger.disabled


def test_nothing_has_nothing():
    """The empty data set stands for absent sequences."""
    assert NOTHING.text(tags.MODEL) is None
    assert NOTHING.items(tags.SHARED_GROUPS) == []
    assert NOTHING.within(tags.SHARED_GROUPS) is NOTHING
