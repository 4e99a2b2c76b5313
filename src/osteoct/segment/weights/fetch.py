"""Models from their makers to their place: only when asked for, and said before."""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from osteoct.errors import ConfigError, SegmenterUnavailableError, UnreadableInputError
from osteoct.io.archive import DAMAGED, unpack_archive
from osteoct.io.hashing import sha256_of
from osteoct.segment.weights.catalogue import Download, WeightsNeed
from osteoct.segment.weights.hashes import hash_folder
from osteoct.segment.weights.install import clean_up, find_root, install, make_staging
from osteoct.segment.weights.ledger import ModelRecord, read_ledger, write_record
from osteoct.segment.weights.lock import locked
from osteoct.segment.weights.mirror import host_of, mirrored
from osteoct.segment.weights.place import WeightsFolder
from osteoct.segment.weights.presence import find_fault
from osteoct.segment.weights.progress import FetchProgress, Hear, Stage, ignore
from osteoct.segment.weights.transfer import PATIENCE, Part, Patience, transfer
from osteoct.segment.weights.trust import (
    WrongContentError,
    altered_failure,
    check_incoming,
    find_alterations,
    how_to_accept,
)
from osteoct.segment.weights.writing import check_space, writing

UNPACKED_PER_ARCHIVE: Final = 1.3
"""Room kept for unpacking until the archive itself tells: of the one model whose sizes are known
both ways, 135 MB become 165 MB."""


@dataclass(frozen=True, kw_only=True)
class FetchPlan:
    """What a fetch would bring.

    Parameters
    ----------
    downloads
        Models that are missing, wanted again, or whose fetch was interrupted.
    total_bytes, here_bytes
        Of their archives, and how much of them an earlier fetch left; the total is ``None`` where
        one is not known.
    host
        Who would be asked.
    """

    downloads: tuple[Download, ...]
    total_bytes: int | None
    here_bytes: int
    host: str


def plan_fetch(need: WeightsNeed, *, again: bool = False) -> FetchPlan:
    """Return what a fetch would bring; nothing is asked of the network.

    Raises
    ------
    ConfigError
        The mirror is no address.
    """
    wanted = tuple(d for d in need.downloads if again or _is_wanted(need.place, d))
    sizes = [d.archive_bytes for d in wanted]
    known = [size for size in sizes if size is not None]
    hosts = dict.fromkeys(host_of(mirrored(d.url)) for d in wanted)
    return FetchPlan(
        downloads=wanted,
        total_bytes=sum(known) if len(known) == len(sizes) else None,
        here_bytes=sum(Part(place=need.place, download=d).size_bytes for d in wanted),
        host=" and ".join(hosts),
    )


def fetch(
    need: WeightsNeed,
    *,
    again: bool = False,
    accept: Collection[str] = (),
    hear: Hear = ignore,
    patience: Patience = PATIENCE,
) -> tuple[str, ...]:
    """Bring the models that are missing; check and record those that are there.

    Parameters
    ----------
    again
        Whether to bring those that are there as well.
    accept
        Names of models that are taken though their bytes are not those known or recorded.
    hear
        Told how far it has come.

    Returns
    -------
    tuple
        The names of the models that were brought.

    Raises
    ------
    ConfigError
        ``accept`` names a model that is not among those asked for.
    SegmenterUnavailableError
        The network, the disk or the file itself stands against it; the next fetch goes on from
        what has arrived.
    """
    check_names(accept, need.downloads)
    if not again and all(_is_settled(need.place, d) for d in need.downloads):
        return ()  # nothing to write, perhaps nowhere to write either
    tell_waiting = FetchProgress(stage=Stage.WAITING)
    with locked(need.place, lambda: hear(tell_waiting)):
        for download in need.downloads:
            clean_up(need.place, download)
        brought = []
        for download in need.downloads:
            if not again and not _is_wanted(need.place, download):
                _look_at(need.place, download)
                continue
            is_accepted = download.name in accept
            _bring(need, download, is_accepted=is_accepted, hear=hear, patience=patience)
            brought.append(download.name)
    return tuple(brought)


def _is_wanted(place: WeightsFolder, download: Download) -> bool:
    """Whether a model is missing, or a fetch of it (again, perhaps) was interrupted."""
    is_begun = Part(place=place, download=download).size_bytes > 0
    return is_begun or find_fault(place.path, download) is not None


def _is_settled(place: WeightsFolder, download: Download) -> bool:
    """Whether a model is there, recorded and unaltered."""
    record = read_ledger(place).models.get(download.folder)
    is_here = record is not None and not _is_wanted(place, download)
    return is_here and not find_alterations(place, download, record)


def check_names(
    names: Collection[str], downloads: Collection[Download], *, where: str = "--accept"
) -> None:
    """Raise if a name is not that of a model.

    Raises
    ------
    ConfigError
        Lists the names there are.
    """
    known = [d.name for d in downloads]
    for name in names:
        if name not in known:
            wanted = "one of " + ", ".join(known) if known else "none: no model is concerned"
            raise ConfigError("no such model here", where=where, found=repr(name), wanted=wanted)


