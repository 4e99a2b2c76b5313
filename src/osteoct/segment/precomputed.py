"""Masks that exist already, behind the same interface as the masks of a model."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import osteoct
from osteoct.anatomy import Part
from osteoct.errors import ConfigError
from osteoct.io.alignment import align_labels
from osteoct.io.hashing import sha256_of
from osteoct.io.labels import read_labels
from osteoct.records import SegmenterRecord
from osteoct.segment.interface import Segmentation, SegmenterState, SegmentOptions
from osteoct.volume import CTVolume, LabelVolume


class PrecomputedSegmenter:
    """Reads masks from files and brings them onto the CT's grid in patient space.

    ``weights`` of its provenance holds the content hashes of the files.
    """

    name: Final = "precomputed"

    def __init__(self, options: SegmentOptions) -> None:
        self._options = options

    def describe(self) -> SegmenterState:
        """Say that nothing is needed but the masks."""
        return SegmenterState(
            name=self.name,
            title="masks that exist already (--masks)",
            licence="that of the masks",
            is_installed=True,
            version=osteoct.__version__,
        )

    def check(self) -> None:
        """Raise unless masks were given.

        Raises
        ------
        ConfigError
            No masks.
        """
        self._masks()

    def segment(self, ct: CTVolume) -> Segmentation:
        """Read the masks and align them to the CT.

        Raises
        ------
        ConfigError
            No masks were given.
        InputError, GeometryError
            As :func:`~osteoct.io.labels.read_labels` and
            :func:`~osteoct.io.alignment.align_labels`.
        """
        clock = time.perf_counter()
        masks, options = self._masks(), self._options
        vertebrae = _read(masks, options.labels, Part.VERTEBRA, ct)
        bodies = (
            None
            if options.body_masks is None
            else _read(options.body_masks, options.body_labels, Part.BODY, ct)
        )
        files = {"masks": masks, "body-masks": options.body_masks}
        return Segmentation(
            vertebrae=vertebrae,
            bodies=bodies,
            provenance=SegmenterRecord(
                name=self.name,
                version=osteoct.__version__,
                weights={role: sha256_of(path) for role, path in files.items() if path},
                seconds={"total": round(time.perf_counter() - clock, 3)},
            ),
            findings=vertebrae.findings,
        )

    def _masks(self) -> Path:
        if self._options.masks is None:
            raise ConfigError(
                "needs masks", where="--segmenter precomputed", found="none", wanted="--masks FILE"
            )
        return self._options.masks


def _read(path: Path, scheme: str | None, part: Part, ct: CTVolume) -> LabelVolume:
    return align_labels(read_labels(path, scheme=scheme, part=part), ct.geometry, where=str(path))
