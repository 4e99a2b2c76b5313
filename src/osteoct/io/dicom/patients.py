"""Whether images are of one patient.

Two images are of different patients when their PatientIDs (with issuer) differ. Where ids are
equal, or one is absent, names and birth dates decide *together*: a marriage changes a name and a
slip of the keyboard either of them, but another name with another birth date is another person.
"""

from __future__ import annotations

from collections.abc import Iterable

from osteoct.errors import MixedSeriesError
from osteoct.io.dicom.headers import Identifiers


def count_patients(identifiers: Iterable[Identifiers]) -> int:
    """Number of different patients (1 where nothing tells them apart)."""
    people: list[Identifiers] = []
    for one in set(identifiers):
        if all(is_other_patient(one, other) for other in people):
            people.append(one)
    return len(people)


def mixed_patients(patients: int, *, where: str | None = None) -> MixedSeriesError:
    """The failure for several patients; names none of them."""
    return MixedSeriesError(
        "images of several patients",
        where=where,
        found=f"{patients} patients",
        wanted="one",
        hint="Give each patient a folder, or name the series with --series.",
    )


def is_other_patient(one: Identifiers, other: Identifiers) -> bool:
    """Whether two sets of identifiers name different people."""
    if one.patient_id and other.patient_id:
        if one.patient_id != other.patient_id:
            return True
        if one.issuer and other.issuer and one.issuer != other.issuer:
            return True
    names, dates = (
        (_folded(one.patient_name), _folded(other.patient_name)),
        (one.birth_date, other.birth_date),
    )
    is_told = all(names) and all(dates)
    return is_told and names[0] != names[1] and dates[0] != dates[1]


def patient_key(one: Identifiers) -> bytes | None:
    """Bytes equal for scans of one patient; ``None`` without a PatientID."""
    if not one.patient_id:
        return None
    return one.patient_id + b"\0" + one.issuer


def _folded(name: bytes) -> bytes:
    """A name without case, carets and blanks."""
    return bytes(c for c in name.lower() if c not in b"^ ,.")