def _look_at(place: WeightsFolder, download: Download) -> None:
    """Compare a model that is there; record one that another program put there."""
    record = read_ledger(place).models.get(download.folder)
    altered = find_alterations(place, download, record)
    if altered:
        raise altered_failure(place, download, altered)
    if record is None:
        files = hash_folder(place.path / download.folder)
        write_record(place, download.folder, ModelRecord(origin="found", files=files))


def _bring(
    need: WeightsNeed, download: Download, *, is_accepted: bool, hear: Hear, patience: Patience
) -> None:
    """One model: transfer, compare, unpack, compare, put in its place."""
    place, url = need.place, mirrored(download.url)
    part = Part(place=place, download=download)
    record = read_ledger(place).models.get(download.folder)
    sizes = () if is_accepted else _known_sizes(download, record)

    def check_size(size_bytes: int) -> None:
        _check_size(download, size_bytes, sizes, url)
        _check_room(place, part, size_bytes)

    _check_room(place, part, download.archive_bytes or 0)
    transfer(url, part, check_size=check_size, hear=hear, patience=patience)
    hear(FetchProgress(stage=Stage.UNPACKING, name=download.name))
    with _removing_what_is_wrong(part):
        _check_size(download, part.size_bytes, sizes, url)
        root = _unpack(place, download, part, url)
        made = _judge(download, root, part, record, is_accepted=is_accepted, url=url)
    install(place, download, root, made)
    part.remove()
    size_bytes = made.archive_bytes or 0
    hear(FetchProgress(stage=Stage.DONE, name=download.name, done_bytes=size_bytes))


def _known_sizes(download: Download, record: ModelRecord | None) -> tuple[int, ...]:
    """Sizes that the archive may have; any where none is known."""
    accepted = record.archive_bytes if record is not None and record.is_accepted else None
    if download.archive_bytes is None:
        return ()
    return tuple(size for size in (download.archive_bytes, accepted) if size is not None)


def _check_size(download: Download, size_bytes: int, sizes: tuple[int, ...], url: str) -> None:
    """Raise if it cannot be the archive that is known: a page of a proxy, or a newer release."""
    if sizes and size_bytes not in sizes:
        raise WrongContentError(
            f"{download.name} is not the model that osteoct knows",
            where=host_of(url),
            found=f"an archive of {size_bytes} bytes",
            wanted=f"{sizes[0]} bytes",
            hint=how_to_accept(download),
        )


def _check_room(place: WeightsFolder, part: Part, size_bytes: int) -> None:
    """Raise if there is no room for the rest of the archive and what it unpacks to."""
    check_space(place, int(size_bytes * (1 + UNPACKED_PER_ARCHIVE)) - part.size_bytes)


@contextmanager
def _removing_what_is_wrong(part: Part) -> Iterator[None]:
    """Delete a whole archive of the wrong content, or the next fetch would take it up again."""
    try:
        yield
    except WrongContentError:
        part.remove()
        raise


def _unpack(place: WeightsFolder, download: Download, part: Part, url: str) -> Path:
    """Unpack beside the model's place; return the folder of the model."""
    staging, unpacked_bytes = make_staging(place, download), 0
    try:
        with zipfile.ZipFile(part.file) as archive:
            unpacked_bytes = sum(entry.file_size for entry in archive.infolist())
        check_space(place, unpacked_bytes)
        with writing(place):
            unpack_archive(part.file, staging)
    except (*DAMAGED, UnreadableInputError) as error:
        clean_up(place, download)
        check_space(place, unpacked_bytes)  # others may have filled the disk meanwhile
        raise _wrong_archive(download, error, url) from None
    except SegmenterUnavailableError:
        clean_up(place, download)
        raise
    root = find_root(staging, download)
    fault = "without its files" if root is None else find_fault(root.parent, download, root.name)
    if root is None or fault is not None:
        clean_up(place, download)
        raise _wrong_archive(download, fault, url)
    return root


def _judge(
    download: Download,
    root: Path,
    part: Part,
    record: ModelRecord | None,
    *,
    is_accepted: bool,
    url: str,
) -> ModelRecord:
    """Compare what was unpacked with what is known, and make its record."""
    archive_sha256, files = sha256_of(part.file), hash_folder(root)
    try:
        is_other = check_incoming(
            download, files, record, archive_sha256=archive_sha256, where=host_of(url)
        )
    except WrongContentError:
        if not is_accepted:
            clean_up(part.place, download)
            raise
        is_other = True
    if download.archive_bytes not in (None, part.size_bytes):
        is_other = True
    return ModelRecord(
        origin="fetch",
        url=download.url,
        archive_sha256=archive_sha256,
        archive_bytes=part.size_bytes,
        is_accepted=is_other,
        files=files,
    )


def _wrong_archive(download: Download, found: object, url: str) -> WrongContentError:
    """The failure for an archive that cannot be unpacked, or holds something else."""
    what = found.what if isinstance(found, UnreadableInputError) else found
    said = type(found).__name__ if isinstance(found, DAMAGED) else str(what)
    return WrongContentError(
        f"the archive of {download.name} is damaged, or no archive of it",
        where=host_of(url),
        found=said,
        wanted="the trained model as a zip archive",
        hint="nothing was changed here; run it again, and if it stays so ask who keeps the server",
    )
