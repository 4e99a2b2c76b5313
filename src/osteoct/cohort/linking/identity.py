"""Patients of the DXA table by the names the results know them under."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from osteoct.cohort.dxa.mapping import DxaMap
from osteoct.cohort.dxa.scan import DxaScan
from osteoct.io.identity import SourceIdentity
from osteoct.io.pseudonym import patient_pseudonym

_PATIENT: Final = re.compile(r"p-[a-z2-7]{16}")

ISSUER_MARK: Final = b"\0"
"""Between patient id and issuer, as the DICOM reader joins them."""


@dataclass(frozen=True, kw_only=True)
class NamedScan:
    """A DXA scan with the patient's pseudonym, or the case it says it belongs to."""

    scan: DxaScan
    patient: str | None = None
    case_id: str | None = None

    @property
    def shown(self) -> str:
        """How the scan is called in what is written: never by a hospital number."""
        return self.patient or self.case_id or ""


def name_scans(
    scans: Sequence[DxaScan],
    *,
    case_ids: Collection[str],
    asked: DxaMap,
    get_key: Callable[[], bytes],
) -> list[NamedScan]:
    """Name each scan's patient.

    An id of the form of a pseudonym is one; an id that is a case's is that case; every other is a
    hospital number and becomes a pseudonym by ``get_key``, which is called only then. The map can
    say which it is.
    """
    keyed: dict[str, str | None] = {}
    key: list[bytes] = []

    def make_pseudonym(text: str) -> str | None:
        if text not in keyed:
            if not key:
                key.append(get_key())
            whole = text.encode() + ISSUER_MARK + asked.issuer.encode()
            keyed[text] = patient_pseudonym(SourceIdentity(patient_key=whole), key[0])
        return keyed[text]

    named = []
    for scan in scans:
        kind = asked.ids or _tell_kind(scan.patient, case_ids)
        if kind == "case":
            named.append(NamedScan(scan=scan, case_id=scan.patient))
        elif kind == "pseudonym":
            named.append(NamedScan(scan=scan, patient=scan.patient))
        else:
            named.append(NamedScan(scan=scan, patient=make_pseudonym(scan.patient)))
    return named


def _tell_kind(text: str, case_ids: Collection[str]) -> str:
    if text in case_ids:
        return "case"
    return "pseudonym" if _PATIENT.fullmatch(text) else "hospital"


def group_scans(named: Sequence[NamedScan]) -> Mapping[str, list[NamedScan]]:
    """Scans by patient pseudonym or case id."""
    grouped: dict[str, list[NamedScan]] = {}
    for one in named:
        grouped.setdefault(one.shown, []).append(one)
    return grouped
