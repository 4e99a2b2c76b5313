"""The table as the statistics want it: known types, one spelling, missing as missing and
counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from osteoct.cohort.statistics.choices import StatisticsChoices
from osteoct.cohort.statistics.tscore import SITES, assign_groups, deciding_t_score

REGIONS = ("total", "trabecular", "cortical")
LEVELS = ("mean", "L1", "L2", "L3", "L4", "L5")
GROUPS = ("healthy", "osteopenia", "osteoporosis")
OUTCOMES = ("low_bmd", "osteoporosis")

SEXES = {"f": "F", "female": "F", "w": "F", "m": "M", "male": "M"}
TRUTHS = {"true": 1.0, "1": 1.0, "1.0": 1.0, "yes": 1.0, "false": 0.0, "0": 0.0, "0.0": 0.0}
TRUTHS |= {"no": 0.0}

_BLANK = ("", "nan", "none", "<na>", "nat")


def hu_column(region: str, level: str = "mean") -> str:
    """Name of the column of a region's HU at a level.

    >>> hu_column("total"), hu_column("cortical", "L5")
    ('total_hu', 'cortical_hu_l5')
    """
    return f"{region}_hu" if level == "mean" else f"{region}_hu_{level.lower()}"


@dataclass(frozen=True, kw_only=True)
class PreparedTable:
    """The table, and how many cells of each column were there but could not be read."""

    table: pd.DataFrame
    ignored: dict[str, int]


def prepare_table(table: pd.DataFrame, choices: StatisticsChoices) -> PreparedTable:
    """Bring a table into the shape the statistics take; the given table is left as it is.

    Absent columns are added empty. Text where a number belongs, infinities, and words for sex or
    yes/no that are not known become missing and are counted. Groups and outcomes come from the
    T-scores; where a table has no T-score at all, its own ``group`` is taken, and where it has no
    group, its own outcomes.
    """
    ignored: dict[str, int] = {}
    columns: dict[str, pd.Series[float] | pd.Series[str]] = {}
    for name in _number_columns(table):
        columns[name] = _read_numbers(table, name, ignored)
    columns["sex"] = _read_words(table, "sex", SEXES, ignored)
    columns["phase"] = _read_text(table, "phase")
    for name in ("has_blocking", *(f"outcome_{o}" for o in OUTCOMES)):
        columns[name] = _read_words(table, name, TRUTHS, ignored).astype(float)
    columns["group"] = _read_words(table, "group", {g: g for g in GROUPS}, ignored)
    made = pd.DataFrame(columns, index=table.index).reset_index(drop=True)
    return PreparedTable(table=_sort_patients(made, choices), ignored=ignored)


def _sort_patients(table: pd.DataFrame, choices: StatisticsChoices) -> pd.DataFrame:
    """Set group and outcomes from the T-scores, or keep those that the table brought."""
    if table[[f"t_{s}" for s in SITES]].notna().to_numpy().any():
        t_score = deciding_t_score(table, choices.site)
        table["group"] = assign_groups(t_score, choices.definition)
    if table["group"].notna().any():
        known = table["group"].notna()
        table["outcome_low_bmd"] = (table["group"] != "healthy").astype(float).where(known)
        porotic = table["group"] == "osteoporosis"
        table["outcome_osteoporosis"] = porotic.astype(float).where(known)
    return table


def _number_columns(table: pd.DataFrame) -> list[str]:
    """Columns of numbers: those always there, and the levels the table has."""
    fixed = ["age", "bmi", "days_between", *(f"t_{s}" for s in SITES), "kvp"]
    levels = [hu_column(r, lv) for r in REGIONS for lv in LEVELS]
    return fixed + [name for name in levels if name in table or name.endswith("_hu")]


def _read_numbers(table: pd.DataFrame, name: str, ignored: dict[str, int]) -> pd.Series[float]:
    """A column as float; what is no finite number is missing, and counted if it was something."""
    if name not in table:
        return pd.Series(np.nan, index=table.index)
    given = table[name]
    values = pd.to_numeric(given, errors="coerce").astype(float)
    values = values.where(np.isfinite(values))
    _count_ignored(given, values.isna(), name, ignored)
    return values


def _read_words(
    table: pd.DataFrame,
    name: str,
    words: dict[str, str] | dict[str, float],
    ignored: dict[str, int],
) -> pd.Series[str]:
    """A column of known words in their one spelling."""
    if name not in table:
        return pd.Series(None, index=table.index, dtype=object)
    spelled = table[name].astype(str).str.strip().str.lower()
    read = spelled.map(words).astype(object)
    _count_ignored(table[name], read.isna(), name, ignored)
    return read.where(read.notna(), None)


def _read_text(table: pd.DataFrame, name: str) -> pd.Series[str]:
    """A column of free words; blank is missing."""
    if name not in table:
        return pd.Series(None, index=table.index, dtype=object)
    text = table[name].astype(str).str.strip().astype(object)
    return text.where(~text.str.lower().isin(_BLANK), None)


def _count_ignored(
    given: pd.Series[str], is_missing: pd.Series[bool], name: str, ignored: dict[str, int]
) -> None:
    """Count cells that held something and are missing now."""
    blank = given.isna() | given.astype(str).str.strip().str.lower().isin(_BLANK)
    lost = int((is_missing & ~blank).sum())
    if lost:
        ignored[name] = lost
