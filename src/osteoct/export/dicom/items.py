"""Content items of a structured report, from the fields of records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

import highdicom as hd
from highdicom.sr import (
    CodeContentItem,
    ContentItem,
    ContentSequence,
    FindingSite,
    Measurement,
    NumContentItem,
    QualitativeEvaluation,
    RelationshipTypeValues,
    TextContentItem,
)

from osteoct.anatomy import Level
from osteoct.export.dicom.coding import coded
from osteoct.io.report_fields import (
    CERTAINTY,
    COUNT,
    EFFECT,
    FINDING,
    MESSAGE,
    SEVERITY,
    Choice,
    Number,
)
from osteoct.io.result_codes import Concept, level_concept, private
from osteoct.record import Record
from osteoct.records import Finding

_LONGEST_MEANING = 64
"""Of a code, in characters (PS3.5: value representation LO)."""


def measure(number: Number, value: float) -> Measurement:
    """A number with its unit and, where it has one, its derivation."""
    return Measurement(
        name=coded(number.concept),
        value=value,
        unit=coded(number.unit),
        derivation=None if number.derivation is None else coded(number.derivation),
    )


def measure_fields(record: Record, numbers: Mapping[str, Number]) -> list[Measurement]:
    """The numbers of a record that are there.

    A count of 0 that only says that nothing was counted is left out: absent is not 0.
    """
    values = {name: getattr(record, name) for name in numbers}
    default = {name: type(record).model_fields[name].default for name in numbers}
    return [
        measure(numbers[name], value)
        for name, value in values.items()
        if value is not None and not (value == 0 and default[name] == 0)
    ]


def evaluate(concept: Concept, value: Concept) -> QualitativeEvaluation:
    """A question and its answer."""
    return QualitativeEvaluation(name=coded(concept), value=coded(value))


def word(value: StrEnum | str) -> Concept:
    """One of osteoct's own words as a private code."""
    return private(str(value), str(value).replace("-", " ")[:_LONGEST_MEANING])


def evaluate_fields(record: Record, choices: Mapping[str, Choice]) -> list[QualitativeEvaluation]:
    """The words of a record that are there."""
    values = {name: getattr(record, name) for name in choices}
    return [
        evaluate(choices[name].concept, word(value))
        for name, value in values.items()
        if value is not None
    ]


def text_item(concept: Concept, text: str) -> TextContentItem:
    """A text in a group."""
    return TextContentItem(
        name=coded(concept), value=text, relationship_type=RelationshipTypeValues.CONTAINS
    )


def sites(levels: Iterable[Level]) -> list[FindingSite]:
    """Where a group's measurements are from."""
    return [FindingSite(anatomic_location=coded(level_concept(level))) for level in levels]


def finding_items(findings: Sequence[Finding]) -> list[ContentItem]:
    """Findings as codes, each with its severity, effect, message and certainty as properties."""
    return [_finding(finding) for finding in findings]


def _finding(finding: Finding) -> CodeContentItem:
    item = CodeContentItem(
        name=coded(FINDING),
        value=coded(word(finding.code)),
        relationship_type=RelationshipTypeValues.CONTAINS,
    )
    of_it = RelationshipTypeValues.HAS_PROPERTIES
    properties: list[ContentItem] = [
        CodeContentItem(
            name=coded(SEVERITY), value=coded(word(finding.severity)), relationship_type=of_it
        ),
        TextContentItem(name=coded(MESSAGE), value=finding.message, relationship_type=of_it),
    ]
    if finding.effect is not None:
        properties.append(
            CodeContentItem(
                name=coded(EFFECT), value=coded(word(finding.effect)), relationship_type=of_it
            )
        )
    if finding.certainty is not None:
        properties.append(
            NumContentItem(
                name=coded(CERTAINTY),
                value=finding.certainty,
                unit=coded(COUNT),
                relationship_type=of_it,
            )
        )
    item.ContentSequence = ContentSequence(properties)
    return item


def tracking(identifier: str, uid: str) -> hd.sr.TrackingIdentifier:
    """By what a group is known."""
    return hd.sr.TrackingIdentifier(uid=uid, identifier=identifier)
