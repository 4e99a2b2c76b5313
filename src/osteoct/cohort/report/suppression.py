"""No cell under five patients is printed: small counts, and what would give them away.

Works on the plain form of the statistics' records (dictionaries and lists), which every table, file
and text of the report is made from; so what is hidden here is hidden everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from osteoct.cohort.linking.flow import FlowRow

SMALL: Final = "<5"
PARTNER: Final = "hidden"
"""In place of a count from which, with a total, a small one could be computed."""

SUPPRESSED: Final = "suppressed"

BASES: Final = ("n", "n_pos", "n_neg", "n_first", "n_second", "n_patients")
"""Counts of the patients a record rests on: where one is small, nothing else of it is printed."""

OTHER_COUNTS: Final = ("n_missing", "n_other_conditions", "count", "events")

_PAIRS: Final = (("n_pos", "n_neg"),)
_CELLS: Final = ("true_pos", "false_neg", "false_pos", "true_neg")
_PLAIN: Final = ("cutoff_hu", "hu", "threshold", "n_bootstrap", "seed", "n_points")
"""Numbers that are no statistic of patients, or are of all of them."""


def is_small(value: object, least: int) -> bool:
    """Whether a count is of at least one patient, but of too few to print.

    >>> [is_small(n, 5) for n in (0, 1, 4, 5, None)]
    [False, True, True, False, False]
    """
    is_count = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_count and 0 < float(value) < least  # type: ignore[arg-type]


def show_count(value: int, least: int) -> str:
    """A count as printed."""
    return SMALL if is_small(value, least) else str(value)


def suppress(value: Any, least: int) -> Any:  # noqa: ANN401 - plain data of any shape
    """Return plain data without small cells.

    >>> suppress({"n": 3, "mean": 1.5}, 5)
    {'n': '<5', 'mean': None, 'reason': 'suppressed'}
    """
    if isinstance(value, Mapping):
        return _suppress_record(dict(value), least)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _suppress_list([suppress(v, least) for v in value])
    return value


def _suppress_record(record: dict[str, Any], least: int) -> dict[str, Any]:
    if set(_CELLS) <= set(record):
        return _suppress_accuracy(record, least)
    if {"sensitivity", "specificity"} <= set(record) and "cutoff_hu" in record:
        record["cutoff_hu"] = None  # a corner of a curve is one patient's value
    if any(is_small(record.get(name), least) for name in BASES):
        return _empty(record, least)
    if _is_share(record) and _has_small_part(record["count"], record["n"], least):
        return _empty(record | {"count": _hide_part(record["count"], least)}, least)
    for name in ("minimum", "maximum"):
        if name in record:
            record[name] = None  # one patient's value
    made = {name: suppress(value, least) for name, value in record.items()}
    for name in OTHER_COUNTS:
        if name in made and is_small(made[name], least):
            made[name] = SMALL
    return _hide_consequences(made, record, least)


def _hide_consequences(
    made: dict[str, Any], record: Mapping[str, Any], least: int
) -> dict[str, Any]:
    """What would give away a count that is hidden in a record's parts."""
    if any(share.get("count") in (SMALL, PARTNER) for share in made.get("shares", ())):
        made |= {"statistic": None, "p": None, "differences": []}  # with them a count follows
    if "events" in made and _has_small_part(record["events"], record["n"], least):
        made |= {"observed": None, "ci_low": None, "ci_high": None}
        made["events"] = _hide_part(record["events"], least)
    return made


def _is_share(record: Mapping[str, Any]) -> bool:
    return {"count", "share", "n"} <= set(record)


def _has_small_part(part: float, whole: float, least: int) -> bool:
    return is_small(part, least) or is_small(whole - part, least)


def _hide_part(part: float, least: int) -> str:
    """What stands for a count that is small, or whose rest is: 49 of 53 are not "<5"."""
    return SMALL if is_small(part, least) else PARTNER


