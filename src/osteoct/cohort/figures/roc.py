"""ROC curves: one panel per outcome, one curve per region."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteoct.cohort.figures.style import (
    FONT_PT,
    OUTCOME_WORDS,
    REGION_COLOURS,
    REGION_DASHES,
    REGION_WORDS,
    make_figure,
    say_empty,
    set_title,
)
from osteoct.cohort.statistics.diagnostic_records import Cutoff, Roc


def draw_roc(rocs: Sequence[Roc], cutoffs: Sequence[Cutoff], *, least: int = 1) -> Figure:
    """Draw the curves with AUC and 95 % CI; a ring marks the Youden cut-off."""
    figure, panels = make_figure(1, 2, height_in=3.7)
    rings = {(c.outcome, c.region): c for c in cutoffs}
    for axes, outcome in zip(panels, OUTCOME_WORDS, strict=True):
        own = [r for r in rocs if r.outcome == outcome]
        counts = next(((r.n_pos, r.n_neg) for r in own), (0, 0))
        _prepare(axes)
        if min(counts) < least or not any(r.points for r in own):
            set_title(axes, f"{OUTCOME_WORDS[outcome].capitalize()}")
            say_empty(axes)
            continue
        n_pos, n_neg = counts
        set_title(axes, f"{_capital(OUTCOME_WORDS[outcome])}: {n_pos} with, {n_neg} without")
        for roc in own:
            _draw_curve(axes, roc, rings.get((roc.outcome, roc.region)))
        axes.legend(
            loc="lower right", fontsize=FONT_PT - 0.8, frameon=True, framealpha=0.9,
            edgecolor="none", title="AUC (95 % CI), ring: Youden cut-off",
            title_fontsize=FONT_PT - 1, handlelength=2.6,
        )  # fmt: skip
    return figure


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _prepare(axes: Axes) -> None:
    axes.set_aspect("equal")
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.01)
    axes.plot([0, 1], [0, 1], color="#9aa4ae", linewidth=0.8)
    axes.set_xlabel("1 − specificity")
    axes.set_ylabel("Sensitivity")


def _draw_curve(axes: Axes, roc: Roc, cutoff: Cutoff | None) -> None:
    if roc.auc is None:
        return
    interval = ""
    if roc.ci_low is not None and roc.ci_high is not None:
        interval = f" ({roc.ci_low:.2f}–{roc.ci_high:.2f})"
    ring = ""
    colour = REGION_COLOURS[roc.region]
    if cutoff is not None and cutoff.apparent is not None and cutoff.cutoff_hu is not None:
        ring = f", {cutoff.cutoff_hu:.0f} HU"
        x, y = cutoff.apparent.specificity.value, cutoff.apparent.sensitivity.value
        if x is not None and y is not None:
            axes.plot(1 - x, y, "o", mfc="white", mec=colour, markersize=5.5, mew=1.4, zorder=5)
    axes.plot(
        [1 - p.specificity for p in roc.points],
        [p.sensitivity for p in roc.points],
        color=colour,
        linestyle=REGION_DASHES[roc.region],
        linewidth=1.5,
        label=f"{REGION_WORDS[roc.region]} {roc.auc:.2f}{interval}{ring}",
    )
