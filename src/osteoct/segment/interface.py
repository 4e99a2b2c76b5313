"""What a segmenter is: a CT in, the masks of its vertebrae out, with what made them.

A segmenter is registered as a Python entry point of the group ``osteoct.segmenters`` that names a
callable of one :class:`SegmentOptions` (most often the class itself);
:func:`osteoct.segment.testing.check_segmenter` tests whether it keeps the rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from pydantic import Field

from osteoct.errors import ConfigError
from osteoct.records import Finding, Record, SegmenterRecord
from osteoct.volume import CTVolume, LabelVolume

AUTO: Final = "auto"
"""The first GPU that can be used, or else the CPU."""

_DEVICE = re.compile(r"auto|cpu|gpu(:\d+)?")


class Quality(StrEnum):
    """How much computing the masks are worth."""

    BEST = "best"
    FAST = "fast"
    """For machines without a GPU: coarser masks."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a segmenter has come.

    Parameters
    ----------
    stage
        What it does, in a word or two.
    done, total
        Parts of the stage; ``None`` where they are not counted.
    seconds_left
        Estimate for the rest of the stage, from the parts done so far; ``None`` before the first.
    """

    stage: str
    done: int | None = None
    total: int | None = None
    seconds_left: float | None = None


@dataclass(frozen=True, kw_only=True)
class SegmentOptions:
    """What a user may choose; a segmenter uses what concerns it.

    Parameters
    ----------
    device
        ``auto``, ``cpu``, ``gpu`` (the first one) or ``gpu:N``.
    with_tissues
        Whether to find what quality control compares HU with (vessels, organs and muscles) and
        what names are counted from (the last ribs and the sacrum).
    with_phase_organs
        Whether to find every organ that a classifier of the contrast phase looks at as well.
    limit_s
        Longest time for one CT in seconds; ``None`` for as long as it takes.
    progress
        Called now and then while a CT is segmented.
    model, level_map
        Folder of a trained model and what its labels mean, for the segmenter ``nnunet``.
    masks, body_masks
        Masks that exist already, for the segmenter ``precomputed``.
    labels, body_labels
        Their label schemes, where the files hold no names.

    >>> SegmentOptions(device="gpu:1").device
    'gpu:1'
    """

    device: str = AUTO
    quality: Quality = Quality.BEST
    with_tissues: bool = False
    with_phase_organs: bool = False
    limit_s: float | None = None
    progress: Callable[[Progress], None] | None = None
    model: Path | None = None
    level_map: Path | None = None
    masks: Path | None = None
    body_masks: Path | None = None
    labels: str | None = None
    body_labels: str | None = None

    def __post_init__(self) -> None:
        if not _DEVICE.fullmatch(self.device):
            raise ConfigError(
                "unknown device",
                where="--device",
                found=repr(self.device),
                wanted="auto, cpu, gpu or gpu:N",
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class Segmentation:
    """Masks on the grid of the CT they were made from.

    Parameters
    ----------
    vertebrae
        Whole vertebrae, and the sacrum where the segmenter knows it.
    bodies
        Vertebral bodies, per level or all in one label, and discs where the segmenter knows them;
        ``None`` where it does not tell bodies from posterior elements.
    tissues
        Vessels, organs, muscles and bones to count from by name, all of part ``OTHER``; ``None``
        where they were not asked for or the segmenter does not know them.
    provenance
        What made them.
    findings
        What limits how far they can be trusted; also in ``vertebrae.findings``.
    """

    vertebrae: LabelVolume
    bodies: LabelVolume | None = None
    tissues: LabelVolume | None = None
    provenance: SegmenterRecord
    findings: tuple[Finding, ...] = ()


class SegmenterState(Record):
    """What ``osteoct segmenters`` tells of a segmenter on this machine.

    Parameters
    ----------
    licence
        Of the program and of its models.
    is_installed
        Whether the package can be imported.
    version
        Of the package; ``None`` where it is not installed.
    device
        What ``--device auto`` would compute on; ``None`` where that is not known or not needed.
    weights
        Per quality whether every model is there, and if not what is missing; empty where a
        segmenter needs none.
    hint
        What to do to be able to use it; ``None`` where nothing is to be done.
    """

    name: str
    title: str
    licence: str
    is_installed: bool
    version: str | None = None
    device: str | None = None
    weights: dict[str, str] = Field(default_factory=dict)
    hint: str | None = None


@runtime_checkable
class Segmenter(Protocol):
    """A program that finds vertebrae in a CT."""

    @property
    def name(self) -> str:
        """The name users give, equal to the name of the entry point."""
        ...

    def describe(self) -> SegmenterState:
        """Say what is there; never fails, downloads nothing and loads no model."""
        ...

    def check(self) -> None:
        """Raise what would stop :meth:`segment`, as far as that is known without a CT.

        Raises
        ------
        DependencyError, SegmenterUnavailableError, ConfigError
            The package, its weights or an option is missing.
        """
        ...

    def segment(self, ct: CTVolume) -> Segmentation:
        """Find the vertebrae of a CT.

        Parameters
        ----------
        ct
            The image, in any orientation; it is not changed.

        Returns
        -------
        Segmentation
            On the grid of ``ct``, array axes included.

        Raises
        ------
        SegmentationError
            No vertebrae, or the segmenter failed. Empty masks are never returned.
        DependencyError
            The package is missing.
        """
        ...


@contextmanager
def held(segmenter: Segmenter) -> Iterator[Segmenter]:
    """Keep what a segmenter loads from one CT to the next, until the end of the block.

    A segmenter that can do so is a context manager; any other is used as it is.
    """
    if isinstance(segmenter, AbstractContextManager):
        with segmenter:
            yield segmenter
    else:
        yield segmenter
