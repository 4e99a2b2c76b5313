"""How long the whole analysis of a cohort takes, and how much memory, by number of patients.

Run as ``OMP_NUM_THREADS=1 python benchmarks/cohort_speed.py [N ...]``; each size runs in a process
of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from osteoct.cohort.commands import analyze_into
from osteoct.cohort.report.choices import ReportChoices
from osteoct.cohort.statistics.analysis import analyze_table
from osteoct.cohort.statistics.choices import StatisticsChoices

SIZES = (1_000, 10_000, 100_000)


def draw_cohort(n: int) -> pd.DataFrame:
    """Draw patients whose HU follow the T-score; every value distinct, which is the slow case."""
    random = np.random.default_rng(1)
    t = random.normal(-1.5, 1.2, n)
    hu = 150 + 30 * t + random.normal(0, 40, n)
    return pd.DataFrame(
        {
            "sex": np.where(random.random(n) < 0.85, "F", "M"),
            "age": random.normal(71, 13, n),
            "bmi": random.normal(28, 7, n),
            "days_between": random.integers(0, 366, n),
            "t_lumbar": t.round(1),
            "t_femoral_neck": (t + random.normal(0, 0.5, n)).round(1),
            "t_total_hip": (t + random.normal(0, 0.5, n)).round(1),
            "total_hu": hu + 90,
            "trabecular_hu": hu,
            "cortical_hu": hu + 130 + random.normal(0, 20, n),
            "kvp": random.choice([100.0, 120.0], n),
            "phase": "native",
            "has_blocking": random.random(n) < 0.05,
        }
    )


def measure(n: int) -> str:
    """Analyse one cohort with 2000 resamples: the statistics, then all from CSV to PDF."""
    table = draw_cohort(n)
    start = time.process_time()
    analyze_table(table, StatisticsChoices())
    statistics = time.process_time() - start
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "cohort.csv"
        table.insert(0, "patient", [f"P{i}" for i in range(n)])
        table.to_csv(path, index=False)
        start = time.process_time()
        analyze_into(path, Path(name) / "out", ReportChoices(), overwrite=False)
        whole = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    return f"{n:>9}{statistics:>18.1f}{whole:>12.1f}{peak:>11.2f}"


def main() -> None:
    """Print a row per size."""
    if sys.argv[1:2] == ["one"]:
        print(measure(int(sys.argv[2])))
        return
    print(f"{'patients':>9}{'statistics CPU s':>18}{'all CPU s':>12}{'peak GiB':>11}", flush=True)
    for n in sys.argv[1:] or map(str, SIZES):
        subprocess.run([sys.executable, __file__, "one", n], check=True)  # noqa: S603 - ourselves


if __name__ == "__main__":
    main()
