"""The models that can be fetched: where they are published, how large they are, what is known.

A hash stands here only where somebody published it. Other models are trusted when they are fetched
first, and their hashes recorded then (:mod:`.ledger`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, runtime_checkable

from osteoct.errors import ConfigError
from osteoct.segment.interface import Quality
from osteoct.segment.weights.place import (
    WeightsFolder,
    spine_segment_folder,
    totalsegmentator_folder,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Download:
    """One archive of trained weights as its makers publish it.

    Parameters
    ----------
    segmenter
        Who uses it.
    folder
        What it becomes below the segmenter's folder of weights.
    title
        Its name where the folder's says too little.
    url
        Where it is published.
    purpose
        What it is for, in a few words.
    qualities
        For which it is needed.
    needed
        Files without which it cannot be used, relative to ``folder``.
    archive_bytes, archive_sha256
        Of the archive; ``None`` where not known.
    sha256
        Of files inside, relative to ``folder``, where known.
    source
        Who published the hashes.
    """

    segmenter: str
    folder: str
    url: str
    purpose: str
    licence: str
    qualities: tuple[Quality, ...]
    needed: tuple[str, ...]
    archive_bytes: int | None = None
    archive_sha256: str | None = None
    sha256: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None
    title: str | None = None

    @property
    def name(self) -> str:
        """What it is called in messages and options."""
        return self.title or self.folder

    @property
    def is_known(self) -> bool:
        """Whether hashes of it are published."""
        return self.archive_sha256 is not None or bool(self.sha256)


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightsNeed:
    """Models, and the folder they belong in."""

    place: WeightsFolder
    downloads: tuple[Download, ...]


@runtime_checkable
class WeightsUser(Protocol):
    """A segmenter with weights that can be fetched; its ``check`` raises ``WeightsMissingError``.

    Implementing this is all that a segmenter does to have its weights fetched on first use.
    """

    def needed_weights(self) -> WeightsNeed:
        """Return what it needs for the options it was made with."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightsSource:
    """All models of one segmenter.

    Parameters
    ----------
    names
        The segmenters that use them, the one they are called by first.
    find_place
        Says where they lie on this machine.
    """

    names: tuple[str, ...]
    find_place: Callable[[], WeightsFolder]
    downloads: tuple[Download, ...]


_RELEASES: Final = "https://github.com/wasserth/TotalSegmentator/releases/download"
_PART: Final = "nnUNetTrainerNoMirroring"
_WHOLE: Final = "nnUNetTrainer_4000epochs_NoMirroring"


def _totalsegmentator(
    folder: str,
    release: str,
    trainer: str,
    *,
    archive_bytes: int,
    qualities: tuple[Quality, ...],
    purpose: str,
    archive_sha256: str | None = None,
    sha256: Mapping[str, str] | None = None,
    source: str | None = None,
) -> Download:
    """One model of TotalSegmentator; files are named relative to the trained network's folder."""
    trained = f"{trainer}__nnUNetPlans__3d_fullres"
    needed = ("plans.json", "dataset.json", "fold_0/checkpoint_final.pth")
    return Download(
        segmenter="totalsegmentator",
        folder=folder,
        url=f"{_RELEASES}/{release}/{folder}.zip",
        purpose=purpose,
        licence="Apache-2.0",
        qualities=qualities,
        needed=tuple(f"{trained}/{name}" for name in needed),
        archive_bytes=archive_bytes,
        archive_sha256=archive_sha256,
        sha256={f"{trained}/{name}": value for name, value in (sha256 or {}).items()},
        source=source,
    )


