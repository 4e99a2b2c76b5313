"""spine-segment as a segmenter: check, run in a process of its own, name the labels."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from osteoct.errors import SegmentationError
from osteoct.records import Finding, SegmenterRecord
from osteoct.segment.interface import Segmentation, SegmenterState, SegmentOptions
from osteoct.segment.isolation.holding import ProcessHolder
from osteoct.segment.isolation.session import Session
from osteoct.segment.progress import Hearing
from osteoct.segment.spine_segment.exchange import CT_FILE, Handed
from osteoct.segment.spine_segment.installed import (
    DISTRIBUTION,
    HOW_TO_INSTALL,
    check_installed,
    installed_version,
)
from osteoct.segment.weights.catalogue import WeightsNeed, find_needs
from osteoct.segment.weights.presence import check_presence, find_faults, how_to_get
from osteoct.segment.weights.trust import check_unaltered, find_doubts
from osteoct.volume import CTVolume

WORKER: Final = "osteoct.segment.spine_segment.worker"


class SpineSegmentSegmenter(ProcessHolder):
    """Runs spine-segment's models in a process of its own.

    Inside ``with segmenter:`` the process and the models it has loaded serve one CT after another;
    outside, each CT has a process to itself.

    Parameters
    ----------
    options
        ``device`` says where the models run; there is one quality.
    backend
        Another backend for the package instead of its own models, as ``module:factory``: its
        documented way to replace them. No weights are needed then and none are recorded; the
        record names the backend as the engine.
    """

    name: Final = "spine-segment"

    def __init__(self, options: SegmentOptions, *, backend: str | None = None) -> None:
        self._options = options
        self._backend = backend

    def describe(self) -> SegmenterState:
        """Say whether the package and its models are there."""
        installed, need = installed_version(), self.needed_weights()
        faults = find_faults(need)
        hint = HOW_TO_INSTALL if installed is None else None
        return SegmenterState(
            name=self.name,
            title="spine-segment: vertebrae, and bodies by their own model",
            licence="none stated in its package (program and models)",
            is_installed=installed is not None,
            version=installed,
            weights={d.name: faults.get(d, "present") for d in need.downloads},
            hint=hint or (how_to_get(need.place, faults) if faults else None),
        )

    def check(self) -> None:
        """Raise unless the package and its models are there.

        Raises
        ------
        DependencyError
            The package is missing, or of a version that is not known.
        WeightsMissingError
            A model is missing or incomplete.
        SegmenterUnavailableError
            A model was altered.
        """
        check_installed()
        if self._backend is None:
            check_presence(self.needed_weights())
            check_unaltered(self.needed_weights())

    def needed_weights(self) -> WeightsNeed:
        """Return its models, and the folder they belong in."""
        return find_needs(self.name)[0]

    def segment(self, ct: CTVolume) -> Segmentation:
        """Run the package's own function and name the labels by its documented numbers.

        Raises
        ------
        DependencyError, SegmenterUnavailableError
            As :meth:`check`; or the machine ran out of memory or time.
        SegmentationError
            No vertebrae were found, or the package failed.
        GeometryError
            The CT's voxels are no boxes.
        """
        self.check()
        clock = time.perf_counter()
        handed = Handed.of(ct)
        with self._session() as session, session.job_folder() as folder:
            handed.write(folder)
            told = self._run(session, folder)
            made = handed.read(folder, *told["files"]) if told["files"] else None
        if made is None:
            raise _no_vertebrae(told.get("why", "empty label maps"))
        vertebrae, bodies = made
        doubts = self._doubts()
        return Segmentation(
            vertebrae=replace(vertebrae, findings=doubts),
            bodies=bodies,
            provenance=self._record(told, time.perf_counter() - clock),
            findings=doubts,
        )

    def _open(self) -> Session:
        return Session(WORKER, title=DISTRIBUTION, where=self.name, prepare=_forbid_download)

    def _run(self, session: Session, folder: Path) -> dict[str, Any]:
        """Give the process the CT and the place of the models."""
        need = self.needed_weights()
        heard = None if self._options.progress is None else Hearing(self._options.progress)
        job = {
            "ct": CT_FILE,
            "device": self._options.device,
            "bundle": str(need.place.path / need.downloads[0].folder),
            "backend": self._backend,
        }
        return session.run(job, folder, hear=heard, limit_s=self._options.limit_s)

    def _doubts(self) -> tuple[Finding, ...]:
        """Models that were accepted against what is known of them."""
        return () if self._backend else find_doubts(self.needed_weights())

    def _record(self, told: Mapping[str, Any], total_s: float) -> SegmenterRecord:
        seconds = {**told["seconds"], "total": total_s}
        return SegmenterRecord(
            name=self.name,
            version=installed_version() or "unknown",
            engine=self._backend,
            device=told["device"],
            weights={} if self._backend else _hash_weights(self.needed_weights()),
            seconds={step: round(value, 3) for step, value in seconds.items()},
            patches=told["patches"],
            peak_memory_mb=told["peak_memory_mb"],
        )


def _hash_weights(need: WeightsNeed) -> dict[str, str]:
    """SHA-256 of each network, by the model's name and its own."""
    hashes = check_unaltered(need)
    return {
        f"{download.name}/{Path(file).stem}": sha256
        for download in need.downloads
        for file, sha256 in hashes[download.folder].items()
    }


def _forbid_download(_: Path) -> dict[str, str]:
    """The package's own variable; the process refuses the network besides."""
    return {"SPINE_SEGMENT_NO_DOWNLOAD": "1"}


def _no_vertebrae(why: str) -> SegmentationError:
    return SegmentationError(
        "no vertebrae were found",
        where="spine-segment",
        found=why.rstrip("."),
        wanted="a CT that shows vertebrae",
        hint="is it the right series? osteoct inspect CT shows what is there",
    )
