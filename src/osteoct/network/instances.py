"""What there is to send: DICOM objects below the paths that were named."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydicom import dcmread
from pydicom.uid import UID

from osteoct.errors import UnreadableInputError
from osteoct.io.dicom.elements import PARSE_ERRORS, quietly

_TAGS = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One DICOM object; its UIDs are shown nowhere."""

    path: Path = field(repr=False)
    sop_class: str
    uid: str = field(repr=False)
    study: str = field(repr=False)
    series: str = field(repr=False)
    syntax: str
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """Objects without repetition, in the order of their names, and the number of other files."""

    instances: tuple[Instance, ...]
    others: int
    repeated: int


def gather(paths: Sequence[Path]) -> Gathered:
    """Read the headers of files, and of all files below folders.

    Raises
    ------
    UnreadableInputError
        A path does not exist, or there is no DICOM object at all.
    """
    found: dict[str, Instance] = {}
    others = repeated = 0
    with quietly():
        for file in _files(paths):
            instance = _read(file)
            if instance is None:
                others += 1
            elif instance.uid in found:
                repeated += 1
            else:
                found[instance.uid] = instance
    if not found:
        raise UnreadableInputError(
            "holds no DICOM object",
            where=" ".join(map(str, paths)),
            found=f"{others} other files",
            hint="osteoct export CASE --to dicom makes some of a finished case",
        )
    return Gathered(instances=tuple(found.values()), others=others, repeated=repeated)


def short_name(uid: str) -> str:
    """A UID as messages and folders show it: 12 signs of its SHA-256."""
    return hashlib.sha256(uid.encode()).hexdigest()[:12]


def _files(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        if not path.exists():
            raise UnreadableInputError("does not exist", where=str(path))
        if path.is_dir():
            yield from (p for p in sorted(path.rglob("*")) if p.is_file())
        else:
            yield path


def _read(file: Path) -> Instance | None:
    """The header of an object, or ``None`` for anything that cannot be sent."""
    try:
        header = dcmread(file, stop_before_pixels=True, specific_tags=list(_TAGS))
        values = [UID(str(header.get(tag, ""))) for tag in _TAGS]
        syntax = UID(str(header.file_meta.TransferSyntaxUID))
    except PARSE_ERRORS:
        return None
    if not all(uid.is_valid for uid in (*values, syntax)):
        return None
    sop_class, uid, study, series = map(str, values)
    return Instance(
        path=file,
        sop_class=sop_class,
        uid=uid,
        study=study,
        series=series,
        syntax=str(syntax),
        size_bytes=file.stat().st_size,
    )
