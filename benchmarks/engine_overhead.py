"""What an engine costs: until the first worker is ready, per case, and until all is gone.

    python benchmarks/engine_overhead.py local ray [--workers 2] [--cases 1000] [--address A]

The stage does nothing, so all that is measured is the engine. ``cases`` are given as a coordinator
does: never more than ``depth`` to a worker.
"""

from __future__ import annotations

import argparse
import statistics
import time
from importlib import import_module

from osteoct.run.engines.interface import (
    Engine,
    EngineOptions,
    Finished,
    Lost,
    Ready,
    WorkerSpec,
)
from osteoct.run.records import Inputs, WorkItem
from osteoct.run.testing import STAGE

ENGINES = {"local": "local:LocalEngine", "ray": "cluster:RayEngine"}


def make_engine(name: str, options: EngineOptions) -> Engine:
    """Return an engine by its name; one of this machine takes no options."""
    module, _, kind = ENGINES[name].partition(":")
    maker = getattr(import_module(f"osteoct.run.engines.{module}"), kind)
    engine: Engine = maker() if name == "local" else maker(options)
    return engine


def run(engine: Engine, *, workers: int, depth: int, cases: int) -> tuple[float, float, float]:
    """Seconds until all are ready, milliseconds per case, seconds to close."""
    begun = time.perf_counter()
    ready = start(engine, workers=workers, depth=depth)
    started = time.perf_counter()
    work(engine, ready, depth=depth, cases=cases)
    ended = time.perf_counter()
    engine.close()
    closed = time.perf_counter()
    return started - begun, (ended - started) / cases * 1000, closed - ended


def start(engine: Engine, *, workers: int, depth: int) -> list[str]:
    """Start workers and wait until all are ready."""
    for number in range(workers):
        engine.start_worker(f"w{number}", WorkerSpec(stage=STAGE, depth=depth))
    ready: list[str] = []
    while len(ready) < workers:
        for event in engine.wait(1.0):
            if isinstance(event, Lost):
                raise SystemExit(event.why)
            ready.extend([event.worker] if isinstance(event, Ready) else [])
    return ready


def work(engine: Engine, workers: list[str], *, depth: int, cases: int) -> None:
    """Give every case, and wait for all."""
    items = [
        WorkItem(case_id=f"c{n}", key="k", inputs=Inputs(ct=("/data/ct.nii.gz",)), bytes_in=1)
        for n in range(cases)
    ]
    for worker in workers * depth:
        engine.give(worker, items.pop())
    done = 0
    while done < cases:
        for event in engine.wait(1.0):
            if isinstance(event, Finished):
                done += 1
                if items:
                    engine.give(event.worker, items.pop())


def main() -> None:
    """Print a table: one row per engine and depth, the median of the repeats."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", nargs="+", choices=sorted(ENGINES))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--address")
    given = parser.parse_args()
    options = EngineOptions(workers=(1, given.workers), address=given.address)
    print(f"{given.workers} workers, {given.cases} cases, median of {given.repeats}")
    print("engine depth  ready_s  ms_per_case  close_s")
    for name in given.engine:
        for depth in (1, 2):
            rows = [
                run(
                    make_engine(name, options),
                    workers=given.workers,
                    depth=depth,
                    cases=given.cases,
                )
                for _ in range(given.repeats)
            ]
            ready, each, close = (statistics.median(column) for column in zip(*rows, strict=True))
            print(f"{name:6} {depth:5}  {ready:7.2f}  {each:11.2f}  {close:7.2f}")


if __name__ == "__main__":
    main()
