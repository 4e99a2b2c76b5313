"""Agreement of every quantity that the compared CTs have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from osteoct.cohort.agree.pairing import PAIR, Group
from osteoct.cohort.agree.side import Quantity, list_quantities
from osteoct.cohort.statistics.agreement import (
    compare_differences,
    measure_icc,
    measure_scatter,
)
from osteoct.cohort.statistics.reasons import Absence
from osteoct.cohort.statistics.repeat_records import AgreementRow
from osteoct.errors import LinkageError

Kind = Literal["methods", "repeats"]
Values = NDArray[np.float64]

FORMS: Final = {"methods": "ICC(A,1)", "repeats": "ICC(1)"}
"""The form that answers the question: two methods must agree in value; repeats have no order."""


def analyze_groups(groups: Sequence[Group], kind: Kind) -> tuple[AgreementRow, ...]:
    """Compare every quantity that both sides have.

    Raises
    ------
    LinkageError
        The sides share no quantity, as where one is in HU and the other in mg/cm³.
    """
    quantities = list_shared(groups)
    if not quantities:
        raise LinkageError(
            "no number in common",
            where="osteoct cohort agree",
            found=" against ".join(
                ", ".join(sorted({f"{q.region} {q.unit}" for q in _side(groups, i)})) or "nothing"
                for i in range(PAIR)
            ),
            wanted="the same regions in the same unit on both sides",
        )
    return tuple(_analyze(groups, q, kind) for q in quantities)


def list_shared(groups: Sequence[Group]) -> list[Quantity]:
    """Quantities that some first and some second CT have."""
    second = set(_side(groups, 1))
    return [q for q in _side(groups, 0) if q in second]


def _side(groups: Sequence[Group], i: int) -> list[Quantity]:
    return list_quantities(g.scans[i] for g in groups)


def take_values(groups: Sequence[Group], quantity: Quantity) -> Values:
    """Groups × CTs of one quantity; NaN where it is missing, or where there is no such CT."""
    width = max(len(g.scans) for g in groups)
    values = np.full((len(groups), width), np.nan)
    for i, group in enumerate(groups):
        for j, scan in enumerate(group.scans):
            values[i, j] = scan.values.get(quantity, np.nan)
    return values


def _analyze(groups: Sequence[Group], quantity: Quantity, kind: Kind) -> AgreementRow:
    values = take_values(groups, quantity)
    both = values[:, :PAIR]
    known = both[np.isfinite(both).all(axis=1)]
    limits = compare_differences(both)
    if limits.reason is None and np.ptp(known) == 0:
        limits = limits.model_copy(update={"reason": Absence.CONSTANT})
    means = known.mean(axis=0).tolist() if len(known) else (None, None)
    return AgreementRow(
        kind=kind,
        region=quantity.region,
        level=quantity.level,
        unit=quantity.unit,
        n=len(known),
        n_missing=len(groups) - len(known),
        mean_first=means[0],
        mean_second=means[1],
        bland_altman=limits,
        icc=measure_icc(both),
        precision=measure_scatter(values),
    )
