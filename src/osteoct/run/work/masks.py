"""Masks that are made once: a changed protocol measures anew and segments nothing."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from pydantic import Field

from osteoct.anatomy import Part
from osteoct.errors import OsteoctError
from osteoct.io.alignment import align_labels
from osteoct.io.labels import read_labels
from osteoct.io.nifti import write_labels
from osteoct.io.tissues import read_tissues
from osteoct.records import Finding, Record, SegmenterRecord
from osteoct.segment.interface import Segmentation, Segmenter, SegmenterState
from osteoct.volume import CTVolume, LabelVolume

VERTEBRAE, BODIES, TISSUES = "vertebrae.nii.gz", "bodies.nii.gz", "tissues.nii.gz"
RECORD = "masks.json"


class MasksKept(Protocol):
    """Where made masks are kept; see :mod:`osteoct.run.store`."""

    def masks(self, segment_key: str) -> Path | None:
        """Folder of the masks of a key, or ``None``."""
        ...

    def put_masks(self, segment_key: str, folder: Path) -> None:
        """Keep the files of a folder under a key, whole or not at all."""
        ...


class MasksRecord(Record):
    """What made masks that were kept, and what it found."""

    made_by: SegmenterRecord
    findings: tuple[Finding, ...] = Field(default=())
    vertebrae_findings: tuple[Finding, ...] = Field(default=())


@dataclass(frozen=True, kw_only=True)
class KeepingSegmenter:
    """A segmenter that looks first whether the masks of this case were made before.

    Parameters
    ----------
    inner
        What makes them.
    kept
        Where they are kept.
    key
        Of this CT and this segmenter.
    scratch
        Folder for masks on their way; ``None`` for the system's own.
    """

    inner: Segmenter
    kept: MasksKept
    key: str
    scratch: Path | None = None

    @property
    def name(self) -> str:
        """That of the segmenter inside."""
        return self.inner.name

    def describe(self) -> SegmenterState:
        """As the segmenter inside."""
        return self.inner.describe()

    def check(self) -> None:
        """As the segmenter inside."""
        self.inner.check()

    def segment(self, ct: CTVolume) -> Segmentation:
        """Return the masks that were kept, or make and keep them.

        Kept masks that cannot be read (an old version, a damaged file) are made anew.
        """
        folder = self.kept.masks(self.key)
        if folder is not None:
            try:
                return read_masks(folder, ct)
            except (OsteoctError, OSError, ValueError):
                pass
        made = self.inner.segment(ct)
        with tempfile.TemporaryDirectory(prefix="osteoct-masks-", dir=self.scratch) as name:
            write_masks(made, Path(name))
            self.kept.put_masks(self.key, Path(name))
        return made


def write_masks(made: Segmentation, folder: Path) -> None:
    """Write masks and what made them into an existing folder."""
    write_labels(made.vertebrae, folder / VERTEBRAE)
    if made.bodies is not None:
        write_labels(made.bodies, folder / BODIES)
    if made.tissues is not None:
        write_labels(made.tissues, folder / TISSUES)
    record = MasksRecord(
        made_by=made.provenance,
        findings=made.findings,
        vertebrae_findings=made.vertebrae.findings,
    )
    (folder / RECORD).write_text(record.model_dump_json(by_alias=True), encoding="utf-8")


def read_masks(folder: Path, ct: CTVolume) -> Segmentation:
    """Read what :func:`write_masks` wrote, on the grid of the CT it was made from.

    Raises
    ------
    InputError, GeometryError, OSError, ValueError
        A file is missing or damaged, or of another CT.
    """
    record = MasksRecord.model_validate_json((folder / RECORD).read_text(encoding="utf-8"))
    bodies, tissues = folder / BODIES, folder / TISSUES
    vertebrae = _on_grid(read_labels(folder / VERTEBRAE, part=Part.VERTEBRA), ct)
    return Segmentation(
        vertebrae=replace(vertebrae, findings=record.vertebrae_findings),
        bodies=_on_grid(read_labels(bodies, part=Part.BODY), ct) if bodies.exists() else None,
        tissues=_on_grid(read_tissues(tissues), ct) if tissues.exists() else None,
        provenance=record.made_by,
        findings=record.findings,
    )


def _on_grid(labels: LabelVolume, ct: CTVolume) -> LabelVolume:
    """Labels on the CT's own grid: a file keeps positions in fewer digits than memory."""
    return align_labels(labels, ct.geometry, where="kept masks")
