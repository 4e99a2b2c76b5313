"""The columns of the table of levels: which a case has, and what stands over them."""

from __future__ import annotations

from dataclasses import dataclass

from osteoct.protocols import AXIAL_ROI, BODY_CORE_4, VERTEBRA_CORE_3_5, Region
from osteoct.records import CaseResult
from osteoct.report.wording import explain_depth


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: where its number comes from and what stands over it.

    ``statistic`` is ``mean``, ``median``, ``volume`` or the name of a height.
    """

    group: str
    title: str
    note: str = ""
    protocol: str | None = None
    region: Region | None = None
    statistic: str


def choose_columns(result: CaseResult) -> tuple[Column, ...]:
    """The columns of the protocols that the case was measured with."""
    return tuple(c for c in _all_columns(result) if c.protocol in (None, *result.protocols))


def _all_columns(result: CaseResult) -> list[Column]:
    """Every column the table can have, in order."""
    body, vertebra, roi = BODY_CORE_4.id, VERTEBRA_CORE_3_5.id, AXIAL_ROI.id
    body_depth = explain_depth(BODY_CORE_4, result.grid)
    vertebra_depth = explain_depth(VERTEBRA_CORE_3_5, result.grid)
    trabecular, cortical = Region.TRABECULAR, Region.CORTICAL
    volume_of = (vertebra, Region.VERTEBRA) if vertebra in result.protocols else (body, Region.BODY)
    return [
        _column("Volume, cm³", volume_of[1], volume_of, "volume"),
        _column(f"{body}, HU", "trabecular mean", (body, trabecular), "mean"),
        _column(f"{body}, HU", "trabecular median", (body, trabecular), "median"),
        _column(f"{body}, HU", "cortical mean", (body, cortical), "mean", body_depth),
        _column(f"{vertebra}, HU", "vertebra mean", (vertebra, Region.VERTEBRA), "mean"),
        _column(f"{vertebra}, HU", "trabecular mean", (vertebra, trabecular), "mean"),
        _column(f"{vertebra}, HU", "cortical mean", (vertebra, cortical), "mean", vertebra_depth),
        _column(f"{roi}, HU", "trabecular mean", (roi, trabecular), "mean"),
        Column(group="Height, mm", title="anterior", statistic="height_anterior_mm"),
        Column(group="Height, mm", title="middle", statistic="height_middle_mm"),
        Column(group="Height, mm", title="posterior", statistic="height_posterior_mm"),
    ]


def _column(
    group: str, title: str, measured: tuple[str, Region], statistic: str, note: str = ""
) -> Column:
    protocol, region = measured
    return Column(
        group=group, title=title, protocol=protocol, region=region, statistic=statistic, note=note
    )
