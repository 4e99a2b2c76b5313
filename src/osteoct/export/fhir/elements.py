"""FHIR R4's data types, from concepts and the fields of records.

Codes are those of :mod:`osteoct.io.result_codes`: SNOMED CT and DICOM where one is known, and
osteoct's own system, which each bundle declares, for what has none. Units are UCUM.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Final

from osteoct.io.label_codes import SNOMED
from osteoct.io.report_fields import DCM, Choice, Number
from osteoct.io.result_codes import PRIVATE_SCHEME, Concept, private
from osteoct.record import Reason, Record

Json = dict[str, Any]

OWN_SYSTEM: Final = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, 'osteoct private codes')}"
"""URI of osteoct's own codes, those of the private scheme in DICOM; the same in every bundle."""

SYSTEMS: Final[Mapping[str, str]] = {
    SNOMED: "http://snomed.info/sct",
    DCM: "http://dicom.nema.org/resources/ontology/DCM",
    PRIVATE_SCHEME: OWN_SYSTEM,
}
UCUM_SYSTEM: Final = "http://unitsofmeasure.org"
ABSENT_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"

NOT_PERFORMED: Final = "not-performed"
"""Of FHIR's reasons the one that fits a region that could not be measured."""

_NOT_ASKED: Final = private("NOT_STATED", "No reason is told")


def concept(of: Concept, text: str = "") -> Json:
    """A CodeableConcept."""
    coding = {"system": SYSTEMS[of.scheme], "code": of.value, "display": of.meaning}
    return {"coding": [coding], "text": text or of.meaning}


def quantity(value: float, unit: Concept) -> Json:
    """A Quantity with all its digits, and its unit in UCUM."""
    return {
        "value": value,
        "unit": unit.meaning,
        "system": UCUM_SYSTEM,
        "code": unit.value,
    }


def absent(reason: Reason | None) -> Json:
    """A dataAbsentReason: FHIR's own word, and why."""
    why = _NOT_ASKED if reason is None else private(reason.value, reason.value.replace("-", " "))
    fhir = {"system": ABSENT_SYSTEM, "code": NOT_PERFORMED, "display": "Not Performed"}
    return {"coding": [fhir, *concept(why)["coding"]], "text": why.meaning}


def measured(number: Number, value: float | None, reason: Reason | None) -> Json:
    """A component: a number, or why there is none. Never 0 for a number that is missing."""
    name = concept(number.derivation or number.concept)
    if value is None:
        return {"code": name, "dataAbsentReason": absent(reason)}
    return {"code": name, "valueQuantity": quantity(value, number.unit)}


def measured_fields(
    record: Record | None, numbers: Mapping[str, Number], reason: Reason | None
) -> Iterator[Json]:
    """The numbers of a record as components; of no record, each with its reason."""
    for name, number in numbers.items():
        value = None if record is None else getattr(record, name)
        yield measured(number, value, reason)


def chosen_fields(record: Record, choices: Mapping[str, Choice]) -> Iterator[Json]:
    """The words of a record that are there, as components."""
    for name, choice in choices.items():
        value = getattr(record, name)
        if value is not None:
            yield worded(choice.concept, str(value))


def worded(of: Concept, value: str) -> Json:
    """A component whose value is one of osteoct's own words."""
    return {"code": concept(of), "valueCodeableConcept": concept(own_word(value))}


def own_word(value: str) -> Concept:
    """One of osteoct's own words as a code of its own system."""
    return private(value, value.replace("-", " "))
