"""A header that may stand in a new file: values that DICOM does not allow are left out."""

from __future__ import annotations

from typing import Final

from pydicom.config import RAISE
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.valuerep import validate_value

from osteoct.io.dicom.elements import PARSE_ERRORS, quietly

_FORMATTED: Final = frozenset({"AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI"})
"""Value representations that programs read more from than text. Names and numbers of a patient are
text: too long or not, they stay as they are, for they say whose images these are."""

_SEXES: Final = frozenset({"F", "M", "O", ""})
"""Enumerated values of Patient's Sex (PS3.3 C.7.1.1)."""


def drop_invalid(header: Dataset) -> tuple[str, ...]:
    """Empty the values that are not valid, in place; returns the keywords of those.

    Only the top level is looked at: what lies in sequences is copied as it is, or not at all.
    """
    dropped: list[str] = []
    with quietly():
        for tag in list(header.keys()):
            try:
                element = header[tag]
                if element.VR in _FORMATTED:
                    for value in _values(element.value):
                        validate_value(element.VR, value, RAISE)
            except PARSE_ERRORS:
                vr = header.get_item(tag).VR
                header.add_new(tag, vr, "")
                dropped.append(header[tag].keyword or str(tag))
        if str(header.get("PatientSex") or "") not in _SEXES:
            header.PatientSex = ""
            dropped.append("PatientSex")
    return tuple(dropped)


def _values(value: object) -> list[str]:
    """Every single value, as the file would spell it."""
    several = value if isinstance(value, (list, tuple, MultiValue)) else [value]
    return [str(v) for v in several if v not in (None, "")]
