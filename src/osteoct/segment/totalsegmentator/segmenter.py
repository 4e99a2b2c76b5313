"""TotalSegmentator as a segmenter: check, run in a process of its own, name the labels."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

from osteoct.anatomy import Part
from osteoct.errors import DependencyError, SegmentationError
from osteoct.io.label_meaning import label_meaning
from osteoct.io.label_table import parse_label_table
from osteoct.records import Finding, SegmenterRecord, Severity
from osteoct.segment.interface import Quality, Segmentation, SegmenterState, SegmentOptions
from osteoct.segment.totalsegmentator.plan import MARGIN_MM, PLANS
from osteoct.segment.totalsegmentator.process import private_folder, run_job
from osteoct.segment.totalsegmentator.weights import (
    WeightsFolder,
    check_weights,
    find_faults,
    hash_weights,
    how_to_get,
    weights_folder,
)
from osteoct.volume import CTVolume, LabelVolume

DISTRIBUTION: Final = "TotalSegmentator"
OLDEST: Final = (2, 18)
"""The version whose behaviour, label tables and folders all this was written for."""

HOW_TO_INSTALL: Final = (
    "pip install 'osteoct[totalsegmentator]'; on a machine without a GPU add -c with a file that "
    "says torch==2.13.0, which keeps 7 GB of CUDA away"
)


class TotalSegmentatorSegmenter:
    """Runs the package TotalSegmentator through its own Python API.

    Parameters
    ----------
    options
        ``quality`` chooses the models (see :mod:`.plan`), ``device`` where they run.
    """

    name: Final = "totalsegmentator"

    def __init__(self, options: SegmentOptions) -> None:
        self._options = options

    def describe(self) -> SegmenterState:
        """Say whether the package and the models of each quality are there."""
        installed = installed_version()
        place = weights_folder()
        faults = {q: find_faults(place, plan.models) for q, plan in PLANS.items()}
        own = faults[self._options.quality]
        return SegmenterState(
            name=self.name,
            title="TotalSegmentator, tasks total and vertebrae_body",
            licence="Apache-2.0 (program and models)",
            is_installed=installed is not None,
            version=installed,
            device=_probe_device() if installed else None,
            weights={
                q.value: "; ".join(f"{m.folder} {fault}" for m, fault in found.items()) or "present"
                for q, found in faults.items()
            },
            hint=HOW_TO_INSTALL if installed is None else how_to_get(own) if own else None,
        )

    def check(self) -> None:
        """Raise unless the package and every model of the quality are there.

        Raises
        ------
        DependencyError
            The package is missing or too old.
        SegmenterUnavailableError
            A model is missing or incomplete.
        """
        _check_installed()
        check_weights(weights_folder(), PLANS[self._options.quality].models)

    def segment(self, ct: CTVolume) -> Segmentation:
        """Run the tasks of the quality and name the labels by the tables they come with.

        Raises
        ------
        DependencyError, SegmenterUnavailableError
            As :meth:`check`; or the machine ran out of memory.
        SegmentationError
            No vertebrae were found, or the package failed.
        """
        self.check()
        clock = time.perf_counter()
        plan, place = PLANS[self._options.quality], weights_folder()
        with private_folder(place, plan.models) as folder:
            told = run_job(_write_job(ct, folder, self._options), folder)
            vertebrae = _read_labels(folder, told, "vertebrae", Part.VERTEBRA, ct)
            bodies = _read_labels(folder, told, "bodies", Part.BODY, ct)
        if vertebrae is None:
            raise _no_vertebrae()
        findings = self._find()
        return Segmentation(
            vertebrae=replace(vertebrae, findings=(*vertebrae.findings, *findings)),
            bodies=bodies,
            provenance=self._record(told, place, time.perf_counter() - clock),
            findings=findings,
        )

    def _find(self) -> tuple[Finding, ...]:
        if self._options.quality is Quality.BEST:
            return ()
        return (
            Finding(
                code="segmented-coarse",
                severity=Severity.WARNING,
                message="the masks were made at 3 mm (--quality fast): their surfaces are coarse",
                evidence={"spacing_mm": 3.0},
            ),
        )

    def _record(self, told: dict[str, Any], place: WeightsFolder, total: float) -> SegmenterRecord:
        seconds = {**told["seconds"], "total": total}
        return SegmenterRecord(
            name=self.name,
            version=installed_version() or "unknown",
            quality=self._options.quality.value,
            device=told["device"],
            weights=hash_weights(place, PLANS[self._options.quality].models),
            seconds={step: round(value, 3) for step, value in seconds.items()},
            peak_memory_mb=told["peak_memory_mb"],
        )


def installed_version() -> str | None:
    """Version of the package; ``None`` where it, or torch, cannot be imported."""
    if any(find_spec(name) is None for name in ("totalsegmentator", "torch")):
        return None
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return None


def _check_installed() -> None:
    found = installed_version()
    if found is None:
        raise DependencyError(
            "TotalSegmentator is not installed",
            where="--segmenter totalsegmentator",
            hint=HOW_TO_INSTALL,
        )
    if tuple(int(part) for part in found.split(".")[:2]) < OLDEST:
        raise DependencyError(
            "TotalSegmentator is too old",
            found=found,
            wanted=".".join(map(str, OLDEST)) + " or newer",
            hint="pip install --upgrade TotalSegmentator",
        )


def _probe_device() -> str | None:
    """What ``auto`` would compute on, asked of a process of its own; ``None`` if torch fails."""
    with private_folder(weights_folder(), ()) as folder:
        try:
            told = run_job({"device": "auto", "is_probe": True}, folder)
        except SegmentationError:
            return None
    return str(told["device"])


def _write_job(ct: CTVolume, folder: Path, options: SegmentOptions) -> dict[str, Any]:
    np.save(folder / "ct.npy", ct.array)
    return {
        "ct": "ct.npy",
        "affine": ct.geometry.affine.tolist(),
        "device": options.device,
        "margin_mm": MARGIN_MM,
        "tasks": [asdict(task) for task in PLANS[options.quality].tasks],
    }


def _read_labels(
    folder: Path, told: dict[str, Any], result: str, part: Part, ct: CTVolume
) -> LabelVolume | None:
    """Labels of a result by name; ``None`` where the task did not run or found nothing."""
    where = f"totalsegmentator, {result}"
    table = told["names"].get(result)
    if table is None:
        return None
    names = parse_label_table(table.encode(), where=where)
    meaning = label_meaning(names, scheme=None, part=part, where=where)
    array = np.load(folder / f"{result}.npy")
    numbers = [n for n, s in meaning.structures.items() if s.part is part]
    if not np.isin(array, numbers).any():
        return None
    return LabelVolume(
        array=array,
        geometry=ct.geometry,
        structures=meaning.structures,
        scheme_id=meaning.scheme_id,
    )


def _no_vertebrae() -> SegmentationError:
    return SegmentationError(
        "no vertebrae were found",
        where="totalsegmentator",
        found="no label of T11 to S1",
        wanted="a CT that shows lumbar vertebrae",
        hint="is it the right series? osteoct inspect CT shows what is there",
    )
