"""What the statistics let a user choose, and what they return together."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from osteoct.cohort.statistics.diagnostic_records import Cutoff, FixedCutoff, Roc, RocPair
from osteoct.cohort.statistics.model_records import LogisticModel
from osteoct.cohort.statistics.records import (
    Correlation,
    DescribeRow,
    EffectSize,
    GroupTest,
    PostHoc,
    RobustnessRow,
)
from osteoct.record import Record

Definition = Literal["who", "study"]
"""``who``: healthy T ≥ −1.0, osteoporosis T ≤ −2.5. ``study``: healthy T > −1.0, osteoporosis
T < −2.5. They differ at exactly −1.0 and −2.5."""

DecidingSite = Literal["lowest", "lumbar", "femoral_neck", "total_hip"]
"""Which T-score sorts a patient; ``lowest`` of the three known ones, as DXA reports do."""


class StatisticsChoices(Record):
    """Choices that change the numbers.

    Parameters
    ----------
    protocol
        How the HU were measured; published cut-offs of another protocol are refused.
    n_bootstrap
        Resamples for cut-offs and rank effect sizes.
    n_validation
        Resamples that validate each logistic model.
    least_group
        Patients (for an AUC: of each outcome) below which a part of the cohort is ``too-small``.
    windows_days
        Longest time between CT and DXA, for the robustness of the result.
    """

    definition: Definition = "who"
    site: DecidingSite = "lowest"
    protocol: str = "vertebra-core-3.5"
    seed: Annotated[int, Field(ge=0)] = 20260101
    n_bootstrap: Annotated[int, Field(ge=1)] = 2000
    n_validation: Annotated[int, Field(ge=1)] = 200
    least_group: Annotated[int, Field(ge=2)] = 10
    windows_days: tuple[int, ...] = (90, 180, 365)


class CohortStatistics(Record):
    """Everything :func:`~osteoct.cohort.statistics.analysis.analyze_table` found.

    ``group_counts`` counts patients per group, with ``unknown`` for those without a T-score.
    ``ignored`` counts cells that could not be read, by column: they were treated as missing.
    """

    choices: StatisticsChoices
    n: int
    group_counts: dict[str, int]
    ignored: dict[str, int]
    description: tuple[DescribeRow, ...]
    correlations: tuple[Correlation, ...]
    group_tests: tuple[GroupTest, ...]
    post_hoc: tuple[PostHoc, ...]
    effect_sizes: tuple[EffectSize, ...]
    rocs: tuple[Roc, ...]
    roc_pairs: tuple[RocPair, ...]
    cutoffs: tuple[Cutoff, ...]
    fixed_cutoffs: tuple[FixedCutoff, ...]
    models: tuple[LogisticModel, ...]
    robustness: tuple[RobustnessRow, ...]
