"""The process in which TotalSegmentator runs: ``python -m`` this module, with a private folder.

It and what it imports from this folder are the only places that know the package or torch, and they
import both by name. Nothing else of osteoct is imported here but what works in the same process.
"""

from __future__ import annotations

import importlib
import time
from pathlib import Path
from typing import Any

from osteoct.segment.isolation.worker import Tell, choose_device, serve
from osteoct.segment.nnunet.patches import PatchCounter
from osteoct.segment.nnunet.predictor import hide_unneeded_trainers
from osteoct.segment.totalsegmentator.api import ApiEngine
from osteoct.segment.totalsegmentator.memory import MemoryEngine
from osteoct.segment.totalsegmentator.tasks import Engine, TaskRun


class Worker:
    """Does one CT after another; what was loaded for one serves the next."""

    def __init__(self) -> None:
        self._engines: dict[str, Engine] = {}
        self._counter = PatchCounter()

    def __call__(self, job: dict[str, Any], folder: Path, tell: Tell) -> dict[str, Any]:
        """Run every task of a job; return times, device, names and patches."""
        device = choose_device(job["device"])
        if job.get("is_probe"):
            return {"device": device}
        clock = time.perf_counter()
        self._counter.reset(tell)
        self._counter.begin("start")
        engine = self._engine(job)
        start_s = time.perf_counter() - clock
        run = TaskRun(job, folder, device=device, engine=engine, begin=self._counter.begin)
        told = run.do_all()
        told["seconds"] |= {"start": start_s} | engine.take_times()
        return told | {"patches": dict(self._counter.evaluated)}

    def _engine(self, job: dict[str, Any]) -> Engine:
        """The engine of a job, made once; the package is imported with the first."""
        name = job["engine"]
        if not self._engines:
            import_package()
            self._counter.watch()
        if name not in self._engines:
            self._engines[name] = self._make_engine(name, job)
        return self._engines[name]

    def _make_engine(self, name: str, job: dict[str, Any]) -> Engine:
        if name == "api":
            return ApiEngine()
        return MemoryEngine(Path(job["weights"]), job["locate"], self._counter)


def import_package() -> None:
    """Import the package, which changes nnU-Net as it needs it."""
    hide_unneeded_trainers()
    importlib.import_module("totalsegmentator.config").setup_nnunet()
    importlib.import_module("totalsegmentator.nnunet")


if __name__ == "__main__":
    serve(Worker())
