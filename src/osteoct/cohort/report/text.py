"""What the report says in words: written from what was run, and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, Final

import osteoct
from osteoct.cohort.columns import SYNTHETIC
from osteoct.cohort.figures.style import OUTCOME_WORDS, SITE_WORDS, say_p
from osteoct.cohort.report.choices import LEAST_CELL, ReportChoices
from osteoct.cohort.simulate.assumptions import ASSUMED_IN_WORDS
from osteoct.cohort.statistics.choices import StatisticsChoices

Plain = Mapping[str, Any]

SYNTHETIC_BANNER: Final = (
    f"{SYNTHETIC} DATA. The patients were drawn by a program; nothing here is about people."
)

DISCLAIMER: Final = (
    "Research software: HU cannot rule out low bone density, and nothing here is a diagnosis."
)

DEFINITIONS: Final = {
    "who": "WHO: healthy T ≥ −1.0, osteopenia −2.5 < T < −1.0, osteoporosis T ≤ −2.5",
    "study": "the study: healthy T > −1.0, osteopenia −2.5 ≤ T ≤ −1.0, osteoporosis T < −2.5",
}

RECORDED: Final = ("numpy", "scipy", "pandas", "statsmodels", "matplotlib")

LIMITS: Final = (
    (
        "Cut-offs, accuracy and calibration found on a cohort hold for its scanner, tube voltage, "
        "contrast, "
        "protocol and mix of patients; those corrected for optimism are what to expect from "
        "patients like "
        "these, not from others."
    ),
    "Predictive values hold at this cohort's share of sick patients alone.",
    (
        "Cortical HU on clinical CT is a partial-volume quantity: the real shell is thinner than a "
        "voxel."
    ),
    "DXA is the reference and has errors of its own: degenerative change raises lumbar T-scores.",
    "Intervals and P values of the many comparisons in Robustness are not adjusted.",
)


def number(value: float | None, digits: int = 2) -> str:
    """A number with a true minus sign; a dash where it is absent."""
    return "–" if value is None else f"{value:.{digits}f}".replace("-", "−")


def interval(low: float | None, high: float | None, digits: int = 2) -> str:
    """A 95 % interval in brackets, or nothing."""
    if low is None or high is None:
        return ""
    return f" ({number(low, digits)} to {number(high, digits)})"


def say_headline(plain: Plain) -> list[str]:
    """The result in two or three sentences: correlation, areas, with their intervals."""
    sentences = []
    rows = [
        c
        for c in plain["correlations"]
        if (c["region"], c["level"], c["method"]) == ("total", "mean", "pearson")
        and c["r"] is not None
    ]
    if rows:
        parts = [
            f"{SITE_WORDS[c['site']]} {number(c['r'])}{interval(c['ci_low'], c['ci_high'])}"
            for c in rows
        ]
        sentences.append(
            f"Mean HU of L1–L5 correlates with the T-score: Pearson r at {'; '.join(parts)}."
        )
    for outcome, words in OUTCOME_WORDS.items():
        areas = [r for r in plain["rocs"] if r["outcome"] == outcome and r["auc"] is not None]
        if areas:
            parts = [
                f"{r['region']} {number(r['auc'])}{interval(r['ci_low'], r['ci_high'])}"
                for r in areas
            ]
            sentences.append(f"Area under the ROC curve for {words}: {'; '.join(parts)}.")
    return sentences or ["Too few patients: nothing could be estimated."]


def _say_validation(plain: Mapping[str, Any]) -> str:
    """Resamples that validated the models: fewer than chosen where the cohort is very large."""
    counts = {m["n_bootstrap"] for m in plain["models"] if isinstance(m["n_bootstrap"], int)}
    counts.discard(0)
    if not counts:
        return "no (none could be fitted)"
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"


def write_methods(
    plain: Plain,
    choices: ReportChoices,
    *,
    protocol: str,
    sha256: str,
    linking: Plain | None,
    repeats: Sequence[str] = (),
) -> list[str]:
    """Paragraphs of a methods section, from the choices and counts of this run.

    ``repeats`` tells how repeated CTs were compared.
    """
    chosen = choices.statistics
    versions = ", ".join(f"{name} {version(name)}" for name in RECORDED)
    paragraphs = (
        _write_linking(linking) if linking else "",
        _write_sorting(chosen, protocol),
        _write_tests(),
        _write_diagnosis(plain, chosen),
        *repeats,
        _write_missing(plain, choices),
        f"Made by osteoct {osteoct.__version__} ({versions}) from a table with SHA-256 {sha256}.",
    )
    return [p for p in paragraphs if p]


def _write_sorting(chosen: StatisticsChoices, protocol: str) -> str:
    """What was measured, and who is healthy."""
    which = "the lowest known of the three T-scores" if chosen.site == "lowest" else (
        f"the T-score of the {SITE_WORDS[chosen.site]}"
    )  # fmt: skip
    return (
        f"HU were measured under the protocol {protocol} as unweighted means over L1–L5. Patients "
        f"were sorted by {which}, by the definition of {DEFINITIONS[chosen.definition]}. The "
        "outcomes are low BMD (osteopenia or osteoporosis) and osteoporosis; low HU counts as "
        "positive. Of two hips the lower T-score counts."
    )


def _write_tests() -> str:
    """How groups were compared and HU correlated."""
    return (
        "Groups are described by mean ± SD, or by median [IQR] where skewed, and compared by "
        "Welch's ANOVA with Games–Howell and by Kruskal–Wallis with Dunn's test (Holm). HU and "
        "T-scores were correlated by Pearson and Spearman, also partially on age, sex and BMI "
        "(Fisher's z for intervals, Holm over the rows of one method)."
    )


def _write_diagnosis(plain: Plain, chosen: StatisticsChoices) -> str:
    """Curves, cut-offs and models."""
    return (
        "Areas under ROC curves have DeLong's intervals; regions were compared by the paired "
        "DeLong test. Cut-offs with the largest Youden index have percentile intervals from "
        f"{chosen.n_bootstrap} bootstrap samples (seed {chosen.seed}); sensitivity and specificity "
        "were corrected for optimism by Harrell's bootstrap, with Wilson intervals. Published "
        "cut-offs were applied as they are and only to HU of their own protocol. Logistic models "
        f"were validated by {_say_validation(plain)} bootstrap samples."
    )


def _write_missing(plain: Plain, choices: ReportChoices) -> str:
    """What was missing, and what is not printed."""
    small = (
        "Small counts are printed as they are. "
        if choices.allow_small_cells
        else f"Counts of 1 to {LEAST_CELL - 1} patients are not printed. "
    )
    return (
        "Nothing was imputed: each number rests on the patients who have what it needs. Parts of "
        f"the cohort below {choices.statistics.least_group} patients are shown as too small. "
        f"{small}{_say_ignored(plain['ignored'])}"
    )


def _write_linking(linking: Plain) -> str:
    """How CTs met DXA scans, from the record of the linking."""
    window = linking.get("window_days")
    if window is None:
        return ""
    repeats = {
        "nearest": "Of several CTs of a patient the one nearest to a DXA scan was taken",
        "first": "Of several CTs of a patient the first with a DXA scan in the window was taken",
        "last": "Of several CTs of a patient the last with a DXA scan in the window was taken",
        "all": "All CTs of a patient were taken: rows are not independent",
    }[linking["repeats"]]
    blocked = "kept and marked" if linking["keep_blocked"] else "left out"
    return (
        f"A CT was joined with the DXA scan of the same patient that was nearest in time, at most "
        f"{window} days apart. {repeats}. At least {linking['min_levels']} levels of L1–L5 had to "
        f"be "
        f"usable; cases with findings that forbid conclusions were {blocked}."
    )


def _say_ignored(ignored: Mapping[str, int]) -> str:
    if not ignored:
        return ""
    cells = ", ".join(f"{name} {n}" for name, n in ignored.items())
    return f"Cells that could not be read count as missing: {cells}."


def list_assumptions() -> Sequence[str]:
    """What a synthetic cohort assumes."""
    return ASSUMED_IN_WORDS


def say_pair(pair: Plain) -> str:
    """A comparison of two areas in words."""
    if pair["p"] is None:
        return f"{pair['region_a']} against {pair['region_b']}: not computable"
    z = number(pair["z"])
    return f"{pair['region_a']} against {pair['region_b']}: z = {z}, {say_p(pair['p'])}"
