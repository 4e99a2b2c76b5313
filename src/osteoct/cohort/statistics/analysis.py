"""Everything about one table, in one call."""

from __future__ import annotations

import pandas as pd

from osteoct.cohort.statistics.choices import CohortStatistics, StatisticsChoices
from osteoct.cohort.statistics.cohort_table import GROUPS, prepare_table
from osteoct.cohort.statistics.correlation import correlate
from osteoct.cohort.statistics.cutoffs import find_cutoffs
from osteoct.cohort.statistics.describe import describe_cohort
from osteoct.cohort.statistics.groups import compare_groups
from osteoct.cohort.statistics.logistic import fit_models
from osteoct.cohort.statistics.published import check_published_cutoffs
from osteoct.cohort.statistics.robustness import vary_choices
from osteoct.cohort.statistics.roc import analyze_rocs, compare_rocs


def analyze_table(table: pd.DataFrame, choices: StatisticsChoices) -> CohortStatistics:
    """Describe, correlate, compare, diagnose and vary a table of the shape of ``cohort.csv``.

    A table without rows, or without any of the columns, gives records with reasons, not an error.

    >>> empty = analyze_table(pd.DataFrame(), StatisticsChoices())
    >>> empty.n, empty.rocs[0].reason.value
    (0, 'too-few')
    """
    prepared = prepare_table(table, choices)
    rows = prepared.table
    comparison = compare_groups(rows, choices)
    groups = {g: int((rows["group"] == g).sum()) for g in GROUPS}
    return CohortStatistics(
        choices=choices,
        n=len(rows),
        group_counts=groups | {"unknown": int(rows["group"].isna().sum())},
        ignored=prepared.ignored,
        description=describe_cohort(rows),
        correlations=correlate(rows),
        group_tests=comparison.tests,
        post_hoc=comparison.post_hoc,
        effect_sizes=comparison.effect_sizes,
        rocs=analyze_rocs(rows),
        roc_pairs=compare_rocs(rows),
        cutoffs=find_cutoffs(rows, choices),
        fixed_cutoffs=check_published_cutoffs(rows, choices.protocol),
        models=fit_models(rows, choices),
        robustness=vary_choices(rows, choices),
    )
