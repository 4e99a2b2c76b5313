"""Facts about the scan that the header tells; what it does not tell is absent."""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

from osteoct.io.dicom import tags
from osteoct.io.dicom.discovery import ENHANCED_CT
from osteoct.io.dicom.elements import Elements
from osteoct.io.dicom.enhanced import facts_of_frames
from osteoct.io.dicom.headers import ImageHeader
from osteoct.io.dicom.kernels import class_of
from osteoct.io.dicom.phases import Contrast, contrast_of
from osteoct.io.dicom.position import position_of
from osteoct.records import Acquisition

_AGE = re.compile(r"^(\d{1,3})([DWMY])$")
_YEARS_PER = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
MAX_AGE_YEARS = 125.0
"""Older is a wrong birth date or a placeholder such as 999Y."""

_CODE = re.compile(r"^[A-Z0-9_ ]{1,32}$")
_NAME = re.compile(r"^[\w .,/+()\-]{1,64}$", re.ASCII)


def acquisition_of(image: ImageHeader) -> Acquisition:
    """The facts of an image's header, classic or enhanced."""
    elements = image.elements
    inner = facts_of_frames(image) if image.sop_class in ENHANCED_CT else elements
    kvp = _positive(_first(elements, inner.within(tags.CT_XRAY_DETAILS_SEQUENCE), tags.KVP))
    reconstruction = inner.within(tags.CT_RECONSTRUCTION_SEQUENCE)
    kernel = elements.texts(tags.KERNEL) or reconstruction.texts(tags.KERNEL)
    measures = inner.within(tags.PIXEL_MEASURES_SEQUENCE)
    exposure = inner.within(tags.CT_EXPOSURE_SEQUENCE)
    details = inner.within(tags.CT_ACQUISITION_DETAILS_SEQUENCE)
    contrast = _contrast(elements)
    manufacturer = _name(elements, tags.MANUFACTURER)
    day = _study_day(elements)
    return Acquisition(
        modality="CT",
        kvp=kvp,
        kernel=tuple(k for k in kernel if _NAME.match(k)),
        kernel_class=class_of(kernel, manufacturer),
        slice_thickness_mm=_positive(_first(elements, measures, tags.SLICE_THICKNESS)),
        tube_current_ma=_positive(
            elements.number(tags.TUBE_CURRENT) or exposure.number(tags.TUBE_CURRENT_MA)
        ),
        gantry_tilt_deg=_first(elements, details, tags.GANTRY_TILT),
        patient_position=position_of(image),
        phase=contrast.phase,
        phase_evidence=contrast.evidence,
        contrast_agent=contrast.agent,
        manufacturer=manufacturer,
        model=_name(elements, tags.MODEL),
        image_type=tuple(t for t in image.image_type if _CODE.match(t)),
        study_date=None if day is None else day.isoformat(),
        patient_age_years=_age_years(elements, day),
        patient_sex=_sex(elements),
    )


def _contrast(elements: Elements) -> Contrast:
    """What the header says about contrast."""
    texts = {
        "SeriesDescription": elements.words(tags.SERIES_DESCRIPTION),
        "ProtocolName": elements.words(tags.PROTOCOL_NAME),
    }
    agent = elements.words(tags.CONTRAST_AGENT)
    if not agent.strip() and elements.items(tags.CONTRAST_AGENT_SEQUENCE):
        agent = "present"
    return contrast_of(texts, agent, elements.words(tags.CONTRAST_ROUTE))


def _first(outer: Elements, inner: Elements, tag: int) -> float | None:
    """A number of the data set itself, or of a functional group."""
    value = outer.number(tag)
    return inner.number(tag) if value is None else value


def _positive(value: float | None) -> float | None:
    """A quantity that cannot be zero: writers put 0 where they do not know."""
    return value if value is not None and value > 0 else None


def _name(elements: Elements, tag: int) -> str | None:
    """A maker's or model's name, if it looks like one."""
    text = elements.text(tag)
    return text if text and _NAME.match(text) else None


def _study_day(elements: Elements) -> date | None:
    """The day of the scan."""
    days = (_day(elements, t) for t in (tags.STUDY_DATE, tags.SERIES_DATE, tags.ACQUISITION_DATE))
    return next((d for d in days if d is not None), None)


def _day(elements: Elements, tag: int) -> date | None:
    """A DICOM date (``YYYYMMDD``, formerly ``YYYY.MM.DD``), or ``None``."""
    digits = (elements.text(tag) or "").replace(".", "")
    if not re.fullmatch(r"[0-9]{8}", digits):
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def _age_years(elements: Elements, day: date | None) -> float | None:
    """Age at the scan, if need be from the birth date, which is not kept."""
    match = _AGE.match((elements.text(tags.PATIENT_AGE) or "").upper())
    born = _day(elements, tags.PATIENT_BIRTH_DATE)
    if match and match[0] != "000Y":  # what anonymisers write; infants have days or months
        age = int(match[1]) * _YEARS_PER[match[2]]
    elif day is not None and born is not None:
        age = float(day.year - born.year - ((day.month, day.day) < (born.month, born.day)))
    else:
        return None
    # An age to the day beside the study date would give the birth date away: whole years do.
    return float(int(age + 1e-9)) if 0 <= age <= MAX_AGE_YEARS else None


def _sex(elements: Elements) -> Literal["F", "M", "O"] | None:
    """F, M or O; anything else is not told."""
    match (elements.text(tags.PATIENT_SEX) or "").upper():
        case "F":
            return "F"
        case "M":
            return "M"
        case "O":
            return "O"
        case _:
            return None
