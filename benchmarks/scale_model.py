"""How long 10^2, 10^4 and 10^6 CTs take, and where they wait: a simulation with measured times.

    python benchmarks/scale_model.py                      the table, from the times below
    python benchmarks/scale_model.py --check STORE --workers N
                                                          a finished batch against its own model

A case goes through transfer, reading, segmenting, measuring (with its report) and storing; a worker
reads the next case while it segments one. Transfers share one line, GPUs and cores are places for
one each, the ledger writes one case at a time. Every case takes the measured time of its step,
spread evenly by a fifth to both sides, as measured cases differ about so much. What is simulated is
the waiting: 5000 cases at most, the rest goes on at the pace of the second half.

``--check`` takes the times that a batch has noted for each of its own cases, and compares the time
that the model gives for its workers with the time that the batch really took.
"""

from __future__ import annotations

import argparse
import heapq
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

from osteoct.run.batch import open_batch
from osteoct.run.records import State

SIMULATED = 5000
SPREAD = 0.2
DAY_S = 86_400.0
GIB = 1024**3


@dataclass(frozen=True, kw_only=True)
class Times:
    """Seconds of one case in each step, and its size.

    The defaults are those of ``docs/explanation/scale.md``, which says where each was measured.
    """

    read_s: float = 3.4
    segment_gpu_s: float = 30.0
    segment_cpu_s: float = 60.0
    measure_s: float = 9.5
    store_s: float = 0.01
    ledger_s: float = 0.011
    plan_s: float = 0.6
    in_bytes: float = 300e6
    out_bytes: float = 5.1e6


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What there is.

    Parameters
    ----------
    line_bytes_s
        What the archive gives to all workers together.
    """

    name: str
    workers: int
    gpus: int
    cores: int
    line_bytes_s: float
    hosts: int = 1


MACHINES = (
    Machine(name="a laptop, 2 cores", workers=1, gpus=0, cores=2, line_bytes_s=200e6),
    Machine(name="a server, 1 GPU, 16 cores", workers=2, gpus=1, cores=16, line_bytes_s=500e6),
    Machine(
        name="20 nodes, 1 GPU and 16 cores each",
        workers=40,
        gpus=20,
        cores=320,
        line_bytes_s=1.2e9,
        hosts=20,
    ),
)
SIZES = (100, 10_000, 1_000_000)


@dataclass(kw_only=True)
class Places:
    """Places that serve one case each; who comes first is served first."""

    number: int
    free: list[float] = field(default_factory=list)
    busy_s: float = 0.0

    def __post_init__(self) -> None:
        self.free = [0.0] * self.number

    def serve(self, at: float, seconds: float) -> float:
        """Serve a case that comes at a time; when it is done."""
        start = max(at, heapq.heappop(self.free))
        heapq.heappush(self.free, start + seconds)
        self.busy_s += seconds
        return start + seconds


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """How long, and how busy each kind of place was, as a share of that time."""

    seconds: float
    busy: dict[str, float]

    @property
    def bottleneck(self) -> str:
        """The busiest."""
        return max(self.busy, key=lambda name: self.busy[name])


class Archive:
    """Cases on their way through a machine, step by step in the order of time.

    Who comes to a place first is served first, so every step is taken when its moment has come.
    """

    def __init__(self, cases: int, machine: Machine, times: Times, seed: int) -> None:
        self._left = cases
        self._rng = random.Random(seed)  # noqa: S311 - a simulation
        self._machine, self._times = machine, times
        self._coming: list[tuple[float, int, Callable[[float], None]]] = []
        self._number = 0
        self.line, self.ledger = Places(number=1), Places(number=1)
        self.cores, self.gpus = Places(number=machine.cores), Places(number=max(machine.gpus, 1))
        self.ends: list[float] = []
        self._has_read = [False] * machine.workers
        self._computes = [False] * machine.workers

    def run(self) -> None:
        """Let all cases pass."""
        for worker in range(self._machine.workers):
            self._transfer(worker, 0.0)
        while self._coming:
            now, _, step = heapq.heappop(self._coming)
            step(now)

    def _then(self, at: float, step: Callable[[int, float], None], worker: int) -> None:
        self._number += 1
        entry = (at, self._number, lambda now: step(worker, now))
        heapq.heappush(self._coming, entry)

    def _near(self, seconds: float) -> float:
        return seconds * self._rng.uniform(1 - SPREAD, 1 + SPREAD)

    def _transfer(self, worker: int, now: float) -> None:
        if self._left:
            self._left -= 1
            seconds = self._near(self._times.in_bytes) / self._machine.line_bytes_s
            self._then(self.line.serve(now, seconds), self._read, worker)

    def _read(self, worker: int, now: float) -> None:
        self._then(self.cores.serve(now, self._near(self._times.read_s)), self._ready, worker)

    def _ready(self, worker: int, now: float) -> None:
        self._has_read[worker] = True
        self._take_up(worker, now)

    def _take_up(self, worker: int, now: float) -> None:
        """Compute what was read, if nothing else is computed; the next one is read meanwhile."""
        if self._computes[worker] or not self._has_read[worker]:
            return
        self._computes[worker], self._has_read[worker] = True, False
        self._transfer(worker, now)
        place = self.gpus if self._machine.gpus else self.cores
        times = self._times
        seconds = times.segment_gpu_s if self._machine.gpus else times.segment_cpu_s
        self._then(place.serve(now, self._near(seconds)), self._measure, worker)

    def _measure(self, worker: int, now: float) -> None:
        self._then(self.cores.serve(now, self._near(self._times.measure_s)), self._store, worker)

    def _store(self, worker: int, now: float) -> None:
        seconds = self._near(self._times.out_bytes) / self._machine.line_bytes_s
        self._then(self.line.serve(now, seconds) + self._times.store_s, self._note, worker)

    def _note(self, worker: int, now: float) -> None:
        self._then(self.ledger.serve(now, self._times.ledger_s), self._end, worker)

    def _end(self, worker: int, now: float) -> None:
        self.ends.append(now)
        self._computes[worker] = False
        self._take_up(worker, now)


def simulate(cases: int, machine: Machine, times: Times, *, seed: int = 0) -> Simulated:
    """Let cases pass through a machine."""
    few = min(cases, SIMULATED)
    archive = Archive(few, machine, times, seed)
    archive.run()
    span = max(archive.ends)
    kinds = {"transfer": archive.line, "cores": archive.cores, "ledger": archive.ledger}
    if machine.gpus:
        kinds["GPU"] = archive.gpus
    busy = {name: places.busy_s / (places.number * span) for name, places in kinds.items()}
    return Simulated(seconds=span + (cases - few) * pace(archive.ends), busy=busy)


def pace(ends: list[float]) -> float:
    """Seconds per case once all places are filled."""
    half = sorted(ends)[len(ends) // 2 :]
    return (half[-1] - half[0]) / max(len(half) - 1, 1)


def table(times: Times) -> str:
    """Every size on every machine."""
    head = "| CTs | on | time | busiest | GPU-days | core-days | read in | results | planning |"
    lines = [head, "|---:|---|---:|---|---:|---:|---:|---:|---:|"]
    for cases in SIZES:
        for machine in MACHINES:
            found = simulate(cases, machine, times)
            share = found.busy[found.bottleneck]
            gpu_days = cases * times.segment_gpu_s / DAY_S if machine.gpus else 0.0
            own = times.read_s + times.measure_s
            own += 0 if machine.gpus else times.segment_cpu_s
            cells = (
                f"{cases:,}".replace(",", " "),
                machine.name,
                say_time(found.seconds),
                f"{found.bottleneck} ({share:.0%})",
                f"{gpu_days:.1f}",
                f"{cases * own / DAY_S:.1f}",
                f"{cases * times.in_bytes / GIB:,.0f} GiB".replace(",", " "),
                f"{cases * times.out_bytes / GIB:,.1f} GiB".replace(",", " "),
                say_time(cases * times.plan_s),
            )
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def say_time(seconds: float) -> str:
    """A length of time as a person would say it."""
    for limit, unit, size in ((120, "s", 1), (7200, "min", 60), (2 * DAY_S, "h", 3600)):
        if seconds < limit:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / DAY_S:,.1f} days".replace(",", " ")


def check(store: str, workers: int) -> str:
    """A finished batch against the model of its own measured times.

    Each case keeps its own times; the cores are as many as there were workers, as the times were
    measured with all of them at work.
    """
    with open_batch(store) as batch:
        rows = [row for row in batch.ledger.rows() if row.state is State.DONE]
    began = min(row.began for row in rows if row.began is not None)
    ended = max(row.ended for row in rows if row.ended is not None)
    real = (ended - began).total_seconds()
    free = [0.0] * workers
    for row in sorted(rows, key=lambda row: (row.began, row.case_id)):
        start = heapq.heappop(free)
        heapq.heappush(free, start + sum(row.seconds.values()))
    modelled = max(free)
    return (
        f"{len(rows)} cases, {workers} workers: {real:.1f} s from the first to the last, "
        f"{modelled:.1f} s by the model, {modelled / real:.3f} of it\n"
    )


def main() -> int:
    """Print the table, or the check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", metavar="STORE")
    parser.add_argument("--workers", type=int, default=2)
    for name, default in vars(Times()).items():
        parser.add_argument("--" + name.replace("_", "-"), type=float, default=default)
    arguments = vars(parser.parse_args())
    if arguments["check"]:
        sys.stdout.write(check(arguments["check"], arguments["workers"]))
        return 0
    sys.stdout.write(table(Times(**{name: arguments[name] for name in vars(Times())})))
    return 0


if __name__ == "__main__":
    sys.exit(main())
