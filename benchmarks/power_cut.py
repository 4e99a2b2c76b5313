"""Killed at random moments and resumed: is the table that of a run that nobody disturbed?

    python benchmarks/power_cut.py [--kills 50] [--cases 60] [--seed 0]

Phantom cases are measured by ``osteoct run``. The run is ended by ``kill -9`` after a random time,
again and again, and resumed; in the end it may finish. The collected table is compared with that of
a quiet run, byte by byte; what the ledger and the store hold is compared as well.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from osteoct.phantom.small import write_small_patient

PATTERNS = ("--ct", "*/ct.nii.gz", "--masks", "{parent}/masks.nii.gz", "--case-id", "{parent.name}")
LONGEST = 2.0
"""Latest kill, in times of what the quiet run took until its first result: half of the kills fall
while it starts and plans, the others while cases are measured and written."""


def main() -> int:
    """Run twice, kill one of them, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--cases", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)  # noqa: S311 - moments, no secrets
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_cases(folder / "root", arguments.cases)
        quiet, cut = folder / "quiet", folder / "cut"
        first_s = time_first(begin(folder / "root", quiet), quiet)
        done = []
        for _ in range(arguments.kills):
            running = resume(cut) if (cut / "store.toml").exists() else begin(folder / "root", cut)
            time.sleep(rng.uniform(0, LONGEST * first_s))
            ended = running.poll()
            running.send_signal(signal.SIGKILL)
            running.wait()
            done.append(sum(1 for _ in cut.rglob("case.json")))
            if ended == 0:
                start_over(cut, rng, arguments.cases, first_s)
        wait(resume(cut))
        tables = [collect(store, folder / f"{store.name}.csv") for store in (quiet, cut)]
        left = [p for p in cut.rglob("*") if p.suffix in {".part", ".old"}]
    is_same = tables[0] == tables[1]
    sys.stdout.write(
        f"{arguments.kills} kills, {arguments.cases} cases; results after each kill: {done}\n"
        f"tables {'identical' if is_same else 'DIFFERENT'}, {len(tables[0])} bytes; "
        f"{len(left)} unfinished files left\n"
    )
    return 0 if is_same and not left else 1


def make_cases(root: Path, number: int) -> None:
    """Phantoms of different noise."""
    first = root / "case000"
    first.mkdir(parents=True)
    write_small_patient(first)
    for n in range(1, number):
        shutil.copytree(first, root / f"case{n:03d}")


def time_first(running: subprocess.Popen[bytes], store: Path) -> float:
    """Seconds until the first result of a run, which ends undisturbed."""
    clock = time.perf_counter()
    while running.poll() is None and not any(store.rglob("case.json")):
        time.sleep(0.05)
    first = time.perf_counter() - clock
    wait(running)
    return first


def start_over(cut: Path, rng: random.Random, cases: int, first_s: float) -> None:
    """Everything was done before the last kill: have some cases measured again."""
    again = [f"case{n:03d}" for n in rng.sample(range(cases), cases // 2)]
    only = [word for name in again for word in ("--only", name)]
    running = start("run", cut, *only, *options())
    time.sleep(first_s)
    running.send_signal(signal.SIGKILL)
    running.wait()


def begin(root: Path, store: Path) -> subprocess.Popen[bytes]:
    """A run from its source."""
    return start("run", root, *PATTERNS, "-o", store, *options())


def resume(store: Path) -> subprocess.Popen[bytes]:
    """A run that goes on."""
    return start("run", store, "--resume", *options())


def options() -> tuple[str, ...]:
    """Of every run."""
    return ("--workers", "2", "--progress", "none")


def start(*arguments: object) -> subprocess.Popen[bytes]:
    """The command in a process of its own."""
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", "osteoct", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OSTEOCT_KEY": "the key of a benchmark, not of patients"},
    )


def wait(running: subprocess.Popen[bytes]) -> None:
    """Let a run end; it must end well."""
    if running.wait() != 0:
        sys.exit(f"a run ended with {running.returncode}")


def collect(store: Path, out: Path) -> bytes:
    """The table of a store."""
    wait(start("collect", store, "-o", out))
    return out.read_bytes()


if __name__ == "__main__":
    sys.exit(main())
