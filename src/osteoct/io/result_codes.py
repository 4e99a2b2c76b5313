"""Codes that osteoct's DICOM objects are written with and read by.

SNOMED CT and DICOM codes stand where one is known and was seen: in pydicom's tables of PS3.16, or
in TotalSegmentator's SNOMED table. What no such code exists for has one of a private scheme, which
every object declares (PS3.3 C.12.1.1: Coding Scheme Identification Sequence).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from osteoct.anatomy import Level
from osteoct.io.label_codes import BODY_CODE, LEVEL_CODES, SNOMED, VERTEBRA_CODE
from osteoct.protocols import Region

PRIVATE_SCHEME: Final = "99OSTEOCT"
"""Designators of private schemes begin with 99 (PS3.16 chapter 8)."""

PRIVATE_SCHEME_NAME: Final = "osteoct private codes"


@dataclass(frozen=True, kw_only=True)
class Concept:
    """A coded concept."""

    scheme: str
    value: str
    meaning: str

    @property
    def key(self) -> tuple[str, str]:
        """By what it is compared: the same concept may be called otherwise elsewhere."""
        return self.scheme, self.value

    @property
    def is_private(self) -> bool:
        """Whether no published code exists for it."""
        return self.scheme == PRIVATE_SCHEME


def private(value: str, meaning: str) -> Concept:
    """A concept of the private scheme."""
    return Concept(scheme=PRIVATE_SCHEME, value=value, meaning=meaning)


VERTEBRA: Final = Concept(scheme=SNOMED, value=VERTEBRA_CODE, meaning="Vertebra")
BODY: Final = Concept(scheme=SNOMED, value=BODY_CODE, meaning="Vertebral body")
TRABECULAR_CORE: Final = private("TRABECULAR_CORE", "Trabecular core")
CORTICAL_SHELL: Final = private("CORTICAL_SHELL", "Cortical shell")

REGION_CONCEPTS: Final[Mapping[Region, Concept]] = {
    Region.VERTEBRA: VERTEBRA,
    Region.BODY: BODY,
    Region.TRABECULAR: TRABECULAR_CORE,
    Region.CORTICAL: CORTICAL_SHELL,
}

_LEVEL_VALUES = {level: value for value, level in LEVEL_CODES.items()}


def level_concept(level: Level) -> Concept:
    """The vertebra of a level; T13 and L6, variants that few people have, are private.

    >>> level_concept(Level.L1).value
    '66794005'
    >>> level_concept(Level.L6).is_private
    True
    """
    value = _LEVEL_VALUES.get(level)
    meaning = f"{level} vertebra"
    if value is None:
        return private(f"VERTEBRA_{level}", meaning)
    return Concept(scheme=SNOMED, value=value, meaning=meaning)


def level_of(concept: Concept) -> Level | None:
    """The level that a concept of :func:`level_concept` names; ``None`` for any other concept.

    >>> level_of(level_concept(Level.T13))
    <Level.T13: 'T13'>
    """
    return _LEVELS.get((concept.scheme, concept.value))


_LEVELS = {(c.scheme, c.value): level for level in Level for c in (level_concept(level),)}
