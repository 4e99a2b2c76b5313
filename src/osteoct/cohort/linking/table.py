"""The cohort's table from its pairs."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from osteoct.cohort.columns import COHORT_COLUMNS, LEVELS, REGIONS, SITES
from osteoct.cohort.linking.choices import LinkChoices
from osteoct.cohort.linking.pairs import Pair, find_ct_day
from osteoct.cohort.statistics.choices import StatisticsChoices
from osteoct.cohort.statistics.cohort_table import prepare_table

HU_DECIMALS = 3
"""A thousandth of the smallest step of a scanner, as in the tables of a case."""

OUTCOMES = ("group", "outcome_low_bmd", "outcome_osteoporosis")


def make_cohort_table(pairs: Sequence[Pair], choices: LinkChoices) -> pd.DataFrame:
    """One row per pair, in the columns of ``cohort.csv``; what is missing is empty."""
    table = pd.DataFrame([_make_row(p, choices) for p in pairs], columns=list(COHORT_COLUMNS))
    if table.empty:
        return table
    sorting = StatisticsChoices(
        definition=choices.definition, site=choices.site, protocol=choices.protocol
    )
    prepared = prepare_table(table, sorting).table
    for name in OUTCOMES:
        table[name] = prepared[name].to_numpy()
    return table


def _make_row(pair: Pair, choices: LinkChoices) -> dict[str, object]:
    scan, case = pair.scan.scan, pair.case
    hu = case.hu or {}
    day = find_ct_day(case, pair.scan)
    row: dict[str, object] = {
        "patient": pair.patient,
        "sex": scan.person.sex or case.sex,
        "age": case.age if scan.person.age is None else scan.person.age,
        "bmi": scan.person.bmi,
        "days_between": pair.days,
        "kvp": case.kvp,
        "phase": case.phase,
        "has_blocking": int(case.has_blocking),
    }
    row |= {f"t_{site}": scan.t_score(site) for site in SITES}
    names = (*(f"{region}_hu" for region in REGIONS), *LEVELS)
    row |= {name: round(hu[name], HU_DECIMALS) for name in names if name in hu}
    if choices.keep_dates:
        row["ct_date"] = None if day is None else day.isoformat()
        row["dxa_date"] = scan.dxa_date.isoformat()
    return row