def _empty(record: dict[str, Any], least: int) -> dict[str, Any]:
    """The record with its counts hidden and every statistic gone."""
    made: dict[str, Any] = {}
    for name, value in record.items():
        if name in (*BASES, *OTHER_COUNTS):
            made[name] = SMALL if is_small(value, least) else value
        elif isinstance(value, float) and name not in _PLAIN:
            made[name] = None
        elif isinstance(value, (Mapping, list, tuple)) and name not in ("predictors", "groups"):
            made[name] = [] if isinstance(value, (list, tuple)) else None
        else:
            made[name] = value
    for first, second in _PAIRS:
        if SMALL in (made.get(first), made.get(second)):
            made |= {n: PARTNER for n in (first, second) if made.get(n) != SMALL}
    return made | {"reason": SUPPRESSED}


def _suppress_list(records: list[Any]) -> list[Any]:
    """Hide a second group where one of several is small and their total is known.

    Of shares the counts as well: with all of a total and every group but one, that one follows.
    """
    groups = [r for r in records if isinstance(r, dict) and "group" in r and r["group"] != "all"]
    shown = [r for r in groups if isinstance(r.get("n"), int) and r["n"] > 0]
    if sum(r.get("n") == SMALL for r in groups) == 1 and shown:
        min(shown, key=lambda r: r["n"])["n"] = PARTNER
    known = [r for r in shown if isinstance(r.get("count"), int) and isinstance(r["n"], int)]
    if sum(r.get("count") in (SMALL, PARTNER) for r in groups) == 1 and known:
        least = min(known, key=lambda r: min(r["count"], r["n"] - r["count"]))
        least |= {"count": PARTNER, "share": None, "ci_low": None, "ci_high": None}
    return records


def _suppress_accuracy(record: dict[str, Any], least: int) -> dict[str, Any]:
    """A two-by-two table: a small cell hides its row and the proportions that rest on it."""
    sick = any(is_small(record[name], least) for name in _CELLS[:2])
    well = any(is_small(record[name], least) for name in _CELLS[2:])
    made = dict(record)
    for name in _CELLS:
        made[name] = SMALL if is_small(record[name], least) else record[name]
    if sick or well:
        made |= {name: PARTNER for name in _CELLS if made[name] != SMALL}
        made |= dict.fromkeys(("ppv", "npv", "lr_pos", "lr_neg"), _gone())
    if sick:
        made["sensitivity"] = _gone()
    if well:
        made["specificity"] = _gone()
    return made


def _gone() -> dict[str, Any]:
    return {"value": None, "ci_low": None, "ci_high": None, "reason": SUPPRESSED}


def suppress_counts(counts: Mapping[str, int], least: int) -> dict[str, int | str]:
    """Counts of parts of one whole; a lone small one takes the next smallest with it.

    >>> suppress_counts({"a": 3, "b": 20, "c": 9}, 5)
    {'a': '<5', 'b': 20, 'c': 'hidden'}
    """
    made: dict[str, int | str] = {
        name: SMALL if is_small(n, least) else n for name, n in counts.items()
    }
    shown = {name: n for name, n in made.items() if isinstance(n, int) and n > 0}
    if list(made.values()).count(SMALL) == 1 and shown:
        made[min(shown, key=lambda name: shown[name])] = PARTNER
    return made


def show_flow(flow: Sequence[FlowRow], least: int) -> list[str]:
    """Counts of the flow as printed; a lone small reason of a side hides the next smallest.

    >>> rows = [FlowRow(side="ct", step="excluded", reason=r, n=n) for r, n in (("a", 3), ("b", 9))]
    >>> show_flow(rows, 5)
    ['<5', 'hidden']
    """
    shown = [show_count(row.n, least) for row in flow]
    for side in {row.side for row in flow}:
        places = [i for i, r in enumerate(flow) if (r.side, r.step) == (side, "excluded")]
        hidden = suppress_counts({str(i): flow[i].n for i in places}, least)
        for i in places:
            shown[i] = str(hidden[str(i)])
    return shown
