"""Two examinations compared number by number, each change against the limit that it belongs to.

Any two examinations are two sessions: no repeated measurement varies less. What shifts HU for all
patients alike - tube voltage, contrast phase - is no variation that a limit covers, so numbers of
unlike scans are shown and not judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from math import fsum
from typing import Final, Literal

from osteoct.anatomy import Level
from osteoct.change.examination import Examination
from osteoct.change.limits import load_limits
from osteoct.change_records import Change, ChangeVerdict, Quantity, RegionChange
from osteoct.errors import ConfigError, InputError
from osteoct.protocols import Region
from osteoct.records import LevelResult, RegionMeasure

LEAST_MEAN_HU: Final = 50.0
"""Chosen: below it a percentage of HU says little, for 0 HU is water, not the absence of bone."""

KVP_TOLERANCE: Final = 0.5
"""Headers round the tube voltage to whole kV."""

_NO_LIMIT: Final = "no least significant change is published for it"


@dataclass(frozen=True, kw_only=True)
class _Judge:
    """What decides about HU of two examinations.

    Parameters
    ----------
    unlike
        Why no HU of the two can be compared; empty where they can.
    """

    unlike: str
    limit_percent: float
    own_limit_hu: float | None


def compare_examinations(
    earlier: Examination,
    later: Examination,
    *,
    same_patient: bool = False,
    own_limit_hu: float | None = None,
) -> Change:
    """Compare every number that both examinations have.

    Parameters
    ----------
    same_patient
        Whether the user says that both are of one patient, where it is not known.
    own_limit_hu
        The user's own least significant change of trabecular mean HU, in HU; it takes the place of
        the published one.

    Raises
    ------
    InputError
        They are of two patients, of one day and one case, or in the wrong order; or it is not
        known whose they are.
    ConfigError
        The user's limit is no positive number.
    """
    if own_limit_hu is not None and not own_limit_hu > 0:
        raise ConfigError("is no limit", where="--lsc-hu", found=f"{own_limit_hu:g}", wanted="> 0")
    _check_patient(earlier, later, same_patient=same_patient)
    days = _check_order(earlier, later)
    limits = load_limits()
    scanner = _compare_scanners(earlier, later)
    is_same_kernel = bool(earlier.kernel) and earlier.kernel == later.kernel
    judge = _Judge(
        unlike=_why_unlike(earlier, later),
        limit_percent=limits.lsc_percent(
            is_same_scanner=scanner == "same", is_same_kernel=is_same_kernel
        ),
        own_limit_hu=own_limit_hu,
    )
    return Change(
        earlier_case=earlier.case_id,
        earlier_date=earlier.study_date,
        later_date=later.study_date,
        days=days,
        scanner=scanner,
        limit_from=limits.source if own_limit_hu is None else "given by the user, in HU",
        notes=tuple(_note(judge, scanner, is_same_kernel=is_same_kernel, days=days)),
        rows=tuple(_compare(earlier, later, judge)),
    )


def _check_patient(earlier: Examination, later: Examination, *, same_patient: bool) -> None:
    """Refuse to compare two people."""
    if earlier.patient is not None and later.patient is not None:
        if earlier.patient != later.patient:
            raise InputError(
                "the two examinations are of different patients",
                hint="pseudonyms made with different keys differ too: --key-file",
            )
    elif not same_patient:
        raise InputError(
            "it is not known whether both examinations are of one patient",
            found="no patient in one of them",
            hint="--same-patient says that they are",
        )


def _check_order(earlier: Examination, later: Examination) -> int | None:
    """Days between the two; ``None`` where a date is missing."""
    if earlier.case_id is not None and earlier.case_id == later.case_id:
        raise InputError("both are the same case", found=later.case_id)
    if earlier.study_date is None or later.study_date is None:
        return None
    before, after = (date.fromisoformat(day) for day in (earlier.study_date, later.study_date))
    if before > after:
        raise InputError(
            "the earlier examination is the later one",
            found=f"{earlier.study_date} and {later.study_date}",
            hint="name them in the order of their dates",
        )
    return (after - before).days


def _compare_scanners(
    earlier: Examination, later: Examination
) -> Literal["same", "other", "unknown"]:
    if earlier.scanner is None or later.scanner is None:
        return "unknown"
    return "same" if earlier.scanner.casefold() == later.scanner.casefold() else "other"


def _why_unlike(earlier: Examination, later: Examination) -> str:
    """What shifts the HU of one of them against those of the other, or may."""
    before, after = earlier.kvp, later.kvp
    if before is None or after is None:
        return f"the tube voltage of the {_lacking(before, after)} scan is not known"
    if abs(before - after) > KVP_TOLERANCE:
        return f"tube voltages differ: {before:g} and {after:g} kVp"
    if earlier.phase is None or later.phase is None:
        lacking = _lacking(earlier.phase, later.phase)
        return f"the contrast phase of the {lacking} scan is not known"
    if earlier.phase != later.phase:
        return f"contrast phases differ: {earlier.phase} and {later.phase}"
    return ""


def _lacking(before: object, after: object) -> str:
    if before is None and after is None:
        return "earlier and of the later"
    return "earlier" if before is None else "later"


def _note(judge: _Judge, scanner: str, *, is_same_kernel: bool, days: int | None) -> Iterator[str]:
    if judge.unlike:
        yield f"No HU is judged: {judge.unlike}"
    elif judge.own_limit_hu is None:
        where = {
            "same": "the same scanner",
            "other": "another scanner",
            "unknown": "another scanner, as it is not known to be the same",
        }[scanner]
        kernels = "" if is_same_kernel else ", kernels that are unlike or not known"
        yield f"Least significant change for {where}{kernels}: {judge.limit_percent:.1f} %"
    if days is None:
        yield "One of the dates is not known: which of the two is earlier is the user's word"


def _compare(earlier: Examination, later: Examination, judge: _Judge) -> Iterator[RegionChange]:
    """Means over levels first, then level by level."""
    for protocol in _protocols(earlier, later):
        mean = _compare_means(earlier, later, protocol, judge)
        if mean is not None:
            yield mean
    for after in later.levels:
        before = earlier.level(after.level)
        if before is None:
            continue
        for measure in after.regions:
            old = _region(before, measure)
            if old is not None:
                yield _compare_hu(before, after, old, measure, judge)
                yield _compare_volumes(before, after, old, measure)


def _protocols(earlier: Examination, later: Examination) -> list[str]:
    had = {r.protocol for level in earlier.levels for r in level.regions}
    now = (r.protocol for level in later.levels for r in level.regions)
    return [protocol for protocol in dict.fromkeys(now) if protocol in had]


def _region(level: LevelResult, wanted: RegionMeasure) -> RegionMeasure | None:
    key = (wanted.protocol, wanted.region)
    return next((r for r in level.regions if (r.protocol, r.region) == key), None)


def _compare_means(
    earlier: Examination, later: Examination, protocol: str, judge: _Judge
) -> RegionChange | None:
    """The mean over the levels that count in both: a level that one of them lacks shifts a mean."""
    both: list[tuple[Level, float, float]] = []
    for after in later.levels:
        before = earlier.level(after.level)
        if before is None or not (before.usable and after.usable):
            continue
        old, new = (_trabecular_hu(level, protocol) for level in (before, after))
        if old is not None and new is not None:
            both.append((after.level, old, new))
    if not both:
        return None
    old_mean = fsum(old for _, old, _ in both) / len(both)
    new_mean = fsum(new for _, _, new in both) / len(both)
    return _judged(
        RegionChange(
            level=None,
            levels=tuple(level for level, _, _ in both),
            protocol=protocol,
            region=Region.TRABECULAR,
            quantity=Quantity.MEAN_HU,
            verdict=ChangeVerdict.NOT_COMPARABLE,
            reason="",
        ),
        old_mean,
        new_mean,
        judge,
    )


def _trabecular_hu(level: LevelResult, protocol: str) -> float | None:
    wanted = (protocol, Region.TRABECULAR)
    found = (r.hu for r in level.regions if (r.protocol, r.region) == wanted)
    hu = next(found, None)
    return None if hu is None else hu.mean_hu


def _compare_hu(
    before: LevelResult,
    after: LevelResult,
    old: RegionMeasure,
    new: RegionMeasure,
    judge: _Judge,
) -> RegionChange:
    values = [None if r.hu is None else r.hu.mean_hu for r in (old, new)]
    row = _row(before, after, old, new, Quantity.MEAN_HU)
    if row.reason:
        return _with_numbers(row, *values)
    assert values[0] is not None  # noqa: S101 -- a number that lacks is a reason
    assert values[1] is not None  # noqa: S101 -- likewise
    return _judged(row, values[0], values[1], judge)


def _compare_volumes(
    before: LevelResult, after: LevelResult, old: RegionMeasure, new: RegionMeasure
) -> RegionChange:
    row = _row(before, after, old, new, Quantity.VOLUME)
    if not row.reason:
        row = row.model_copy(update={"verdict": ChangeVerdict.NO_LIMIT, "reason": _NO_LIMIT})
    return _with_numbers(row, old.volume_cm3, new.volume_cm3)


def _row(
    before: LevelResult,
    after: LevelResult,
    old: RegionMeasure,
    new: RegionMeasure,
    quantity: Quantity,
) -> RegionChange:
    """A row without numbers; with a reason where the level or its number does not count."""
    return RegionChange(
        level=after.level,
        levels=(after.level,),
        protocol=new.protocol,
        region=new.region,
        quantity=quantity,
        verdict=ChangeVerdict.NOT_COMPARABLE,
        reason=_why_not((("earlier", before, old), ("later", after, new))),
    )


def _why_not(sides: Sequence[tuple[str, LevelResult, RegionMeasure]]) -> str:
    for name, level, measure in sides:
        if measure.reason is not None:
            return f"not measured in the {name} scan ({measure.reason})"
        if not level.usable:
            codes = ", ".join(level.usability_codes)
            return f"left out in the {name} scan" + (f" ({codes})" if codes else "")
    return ""


def _judged(row: RegionChange, before: float, after: float, judge: _Judge) -> RegionChange:
    """A row of HU with its verdict."""
    row = _with_numbers(row, before, after)
    middle, difference = (before + after) / 2, after - before
    if judge.unlike:
        return row.model_copy(update={"reason": judge.unlike})
    if row.region is not Region.TRABECULAR:
        update = {"verdict": ChangeVerdict.NO_LIMIT, "reason": _NO_LIMIT}
        return row.model_copy(update=update)
    if judge.own_limit_hu is not None:
        limit, percent = judge.own_limit_hu, None
    elif middle < LEAST_MEAN_HU:
        reason = f"below {LEAST_MEAN_HU:g} HU a limit in percent says nothing"
        return row.model_copy(update={"reason": reason})
    else:
        limit, percent = judge.limit_percent / 100 * middle, judge.limit_percent
    is_beyond = abs(difference) > limit
    word = "lower" if difference < 0 else "higher"
    reason = (
        f"{abs(difference):.1f} HU {word}, "
        f"{'beyond' if is_beyond else 'within'} the least significant change of {limit:.1f} HU"
    )
    return RegionChange.model_validate(
        row.model_dump()
        | {
            "limit": limit,
            "limit_percent": percent,
            "verdict": ChangeVerdict.BEYOND if is_beyond else ChangeVerdict.WITHIN,
            "reason": reason,
        }
    )


def _with_numbers(row: RegionChange, before: float | None, after: float | None) -> RegionChange:
    """The row with what was measured; a percentage where there is something to take it of."""
    difference = None if before is None or after is None else after - before
    middle = None if before is None or after is None else (before + after) / 2
    percent = None
    if difference is not None and middle is not None and middle > 0:
        percent = 100 * difference / middle
    return row.model_copy(
        update={
            "earlier": before,
            "later": after,
            "difference": difference,
            "difference_percent": percent,
        }
    )
