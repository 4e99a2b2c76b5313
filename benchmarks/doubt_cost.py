"""What doubt costs: time of all checks and repairs beside that of measuring, on one core.

    OMP_NUM_THREADS=1 python benchmarks/doubt_cost.py [slices] [repeats]

The CT of ``benchmarks/measuring.py``: 512 × 512 × 600 voxels, eight vertebrae. *Measure* divides
and measures every level under all protocols, heights included; *analyze* is everything between
reading and writing. What is left between the two is doubt: acquisition, pixels, masks, names,
repairs, artefacts, heights compared, the gate, opinions. Both run in alternation in this process.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from statistics import median

from measuring import LEVELS, make_volumes

from osteoct.compartments.case import build_compartments
from osteoct.config import AnalysisConfig
from osteoct.measure.level import measure_level
from osteoct.measure.morphometry import measure_morphometry
from osteoct.measure.summary import summarise
from osteoct.pipeline import analyze_volumes
from osteoct.protocols import PROTOCOLS
from osteoct.volume import CTVolume, LabelVolume

LIMIT = 1.0
"""Doubt is to cost less than measuring."""


def measure(ct: CTVolume, vertebrae: LabelVolume, bodies: LabelVolume | None) -> None:
    """Divide and measure, and nothing else."""
    protocols = tuple(PROTOCOLS.values())
    canonical = ct.reoriented("RAS")
    levels = build_compartments(
        canonical,
        vertebrae.reoriented("RAS"),
        None if bodies is None else bodies.reoriented("RAS"),
        levels=LEVELS,
        protocols=protocols,
    )
    measured = tuple(measure_level(canonical, level, protocols) for level in levels)
    summarise(measure_morphometry(measured), protocols)


def seconds(action: Callable[[], object]) -> float:
    """Processor time of one call: other programs on the machine do not count."""
    start = time.process_time()
    action()
    return time.process_time() - start


def main() -> None:
    """Make the volumes, measure in alternation, print."""
    slices = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    ct, vertebrae, bodies = make_volumes(slices)
    config = AnalysisConfig(levels=LEVELS)
    print(f"512 x 512 x {slices}, {len(LEVELS)} vertebrae, medians of {repeats}, processor time")
    is_met = True
    for name, masks in (("body masks", bodies), ("bodies by geometry", None)):
        pairs = [
            (
                seconds(lambda m=masks: measure(ct, vertebrae, m)),
                seconds(lambda m=masks: analyze_volumes(ct, vertebrae, bodies=m, config=config)),
            )
            for _ in range(repeats)
        ]
        measuring, whole = (median(column) for column in zip(*pairs, strict=True))
        ratio = (whole - measuring) / measuring
        is_met &= ratio < LIMIT
        print(f"{name:<20} measure {measuring:5.2f} s  analyze {whole:5.2f} s  doubt {ratio:5.2f}")
    sys.exit(0 if is_met else 1)


if __name__ == "__main__":
    main()
