"""Which CT is compared with which, and why the others are with none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from osteoct.cohort.agree.choices import AgreeChoices
from osteoct.cohort.agree.side import Left, Scan, Side, Unpaired, leave
from osteoct.errors import LinkageError

PAIR: Final = 2


@dataclass(frozen=True, kw_only=True)
class Group:
    """CTs that are compared: one of each side, or the repeats of one patient in order of time."""

    scans: tuple[Scan, ...]

    @property
    def shown(self) -> str:
        """How the group is called in what is written."""
        return next((s.shown for s in self.scans if s.shown), "")

    @property
    def days(self) -> int | None:
        """Days from the first CT to the last, where both are known."""
        first, last = self.scans[0].day, self.scans[-1].day
        return None if first is None or last is None else abs(last - first)


@dataclass(frozen=True, kw_only=True)
class Grouped:
    """All groups and all CTs that are in none."""

    groups: tuple[Group, ...]
    left: tuple[Left, ...]


def pair_sides(first: Side, second: Side, choices: AgreeChoices) -> Grouped:
    """Pair the CTs of two sides, each at most once.

    Cases pair by name. Patients pair by name and by the fewest days between their CTs, where those
    are known and within the window; ties take the earlier CT, then the upper row.

    Raises
    ------
    LinkageError
        Nobody pairs.
    """
    by = choose_key(first, second, choices)
    rights: dict[str, list[Scan]] = {}
    for scan in second.scans:
        if name := _name(scan, by):
            rights.setdefault(name, []).append(scan)
    lefts: dict[str, list[Scan]] = {}
    for scan in first.scans:
        if name := _name(scan, by):
            lefts.setdefault(name, []).append(scan)
    left = [*first.left, *second.left]
    nameless = Unpaired.NO_PATIENT
    left += [leave(0, s, nameless) for s in first.scans if not _name(s, by)]
    left += [leave(1, s, nameless) for s in second.scans if not _name(s, by)]
    groups: list[Group] = []
    for name in (*lefts, *(n for n in rights if n not in lefts)):
        found = _pair_patient(lefts.get(name, []), rights.get(name, []), by, choices)
        groups += [g for g in found if isinstance(g, Group)]
        left += [one for one in found if isinstance(one, Left)]
    if not groups:
        raise LinkageError(
            "nobody pairs",
            where="osteoct cohort agree",
            found=f"{len(lefts)} and {len(rights)} names ({by}), {_count_shared(lefts, rights)} of "
            f"them on both sides{_list_reasons(left)}",
            wanted=f"the same {by} on both sides",
            hint="sides pair by case or by patient (--by), analysed with one key",
        )
    return Grouped(groups=tuple(groups), left=tuple(left))


def choose_key(first: Side, second: Side, choices: AgreeChoices) -> str:
    """``case`` where the sides share one or know no patients, else ``patient``."""
    if choices.by != "auto":
        return choices.by
    cases = {s.case for s in first.scans if s.case}
    shares = any(s.case in cases for s in second.scans)
    patients = any(s.patient for s in first.scans) and any(s.patient for s in second.scans)
    return "case" if shares or not patients else "patient"


def _name(scan: Scan, by: str) -> str | None:
    return scan.case if by == "case" else scan.patient


def _count_shared(first: Iterable[str], second: Iterable[str]) -> int:
    return len(set(first) & set(second))


def _list_reasons(left: Sequence[Left]) -> str:
    reasons = [r for r in dict.fromkeys(one.reason for one in left) if r != Unpaired.NO_PARTNER]
    return f"; left out: {', '.join(reasons)}" if reasons else ""


def _pair_patient(
    first: list[Scan], second: list[Scan], by: str, choices: AgreeChoices
) -> list[Group | Left]:
    """The pair of one name, and why its other CTs are not compared."""
    if not first or not second:
        side = 0 if first else 1
        return [*(leave(side, s, Unpaired.NO_PARTNER) for s in (*first, *second))]
    places = [
        (days or 0, a.day or 0, i, j)
        for i, a in enumerate(first)
        for j, b in enumerate(second)
        for days in (_days(a, b),)
        if by == "case" or days is None or days <= choices.window_days
    ]
    if not places:
        reason = Unpaired.OUTSIDE_WINDOW
        return [
            *(leave(0, s, reason) for s in first),
            *(leave(1, s, reason) for s in second),
        ]
    _, _, i, j = min(places)
    other = Unpaired.OTHER_SCAN_NEARER
    return [
        Group(scans=(first[i], second[j])),
        *(leave(0, s, other) for n, s in enumerate(first) if n != i),
        *(leave(1, s, other) for n, s in enumerate(second) if n != j),
    ]


def _days(a: Scan, b: Scan) -> int | None:
    return None if a.day is None or b.day is None else abs(a.day - b.day)


def find_repeats(side: Side, choices: AgreeChoices) -> Grouped:
    """Group the CTs of each patient that were made within the window under the same conditions.

    A group begins with a patient's earliest CT and holds all CTs within the window from it; a
    patient has one group, the one with the most CTs and of equal ones the earliest.

    Raises
    ------
    LinkageError
        No patient has two CTs that may be compared.
    """
    patients: dict[str, list[Scan]] = {}
    left = list(side.left)
    for scan in side.scans:
        if scan.patient:
            patients.setdefault(scan.patient, []).append(scan)
        else:
            left.append(leave(0, scan, Unpaired.NO_PATIENT))
    groups = []
    for scans in patients.values():
        group, out = _group_patient(scans, choices)
        groups += [group] if group else []
        left += out
    if not groups:
        several = sum(len(s) > 1 for s in patients.values())
        raise LinkageError(
            "no repeats",
            where="osteoct cohort agree --repeats",
            found=f"{len(patients)} patients, {several} of them with several CTs"
            f"{_list_reasons(left)}",
            wanted=f"two CTs of a patient within {choices.window_days} days, of one tube voltage "
            "and contrast phase",
            hint="--window-days, --across-conditions, --allow-undated",
        )
    return Grouped(groups=tuple(groups), left=tuple(left))


def _group_patient(scans: list[Scan], choices: AgreeChoices) -> tuple[Group | None, list[Left]]:
    """The repeats of one patient, and why each other CT is none."""
    if len(scans) == 1:
        return None, [leave(0, scans[0], Unpaired.NO_PARTNER)]
    usable = [s for s in scans if s.day is not None or choices.allow_undated]
    undated = [leave(0, s, Unpaired.DATE_UNKNOWN) for s in scans if s not in usable]
    candidates = [
        group
        for part in _split(usable, choices)
        for group in _split_by_days(part, choices.window_days)
    ]
    if not candidates:
        return None, undated
    best = max(candidates, key=len)
    if len(best) < PAIR:
        reason = _explain(usable, choices)
        return None, [*undated, *(leave(0, s, reason(s)) for s in usable)]
    others = [s for s in usable if s not in best]
    explain = _explain([best[0], *others], choices)
    return Group(scans=tuple(best)), [*undated, *(leave(0, s, explain(s)) for s in others)]


def _conditions(scan: Scan) -> tuple[float | None, str | None]:
    return scan.kvp, scan.phase


def _split(scans: Sequence[Scan], choices: AgreeChoices) -> list[list[Scan]]:
    """CTs by their conditions, which are all one where asked for; each in order of time."""
    parts: dict[object, list[Scan]] = {}
    for scan in scans:
        parts.setdefault(None if choices.across_conditions else _conditions(scan), []).append(scan)
    return [sorted(p, key=lambda s: (s.day or 0, s.row or 0, s.case or "")) for p in parts.values()]


def _split_by_days(scans: Sequence[Scan], window_days: int) -> list[list[Scan]]:
    """Runs that begin with a CT and hold those within the window from it."""
    runs: list[list[Scan]] = []
    for scan in scans:
        start = runs[-1][0].day if runs else None
        undated = scan.day is None or start is None
        if runs and (undated or (scan.day or 0) - (start or 0) <= window_days):
            runs[-1].append(scan)
        else:
            runs.append([scan])
    return runs


def _explain(scans: Sequence[Scan], choices: AgreeChoices) -> Callable[[Scan], Unpaired]:
    """Why a CT is no repeat of the first: other conditions, or too many days."""
    if len(scans) == 1:
        return lambda _: Unpaired.NO_PARTNER
    first = scans[0]

    def explain(scan: Scan) -> Unpaired:
        rest = [s for s in scans if s is not scan]
        others = [first] if scan is not first else rest
        same = choices.across_conditions or any(_conditions(s) == _conditions(scan) for s in others)
        return Unpaired.OUTSIDE_WINDOW if same else Unpaired.OTHER_CONDITIONS

    return explain
