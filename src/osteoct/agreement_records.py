"""Records of what made the masks, and of how far two makers agree."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from osteoct.anatomy import Level
from osteoct.protocols import Region
from osteoct.record import Record


class SegmenterRecord(Record):
    """What made the masks, where they were not the user's.

    Parameters
    ----------
    name, version
        The segmenter, as ``osteoct segmenters`` lists it, and the version of its program.
    quality
        The quality that was asked for; ``None`` where a segmenter has one only.
    engine
        Which of several ways to the same labels it took; ``None`` where there is one only.
    device
        What it computed on: ``cpu``, ``gpu:0`` …; ``None`` where nothing was computed.
    weights
        SHA-256 of each model, by the model's name.
    seconds
        Time per step, ``total`` included.
    patches
        Evaluations of a network per step: what it cost, whatever the machine.
    peak_memory_mb
        Largest working memory in MiB, where the system tells it.
    """

    name: str
    version: str
    quality: str | None = None
    engine: str | None = None
    device: str | None = None
    weights: dict[str, str] = {}
    seconds: dict[str, float] = {}
    patches: dict[str, int] = {}
    peak_memory_mb: float | None = None


class OneSided(StrEnum):
    """Why two segmentations cannot be compared at a level."""

    ONLY_FIRST = "only-first"
    """Only the segmentation whose numbers count holds the level."""
    ONLY_SECOND = "only-second"
    """Only the segmentation that it is compared with holds the level."""


class RegionAgreement(Record):
    """Mean HU of one region of one level, in both segmentations; second minus first."""

    protocol: str
    region: Region
    first_hu: float
    second_hu: float
    difference_hu: float


class LevelAgreement(Record):
    """How far two segmentations agree about one level.

    Parameters
    ----------
    dice
        Of the whole vertebrae of this name, 0 … 1; ``None`` with a ``reason``.
    body_dice
        Of the bodies that were measured; ``None`` where one of them has none.
    same_place
        What the second segmentation calls the structure that covers most of this vertebra; ``None``
        where it has nothing there.
    same_place_dice
        Dice with that structure.
    hu
        Regions that were measured in both.
    """

    level: Level
    dice: float | None = Field(default=None, ge=0, le=1)
    body_dice: float | None = Field(default=None, ge=0, le=1)
    first_volume_cm3: float | None = None
    second_volume_cm3: float | None = None
    same_place: str | None = None
    same_place_dice: float | None = Field(default=None, ge=0, le=1)
    hu: tuple[RegionAgreement, ...] = ()
    reason: OneSided | None = None

    def region(self, protocol: str, region: Region) -> RegionAgreement | None:
        """The comparison of one region, or ``None`` if one of them was not measured."""
        wanted = (protocol, region)
        return next((r for r in self.hu if (r.protocol, r.region) == wanted), None)


class Agreement(Record):
    """Two segmentations of one CT, measured alike; the numbers of the result are the first's.

    Parameters
    ----------
    first, second
        Names of the segmenters.
    made_second
        What made the second masks.
    """

    first: str
    second: str
    made_second: SegmenterRecord
    levels: tuple[LevelAgreement, ...]