_TOTALSEGMENTATOR: Final = (
    _totalsegmentator(
        "Dataset298_TotalSegmentator_total_6mm_1559subj",
        "v2.0.0-weights",
        _WHOLE,
        archive_bytes=134_827_240,
        qualities=(Quality.BEST, Quality.FAST),
        purpose="finds where the spine lies, at 6 mm",
    ),
    _totalsegmentator(
        "Dataset292_TotalSegmentator_part2_vertebrae_1532subj",
        "v2.0.0-weights",
        _PART,
        archive_bytes=234_050_721,
        qualities=(Quality.BEST,),
        purpose="vertebrae at 1.5 mm",
    ),
    _totalsegmentator(
        "Dataset305_vertebrae_discs_1559subj",
        "v2.5.0-weights",
        "nnUNetTrainer_DASegOrd0",
        archive_bytes=233_569_643,
        qualities=(Quality.BEST,),
        purpose="vertebral bodies and discs at 1.5 mm",
    ),
    _totalsegmentator(
        "Dataset297_TotalSegmentator_total_3mm_1559subj",
        "v2.0.0-weights",
        _WHOLE,
        archive_bytes=135_386_075,
        qualities=(Quality.FAST,),
        purpose="vertebrae and tissues at 3 mm",
        archive_sha256="0baa2c8de2975600eb31801dd5c1825cd2b356f794498659cf3348714c073394",
        sha256={
            "dataset.json": "e804e08ad8912e3a6f541741c8c78799d75acbd3f4f3f18ff5f211bbd3da961a",
            "plans.json": "d1cb3c15f53dc36fdb618e0f9082573d1f50b74a9b5fa73094ac8680845839f1",
            "fold_0/checkpoint_final.pth": (
                "1e38e40356adc2706a662e365405a97f862d62a7da65f6bf81d025aee1b979ac"
            ),
        },
        source="as pinned by the BodyComposition project (2.15.0)",
    ),
)

_SPINE_SEGMENT_SHA256: Final = {
    "weights/spine-locator.pt": "4797348e9251eeef48bebfa454292681ad652b58cdef44faaa5b41901f7a220d",
    "weights/vertebra-locator.pt": (
        "a0c83558833801a1610b79be31a6a8dfbbfdbb6330c15160d37927e5ff776ac5"
    ),
    "weights/vertebra-segmenter.pt": (
        "27507ab64e743bb030be66ec440dfa611f715736ae4b6c512c996bdb980b35ad"
    ),
    "weights/process-body-segmenter.pt": (
        "fae180b16d090b9df96e9394b6a49e3ca2b8d1a7f80c25c72c413b3644ddb309"
    ),
}

_SPINE_SEGMENT: Final = (
    Download(
        segmenter="spine-segment",
        folder="v0.1.0",
        title="spine-segment-v0.1.0",
        url=(
            "https://github.com/wallematthias/spine-segment/releases/download/v0.1.0/"
            "spine-segment-model-bundle-v0.1.0.zip"
        ),
        purpose="vertebrae, bodies and processes",
        licence="none stated",
        qualities=(Quality.BEST, Quality.FAST),
        needed=tuple(_SPINE_SEGMENT_SHA256),
        sha256=_SPINE_SEGMENT_SHA256,
        source="table in the package spine-segment 0.1.6",
    ),
)

SOURCES: Final = (
    WeightsSource(
        names=("totalsegmentator", "totalsegmentator-api"),
        find_place=totalsegmentator_folder,
        downloads=_TOTALSEGMENTATOR,
    ),
    WeightsSource(
        names=("spine-segment",), find_place=spine_segment_folder, downloads=_SPINE_SEGMENT
    ),
)
"""Every model that osteoct fetches, by segmenter; the default segmenter comes first."""


def find_needs(
    segmenter: str | None = None, quality: Quality | None = None
) -> tuple[WeightsNeed, ...]:
    """Return the models of a segmenter and a quality; of every one where ``None``.

    Raises
    ------
    ConfigError
        The segmenter has no weights that are fetched.
    """
    needs = tuple(
        WeightsNeed(
            place=source.find_place(),
            downloads=tuple(d for d in source.downloads if quality in (None, *d.qualities)),
        )
        for source in SOURCES
        if segmenter is None or segmenter in source.names
    )
    if needs:
        return needs
    names = (name for source in SOURCES for name in source.names)
    raise ConfigError(
        "has no weights to fetch",
        where="--segmenter",
        found=repr(segmenter),
        wanted="one of " + ", ".join(names),
    )


def find_downloads(segmenter: str, folders: Iterable[str]) -> tuple[Download, ...]:
    """Return the downloads that become these folders, in the order of ``folders``.

    Raises
    ------
    KeyError
        One is not in the catalogue: a mistake of the segmenter that asks.
    """
    known = {d.folder: d for s in SOURCES if segmenter in s.names for d in s.downloads}
    return tuple(known[folder] for folder in folders)
