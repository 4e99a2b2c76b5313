"""Studies as they arrive, on disk: nothing is answered for that would not survive a power cut.

Folders and files are named by hashes of UIDs: no name that a sender chose reaches the file system,
and the same image never lies there twice.
"""

from __future__ import annotations

import filecmp
import hashlib
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Final

from osteoct.errors import OutputError
from osteoct.io.output import sync_path
from osteoct.network.instances import short_name
from osteoct.network.node.images import Image, read_image
from osteoct.network.node.refusals import Refusal, RefusedError

ARRIVING: Final = ".arriving"
"""Where objects lie until they are whole; emptied at every start."""

_MODE: Final = 0o700
"""Images hold names: the inbox is its owner's alone."""


@dataclass(frozen=True, kw_only=True)
class InboxLimits:
    """What the inbox may take up; beyond it senders are asked to come back later.

    Parameters
    ----------
    free_bytes
        Disk space that is left to others.
    most_bytes, most_studies
        Of all images together; ``None`` for no limit but the disk.
    largest_bytes
        Of one object. An enhanced CT of 2000 slices has 1 GiB.
    """

    free_bytes: int = 5 * 2**30
    most_bytes: int | None = None
    most_studies: int | None = 200
    largest_bytes: int = 2 * 2**30


class Kept(Enum):
    """What became of an image."""

    NEW = "new"
    REPEATED = "repeated"


@dataclass(frozen=True, kw_only=True)
class HeldStudy:
    """A study as it lies on disk.

    Parameters
    ----------
    name
        Its folder's name, and the only one by which it is called anywhere.
    expected
        Images that the study has, as they say themselves (0020,1208); ``None`` where none says it.
    has_whole_series
        Whether every series that is here has as many images as it says (0020,1209); ``None`` where
        one of them says nothing.
    last_at
        When an image last came, new or again, in seconds since the epoch.
    callers
        AE titles that it came from, as far as known since the start.
    revision
        Changes with every image that is added, and with nothing else.
    """

    name: str
    folder: Path
    images: int
    expected: int | None
    has_whole_series: bool | None = None
    last_at: float
    callers: frozenset[str] = field(repr=False)
    revision: str


@dataclass(kw_only=True)
class _Series:
    """Images of a series by file name, and how many it says to have."""

    images: dict[str, int] = field(default_factory=dict)
    expected: int | None = None


@dataclass(kw_only=True)
class _Study:
    """What is known of a study."""

    series: dict[str, _Series] = field(default_factory=dict)
    expected: int | None = None
    last_at: float = 0.0
    callers: set[str] = field(default_factory=set)

    @property
    def size_bytes(self) -> int:
        return sum(size for one in self.series.values() for size in one.images.values())


