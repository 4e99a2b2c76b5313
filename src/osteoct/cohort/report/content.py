"""What the report holds, in order: the same for HTML, PDF and the tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from osteoct.cohort.figures.flow import draw_flow
from osteoct.cohort.figures.forest import draw_forest
from osteoct.cohort.figures.groups import draw_groups
from osteoct.cohort.figures.levels import draw_levels
from osteoct.cohort.figures.models import draw_calibration, draw_decision
from osteoct.cohort.figures.roc import draw_roc
from osteoct.cohort.figures.scatter import draw_scatter
from osteoct.cohort.figures.style import GROUP_WORDS, OUTCOME_WORDS, mark_synthetic, settle_layout
from osteoct.cohort.linking.flow import FlowRow
from osteoct.cohort.report.checklist import CHECKLIST, Item
from osteoct.cohort.report.suppression import show_count, show_flow
from osteoct.cohort.report.tables import Table, cutoff_rows
from osteoct.cohort.report.text import interval, number
from osteoct.cohort.statistics.choices import CohortStatistics

Plain = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure with the name of its files, its title and what a reader needs to know."""

    name: str
    title: str
    caption: str
    figure: Figure


@dataclass(frozen=True, kw_only=True)
class AgreementSection:
    """What a report shows of a comparison of methods or repeats."""

    title: str
    headline: Sequence[str]
    table: Table
    note: str
    pictures: Sequence[Picture]
    methods: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Content:
    """Everything a page shows."""

    title: str
    banner: str | None
    headline: Sequence[str]
    disclaimer: str
    flow: Picture
    table_one: Table
    pictures: Sequence[Picture]
    cutoffs: Table
    pairs: Sequence[str]
    methods: Sequence[str]
    limits: Sequence[str]
    assumptions: Sequence[str]
    agreement: AgreementSection | None = None
    checklist: Sequence[Item] = CHECKLIST


Maker = tuple[str, str, str, Callable[[], Figure]]
"""Name of the files, title, caption, and what draws the figure."""


def draw_pictures(
    table: pd.DataFrame, found: CohortStatistics, *, least: int, is_synthetic: bool
) -> tuple[Picture, ...]:
    """Draw every figure but the flow; each carries the mark of a synthetic cohort."""
    makers = (
        *_plan_associations(table, found, least),
        *_plan_diagnosis(found, least),
        *_plan_robustness(found, least),
    )
    pictures = [Picture(name=n, title=t, caption=c, figure=make()) for n, t, c, make in makers]
    for picture in pictures:
        if is_synthetic:
            mark_synthetic(picture.figure)
        settle_layout(picture.figure)
    return tuple(pictures)


def _plan_associations(
    table: pd.DataFrame, found: CohortStatistics, least: int
) -> tuple[Maker, ...]:
    """HU against T-scores and groups."""
    return (
        (
            "scatter",
            "HU against T-score",
            (
                "Each point is a patient; line: least squares, band: 95 % CI of the mean. "
                "r: Pearson, 95 % CI."
            ),
            partial(draw_scatter, table, found.correlations, least=least),
        ),
        (
            "levels",
            "Correlation by level",
            "Pearson r of each level and of the mean of L1–L5, 95 % CI.",
            partial(draw_levels, found.correlations, least=least),
        ),
        (
            "groups",
            "HU by group",
            "Box: quartiles, whiskers: 1.5 IQR, diamond: mean; points: patients.",
            partial(draw_groups, table, found.group_tests, least=least),
        ),
    )


def _plan_diagnosis(found: CohortStatistics, least: int) -> tuple[Maker, ...]:
    """How well HU and models tell who has the outcome."""
    return (
        (
            "roc",
            "ROC curves",
            "Low HU is positive. AUC with DeLong 95 % CI.",
            partial(draw_roc, found.rocs, found.cutoffs, least=least),
        ),
        (
            "calibration",
            "Calibration",
            (
                "Logistic models with HU, age, sex and BMI; bars: Wilson 95 % CI. Slope corrected "
                "for optimism; 1 is ideal."
            ),
            partial(draw_calibration, found.models, least=least),
        ),
        (
            "decision",
            "Decision curves",
            "Net benefit of acting on the model, corrected for optimism.",
            partial(draw_decision, found.models),
        ),
    )


def _plan_robustness(found: CohortStatistics, least: int) -> tuple[Maker, ...]:
    """The areas again in parts of the cohort, a figure for each outcome."""
    show = partial(show_count, least=least)
    return tuple(
        (
            f"robustness_{outcome}",
            f"Robustness: {words}",
            "AUC in parts of the cohort, DeLong 95 % CI; the line is chance.",
            partial(
                draw_forest, found.robustness, target=outcome, title=f"AUC, {words}", show=show
            ),
        )
        for outcome, words in OUTCOME_WORDS.items()
    )


def draw_flow_picture(
    flow: Sequence[FlowRow],
    group_counts: Mapping[str, int | str],
    *,
    least: int,
    is_synthetic: bool,
) -> Picture:
    """The flow diagram, ending with the groups."""
    groups = [f"{words}: {group_counts.get(g, 0)}" for g, words in GROUP_WORDS.items()]
    unknown = group_counts.get("unknown", 0)
    if unknown:
        groups.append(f"without T-score: {unknown}")
    lines = [f"Patients analysed: {group_counts['all']}", "  ·  ".join(groups)]
    figure = draw_flow(flow, lines, shown=show_flow(flow, least))
    if is_synthetic:
        mark_synthetic(figure)
    return Picture(
        name="flow",
        title="Flow",
        caption="From the CTs and DXA scans that were there to the patients analysed.",
        figure=figure,
    )


CUTOFF_HEADER = (
    "Outcome",
    "Region",
    "Cut-off",
    "HU (95 % CI)",
    "Sensitivity",
    "Specificity",
    "PPV",
    "NPV",
    "LR+",
    "LR−",
    "Both > 70 %",
)
_KINDS = {
    "youden_apparent": "Youden, as found",
    "youden_corrected": "Youden, corrected",
    "published": "published",
}


def make_cutoff_table(plain: Plain) -> Table:
    """Cut-offs as printed."""
    rows = []
    for row in cutoff_rows(plain):
        if row["kind"] == "published" and row.get("reason") == "other-protocol":
            continue
        rows.append(
            (
                OUTCOME_WORDS[row["outcome"]],
                row["region"],
                _KINDS[row["kind"]],
                number(row["cutoff_hu"], 1)
                + interval(row.get("cutoff_ci_low"), row.get("cutoff_ci_high"), 0),
                *(_percent(row, n) for n in ("sensitivity", "specificity", "ppv", "npv")),
                number(row.get("lr_pos")),
                number(row.get("lr_neg")),
                {True: "yes", False: "no"}.get(row.get("both_above_70"), "–"),  # type: ignore[arg-type]
            )
        )
    return Table(name="cutoffs_printed", columns=CUTOFF_HEADER, rows=tuple(rows))


def _percent(row: Plain, name: str) -> str:
    """A proportion in per cent with its interval."""
    value = row.get(name)
    if value is None:
        return "–"
    low, high = row.get(f"{name}_ci_low"), row.get(f"{name}_ci_high")
    ends = "" if low is None or high is None else f" ({100 * low:.0f}–{100 * high:.0f})"
    return f"{100 * value:.0f}{ends}"
