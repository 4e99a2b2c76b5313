"""TotalSegmentator as a segmenter: check, run in a process of its own, name the labels."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

from osteoct.errors import DependencyError, SegmentationError
from osteoct.records import SegmenterRecord
from osteoct.segment.interface import AUTO, Segmentation, SegmenterState, SegmentOptions
from osteoct.segment.isolation.holding import ProcessHolder
from osteoct.segment.isolation.session import Session
from osteoct.segment.progress import Hearing
from osteoct.segment.totalsegmentator.home import prepare_home
from osteoct.segment.totalsegmentator.plan import LOCATE, MARGIN_MM, PLANS, Task, plan_of
from osteoct.segment.totalsegmentator.results import find_limits, read_results
from osteoct.segment.totalsegmentator.weights import hash_weights, weights_needed
from osteoct.segment.weights.catalogue import WeightsNeed
from osteoct.segment.weights.place import totalsegmentator_folder
from osteoct.segment.weights.presence import check_presence, find_faults, how_to_get
from osteoct.segment.weights.trust import check_unaltered, find_doubts
from osteoct.volume import CTVolume

DISTRIBUTION: Final = "TotalSegmentator"
OLDEST: Final = (2, 18)
"""The version whose behaviour, label tables and folders all this was written for."""

MEMORY_ENGINE_VERSION: Final = (2, 18)
"""Whose labels the engine ``memory`` was compared with, voxel for voxel; others go by the API."""

WORKER: Final = "osteoct.segment.totalsegmentator.worker"

HOW_TO_INSTALL: Final = (
    "pip install 'osteoct[totalsegmentator]'; on a machine without a GPU add -c with a file that "
    "says torch==2.13.0, which keeps 7 GB of CUDA away"
)


class TotalSegmentatorSegmenter(ProcessHolder):
    """Runs TotalSegmentator's models in a process of its own.

    Inside ``with segmenter:`` the process and the models it has loaded serve one CT after another;
    outside, each CT has a process to itself.

    Parameters
    ----------
    options
        ``quality``, ``with_tissues`` and ``with_phase_organs`` choose models and structures (see
        :mod:`.plan`), ``device`` where they run.
    """

    name: str = "totalsegmentator"
    title: str = "TotalSegmentator, tasks total and vertebrae_body"

    def __init__(self, options: SegmentOptions) -> None:
        self._options = options
        self._plan = plan_of(
            options.quality,
            with_tissues=options.with_tissues,
            with_phase_organs=options.with_phase_organs,
        )

    def describe(self) -> SegmenterState:
        """Say whether the package and the models of each quality are there."""
        installed = installed_version()
        place = totalsegmentator_folder()
        faults = {q: find_faults(weights_needed(plan.models)) for q, plan in PLANS.items()}
        own = faults[self._options.quality]
        return SegmenterState(
            name=self.name,
            title=self.title,
            licence="Apache-2.0 (program and models)",
            is_installed=installed is not None,
            version=installed,
            device=_probe_device() if installed else None,
            weights={
                q.value: "; ".join(f"{m.folder} {fault}" for m, fault in found.items()) or "present"
                for q, found in faults.items()
            },
            hint=HOW_TO_INSTALL if installed is None else how_to_get(place, own) if own else None,
        )

    def check(self) -> None:
        """Raise unless the package and every model of the quality are there.

        Raises
        ------
        DependencyError
            The package is missing or too old.
        WeightsMissingError
            A model is missing or incomplete.
        SegmenterUnavailableError
            A model was altered.
        """
        check_installed()
        need = self.needed_weights()
        check_presence(need)
        check_unaltered(need)

    def needed_weights(self) -> WeightsNeed:
        """Return the models of the quality, and the folder they belong in."""
        return weights_needed(self._plan.models)

    def segment(self, ct: CTVolume) -> Segmentation:
        """Run the tasks of the quality and name the labels by the tables they come with.

        Raises
        ------
        DependencyError, SegmenterUnavailableError
            As :meth:`check`; or the machine ran out of memory or time.
        SegmentationError
            No vertebrae were found, or the package failed.
        """
        self.check()
        clock = time.perf_counter()
        with self._session() as session, session.job_folder() as folder:
            told = self._run(ct, session, folder)
            results = read_results(told, folder, ct)
        if "vertebrae" not in results:
            raise _no_vertebrae()
        doubts = find_doubts(self.needed_weights())
        findings = (*find_limits(self._options.quality, told), *doubts)
        vertebrae = results["vertebrae"]
        return Segmentation(
            vertebrae=replace(vertebrae, findings=(*vertebrae.findings, *findings)),
            bodies=results.get("bodies"),
            tissues=results.get("tissues"),
            provenance=self._record(told, time.perf_counter() - clock),
            findings=findings,
        )

    def _open(self) -> Session:
        place, models = totalsegmentator_folder(), self._plan.models
        return Session(
            WORKER,
            title=DISTRIBUTION,
            where=self.name,
            prepare=lambda folder: prepare_home(folder, place, models),
        )

    def _run(self, ct: CTVolume, session: Session, folder: Path) -> dict[str, Any]:
        """Give the process the CT and its tasks."""
        np.save(folder / "ct.npy", ct.array)
        heard = None if self._options.progress is None else Hearing(self._options.progress)
        return session.run(
            {
                "ct": "ct.npy",
                "affine": ct.geometry.affine.tolist(),
                "device": self._options.device,
                "may_fall_back": self._options.device == AUTO,
                "engine": self._engine(),
                "margin_mm": MARGIN_MM,
                "weights": str(session.folder / "weights"),
                "locate": _told(LOCATE) | {"margin_mm": MARGIN_MM},
                "tasks": [_told(task) for task in self._plan.tasks],
            },
            folder,
            hear=heard,
            limit_s=self._options.limit_s,
        )

    def _engine(self) -> str:
        """``memory`` where every voxel is known to be the package's own, else ``api``."""
        is_known = _version_numbers(installed_version() or "0") == MEMORY_ENGINE_VERSION
        return "memory" if is_known else "api"

    def _record(self, told: dict[str, Any], total_s: float) -> SegmenterRecord:
        seconds = {**told["seconds"], "total": total_s}
        return SegmenterRecord(
            name=self.name,
            version=installed_version() or "unknown",
            quality=self._options.quality.value,
            engine=self._engine(),
            device=told["device"],
            weights=hash_weights(self.needed_weights(), self._plan.models),
            seconds={step: round(value, 3) for step, value in seconds.items()},
            patches=told["patches"],
            peak_memory_mb=told["peak_memory_mb"],
        )


