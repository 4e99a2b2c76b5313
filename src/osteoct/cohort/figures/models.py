"""Calibration and decision curves of the logistic models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteoct.cohort.columns import REGIONS
from osteoct.cohort.figures.style import (
    FONT_PT,
    INK,
    OUTCOME_WORDS,
    QUIET,
    REGION_COLOURS,
    REGION_DASHES,
    REGION_WORDS,
    make_figure,
    say_empty,
    set_title,
)
from osteoct.cohort.statistics.model_records import CalibrationPoint, LogisticModel

_MARKERS = {"total": "o", "trabecular": "s", "cortical": "D"}
NO_MODEL: Final = "no model could be fitted"
LEGEND = {"fontsize": FONT_PT - 0.8, "frameon": False, "handlelength": 2.6}


def pick_models(models: Sequence[LogisticModel], outcome: str) -> dict[str, LogisticModel]:
    """The model with the most predictors of each region, for an outcome."""
    own = sorted((m for m in models if m.outcome == outcome), key=lambda m: len(m.predictors))
    return {m.region: m for m in own}


def draw_calibration(models: Sequence[LogisticModel], *, least: int = 1) -> Figure:
    """Draw observed against predicted risk, with Wilson 95 % CI; ideal is the diagonal."""
    figure, panels = make_figure(1, 2, height_in=3.5)
    for axes, outcome in zip(panels, OUTCOME_WORDS, strict=True):
        set_title(axes, f"Risk of {OUTCOME_WORDS[outcome]}{_say_n(models, outcome)}")
        axes.plot([0, 1], [0, 1], color="#9aa4ae", linewidth=0.8)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
        axes.set_xlabel("Predicted by HU, age, sex and BMI")
        axes.set_ylabel("Observed")
        chosen = pick_models(models, outcome)
        if not any(m.calibration for m in chosen.values()):
            say_empty(axes, NO_MODEL)
            continue
        for shift, region in zip((-0.006, 0.0, 0.006), REGIONS, strict=True):
            if region in chosen:
                _draw_points(axes, chosen[region], shift, least)
        axes.legend(loc="lower right", **LEGEND)
        if any(len(pick_bins(m, least)) < len(m.calibration) for m in chosen.values()):
            axes.text(
                0.02, 0.98, f"bins with fewer than {least}\nwith or without it: hidden", va="top",
                transform=axes.transAxes, fontsize=FONT_PT - 1.2, color=QUIET,
            )  # fmt: skip
    return figure


def _say_n(models: Sequence[LogisticModel], outcome: str) -> str:
    """Patients behind the models that are drawn."""
    fitted = [m for m in pick_models(models, outcome).values() if m.coefficients]
    counts = {m.n_pos + m.n_neg for m in fitted}
    return f", n = {max(counts)}" if counts else ""


def pick_bins(model: LogisticModel, least: int) -> list[CalibrationPoint]:
    """Bins of which nobody can be told: observed risk times size is a count of patients."""
    return [
        p for p in model.calibration
        if p.n >= least and all(not 0 < count < least for count in (p.events, p.n - p.events))
    ]  # fmt: skip


def _draw_points(axes: Axes, model: LogisticModel, shift: float, least: int) -> None:
    colour = REGION_COLOURS[model.region]
    slope = next((i for i in model.indices if i.name == "calibration_slope"), None)
    words = REGION_WORDS[model.region]
    if slope is not None and slope.corrected is not None:
        words += f", slope {slope.corrected:.2f}"
    points = pick_bins(model, least)
    for p in points:
        x = p.predicted + shift
        axes.plot([x, x], [p.ci_low, p.ci_high], color=colour, linewidth=0.8, alpha=0.7)
    axes.plot(
        [p.predicted + shift for p in points],
        [p.observed for p in points],
        _MARKERS[model.region],
        color=colour,
        markersize=3.8,
        label=words,
    )


def draw_decision(models: Sequence[LogisticModel]) -> Figure:
    """Draw net benefit (corrected for optimism) over threshold probabilities."""
    figure, panels = make_figure(1, 2, height_in=3.0)
    for axes, outcome in zip(panels, OUTCOME_WORDS, strict=True):
        words = f"{OUTCOME_WORDS[outcome][0].upper()}{OUTCOME_WORDS[outcome][1:]}"
        set_title(axes, f"{words}{_say_n(models, outcome)}")
        axes.set_xlabel("Threshold probability")
        axes.set_ylabel("Net benefit per patient")
        chosen = pick_models(models, outcome)
        curves = [m for m in chosen.values() if m.decision_curve]
        if not curves:
            say_empty(axes, NO_MODEL)
            continue
        first = curves[0].decision_curve
        axes.plot(
            [p.threshold for p in first], [p.treat_all for p in first], color=QUIET, linewidth=0.9,
            label="Everybody positive",
        )  # fmt: skip
        axes.axhline(0.0, color=INK, linewidth=0.9, linestyle=(0, (1, 2)), label="Nobody positive")
        for model in curves:
            values = [p.model if p.corrected is None else p.corrected for p in model.decision_curve]
            axes.plot(
                [p.threshold for p in model.decision_curve], values, linewidth=1.4,
                color=REGION_COLOURS[model.region], linestyle=REGION_DASHES[model.region],
                label=f"{REGION_WORDS[model.region]} HU, age, sex, BMI",
            )  # fmt: skip
        top = max(max(p.model, p.treat_all) for m in curves for p in m.decision_curve)
        axes.set_ylim(-0.12 * top, top * 1.08)
        axes.legend(loc="best", **LEGEND)
    return figure
