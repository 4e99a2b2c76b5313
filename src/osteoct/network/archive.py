"""What an archive can be asked for, whichever protocol it speaks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Protocol, TypeAlias

from osteoct.network.address import DimseAddress
from osteoct.network.instances import Instance
from osteoct.network.link import Link

CT_CLASSES: Final = (
    "1.2.840.10008.5.1.4.1.1.2",
    "1.2.840.10008.5.1.4.1.1.2.1",
    "1.2.840.10008.5.1.4.1.1.2.2",
)
"""CT, enhanced CT, legacy converted enhanced CT (DICOM PS3.4, annex B.5)."""


class Verdict(Enum):
    """How an archive answered to one object."""

    STORED = "stored"
    CHANGED = "stored, and changed"
    REFUSED = "refused"
    LATER = "not now"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The archive's answer to one object; ``reason`` holds our words and codes, never its text."""

    uid: str = field(repr=False)
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class SeriesFound:
    """A series that an archive lists; texts and UIDs are shown nowhere as they are."""

    study: str = field(repr=False)
    series: str = field(repr=False)
    modality: str
    date: str = field(repr=False)
    body_part: str = ""
    descriptions: tuple[str, ...] = field(default=(), repr=False)


Keep: TypeAlias = Callable[[str, bytes], None]
"""Takes the UID and the bytes (a whole DICOM file) of an object that arrived."""


class Archive(Protocol):
    """One conversation with an archive.

    Every method raises :class:`~osteoct.errors.PassingNetworkError` where another attempt may end
    otherwise and :class:`~osteoct.errors.NetworkError` where it cannot.
    """

    def present(self, instances: Sequence[Instance]) -> frozenset[str] | None:
        """UIDs of those that the archive has; ``None`` where it cannot be asked."""
        ...

    def store(self, instances: Sequence[Instance]) -> Iterator[Answer]:
        """Send them, one answer each."""
        ...

    def find(self, *, study: str | None, dates: str | None) -> list[SeriesFound]:
        """The CT series of a study, or of the days ``YYYYMMDD-YYYYMMDD``."""
        ...

    def images(self, series: SeriesFound) -> frozenset[str]:
        """UIDs of the CT images that the archive lists for a series."""
        ...

    def retrieve(self, series: SeriesFound, wanted: Collection[str], *, whole: bool) -> None:
        """Have images sent to ``keep``; ``whole``: nothing of the series is here yet."""
        ...


def open_archive(
    link: Link, *, keep: Keep | None = None, move_port: int | None = None
) -> AbstractContextManager[Archive]:
    """An archive for the time of a ``with`` block; connections open when something is asked."""
    if isinstance(link.address, DimseAddress):
        from osteoct.network.dimse import DimseArchive  # noqa: PLC0415 -- an extra

        return DimseArchive(link, link.address, keep=keep, move_port=move_port)
    from osteoct.network.web import WebArchive  # noqa: PLC0415 -- an extra

    return WebArchive(link, link.address, keep=keep)
