"""CTs of patients of whom there are several, for the agreement of repeated scans."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

import pandas as pd

from osteoct.cohort.columns import LEVELS, REGIONS
from osteoct.cohort.linking.cases import CtCase

DECIMALS: Final = 3

_HU: Final = (*(f"{region}_hu" for region in REGIONS), *LEVELS)
_VOLUMES: Final = tuple(name.replace("_hu", "_cm3") for name in _HU)

REPEAT_COLUMNS: Final = ("patient", "days_from_first_ct", "kvp", "phase", *_HU, *_VOLUMES)


def make_repeat_table(cases: Iterable[CtCase]) -> pd.DataFrame:
    """One row per usable CT of each patient with two or more, with or without a DXA scan.

    Days count from the patient's first CT that is there: no day of an examination is told.
    """
    patients: dict[str, list[CtCase]] = {}
    for case in cases:
        if case.patient is not None and case.refused is None:
            patients.setdefault(case.patient, []).append(case)
    several = {name: cts for name, cts in sorted(patients.items()) if len(cts) > 1}
    rows = [row for name, cts in several.items() for row in _make_rows(name, cts)]
    return pd.DataFrame(rows, columns=list(REPEAT_COLUMNS))


def _make_rows(patient: str, cases: list[CtCase]) -> Iterator[dict[str, object]]:
    days = [c.day for c in cases if c.day is not None]
    for case in sorted(cases, key=lambda c: (c.day or date.max, c.case_id)):
        values = {**(case.hu or {}), **(case.volumes or {})}
        row: dict[str, object] = {
            "patient": patient,
            "days_from_first_ct": None if case.day is None else (case.day - min(days)).days,
            "kvp": case.kvp,
            "phase": case.phase,
        }
        yield row | {
            name: round(values[name], DECIMALS) for name in (*_HU, *_VOLUMES) if name in values
        }
