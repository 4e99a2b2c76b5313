"""Youden's cut-off of each region for each outcome, with what resampling says about it."""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd

from osteoct.cohort.statistics.accuracy import judge_counts
from osteoct.cohort.statistics.bootstrap import (
    Ladder,
    YoudenResamples,
    make_generator,
    pick_youden,
    resample_youden,
)
from osteoct.cohort.statistics.choices import StatisticsChoices
from osteoct.cohort.statistics.cohort_table import OUTCOMES, REGIONS, hu_column
from osteoct.cohort.statistics.diagnostic_records import Accuracy, Cutoff
from osteoct.cohort.statistics.intervals import ALPHA
from osteoct.cohort.statistics.reasons import Absence
from osteoct.cohort.statistics.records import HuRegion, Outcome
from osteoct.cohort.statistics.roc import lacking, split_by_outcome


def find_cutoffs(table: pd.DataFrame, choices: StatisticsChoices) -> tuple[Cutoff, ...]:
    """Find the cut-off of each region for each outcome."""
    return tuple(
        find_cutoff(table, cast("Outcome", outcome), cast("HuRegion", region), choices)
        for outcome in OUTCOMES
        for region in REGIONS
    )


def find_cutoff(
    table: pd.DataFrame, outcome: Outcome, region: HuRegion, choices: StatisticsChoices
) -> Cutoff:
    """Find one cut-off, its interval, and its accuracy apparent and corrected."""
    pos, neg = split_by_outcome(table, outcome, hu_column(region))
    row = Cutoff(
        outcome=outcome,
        region=region,
        n_pos=pos.shape[1],
        n_neg=neg.shape[1],
        n_missing=len(table) - pos.shape[1] - neg.shape[1],
        reason=lacking(pos, neg),
    )
    if row.reason is not None:
        return row
    ladder = Ladder.of(pos[0], neg[0])
    if len(ladder.hu) == 1:
        return row.model_copy(update={"reason": Absence.CONSTANT})
    up_pos, up_neg = ladder.cumulate()
    last = int(pick_youden(up_pos[None], up_neg[None])[0])
    tp, fp = int(up_pos[last]), int(up_neg[last])
    random = make_generator(choices.seed, "youden", outcome, region)
    drawn = resample_youden(ladder, choices.n_bootstrap, random)
    low, high = np.quantile(drawn.cutoffs, [ALPHA / 2, 1 - ALPHA / 2]).tolist()
    return row.model_copy(
        update={
            "cutoff_hu": float(ladder.hu[last] + ladder.hu[last + 1]) / 2,
            "cutoff_ci_low": low,
            "cutoff_ci_high": high,
            "youden": tp / row.n_pos - fp / row.n_neg,
            "n_bootstrap": choices.n_bootstrap,
            "seed": choices.seed,
            "apparent": judge_counts(tp, row.n_pos - tp, fp, row.n_neg - fp),
            "corrected": _correct(tp / row.n_pos, 1 - fp / row.n_neg, row, drawn),
            "optimism_sensitivity": float(drawn.optimism_sensitivity.mean()),
            "optimism_specificity": float(drawn.optimism_specificity.mean()),
        }
    )


def _correct(
    sensitivity: float, specificity: float, row: Cutoff, drawn: YoudenResamples
) -> Accuracy:
    """The table that sensitivity and specificity less their optimism imply."""
    sens = min(1.0, max(0.0, sensitivity - float(drawn.optimism_sensitivity.mean())))
    spec = min(1.0, max(0.0, specificity - float(drawn.optimism_specificity.mean())))
    return judge_counts(
        sens * row.n_pos, (1 - sens) * row.n_pos, (1 - spec) * row.n_neg, spec * row.n_neg
    )