class Inbox:
    """The studies of a folder; every method may be called from any thread.

    Parameters
    ----------
    folder
        Made where it is not there. What lies in it is taken over, what had half arrived is removed.
    hear
        Told, in a line, what was found damaged and removed.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """

    def __init__(
        self, folder: Path, limits: InboxLimits, *, hear: Callable[[str], None] = lambda _: None
    ) -> None:
        self._folder, self._limits = folder, limits
        self._lock = threading.RLock()
        self._studies: dict[str, _Study] = {}
        self._size_bytes = 0
        with _writing():
            for place in (folder, folder / ARRIVING):
                place.mkdir(parents=True, exist_ok=True, mode=_MODE)
            for part in (folder / ARRIVING).iterdir():
                part.unlink()
        damaged = sum(not self._adopt(file) for file in sorted(folder.glob("study-*/*/*.dcm")))
        if damaged:
            hear(f"{damaged} images of the inbox were damaged and are gone: send them again")

    @property
    def arriving(self) -> Path:
        """Folder for objects until they are whole, on the disk of the inbox."""
        return self._folder / ARRIVING

    @property
    def limits(self) -> InboxLimits:
        """What it may take up."""
        return self._limits

    def check_room(self, more_bytes: int = 0) -> None:
        """Refuse what there is no room for, before it is received.

        Raises
        ------
        RefusedError
            The disk or the inbox is full.
        """
        try:
            free = shutil.disk_usage(self._folder).free
        except OSError:
            raise RefusedError(Refusal.UNWRITABLE) from None
        if free - more_bytes < self._limits.free_bytes:
            raise RefusedError(Refusal.FULL_DISK)
        most = self._limits.most_bytes
        if most is not None and self._size_bytes + more_bytes > most:
            raise RefusedError(Refusal.FULL_INBOX)

    def keep(self, part: Path, image: Image, *, caller: str) -> Kept:
        """Take an object that has arrived whole into its study.

        The file, its folder and their names are on disk when this returns.

        Parameters
        ----------
        part
            A file in :attr:`arriving`, already synchronised; it is moved, or removed where the same
            image is here.

        Raises
        ------
        RefusedError
            Another image has its UID, or there is no room.
        OSError
            It cannot be written.
        """
        study_name, series_name = _study_name(image.study), f"series-{short_name(image.series)}"
        name = f"{hashlib.sha256(image.uid.encode()).hexdigest()[:24]}.dcm"
        with self._lock:
            target = self._folder / study_name / series_name / name
            if target.exists():
                if not filecmp.cmp(part, target, shallow=False):
                    raise RefusedError(Refusal.CHANGED)
                part.unlink()
                if study_name in self._studies:  # who repeats may have more to send
                    self._studies[study_name].last_at = time.time()
                return Kept.REPEATED
            most = self._limits.most_studies
            is_new = study_name not in self._studies
            if is_new and most is not None and len(self._studies) >= most:
                raise RefusedError(Refusal.FULL_INBOX)
            size = part.stat().st_size
            self.check_room()
            self._place(part, target)
            self._note(target, image, size, time.time())
            self._studies[study_name].callers.add(caller)
        return Kept.NEW

    def studies(self) -> tuple[HeldStudy, ...]:
        """Every study, the one that waited longest first."""
        with self._lock:
            held = [self._held(name, study) for name, study in self._studies.items()]
        return tuple(sorted(held, key=lambda study: (study.last_at, study.name)))

    def remove(self, name: str, revision: str) -> bool:
        """Remove the images of a study, unless something came since; whether they are gone.

        Raises
        ------
        OutputError
            They cannot be removed.
        """
        with self._lock:
            study = self._studies.get(name)
            if study is None or self._held(name, study).revision != revision:
                return False
            with _writing():
                shutil.rmtree(self._folder / name)
            self._size_bytes -= study.size_bytes
            del self._studies[name]
        return True

    def _place(self, part: Path, target: Path) -> None:
        """Move a file to its name, and see to it that the names are on disk."""
        folders = [p for p in (target.parent.parent, target.parent) if not p.exists()]
        target.parent.mkdir(parents=True, exist_ok=True, mode=_MODE)
        part.rename(target)
        sync_path(target.parent)
        for folder in folders:
            sync_path(folder.parent)

    def _adopt(self, file: Path) -> bool:
        """Take over what an earlier process received; a damaged file lacks from now on."""
        try:
            image = read_image(file)
            self._note(file, image, file.stat().st_size, file.stat().st_mtime)
        except (RefusedError, OSError):
            with _writing():
                file.unlink(missing_ok=True)
            return False
        return True

    def _note(self, file: Path, image: Image, size: int, at: float) -> None:
        study = self._studies.setdefault(file.parent.parent.name, _Study())
        series = study.series.setdefault(file.parent.name, _Series())
        series.images[file.name] = size
        series.expected = _larger(series.expected, image.in_series)
        study.expected = _larger(study.expected, image.in_study)
        study.last_at = max(study.last_at, at)
        self._size_bytes += size

    def _held(self, name: str, study: _Study) -> HeldStudy:
        names = sorted(file for one in study.series.values() for file in one.images)
        told = [(len(one.images), one.expected) for one in study.series.values()]
        counted = [have >= say for have, say in told if say is not None]
        return HeldStudy(
            name=name,
            folder=self._folder / name,
            images=len(names),
            expected=study.expected,
            has_whole_series=all(counted) if len(counted) == len(told) else None,
            last_at=study.last_at,
            callers=frozenset(study.callers),
            revision=hashlib.sha256("".join(names).encode()).hexdigest()[:16],
        )


def _study_name(uid: str) -> str:
    return f"study-{short_name(uid)}"


def _larger(known: int | None, said: int | None) -> int | None:
    """The larger of two numbers: one that was said before more images were made is too small."""
    return said if known is None else known if said is None else max(known, said)


@contextmanager
def _writing() -> Iterator[None]:
    """Turn what the system says of the inbox into one failure; it names no file twice."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            "the inbox cannot be written",
            where="--out",
            found=error.strerror or "an input/output error",
        ) from None
