"""Plan, run and collect work items of a stand-in stage: is memory flat, is time linear?

    python benchmarks/batch_scale.py [1000 10000 100000] [--workers 2] [--cluster local]

Each size runs in a process of its own. Its items are the rows of a manifest that name one small
file; the stage does nothing, so that what is left is what a batch costs by itself.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from osteoct.run.batch import collect_batch, make_owner, open_batch, plan_batch
from osteoct.run.collect.columns import Rows
from osteoct.run.coordinator import Coordinator, RunLimits
from osteoct.run.engines.interface import WorkerSpec
from osteoct.run.engines.opening import make_engine
from osteoct.run.plan.choices import make_choices
from osteoct.run.records import State
from osteoct.run.testing import STAGE

SIZES = (1000, 10_000, 100_000)
FLAT = 1.5
"""Most by which memory may grow from the smallest to the largest size."""

LINEAR = 2.0
"""Most by which time per case may grow."""


def main() -> int:
    """Measure every size, print a table; 1 where memory or time per case grows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cluster")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        sys.stdout.write(json.dumps(measure(arguments.sizes[0], arguments)))
        return 0
    found = [in_process(size, arguments) for size in arguments.sizes]
    columns = list(found[0])
    sys.stdout.write("| " + " | ".join(columns) + " |\n|" + "---:|" * len(columns) + "\n")
    for row in found:
        sys.stdout.write("| " + " | ".join(str(value) for value in row.values()) + " |\n")
    memory = found[-1]["peak_mib"] / found[0]["peak_mib"]
    pace = found[-1]["cpu_ms_per_case"] / found[0]["cpu_ms_per_case"]
    sys.stdout.write(f"memory × {memory:.2f}, processor time per case × {pace:.2f}\n")
    return 0 if memory <= FLAT and pace <= LINEAR else 1


def in_process(size: int, arguments: argparse.Namespace) -> dict[str, float]:
    """One size in a fresh process, whose memory is its own."""
    command = [sys.executable, __file__, str(size), "--one", "--workers", str(arguments.workers)]
    command += ["--cluster", arguments.cluster] if arguments.cluster else []
    ran = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - this file
    row: dict[str, float] = json.loads(ran.stdout)
    return row


def measure(size: int, arguments: argparse.Namespace) -> dict[str, float]:
    """Plan, run and collect."""
    os.environ.setdefault("OSTEOCT_KEY", "the key of a benchmark, not of patients")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = write_manifest(folder, size)
        with open_batch(str(folder / "store"), create=True) as batch:
            clock = time.perf_counter()
            plan_batch(batch, make_choices(manifest))
            planned = time.perf_counter()
            end = Coordinator(
                batch.ledger,
                make_engine(arguments.cluster, workers=(1, arguments.workers)),
                (WorkerSpec(stage=STAGE, depth=2),),
                owner=make_owner(),
                limits=RunLimits(workers=(1, arguments.workers)),
            ).run()
            ran = time.perf_counter()
            rows = collect_batch(batch, folder / "results.csv", rows=Rows.CASES)
            collected = time.perf_counter()
            size_mib = (folder / "store" / "ledger.sqlite").stat().st_size / 2**20
    if (end.counts[State.DONE], rows) != (size, size):
        sys.exit(f"{end.counts[State.DONE]} done and {rows} rows of {size}")
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "cases": size,
        "plan_s": round(planned - clock, 1),
        "run_s": round(ran - planned, 1),
        "collect_s": round(collected - ran, 1),
        "ms_per_case": round((collected - clock) / size * 1000, 2),
        "cpu_ms_per_case": round((used.ru_utime + used.ru_stime) / size * 1000, 2),
        "peak_mib": round(used.ru_maxrss / 1024),
        "ledger_mib": round(size_mib, 1),
    }


def write_manifest(folder: Path, size: int) -> Path:
    """A manifest whose cases all name one file."""
    image = folder / "ct.nii.gz"
    image.write_bytes(b"not read by the stand-in")
    manifest = folder / "manifest.csv"
    with manifest.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["case_id", "ct", "masks"])
        writer.writerows([f"case{n:07d}", image, image] for n in range(size))
    return manifest


if __name__ == "__main__":
    sys.exit(main())
