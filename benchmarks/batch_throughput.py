"""Phantom studies through a batch: is every case right, how fast, what does the batch itself cost?

    python benchmarks/batch_throughput.py [--studies 200] [--workers 2] [--cluster local]

Makes phantoms of different density as DICOM series of their own study and patient, in a tree, with
masks; plans and runs them; compares each case with the truth of its phantom; and prints where the
time went. *Overhead* is what a case costs beside its own stages: the wall time of the run times the
workers, less the time inside the stages and the start of the workers, per case; and, apart from it,
the time of the coordinator's own processor, which no other program on the machine can lengthen.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from pydicom import dcmread
from pydicom.uid import generate_uid

from osteoct.anatomy import Level
from osteoct.phantom.small import TWO_LEVELS, write_small_patient
from osteoct.phantom.spine import BoneMake
from osteoct.run.batch import RunRequest, collect_batch, open_batch, plan_batch, run_batch
from osteoct.run.collect.columns import Rows
from osteoct.run.coordinator import RunLimits
from osteoct.run.machine import share_machine
from osteoct.run.plan.choices import make_choices

CORE_HU = tuple(range(60, 260, 20))
"""One phantom per density; each is the pattern of several studies."""

WITHIN_HU = 5.0
"""What a core of the coarse phantom may be off: its noise and partial volume."""

OVERHEAD_LIMIT_MS = 50.0
PROTOCOL = "body-core-4"
LEVELS = (Level.L1, Level.L2)


def main() -> int:
    """Make, plan, run, compare, print; 1 where a case is wrong or the overhead above its limit."""
    arguments = parse()
    os.environ.setdefault("OSTEOCT_KEY", "the key of a benchmark, not of patients")
    with tempfile.TemporaryDirectory() as name:
        folder = arguments.folder or Path(name)
        truths = make_studies(folder / "archive", arguments.studies)
        return measure(folder, truths, arguments)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cluster", help="address of a Ray cluster, or local")
    parser.add_argument("--folder", type=Path, help="where to make it; stays")
    return parser.parse_args()


def make_studies(archive: Path, number: int) -> dict[str, float]:
    """Write the studies and their manifest; the true HU of the core by case id."""
    rows, truths = [], {}
    patterns = [make_pattern(archive / "patterns" / str(hu), hu) for hu in CORE_HU]
    for n in range(number):
        pattern, core_hu = patterns[n % len(patterns)]
        case_id = f"study{n:04d}"
        folder = archive / "dicom" / f"{n % 7}" / case_id
        if not folder.exists():
            copy_series(pattern / "ct-dicom", folder, n)
        masks = {"masks": pattern / "masks.nii.gz", "body_masks": pattern / "body-masks.nii.gz"}
        rows.append({"case_id": case_id, "ct": folder, **masks})
        truths[case_id] = core_hu
    with (archive / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return truths


def make_pattern(folder: Path, hu: int) -> tuple[Path, float]:
    """A phantom whose core has so many HU, and these."""
    if not folder.exists():
        bone = BoneMake(trabecular_hu=dict.fromkeys(LEVELS, float(hu)))
        folder.mkdir(parents=True)
        write_small_patient(folder, TWO_LEVELS, bone=bone, dicom=True, nifti=False)
    return folder, float(hu)


def copy_series(source: Path, target: Path, number: int) -> None:
    """The same images as those of another patient and study."""
    target.mkdir(parents=True)
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    for path in sorted(source.iterdir()):
        image = dcmread(path)
        image.PatientID, image.PatientName = f"{number:08d}", f"Phantom^{number}"
        image.StudyInstanceUID, image.SeriesInstanceUID = study, series
        image.FrameOfReferenceUID = frame
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        image.save_as(target / path.name)


def measure(folder: Path, truths: dict[str, float], arguments: argparse.Namespace) -> int:
    """Plan, run and collect, each with its time."""
    store = folder / ("store-cluster" if arguments.cluster else "store")
    shutil.rmtree(store, ignore_errors=True)
    choices = make_choices(folder / "archive" / "manifest.csv")
    share = share_machine(workers=arguments.workers, gpus=None, memory_mib=None, makes_masks=False)
    limits = RunLimits(workers=(1, arguments.workers))
    request = RunRequest(share=share, limits=limits, cluster=arguments.cluster)
    with open_batch(str(store), create=True) as batch:
        clock, cpu = time.perf_counter(), time.process_time()
        counts = plan_batch(batch, choices)
        planned, plan_cpu = time.perf_counter() - clock, time.process_time() - cpu
        clock, cpu = time.perf_counter(), time.process_time()
        end = run_batch(batch, request)
        ran, run_cpu = time.perf_counter() - clock, time.process_time() - cpu
        stages = [sum(row.seconds.values()) for row in batch.ledger.rows()]
        clock = time.perf_counter()
        collect_batch(batch, folder / "results.csv", rows=Rows.CASES)
        collected = time.perf_counter() - clock
        wrong = check(batch, truths)
    cases = len(truths)
    lost = (ran * arguments.workers - sum(stages)) / cases * 1000
    coordinator = (plan_cpu + run_cpu) / cases * 1000
    report = {
        "engine": arguments.cluster or "local",
        "workers": arguments.workers,
        "planned": counts.new,
        "done": end.counts.get("done", 0),
        "wrong": len(wrong),
        "plan_s": round(planned, 2),
        "run_s": round(ran, 2),
        "collect_s": round(collected, 2),
        "cases_per_minute": round(cases / ran * 60, 1),
        "stages_median_s": round(median(stages), 3),
        "not_in_stages_ms_per_case": round(lost, 1),
        "coordinator_cpu_ms_per_case": round(coordinator, 1),
    }
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    for words in wrong:
        sys.stdout.write(f"WRONG {words}\n")
    is_good = not wrong and end.counts.get("done", 0) == cases
    return 0 if is_good and coordinator <= OVERHEAD_LIMIT_MS else 1


def check(batch: object, truths: dict[str, float]) -> list[str]:
    """Every level of every case against the HU its phantom was made with."""
    wrong = []
    for case_id, truth in truths.items():
        result = batch.store.open_result(case_id)  # type: ignore[attr-defined]
        for level in result.levels:
            if level.level not in LEVELS:
                continue
            core = next(
                m for m in level.regions if (m.protocol, m.region) == (PROTOCOL, "trabecular")
            )
            if core.hu is None or abs(core.hu.mean_hu - truth) > WITHIN_HU:
                found = None if core.hu is None else round(core.hu.mean_hu, 1)
                wrong.append(f"{case_id} {level.level}: found {found}, true {truth}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
