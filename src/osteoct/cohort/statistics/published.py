"""Published cut-offs tested on this cohort, each on its own protocol and conditions only."""

from __future__ import annotations

import pandas as pd

from osteoct.anatomy import LUMBAR
from osteoct.classify.rules import Rule, load_rules
from osteoct.cohort.statistics.accuracy import judge_counts
from osteoct.cohort.statistics.cohort_table import hu_column
from osteoct.cohort.statistics.diagnostic_records import FixedCutoff
from osteoct.cohort.statistics.reasons import Absence
from osteoct.cohort.statistics.records import HuRegion, Outcome

RULE_OUTCOMES: dict[str, Outcome] = {
    "study-2026-trabecular-low": "low_bmd",
    "study-2026-cortical-low": "low_bmd",
    "study-2026-trabecular-osteoporosis": "osteoporosis",
    "study-2026-cortical-osteoporosis": "osteoporosis",
    "pickhardt-2013-l1-160": "osteoporosis",
    "pickhardt-2013-l1-110": "osteoporosis",
}
"""What each applicable rule's source found its cut-off for. 135 HU at L1 is not here: its
attribution was never read in a source, so it is no rule."""

KVP_ROUNDING = 1.0
"""Scanners write 119.9 for 120 kVp; as where one scan is judged."""

REGION_NAMES: dict[str, HuRegion] = {
    "vertebra": "total",
    "body": "total",
    "trabecular": "trabecular",
    "cortical": "cortical",
}


def check_published_cutoffs(table: pd.DataFrame, protocol: str) -> tuple[FixedCutoff, ...]:
    """Test every applicable published cut-off; another protocol's are refused."""
    return tuple(
        _check_cutoff(table, rule, RULE_OUTCOMES[rule.id], protocol)
        for rule in load_rules()
        if rule.protocol is not None
    )


def _check_cutoff(table: pd.DataFrame, rule: Rule, outcome: Outcome, protocol: str) -> FixedCutoff:
    """One rule."""
    region = REGION_NAMES[str(rule.region)]
    level = "mean" if rule.levels == LUMBAR else str(rule.levels[0])
    row = FixedCutoff(
        rule=rule.id,
        title=rule.title,
        protocol=str(rule.protocol),
        outcome=outcome,
        region=region,
        column=hu_column(region, level),
        cutoff_hu=rule.cutoff,
    )
    if rule.protocol != protocol:
        return row.model_copy(update={"reason": Absence.OTHER_PROTOCOL})
    if row.column not in table:
        return row.model_copy(update={"reason": Absence.COLUMN_ABSENT, "n_missing": len(table)})
    complete = table[table[[row.column, f"outcome_{outcome}"]].notna().all(axis=1)]
    fitting = complete[_meets_conditions(complete, rule)]
    is_pos = fitting[f"outcome_{outcome}"] == 1
    is_below = fitting[row.column] < rule.cutoff
    n_pos, n_neg = int(is_pos.sum()), int((~is_pos).sum())
    tp, fp = int((is_below & is_pos).sum()), int((is_below & ~is_pos).sum())
    return row.model_copy(
        update={
            "n_pos": n_pos,
            "n_neg": n_neg,
            "n_missing": len(table) - len(complete),
            "n_other_conditions": len(complete) - len(fitting),
            "accuracy": judge_counts(tp, n_pos - tp, fp, n_neg - fp) if len(fitting) else None,
            "reason": None if len(fitting) else Absence.TOO_FEW,
        }
    )


def _meets_conditions(table: pd.DataFrame, rule: Rule) -> pd.Series[bool]:
    """Whose scan was made as the source's, as far as is known; see ``Conditions`` for unknown."""
    conditions = rule.conditions
    if conditions is None:
        return pd.Series(data=True, index=table.index)
    kvp_fits = (table["kvp"] - conditions.kvp).abs() <= KVP_ROUNDING
    if conditions.kvp_source == "assumed":
        kvp_fits |= table["kvp"].isna()
    phase_fits = table["phase"].isna() | (table["phase"].astype(str) == str(conditions.phase))
    return kvp_fits & phase_fits
