"""Which faults are found, at three strengths, and what clean scans are accused of.

    python benchmarks/defect_detection.py [--quick] [--only CODE] [--clean N] [--write]

Every fault of the catalogue is made on a phantom and, where it needs masks and image only, on a
real CT and on two expert masks under a synthetic image; then 200 clean phantom scans are analysed
that differ in orientation, slices, field of view, noise, size, density and posture. Real cases are
left out, and the text says so, where their files are not beside the repository. The exit code is 1
when too few strong or middle faults are found or too many clean scans are blocked.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two processes share two cores

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from osteoct.anatomy import Part
from osteoct.geometry import Box
from osteoct.io.labels import read_labels
from osteoct.io.tissues import read_tissues
from osteoct.io.volume import read_volume
from osteoct.phantom.faults.catalogue import FAULTS
from osteoct.phantom.faults.codes import FOUND_BY
from osteoct.phantom.faults.detection import Trial, judge, share_found
from osteoct.phantom.faults.fault import Fault, Strength, make_clean, make_faulty
from osteoct.phantom.faults.subject import Subject, make_subject
from osteoct.phantom.faults.synthetic import image_masks
from osteoct.phantom.faults.variations import make_variation, vary
from osteoct.pipeline import analyze_volumes
from osteoct.records import Finding, Phase, Severity
from osteoct.volume import LabelVolume

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data"
PAGE = ROOT / "docs" / "explanation" / "doubt.md"
BEGIN, END = "<!-- detection: begin -->", "<!-- detection: end -->"

PHANTOM = "phantom"
REAL_CASES = ("real CT", "expert masks 1", "expert masks 2")
VERSE = {"expert masks 1": "sub-verse004", "expert masks 2": "sub-verse010"}
MARGIN_MM = 45.0
"""Kept around expert masks: muscle, fat and some air of the synthetic image."""

CLEAN_SCANS, QUICK_SCANS = 200, 10
PROCESSES = 2

LEAST_STRONG, LEAST_MIDDLE, MOST_BLOCKED = 0.95, 0.80, 0.02
"""Targets: shares of strong and middle faults found, share of clean scans blocked."""


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """What a clean scan was accused of: codes by severity."""

    number: int
    blocking: tuple[str, ...]
    warnings: tuple[str, ...]


@lru_cache(maxsize=2)
def clean_case(name: str) -> Subject:
    """A case without a fault."""
    if name == PHANTOM:
        return make_clean()
    return _real_ct() if name == REAL_CASES[0] else _expert_masks(VERSE[name])


def _real_ct() -> Subject:
    """The real CT; its header tells nothing, so voltage and kernel are assumed for this purpose."""
    folder = DATA / "ts-example"
    ct = read_volume(folder / "ct.nii.gz")
    told = {"kvp": 120.0, "phase": Phase.NATIVE, "kernel": ("SOFT",), "kernel_class": "soft"}
    return make_subject(
        replace(ct, acquisition=ct.acquisition.model_copy(update=told)),
        read_labels(folder / "total_vertebrae.nii.gz"),
        read_labels(folder / "vertebrae_pp_refined.nii.gz", part=Part.BODY),
        read_tissues(folder / "total_fast.nii.gz").reoriented("RAS"),
    )


def _expert_masks(name: str) -> Subject:
    """Expert masks under a synthetic image."""
    masks = read_labels(DATA / "verse-masks" / f"{name}_seg-vert_msk.nii.gz", scheme="verse")
    masks = masks.reoriented("RAS")
    masks = masks.cropped(_box_around(masks))
    return make_subject(image_masks(masks), masks)


def _box_around(labels: LabelVolume) -> Box:
    """The labelled part with a margin across; along the column everything is kept."""
    index = np.argwhere(labels.array > 0)
    margin = np.ceil(MARGIN_MM / np.array(labels.geometry.spacing_mm)).astype(int)
    low = np.maximum(index.min(axis=0) - margin, 0)
    high = np.minimum(index.max(axis=0) + 1 + margin, labels.array.shape)
    a, b, c = (slice(int(lo), int(hi)) for lo, hi in zip(low, high, strict=True))
    return a, b, c


def find(subject: Subject) -> tuple[Finding, ...]:
    """Everything that is said of a case."""
    return analyze_volumes(
        subject.ct, subject.vertebrae, bodies=subject.bodies, tissues=subject.tissues
    ).result.findings


@lru_cache(maxsize=2)
def clean_findings(name: str) -> tuple[Finding, ...]:
    """Everything that is said of a case without a fault."""
    return find(clean_case(name))


def try_fault(case: str, name: str, strength: Strength) -> Trial | None:
    """Make a fault on a case and look; ``None`` where it cannot be made there."""
    fault, clean = FAULTS[name], clean_case(case)
    if case != PHANTOM and not fault.fits(clean):
        return None
    needs_scan = fault.degree(strength).needs_phantom
    faulty = make_faulty(fault, strength, None if needs_scan else clean)
    if not needs_scan and is_same(clean, faulty):
        return None
    return judge(fault, strength, case, clean_findings(case), find(faulty))


def is_same(clean: Subject, faulty: Subject) -> bool:
    """Whether a fault did nothing, as a shift of less than half a voxel."""
    if not clean.ct.geometry.is_same_grid(faulty.ct.geometry):
        return False
    bodies = [None if s.bodies is None else s.bodies.array for s in (clean, faulty)]
    return (
        np.array_equal(clean.ct.array, faulty.ct.array)
        and clean.ct.acquisition == faulty.ct.acquisition
        and np.array_equal(clean.vertebrae.array, faulty.vertebrae.array)
        and (bodies[0] is None) == (bodies[1] is None)
        and (bodies[0] is None or np.array_equal(bodies[0], bodies[1]))
    )


def accuse(number: int) -> Alarm:
    """What is said of a clean scan."""
    made = make_variation(vary(number))
    findings = analyze_volumes(made.ct, made.vertebrae, bodies=made.bodies).result.findings

    def codes(severity: Severity) -> tuple[str, ...]:
        return tuple(sorted({f.code for f in findings if f.severity is severity}))

    return Alarm(number=number, blocking=codes(Severity.BLOCKING), warnings=codes(Severity.WARNING))


Job = tuple[str, str, Strength] | int


def work(job: Job) -> Trial | Alarm | None:
    """One trial, or one clean scan."""
    return accuse(job) if isinstance(job, int) else try_fault(*job)


def list_jobs(names: Sequence[str], *, is_quick: bool, clean: int) -> list[Job]:
    """What is to be done, case after case, so that each process reads a case once."""
    cases = (PHANTOM, *(REAL_CASES if DATA.is_dir() else ()))
    strengths = (Strength.STRONG,) if is_quick else tuple(Strength)
    trials: list[Job] = [
        (case, name, strength)
        for case in (cases[:2] if is_quick else cases)
        for name in names
        for strength in strengths
    ]
    return [*trials, *range(clean)]


def count_clean(options: argparse.Namespace) -> int:
    """How many clean scans are analysed: as asked, else all, a few, or with one fault none."""
    if options.clean is not None:
        return int(options.clean)
    if options.only is not None:
        return 0
    return QUICK_SCANS if options.quick else CLEAN_SCANS


def names_of(only: str | None) -> list[str]:
    """Faults to be made: all, one by its name, or those that a finding tells.

    A name counts before a code: ``four-lumbar`` is both, and seven faults are told by it.
    """
    if only is None:
        return list(FAULTS)
    if only in FAULTS:
        return [only]
    names = [name for name in FAULTS if only in FOUND_BY[name]]
    if not names:
        msg = f"--only {only}: neither a fault nor a code; faults: {', '.join(FAULTS)}"
        raise SystemExit(msg)
    return names


def table_of(trials: Sequence[Trial]) -> str:
    """A line per fault, a column per strength."""
    lines = ["| fault | weak | middle | strong |", "|---|---|---|---|"]
    for name in dict.fromkeys(trial.fault for trial in trials):
        fault = FAULTS[name]
        cells = [_cell(fault, s, trials) for s in Strength]
        lines.append(f"| {fault.title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(fault: Fault, strength: Strength, trials: Sequence[Trial]) -> str:
    """On how many cases a fault was found, and by what."""
    mine = [t for t in trials if t.fault == fault.name and t.strength is strength]
    if not mine:
        return "–"
    found = [t for t in mine if t.is_found]
    codes = Counter(code for t in found for code in t.found_by).most_common(2)
    told = ", ".join(f"`{code}`" for code, _ in codes) or "**missed**"
    return f"{fault.degree(strength).text}: {len(found)}/{len(mine)} {told}"


def list_missed(trials: Sequence[Trial], strength: Strength) -> str:
    """What was missed, on which case, and what was said instead."""
    missed = [t for t in trials if t.strength is strength and not t.is_found]
    return "\n".join(
        f"- {t.fault} ({FAULTS[t.fault].degree(strength).text}), {t.case}: "
        f"{', '.join(t.others) or 'nothing'} instead of "
        f"{', '.join(FOUND_BY[t.fault]) or 'any check'}"
        + (" (blocking)" if FAULTS[t.fault].is_blocking(strength) else "")
        for t in missed
    )


def share_blocked(alarms: Sequence[Alarm]) -> float | None:
    """The share of clean scans of which anything blocks; ``None`` without any."""
    return sum(bool(a.blocking) for a in alarms) / len(alarms) if alarms else None


def count_codes(alarms: Sequence[Alarm]) -> str:
    """How many clean scans show each code."""
    lines = ["| code | severity | clean scans |", "|---|---|---:|"]
    for severity in ("blocking", "warnings"):
        counted = Counter(code for alarm in alarms for code in getattr(alarm, severity))
        word = severity.removesuffix("s")
        lines += [f"| `{code}` | {word} | {n} |" for code, n in counted.most_common()]
    return "\n".join(lines) if len(lines) > 2 else "No clean scan shows a warning."


def summarise(trials: Sequence[Trial], alarms: Sequence[Alarm]) -> tuple[str, bool]:
    """The shares beside their targets, and whether all targets are met."""
    rows = [
        ("strong faults found", share_found(trials, Strength.STRONG), LEAST_STRONG, 1),
        ("middle faults found", share_found(trials, Strength.MIDDLE), LEAST_MIDDLE, 1),
        ("weak faults found", share_found(trials, Strength.WEAK), None, 1),
        ("clean scans blocked", share_blocked(alarms), MOST_BLOCKED, -1),
    ]
    lines, are_met = ["| | share | wanted |", "|---|---:|---:|"], True
    for text, share, target, sign in rows:
        if share is None:
            continue
        wanted = "–" if target is None else f"{'≥' if sign > 0 else '≤'} {target:.0%}"
        are_met &= target is None or sign * share >= sign * target
        lines.append(f"| {text} | {share:.1%} | {wanted} |")
    return "\n".join(lines), are_met


def write_page(text: str) -> None:
    """Replace what lies between the marks."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def main() -> None:
    """Make every fault, print what was found and, if asked, write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="strong faults, two cases, ten scans")
    parser.add_argument("--only", metavar="CODE", help="one fault, or the faults a finding tells")
    parser.add_argument("--clean", type=int, metavar="N", help="analyse the first N clean scans")
    parser.add_argument("--write", action="store_true", help=f"write the tables into {PAGE.name}")
    options = parser.parse_args()
    names = names_of(options.only)
    jobs = list_jobs(names, is_quick=options.quick, clean=count_clean(options))
    clock = time.perf_counter()
    with ProcessPoolExecutor(PROCESSES) as pool:
        done = list(pool.map(work, jobs, chunksize=4))
    trials = [d for d in done if isinstance(d, Trial)]
    alarms = [d for d in done if isinstance(d, Alarm)]
    cases = tuple(dict.fromkeys(t.case for t in trials))
    summary, are_met = summarise(trials, alarms)
    head = f"{len({t.fault for t in trials})} faults on {', '.join(cases)}: {len(trials)} trials"
    if len(cases) == 1:
        head += " (real cases are not here)"
    text = f"{head}; {len(alarms)} clean scans.\n\n{summary}\n\n{table_of(trials)}"
    if alarms:
        text += f"\n\n{count_codes(alarms)}"
    print(text)
    for strength in (Strength.STRONG, Strength.MIDDLE):
        print(f"\nmissed, {strength.value}:\n{list_missed(trials, strength)}")
    print("\nblocked clean scans:", *(f"{a.number} {a.blocking}" for a in alarms if a.blocking))
    print(f"\n{time.perf_counter() - clock:.0f} s")
    if options.write:
        write_page(text)
    sys.exit(0 if are_met else 1)


if __name__ == "__main__":
    main()
