"""Patients who were scanned more than once: each examination beside the one before it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

from osteoct.change.comparing import compare_examinations
from osteoct.change.examination import Examination, examination_of
from osteoct.records import CaseResult, Change, RegionChange
from osteoct.run.collect.columns import Column, Value, from_changed
from osteoct.run.ledger.records import Row
from osteoct.run.records import State

Changed = tuple[str, Change, RegionChange]
"""The patient's pseudonym, the comparison, and one number of it."""

CHANGE_COLUMNS: Final[tuple[Column[Changed], ...]] = (
    from_changed("patient", "string", "keyed pseudonym of the patient", lambda c: c[0]),
    from_changed("earlier_case", "string", "name of the case before", lambda c: c[1].earlier_case),
    from_changed("earlier_date", "string", "its date", lambda c: c[1].earlier_date),
    from_changed("later_date", "string", "date of the later case", lambda c: c[1].later_date),
    from_changed("days", "integer", "days between the two", lambda c: c[1].days, "d"),
    from_changed("scanner", "string", "same, other or unknown", lambda c: c[1].scanner),
    from_changed(
        "level",
        "string",
        "vertebra; mean for the mean over the levels that count in both",
        lambda c: "mean" if c[2].level is None else str(c[2].level),
    ),
    from_changed("levels", "string", "what it is of", lambda c: " ".join(map(str, c[2].levels))),
    from_changed("protocol", "string", "recipe behind the numbers", lambda c: c[2].protocol),
    from_changed("region", "string", "as in the other tables", lambda c: str(c[2].region)),
    from_changed("quantity", "string", "mean-hu, or volume in cm3", lambda c: str(c[2].quantity)),
    from_changed("earlier", "number", "the number before", lambda c: c[2].earlier),
    from_changed("later", "number", "the later number", lambda c: c[2].later),
    from_changed("difference", "number", "later less earlier", lambda c: c[2].difference),
    from_changed(
        "difference_percent",
        "number",
        "of the mean of both",
        lambda c: c[2].difference_percent,
        "%",
    ),
    from_changed("limit", "number", "least significant change", lambda c: c[2].limit),
    from_changed(
        "verdict",
        "string",
        "beyond, within, no-limit or not-comparable",
        lambda c: str(c[2].verdict),
    ),
    from_changed("reason", "string", "the verdict in words", lambda c: c[2].reason),
)


def collect_changes(
    cases: Iterable[Row], read: Callable[[Row], CaseResult | None]
) -> Iterator[Sequence[Value]]:
    """Yield a row for every number of every two examinations that follow each other.

    Cases without a date or a patient are in none of them. The names of a patient's cases are held
    in memory, their results one patient at a time.

    Parameters
    ----------
    read
        The result of a finished case; ``None`` where it is missing or damaged.
    """
    of_patient: dict[str, list[Row]] = defaultdict(list)
    for row in cases:
        if row.state is State.DONE and row.patient is not None:
            of_patient[row.patient].append(row)
    for patient in sorted(of_patient):
        if len(of_patient[patient]) > 1:
            yield from _compare(patient, _in_order(of_patient[patient], read))


def _in_order(rows: Sequence[Row], read: Callable[[Row], CaseResult | None]) -> list[Examination]:
    results = (read(row) for row in rows)
    found = [examination_of(result) for result in results if result is not None]
    dated = [one for one in found if one.study_date is not None]
    return sorted(dated, key=lambda one: (one.study_date, one.case_id))


def _compare(patient: str, examinations: Sequence[Examination]) -> Iterator[Sequence[Value]]:
    for earlier, later in pairwise(examinations):
        # of one patient, as the ledger says; a case named by hand may not know whose it is
        change = compare_examinations(earlier, later, same_patient=True)
        for row in change.rows:
            subject = (patient, change, row)
            yield [column.take(subject) for column in CHANGE_COLUMNS]
