"""What repair does to the HU and the labels of faulty masks.

    OMP_NUM_THREADS=1 python benchmarks/repair.py [--write]

Makes faults on a phantom and, where their files are beside the repository, on a real CT and on two
expert masks under a synthetic image. Prints per fault and strength, over all cases, which rules
were applied, how far the mean HU of a core is from that of the clean labels, and the lowest Dice
coefficient of a level with its clean label, before repair and after; then every case that falls
short.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from defect_detection import DATA, PHANTOM, REAL_CASES, clean_case, is_same

from osteoct.anatomy import Level
from osteoct.compartments.case import build_compartments
from osteoct.phantom.faults.catalogue import FAULTS
from osteoct.phantom.faults.fault import Strength, make_faulty
from osteoct.phantom.faults.subject import Subject
from osteoct.protocols import BODY_CORE_4, VERTEBRA_CORE_3_5, Region
from osteoct.records import Severity
from osteoct.tidy.case import tidy_masks
from osteoct.tidy.moving import Masks
from osteoct.volume import CTVolume, LabelVolume

PAGE = Path(__file__).parent.parent / "docs" / "explanation" / "repair.md"
BEGIN, END = "<!-- repair: begin -->", "<!-- repair: end -->"

NAMES = ("swap", "merge", "leak", "split", "arch-of-neighbour", "island", "hole")
PROTOCOLS = (BODY_CORE_4, VERTEBRA_CORE_3_5)

MOST_OFF_HU, LEAST_DICE = 1.0, 0.99
"""Beyond them a repair falls short."""

Means = dict[tuple[Level, str], float]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One fault on one case; ``None`` for HU where a level lost its number."""

    case: str
    rules: tuple[str, ...]
    is_blocked: bool
    off_before: float | None
    off_after: float | None
    dice_before: float
    dice_after: float

    @property
    def falls_short(self) -> bool:
        """Whether the clean numbers or labels were not reached."""
        is_off = self.off_after is None or self.off_after > MOST_OFF_HU
        return is_off or self.dice_after < LEAST_DICE


def core_means(ct: CTVolume, masks: Masks, levels: Sequence[Level]) -> Means:
    """Mean HU of the cores of both protocols."""
    means = {}
    for level in build_compartments(
        ct, masks.vertebrae, masks.bodies, levels=levels, protocols=PROTOCOLS
    ):
        for protocol in PROTOCOLS:
            mask = level.regions.get((protocol.id, Region.TRABECULAR))
            if mask is not None and (left := mask & ~level.excluded).any():
                means[level.level, protocol.id] = float(ct.hu(level.box)[left].mean(dtype="f8"))
    return means


def largest_departure(clean: Means, other: Means) -> float | None:
    """Largest departure from the clean means; ``None`` where one is gone."""
    if not clean.keys() <= other.keys():
        return None
    return max(abs(other[key] - value) for key, value in clean.items())


def lowest_dice(clean: LabelVolume, other: LabelVolume) -> float:
    """Lowest Dice coefficient of a level's label with its clean one."""
    numbers = {s.level: n for n, s in other.structures.items() if s.level is not None}
    found = []
    for number, structure in clean.structures.items():
        mine = clean.array == number
        if structure.level is None or not mine.any():
            continue
        theirs = other.array == numbers.get(structure.level, -1)
        found.append(2 * np.count_nonzero(mine & theirs) / (mine.sum() + theirs.sum()))
    return float(min(found))


def mend(case: str, clean: Subject, expected: Means, faulty: Subject) -> Outcome:
    """Repair one faulty case and compare it with the clean one."""
    raw = Masks(vertebrae=faulty.vertebrae, bodies=faulty.bodies)
    tidied = tidy_masks(faulty.ct, faulty.vertebrae, faulty.bodies)
    levels = clean.levels
    return Outcome(
        case=case,
        rules=tuple(dict.fromkeys(r.rule.value for r in tidied.repairs)),
        is_blocked=any(f.severity is Severity.BLOCKING for f in tidied.findings),
        off_before=largest_departure(expected, core_means(faulty.ct, raw, levels)),
        off_after=largest_departure(expected, core_means(faulty.ct, tidied.masks, levels)),
        dice_before=lowest_dice(clean.vertebrae, faulty.vertebrae),
        dice_after=lowest_dice(clean.vertebrae, tidied.masks.vertebrae),
    )


def run() -> dict[tuple[str, Strength], list[Outcome]]:
    """All faults on all cases, case by case."""
    done: dict[tuple[str, Strength], list[Outcome]] = {}
    for case in (PHANTOM, *(REAL_CASES if DATA.is_dir() else ())):
        clean = clean_case(case)
        masks = Masks(vertebrae=clean.vertebrae, bodies=clean.bodies)
        expected = core_means(clean.ct, masks, clean.levels)
        for name in NAMES:
            for strength in (Strength.MIDDLE, Strength.STRONG):
                faulty = make_faulty(FAULTS[name], strength, clean)
                if not is_same(clean, faulty):
                    outcome = mend(case, clean, expected, faulty)
                    done.setdefault((name, strength), []).append(outcome)
                    print(case, name, strength.value, outcome, flush=True)
    return done


def _worst(values: Sequence[float | None]) -> str:
    """The largest; a level without a number is worse than any."""
    known = [v for v in values if v is not None]
    return f"{max(known):.1f}" if len(known) == len(values) else "no number"


def make_table(done: dict[tuple[str, Strength], list[Outcome]]) -> str:
    """A line per fault and strength, and what falls short."""
    cases = tuple(dict.fromkeys(o.case for outcomes in done.values() for o in outcomes))
    lines = [
        f"Worst of {', '.join(cases)}:",
        "",
        "| fault | rules (cases) | HU off before | after | Dice before | after |",
        "|---|---|---:|---:|---:|---:|",
    ]
    short = []
    for (name, strength), outcomes in done.items():
        fault = FAULTS[name]
        text = fault.degree(strength).text
        rules = Counter(rule for o in outcomes for rule in o.rules).most_common()
        told = ", ".join(f"`{rule}` {n}" for rule, n in rules) or "none"
        lines.append(
            f"| {fault.title}: {text} | {told} of {len(outcomes)} "
            f"| {_worst([o.off_before for o in outcomes])} "
            f"| {_worst([o.off_after for o in outcomes])} "
            f"| {min(o.dice_before for o in outcomes):.3f} "
            f"| {min(o.dice_after for o in outcomes):.3f} |"
        )
        short += [
            f"- {name} {text}, {o.case}: {_worst([o.off_after])} HU off, Dice "
            f"{o.dice_after:.3f}, {'blocked' if o.is_blocked else 'not blocked'}"
            for o in outcomes
            if o.falls_short
        ]
    head = f"More than {MOST_OFF_HU:g} HU off or a Dice below {LEAST_DICE:g} after repair:"
    return "\n".join([*lines, "", head, "", *(short or ["- none"])])


def write_page(text: str) -> None:
    """Replace what lies between the marks."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def main() -> None:
    """Print the table and, if asked, write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write the table into {PAGE.name}")
    options = parser.parse_args()
    text = make_table(run())
    print(text)
    if options.write:
        write_page(text)


if __name__ == "__main__":
    main()
