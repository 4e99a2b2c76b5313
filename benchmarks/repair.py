"""What repair does to the HU and the labels of faulty masks.

    OMP_NUM_THREADS=1 python benchmarks/repair.py

Prints per fault, strength and case the rule or the refusal, the largest departure of the HU of the
cores from those of the clean labels, before and after.
"""

from __future__ import annotations

import numpy as np
from defect_detection import DATA, PHANTOM, REAL_CASES, clean_case

from osteoct.config import AnalysisConfig
from osteoct.phantom.faults.catalogue import FAULTS
from osteoct.phantom.faults.fault import Strength, make_faulty
from osteoct.phantom.faults.subject import Subject
from osteoct.pipeline import CaseAnalysis, analyze_volumes
from osteoct.protocols import Region

NAMES = ("swap", "merge", "leak", "split", "arch-of-neighbour", "island", "hole", "upside-down")
PROTOCOLS = ("body-core-4", "vertebra-core-3.5")


def measure(subject: Subject, *, repair: bool) -> CaseAnalysis:
    """Analyse a case, with repair or without."""
    config = AnalysisConfig(protocols=PROTOCOLS, repair=repair)
    return analyze_volumes(subject.ct, subject.vertebrae, bodies=subject.bodies, config=config)


def departure_hu(clean: CaseAnalysis, other: CaseAnalysis) -> str:
    """Largest departure per protocol; a level without a number is named."""
    cells = []
    for name in PROTOCOLS:
        worst = 0.0
        for level in clean.result.levels:
            mine = level.region(name, Region.TRABECULAR)
            found = other.result.level(level.level)
            theirs = None if found is None else found.region(name, Region.TRABECULAR)
            if mine is None or mine.hu is None:
                continue
            if theirs is None or theirs.hu is None:
                worst = np.inf
                continue
            worst = max(worst, abs(mine.hu.mean_hu - theirs.hu.mean_hu))
        cells.append(f"{worst:.1f}")
    return " / ".join(cells)


def main() -> None:
    """Print the table."""
    print("| case | fault | repair | HU off, faulty | HU off, repaired |")
    print("|---|---|---|---|---|")
    for case in (PHANTOM, *(REAL_CASES if DATA.is_dir() else ())):
        subject = clean_case(case)
        clean = measure(subject, repair=True)
        for name in NAMES:
            for strength in (Strength.STRONG, Strength.MIDDLE, Strength.WEAK):
                faulty = make_faulty(FAULTS[name], strength, subject)
                raw, mended = measure(faulty, repair=False), measure(faulty, repair=True)
                rules = ", ".join(r.rule for r in mended.result.repairs) or "none"
                text = FAULTS[name].degree(strength).text
                print(
                    f"| {case} | {name} {text} | {rules} | {departure_hu(clean, raw)} "
                    f"| {departure_hu(clean, mended)} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
