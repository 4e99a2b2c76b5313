"""What a ledger costs a case: recorded, claimed, begun and finished, and memory meanwhile.

``python benchmarks/ledger_speed.py [--cases 100000] [--address postgresql://…]``; without address
SQLite in a temporary folder of the current one: in memory there would be no disk to wait for.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from osteoct.run.ledger.address import sqlite_address
from osteoct.run.ledger.ledger import Ledger
from osteoct.run.records import Inputs, Outcome, State, WorkItem
from osteoct.run.work.memory import peak_mib, reset_peak

CLAIMED_AT_ONCE = 8


def plan(cases: int, key: str) -> Iterator[WorkItem]:
    """Cases of a folder tree."""
    for n in range(cases):
        inputs = Inputs(ct=(f"/archive/{n // 1000:04d}/{n:07d}/ct.nii.gz",), masks=f"/masks/{n}")
        yield WorkItem(case_id=f"case-{n:07d}", key=f"{key}{n}", inputs=inputs, bytes_in=10**8)


def work(ledger: Ledger) -> None:
    """Claim, begin and finish every case, one after the other."""
    while claims := ledger.claim("bench", CLAIMED_AT_ONCE, lease_s=600):
        for claim in claims:
            item = claim.item
            ledger.begin("bench", item.case_id, worker="w1")
            seconds = {"read": 1.0, "measure": 2.0}
            outcome = Outcome(case_id=item.case_id, key=item.key, seconds=seconds, peak_mib=900.0)
            ledger.finish("bench", outcome, state=State.DONE, worker="w1")


def main() -> None:
    """Print milliseconds per case and the largest memory of each step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--address")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        address = asked.address or sqlite_address(Path(folder) / "ledger.sqlite")
        with Ledger.open(address, create=True) as ledger:
            steps = {
                "record, all new": lambda: ledger.record(plan(asked.cases, "a")),
                "record, all known": lambda: ledger.record(plan(asked.cases, "a")),
                "claim, begin, finish": lambda: work(ledger),
                "read all rows": lambda: sum(1 for _ in ledger.rows()),
                "count states": ledger.counts,
                "record, all changed": lambda: ledger.record(plan(asked.cases, "b")),
            }
            print(f"{asked.cases} cases, {address.partition(':')[0]}")
            for name, step in steps.items():
                reset_peak()
                began, cpu = time.perf_counter(), time.process_time()
                step()
                wall, cpu = time.perf_counter() - began, time.process_time() - cpu
                each = 1000 / asked.cases
                print(
                    f"{name:22} {wall * each:7.3f} ms a case ({cpu * each:6.3f} of it here),"
                    f" peak {peak_mib():5.0f} MiB"
                )
    print(f"largest of all: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
