"""What a SNOMED CT code says about a segment, and whether its name agrees.

DICOM SEG (PS3.3 C.8.20.4: Segmented Property Type and Anatomic Region code sequences) and 3D Slicer
(terminology entries) state codes beside names. The codes of single vertebrae are those of
TotalSegmentator's ``totalsegmentator_snomed_mapping.csv`` (Apache-2.0).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from osteoct.anatomy import Level, Part
from osteoct.errors import LabelsError
from osteoct.io.label_words import render_structure, structure_of_words

SNOMED: Final = "SCT"
VERTEBRA_CODE: Final = "51282000"
BODY_CODE: Final = "3572006"
SACRUM_CODE: Final = "54735007"

LEVEL_CODES: Final[Mapping[str, Level]] = {
    "14806007": Level.C1, "39976000": Level.C2, "113205007": Level.C3, "5329002": Level.C4,
    "36978003": Level.C5, "36054005": Level.C6, "87391001": Level.C7, "64864005": Level.T1,
    "53733008": Level.T2, "1626008": Level.T3, "73071006": Level.T4, "56401006": Level.T5,
    "45296009": Level.T6, "62487009": Level.T7, "11068009": Level.T8, "82687006": Level.T9,
    "7610001": Level.T10, "12989004": Level.T11, "23215003": Level.T12, "66794005": Level.L1,
    "14293000": Level.L2, "36470004": Level.L3, "11994002": Level.L4, "49668003": Level.L5,
    "65985001": Level.S1,
}  # fmt: skip
"""Level of each vertebra's own code."""

_PARTS_OF_A_VERTEBRA = {Part.BODY, Part.POSTERIOR}


@dataclass(frozen=True, kw_only=True)
class Code:
    """A coded concept: the designator of its coding scheme (``SCT``) and its value."""

    scheme: str
    value: str

    @property
    def snomed(self) -> str | None:
        """The value, where the scheme is SNOMED CT."""
        return self.value if self.scheme.strip().upper() == SNOMED else None


def name_segment(name: str, *, kind: Code | None, region: Code | None, where: str) -> str:
    """Return a name that says what name and codes of a segment say together.

    The finer one counts: code "L1 vertebra" and name "L1 body" are the body of L1. Codes of other
    coding schemes, and those that name no vertebra, say nothing.

    Parameters
    ----------
    name
        What a person or program called the segment.
    kind, region
        The type of the segment (a vertebra, a vertebral body) and the region it lies in.

    Raises
    ------
    LabelsError
        Name and code stand for different structures; both are told.

    Examples
    --------
    >>> name_segment("Segment_1", kind=Code(scheme="SCT", value="36470004"), region=None, where="s")
    'L3 vertebra'
    """
    coded = _meaning_of_codes(kind, region)
    said = structure_of_words(name)
    if coded is None:
        return name
    part, level = coded
    if said.part is Part.OTHER:
        return render_structure(part, level)
    both = _finer({said.part, part}), {lv for lv in (said.level, level) if lv}
    if both[0] is None or len(both[1]) > 1:
        raise LabelsError(
            "name and code of a segment contradict each other",
            where=where,
            found=f"name {name!r} with the SNOMED code of {render_structure(part, level)!r}",
            wanted="one structure",
        )
    meant = both[0], next(iter(both[1]), None)
    return name if (said.part, said.level) == meant else render_structure(*meant)


def _finer(parts: set[Part]) -> Part | None:
    """The one part that two sources mean, a part of a vertebra being finer than the vertebra."""
    if len(parts) == 1:
        return next(iter(parts))
    finer = parts - {Part.VERTEBRA}
    return next(iter(finer)) if len(finer) == 1 and finer <= _PARTS_OF_A_VERTEBRA else None


def _meaning_of_codes(kind: Code | None, region: Code | None) -> tuple[Part, Level | None] | None:
    """Part and level that codes state; ``None`` where they state no structure of the spine."""
    type_value = kind.snomed if kind else None
    level = LEVEL_CODES.get(type_value or "")
    if level:
        return Part.VERTEBRA, level
    place = LEVEL_CODES.get((region.snomed if region else None) or "")
    if type_value == BODY_CODE:
        return Part.BODY, place
    if type_value == VERTEBRA_CODE and place:
        return Part.VERTEBRA, place
    return (Part.SACRUM, None) if type_value == SACRUM_CODE else None