class TotalSegmentatorApiSegmenter(TotalSegmentatorSegmenter):
    """The same through the package's own Python API: slower, larger, and the reference."""

    name = "totalsegmentator-api"
    title = "TotalSegmentator through its own API: equal labels, the reference; slower"

    def _engine(self) -> str:
        return "api"


def installed_version() -> str | None:
    """Version of the package; ``None`` where it, or torch, cannot be imported."""
    if any(find_spec(name) is None for name in ("totalsegmentator", "torch")):
        return None
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return None


def _version_numbers(version_text: str) -> tuple[int, ...]:
    """Major and minor number."""
    return tuple(int(part) for part in version_text.split(".")[:2])


def check_installed(
    *, where: str = "--segmenter totalsegmentator", hint: str = HOW_TO_INSTALL
) -> None:
    """Raise a DependencyError unless the package is there and new enough."""
    found = installed_version()
    if found is None:
        raise DependencyError("TotalSegmentator is not installed", where=where, hint=hint)
    if _version_numbers(found) < OLDEST:
        raise DependencyError(
            "TotalSegmentator is too old",
            found=found,
            wanted=".".join(map(str, OLDEST)) + " or newer",
            hint="pip install --upgrade TotalSegmentator",
        )


def _probe_device() -> str | None:
    """What ``auto`` would compute on, asked of a process of its own; ``None`` if torch fails."""
    session = Session(WORKER, title=DISTRIBUTION, where="", prepare=lambda _: {})
    with session, session.job_folder() as folder:
        try:
            told = session.run({"device": AUTO, "is_probe": True}, folder)
        except SegmentationError:
            return None
    return str(told["device"])


def _told(task: Task) -> dict[str, Any]:
    """A task as the process is told of it."""
    return {**asdict(task), "trained": task.model.trained, "is_fast": task.is_fast}


def _no_vertebrae() -> SegmentationError:
    return SegmentationError(
        "no vertebrae were found",
        where="totalsegmentator",
        found="no label of T11 to S1",
        wanted="a CT that shows lumbar vertebrae",
        hint="is it the right series? osteoct inspect CT shows what is there",
    )
