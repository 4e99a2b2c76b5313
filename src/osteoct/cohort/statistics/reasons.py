"""Why a statistic is absent: every missing number of the cohort has one of these beside it."""

from __future__ import annotations

from enum import StrEnum


class Absence(StrEnum):
    """Why a statistic was not computed."""

    TOO_FEW = "too-few"
    """Fewer complete patients than the formula needs."""
    TOO_SMALL = "too-small"
    """Computable, but the group is below the stated least size, so it is not shown."""
    CONSTANT = "constant"
    """Every value is the same: nothing varies."""
    EMPTY_GROUP = "empty-group"
    """A group has no patient."""
    ONE_CLASS = "one-class"
    """All patients have the outcome, or none has it."""
    PERFECT_SEPARATION = "perfect-separation"
    """The predictor separates the outcomes without error: no finite estimate exists."""
    ZERO_VARIANCE = "zero-variance"
    """The estimate has no variance in this sample, so it has no interval or test."""
    ZERO_COUNT = "zero-count"
    """The quantity divides by a count that is 0."""
    COLLINEAR = "collinear"
    """One predictor is a linear combination of the others, constant ones included."""
    NOT_CONVERGED = "not-converged"
    """The iteration did not reach its tolerance, as where predictors separate some patients."""
    COLUMN_ABSENT = "column-absent"
    """The table has no such column, or nothing in it."""
    OTHER_PROTOCOL = "other-protocol"
    """The published cut-off belongs to another protocol than the one these HU were measured by."""
