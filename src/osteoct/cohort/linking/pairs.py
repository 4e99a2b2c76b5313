"""Pair CTs with DXA scans: within the window, the nearest, by rules for every tie."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from osteoct.cohort.columns import SITES
from osteoct.cohort.linking.cases import CtCase
from osteoct.cohort.linking.choices import LinkChoices
from osteoct.cohort.linking.identity import NamedScan
from osteoct.cohort.linking.reasons import Unlinked

AGE_TOLERANCE_YEARS: Final = 2.0
"""Beside the time between the scans: whole years, rounded either way, in both sources."""

_DAYS_PER_YEAR: Final = 365.25
_FAR_DAY: Final = date.max


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A CT and the DXA scan it is compared with; ``days`` from CT to DXA, absent without a day."""

    patient: str
    case: CtCase
    scan: NamedScan
    days: int | None

    @property
    def rank(self) -> tuple[int, bool, date, str, int]:
        """Order of preference; the least counts."""
        days = 0 if self.days is None else self.days
        day = find_ct_day(self.case, self.scan) or _FAR_DAY
        return abs(days), days > 0, day, self.case.case_id, self.scan.scan.row


@dataclass(frozen=True, kw_only=True)
class Linked:
    """The pairs of the cohort, and why each other row stays out."""

    pairs: tuple[Pair, ...]
    cases_out: Mapping[str, Unlinked]
    """Case id to reason."""
    scans_out: Mapping[int, Unlinked]
    """Row of the DXA table to reason."""


def find_ct_day(case: CtCase, scan: NamedScan) -> date | None:
    """Day of the CT: from its header, else as the DXA table tells it."""
    return case.day or scan.scan.ct_date


def pair_scans(cases: Sequence[CtCase], scans: Sequence[NamedScan], choices: LinkChoices) -> Linked:
    """Pair every usable CT with its best DXA scan, then choose among a patient's CTs."""
    by_name: dict[str, list[NamedScan]] = {}
    for scan in scans:
        by_name.setdefault(scan.shown, []).append(scan)
    best: dict[str, list[Pair]] = {}
    cases_out: dict[str, Unlinked] = {}
    scans_out: dict[int, Unlinked] = {}
    for case in cases:
        own = [*by_name.get(case.patient or "", ()), *by_name.get(case.case_id, ())]
        pair = _pair_case(case, own, choices, scans_out)
        if isinstance(pair, Unlinked):
            cases_out[case.case_id] = pair
        else:
            best.setdefault(pair.patient, []).append(pair)
    pairs = []
    for found in best.values():
        kept = _choose(found, choices)
        pairs += kept
        cases_out |= {p.case.case_id: Unlinked.OTHER_SCAN_NEARER for p in found if p not in kept}
    pairs.sort(key=lambda p: (p.patient, p.rank))
    known = {n: case.refused is None for case in cases for n in (case.patient, case.case_id) if n}
    known |= {n: True for c in cases if c.refused is None for n in (c.patient, c.case_id) if n}
    return Linked(
        pairs=tuple(pairs),
        cases_out=cases_out,
        scans_out=_explain_scans(scans, pairs, scans_out, known),
    )


def _pair_case(
    case: CtCase,
    scans: Sequence[NamedScan],
    choices: LinkChoices,
    scans_out: dict[int, Unlinked],
) -> Pair | Unlinked:
    """The best pair of one CT, or why there is none; notes why scans do not fit."""
    if case.refused is not None:
        return case.refused
    if not scans:
        return Unlinked.NO_DXA
    pairs, reasons = [], []
    for scan in scans:
        pair = _try_pair(case, scan, choices)
        if isinstance(pair, Unlinked):
            reasons.append(pair)
            scans_out.setdefault(scan.scan.row, pair)
        else:
            pairs.append(pair)
    return min(pairs, key=lambda p: p.rank) if pairs else min(reasons, key=list(Unlinked).index)


def _try_pair(case: CtCase, scan: NamedScan, choices: LinkChoices) -> Pair | Unlinked:
    """The pair of a CT and a DXA scan, or what stands against it."""
    person = scan.scan.person
    if all(scan.scan.t_score(site) is None for site in SITES):
        return Unlinked.NO_T_SCORE
    if case.sex and person.sex and case.sex != person.sex:
        return Unlinked.SEX_DIFFERS
    day = find_ct_day(case, scan)
    is_by_case = scan.case_id is not None
    if day is None and not (choices.allow_undated and is_by_case):
        return Unlinked.DATE_UNKNOWN
    days = None if day is None else (scan.scan.dxa_date - day).days
    if days is not None and abs(days) > choices.window_days:
        return Unlinked.OUTSIDE_WINDOW
    allowed = AGE_TOLERANCE_YEARS + abs(days or 0) / _DAYS_PER_YEAR
    if case.age is not None and person.age is not None and abs(case.age - person.age) > allowed:
        return Unlinked.AGE_DIFFERS
    return Pair(patient=case.patient or case.case_id, case=case, scan=scan, days=days)


def _choose(pairs: Sequence[Pair], choices: LinkChoices) -> list[Pair]:
    """The CTs of one patient that count."""
    if choices.repeats == "all":
        return list(pairs)
    if choices.repeats == "nearest":
        return [min(pairs, key=lambda p: p.rank)]
    days = {p.case.case_id: find_ct_day(p.case, p.scan) or _FAR_DAY for p in pairs}
    wanted = (min if choices.repeats == "first" else max)(days.values())
    return [min((p for p in pairs if days[p.case.case_id] == wanted), key=lambda p: p.rank)]


def _explain_scans(
    scans: Iterable[NamedScan],
    pairs: Sequence[Pair],
    noted: Mapping[int, Unlinked],
    known: Mapping[str, bool],
) -> dict[int, Unlinked]:
    """Why each DXA scan is in no pair; ``known`` tells which names have a CT to use."""
    used = {p.scan.scan.row for p in pairs}
    out: dict[int, Unlinked] = {}
    for scan in scans:
        row = scan.scan.row
        if row in used:
            continue
        if scan.shown not in known:
            out[row] = Unlinked.NO_CT
        elif not known[scan.shown]:
            out[row] = Unlinked.CT_EXCLUDED
        else:
            out[row] = noted.get(row, Unlinked.OTHER_SCAN_NEARER)
    return out
