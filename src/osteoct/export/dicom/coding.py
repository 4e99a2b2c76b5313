"""Concepts as highdicom writes them."""

from __future__ import annotations

from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import CodedConcept

from osteoct.io.result_codes import PRIVATE_SCHEME, PRIVATE_SCHEME_NAME, Concept


def coded(concept: Concept) -> CodedConcept:
    """The concept as an item of a code sequence; a long value goes where long values go."""
    return CodedConcept(
        value=concept.value, scheme_designator=concept.scheme, meaning=concept.meaning
    )


def private_schemes() -> list[CodingSchemeIdentificationItem]:
    """The declaration of the private scheme."""
    return [
        CodingSchemeIdentificationItem(
            designator=PRIVATE_SCHEME,
            name=PRIVATE_SCHEME_NAME,
            responsible_organization="osteoct",
        )
    ]
