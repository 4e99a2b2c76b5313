"""Do cohorts drawn to the study's moments give the study's numbers back?

Draws cohorts of 229 patients with ``osteoct.cohort.simulate`` and prints for each published number
the median over the seeds and the range of the middle 95 %. A published number outside that range
would be one that cannot hold together with the others under the assumptions; the share of cohorts
with a value at least as far from the median as the published one says how surprising it is.

    python benchmarks/cohort_recovery.py [--seeds 1000] [--check 5]

Estimates are taken with numpy alone, so that a thousand cohorts take seconds; on the first
``--check`` cohorts they are compared with the analysis itself, which must agree.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from osteoct.cohort.columns import REGIONS, SITES
from osteoct.cohort.simulate.assumptions import ASSUMED_IN_WORDS, PUBLISHED
from osteoct.cohort.simulate.drawing import draw_cohort
from osteoct.cohort.statistics.analysis import analyze_table
from osteoct.cohort.statistics.choices import StatisticsChoices

OUTCOMES = ("low_bmd", "osteoporosis")
CUTOFF_REGIONS = ("trabecular", "cortical")
AGREEMENT = 1e-6


def area(hu: np.ndarray, sick: np.ndarray) -> float:
    """Chance that a sick patient has lower HU than a healthy one, ties counting half."""
    ranks = rankdata(-hu)
    n_pos = int(sick.sum())
    n_neg = len(sick) - n_pos
    return float((ranks[sick].sum() - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg))


def youden(hu: np.ndarray, sick: np.ndarray) -> float:
    """Cut-off with the largest Youden index; of equal ones the highest, which is most sensitive."""
    values = np.unique(hu)
    cuts = (values[1:] + values[:-1]) / 2
    sensitivity = np.searchsorted(np.sort(hu[sick]), cuts) / sick.sum()
    false_positive = np.searchsorted(np.sort(hu[~sick]), cuts) / (~sick).sum()
    index = sensitivity - false_positive
    return float(cuts[np.flatnonzero(index >= index.max() - 1e-12)[-1]])


def estimate(table: pd.DataFrame) -> dict[str, float]:
    """Every published quantity in one cohort."""
    found = {
        f"r total, {site}": float(np.corrcoef(table["total_hu"], table[f"t_{site}"])[0, 1])
        for site in SITES
    }
    for group in ("healthy", "osteopenia"):
        rows = table[table["group"] == group]
        found |= {f"mean {region}, {group}": rows[f"{region}_hu"].mean() for region in REGIONS}
    for outcome in OUTCOMES:
        sick = table[f"outcome_{outcome}"].to_numpy() == 1
        for region in REGIONS:
            found[f"AUC {region}, {outcome}"] = area(table[f"{region}_hu"].to_numpy(), sick)
        for region in CUTOFF_REGIONS:
            found[f"Youden {region}, {outcome}"] = youden(table[f"{region}_hu"].to_numpy(), sick)
    return found


def published() -> dict[str, float]:
    """The study's numbers under the names of :func:`estimate`."""
    found = {f"r total, {site}": r for site, r in PUBLISHED.r.items()}
    for group, means in (
        ("healthy", PUBLISHED.healthy_hu),
        ("osteopenia", PUBLISHED.osteopenia_hu),
    ):
        found |= {f"mean {region}, {group}": hu for region, hu in means.items()}
    for outcome in OUTCOMES:
        areas = getattr(PUBLISHED, f"auc_{outcome}")
        cuts = getattr(PUBLISHED, f"cutoff_{outcome}_hu")
        found |= {f"AUC {region}, {outcome}": value for region, value in areas.items()}
        found |= {f"Youden {region}, {outcome}": value for region, value in cuts.items()}
    return found


def analysed(table: pd.DataFrame) -> dict[str, float]:
    """The same quantities from the analysis a user runs."""
    choices = StatisticsChoices(definition="study", n_bootstrap=1, n_validation=1)
    result = analyze_table(table, choices)
    found = {
        f"r total, {c.site}": c.r
        for c in result.correlations
        if (c.region, c.level, c.method) == ("total", "mean", "pearson")
    }
    for row in result.description:
        region = row.variable.removesuffix("_hu")
        if region in REGIONS:
            found |= {
                f"mean {region}, {s.group}": s.mean
                for s in row.summaries
                if s.group in ("healthy", "osteopenia")
            }
    found |= {f"AUC {r.region}, {r.outcome}": r.auc for r in result.rocs}
    found |= {
        f"Youden {c.region}, {c.outcome}": c.cutoff_hu
        for c in result.cutoffs
        if c.region in CUTOFF_REGIONS
    }
    return found


def main() -> None:
    """Draw, estimate, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--check", type=int, default=5)
    options = parser.parse_args()
    rows = []
    for seed in range(options.seeds):
        table = draw_cohort(PUBLISHED.n, seed=seed)
        rows.append(estimate(table))
        if seed < options.check:
            compare(rows[-1], analysed(table))
    recovered = pd.DataFrame(rows)
    print(f"SYNTHETIC: {options.seeds} cohorts of {PUBLISHED.n}; analysis compared on the first "
          f"{min(options.check, options.seeds)}, equal to {AGREEMENT:g}\n")  # fmt: skip
    print(f"{'quantity':<34}{'published':>10}{'median':>10}{'95 % range':>20}{'as far':>8}")
    for name, value in published().items():
        drawn = recovered[name]
        low, median, high = drawn.quantile([0.025, 0.5, 0.975])
        far = float((np.abs(drawn - median) >= abs(value - median)).mean())
        digits = 2 if abs(value) < 1 else 1
        span = f"{low:.{digits}f} … {high:.{digits}f}"
        mark = "" if low <= value <= high else "  outside"
        print(f"{name:<34}{value:>10.{digits}f}{median:>10.{digits}f}{span:>20}{far:>8.0%}{mark}")
    print("\nassumed, and not told by the study:")
    for words in ASSUMED_IN_WORDS:
        print(f"- {words}")


def compare(own: dict[str, float], theirs: dict[str, float]) -> None:
    """Stop where the analysis says something else."""
    for name, value in own.items():
        if abs(value - theirs[name]) > AGREEMENT:
            raise SystemExit(f"{name}: {value} here, {theirs[name]} in the analysis")


if __name__ == "__main__":
    main()
