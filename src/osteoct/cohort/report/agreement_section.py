"""Agreement as a reader sees it: table, figures, sentences; alone, or in a cohort's report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from osteoct.cohort.agree.analysis import Kind, take_values
from osteoct.cohort.agree.choices import AgreeChoices
from osteoct.cohort.agree.pairing import Group
from osteoct.cohort.agree.side import MEAN, Quantity
from osteoct.cohort.figures.bland_altman import draw_bland_altman, draw_level_agreement
from osteoct.cohort.figures.style import mark_synthetic, settle_layout
from osteoct.cohort.report.agreement_tables import flatten_row
from osteoct.cohort.report.content import AgreementSection, Picture
from osteoct.cohort.report.suppression import SMALL
from osteoct.cohort.report.tables import Table
from osteoct.cohort.report.text import interval, number
from osteoct.cohort.statistics.agreement import LEAST_CHANGE
from osteoct.cohort.statistics.repeat_records import AgreementRow

Plain = Mapping[str, Any]

FILE_UNITS: Final = {"HU": "hu", "cm³": "cm3", "mm": "mm", "mg/cm³": "mg_cm3"}
UNIT_TITLES: Final = {"HU": "HU", "cm³": "volume", "mm": "length", "mg/cm³": "density"}

HEADER: Final = (
    "Quantity", "n", "Bias (95 % CI)", "Limits of agreement", "ICC (95 % CI)", "RMS-SD",
    "RMS-CV %", "LSC", "LSC %",
)  # fmt: skip

NOTE: Final = (
    "Bias: mean of first − second. Limits of agreement: bias ± 1.96 SD. LSC: least significant "
    "change, 2.77 × RMS-SD or RMS-CV. A dash: not computable, or hidden because a count is below "
    "five."
)


def make_section(
    rows: Sequence[AgreementRow],
    plain: Sequence[Plain],
    groups: Sequence[Group],
    choices: AgreeChoices,
    *,
    is_synthetic: bool,
) -> AgreementSection:
    """Prepare the section; ``plain`` are the rows with small cells hidden."""
    kind = rows[0].kind
    first, second = name_sides(kind, choices)
    title = (
        "Agreement of repeated CTs" if kind == "repeats" else f"Agreement of {first} and {second}"
    )
    return AgreementSection(
        title=title,
        headline=[say_agreement(row) for row in _pick_headline(plain)],
        table=Table(name="agreement_printed", columns=HEADER, rows=tuple(_print_rows(plain))),
        note=NOTE,
        pictures=_draw(rows, groups, choices, is_synthetic=is_synthetic),
        methods=write_agreement_methods(kind, groups, choices),
    )


def name_sides(kind: Kind, choices: AgreeChoices) -> tuple[str, str]:
    """How the two sides are called."""
    return ("first CT", "second CT") if kind == "repeats" else choices.labels


def _pick_headline(plain: Sequence[Plain]) -> Sequence[Plain]:
    """Mean HU of each region; other means, or all, where there is none."""
    means = [row for row in plain if row["level"] == MEAN]
    return [row for row in means if row["unit"] == "HU"] or means or plain


def say_agreement(row: Plain) -> str:
    """One quantity in a sentence; why, where nothing could be computed."""
    flat = flatten_row(row)
    words = Quantity(region=row["region"], unit=row["unit"], level=row["level"]).words
    if flat.get("bias") is None:
        why = "hidden, fewer than five pairs" if row["n"] == SMALL else flat["reason"]
        return f"{words}: no limits of agreement ({why})."
    unit, digits = row["unit"], _digits(row["unit"])
    parts = [
        (
            f"bias {number(flat['bias'], digits)}"
            f"{interval(flat['bias_ci_low'], flat['bias_ci_high'], digits)} {unit}"
        ),
        f"limits {number(flat['lower'], digits)} to {number(flat['upper'], digits)} {unit}",
    ]
    if flat["icc"] is not None:
        ends = interval(flat["icc_ci_low"], flat["icc_ci_high"], 3)
        parts.append(f"{flat['icc_form']} {number(flat['icc'], 3)}{ends}")
    if flat.get("rms_cv_percent") is not None:
        parts.append(f"RMS-CV {number(flat['rms_cv_percent'], 1)} %")
    if flat.get("least_change") is not None:
        parts.append(f"least significant change {number(flat['least_change'], digits)} {unit}")
    return f"{words}, n = {row['n']}: {'; '.join(parts)}."


def _print_rows(plain: Sequence[Plain]) -> list[tuple[str, ...]]:
    """Rows of the means; of single levels where there are no means."""
    means = [row for row in plain if row["level"] == MEAN] or plain
    return [_print_row(flatten_row(row)) for row in means]


def _digits(unit: str) -> int:
    return 1 if unit == "HU" else 2


def _print_row(flat: Plain) -> tuple[str, ...]:
    digits = _digits(flat["unit"])
    quantity = Quantity(region=flat["region"], unit=flat["unit"], level=flat["level"])
    limits = "–"
    if flat.get("lower") is not None:
        limits = f"{number(flat['lower'], digits)} to {number(flat['upper'], digits)}"
    return (
        quantity.words,
        str(flat["n"]),
        number(flat.get("bias"), digits)
        + interval(flat.get("bias_ci_low"), flat.get("bias_ci_high"), digits),
        limits,
        number(flat["icc"], 3) + interval(flat["icc_ci_low"], flat["icc_ci_high"], 3),
        number(flat.get("rms_sd"), digits),
        number(flat.get("rms_cv_percent"), 1),
        number(flat.get("least_change"), digits),
        number(flat.get("least_change_percent"), 1),
    )


def _draw(
    rows: Sequence[AgreementRow],
    groups: Sequence[Group],
    choices: AgreeChoices,
    *,
    is_synthetic: bool,
) -> tuple[Picture, ...]:
    """Bland–Altman plots of the means of each unit, then single levels."""
    labels = name_sides(rows[0].kind, choices)
    pictures = []
    for unit in dict.fromkeys(r.unit for r in rows):
        own = [r for r in rows if r.unit == unit]
        means = [r for r in own if r.level == MEAN]
        singles = [r for r in own if r.level != MEAN]
        end = "" if unit == "HU" else f"_{FILE_UNITS[unit]}"
        if means:
            values = {
                r.region: take_values(groups, Quantity(region=r.region, unit=unit))[:, :2]
                for r in means
            }
            pictures.append(
                Picture(
                    name=f"bland_altman{end}",
                    title=f"Bland–Altman, {UNIT_TITLES[unit]}, mean of L1–L5",
                    caption="Points: pairs; lines: bias and limits of agreement, grey: 95 % CI.",
                    figure=draw_bland_altman(means, values, labels, least=choices.least),
                )
            )
        if singles:
            pictures.append(
                Picture(
                    name=f"bland_altman_levels{end}",
                    title=f"Agreement by level, {UNIT_TITLES[unit]}",
                    caption="Dot: bias, thick: its 95 % CI, whiskers: limits of agreement.",
                    figure=draw_level_agreement(singles, labels, least=choices.least),
                )
            )
    for picture in pictures:
        if is_synthetic:
            mark_synthetic(picture.figure)
        settle_layout(picture.figure)
    return tuple(pictures)


def write_agreement_methods(
    kind: Kind, groups: Sequence[Group], choices: AgreeChoices
) -> list[str]:
    """What was compared with what, and how: a paragraph for the methods section."""
    days = [g.days for g in groups if g.days is not None]
    apart = ""
    if days:
        same = sum(d == 0 for d in days)
        span = f"{min(days)}" if min(days) == max(days) else f"{min(days)} to {max(days)}"
        apart = f" They were {span} days apart"
        apart += ", on one day in some: these may be two images of one scan." if same else "."
    if kind == "repeats":
        conditions = (
            "also of another tube voltage or contrast phase"
            if choices.across_conditions
            else "of the same tube voltage and contrast phase (unknown counts as one of its own)"
        )
        who = (
            f"Repeats are CTs of a patient at most {choices.window_days} days from the first of "
            f"them, {conditions}.{apart} Bias, limits and ICC(1) compare the first two CTs of each "
            "patient; RMS-SD, RMS-CV and LSC take all."
        )
    else:
        first, second = choices.labels
        who = (
            f"{first} was compared with {second} in pairs of the same {_say_key(groups)}"
            f"{'' if not any(days) else f', at most {choices.window_days} days apart'}."
            f"{apart if any(days) else ''} ICC(A,1) counts a constant difference as disagreement, "
            "and so do RMS-SD, RMS-CV and LSC, which take both as repeats."
        )
    return [
        who,
        (
            "Limits of agreement are bias ± 1.96 SD with intervals by t (Bland and Altman 1999); "
            "intraclass correlations of single measurements have F intervals (McGraw and Wong "
            "1996). "
            "RMS-SD and RMS-CV are weighted by degrees of freedom, with χ² intervals; the least "
            f"significant change is {LEAST_CHANGE} times either (Glüer 1995). Nothing is adjusted "
            "for the number of comparisons."
        ),
    ]


def _say_key(groups: Sequence[Group]) -> str:
    first, second = groups[0].scans[:2]
    return "case" if first.case is not None and first.case == second.case else "patient"
