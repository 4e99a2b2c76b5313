"""Content items of a DICOM structured report as plain records, read with pydicom alone.

The format is described in DICOM PS3.3 C.17.3 (SR document content) and C.18.1 (numbers).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pydicom.dataset import Dataset

from osteoct.io.result_codes import Concept

_CODE_KEYWORDS: Final = ("CodeValue", "LongCodeValue", "URNCodeValue")
"""Where the value of a code stands, by its length (PS3.3 section 8)."""


@dataclass(frozen=True, kw_only=True)
class SrItem:
    """One content item with those below it.

    Parameters
    ----------
    kind
        Value type, such as ``NUM``, ``CODE``, ``TEXT`` or ``CONTAINER``.
    name
        Its concept; ``None`` where it has none.
    number, unit
        Of ``NUM``, where there is a value.
    code
        Of ``CODE``.
    text
        Of ``TEXT``.
    """

    kind: str
    name: Concept | None
    number: float | None = None
    unit: Concept | None = None
    code: Concept | None = None
    text: str | None = None
    items: tuple[SrItem, ...] = ()

    def all_of(self, name: Concept) -> tuple[SrItem, ...]:
        """The items right below it that a concept names; meanings are not compared."""
        return tuple(item for item in self.items if is_same(item.name, name))

    def first_of(self, name: Concept) -> SrItem | None:
        """The first of :meth:`all_of`."""
        return next(iter(self.all_of(name)), None)

    def codes_of(self, name: Concept) -> tuple[Concept, ...]:
        """The codes of the items right below it that a concept names."""
        return tuple(item.code for item in self.all_of(name) if item.code)

    def text_of(self, name: Concept) -> str | None:
        """The text of the first item right below it that a concept names."""
        found = self.first_of(name)
        return None if found is None else found.text


def is_same(one: Concept | None, other: Concept | None) -> bool:
    """Whether two concepts are one, whatever they are called."""
    return one is not None and other is not None and one.key == other.key


def read_items(dataset: Dataset) -> SrItem:
    """The tree of a document.

    Raises
    ------
    ValueError and the like
        One of :data:`osteoct.io.dicom.elements.PARSE_ERRORS` where the document is damaged.
    """
    number, unit = _number(dataset)
    return SrItem(
        kind=str(dataset.get("ValueType", "")),
        name=_concept(dataset.get("ConceptNameCodeSequence")),
        number=number,
        unit=unit,
        code=_concept(dataset.get("ConceptCodeSequence")),
        text=str(dataset.TextValue) if "TextValue" in dataset else None,
        items=tuple(_below(dataset)),
    )


def _below(dataset: Dataset) -> Iterator[SrItem]:
    for item in dataset.get("ContentSequence") or ():
        yield read_items(item)


def _number(dataset: Dataset) -> tuple[float | None, Concept | None]:
    """The 64-bit number where there is one, else the decimal string."""
    measured = dataset.get("MeasuredValueSequence")
    if not measured:
        return None, None
    value = measured[0]
    exact = value.get("FloatingPointValue")
    number = float(value.NumericValue) if exact is None else float(exact)
    return number, _concept(value.get("MeasurementUnitsCodeSequence"))


def _concept(sequence: Sequence[Dataset] | None) -> Concept | None:
    if not sequence:
        return None
    item = sequence[0]
    value = next((str(item.get(k)) for k in _CODE_KEYWORDS if item.get(k)), "")
    return Concept(
        scheme=str(item.get("CodingSchemeDesignator", "")),
        value=value,
        meaning=str(item.get("CodeMeaning", "")),
    )
