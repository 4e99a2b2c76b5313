"""Weights in one file, for machines without internet.

A zip archive that packs nothing: ``bundle.json`` first, then each file of each model below
``models/SEGMENTER/FOLDER/``. Nothing of it is believed before its hash.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from pydantic import Field, ValidationError

from osteoct import __version__
from osteoct.errors import SegmenterUnavailableError, UnreadableInputError
from osteoct.io.archive import DAMAGED
from osteoct.io.output import written_file
from osteoct.records import Record
from osteoct.segment.weights.catalogue import Download, WeightsNeed
from osteoct.segment.weights.fetch import check_names
from osteoct.segment.weights.hashes import hash_folder
from osteoct.segment.weights.install import clean_up, install, make_staging
from osteoct.segment.weights.ledger import FileRecord, ModelRecord, read_ledger
from osteoct.segment.weights.lock import locked
from osteoct.segment.weights.place import WeightsFolder
from osteoct.segment.weights.presence import find_fault
from osteoct.segment.weights.progress import FetchProgress, Hear, Stage, ignore
from osteoct.segment.weights.transfer import Part
from osteoct.segment.weights.trust import (
    WrongContentError,
    altered_failure,
    check_incoming,
    find_alterations,
)
from osteoct.segment.weights.writing import check_space, writing

MANIFEST: Final = "bundle.json"
_CHUNK_BYTES: Final = 2**20
_LOCAL_HEADER_BYTES: Final = 30
"""What a zip archive writes before the name of an entry."""
_LONGEST_MANIFEST: Final = 2**22
"""A model has a dozen files of a hundred bytes each in it."""


class BundledModel(Record):
    """A model in a bundle."""

    segmenter: str
    folder: str
    record: ModelRecord


class Bundle(Record):
    """What a bundle holds."""

    schema_id: Literal["osteoct.weights-bundle/1"] = Field(
        default="osteoct.weights-bundle/1", alias="schema"
    )
    osteoct_version: str
    models: tuple[BundledModel, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Arrival:
    """A model of a bundle, and where it goes."""

    need: WeightsNeed
    download: Download
    model: BundledModel

    @property
    def place(self) -> WeightsFolder:
        return self.need.place


def export_bundle(needs: Iterable[WeightsNeed], path: Path) -> tuple[str, ...]:
    """Write every model that is there into one file, which appears whole or not at all.

    Returns
    -------
    tuple
        The names of the models it holds.

    Raises
    ------
    SegmenterUnavailableError
        None is there, or one was altered.
    OutputError
        The disk is full, or the file cannot be written.
    """
    present = [
        (need.place, d)
        for need in needs
        for d in need.downloads
        if find_fault(need.place.path, d) is None
    ]
    if not present:
        raise SegmenterUnavailableError(
            "no weights to export",
            found="no model that is there and whole",
            hint="osteoct weights list says what is missing",
        )
    models = tuple(_describe(place, download) for place, download in present)
    bundle = Bundle(osteoct_version=__version__, models=models)
    with written_file(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(MANIFEST, bundle.model_dump_json(by_alias=True, indent=2) + "\n")
        for (place, _), model in zip(present, models, strict=True):
            for name, wanted in model.record.files.items():
                source = place.path / model.folder / name
                _add(archive, source, _entry(model, name), wanted)
    return tuple(download.name for _, download in present)


def import_bundle(
    path: Path,
    needs: Iterable[WeightsNeed],
    *,
    overwrite: bool = False,
    accept: Collection[str] = (),
    hear: Hear = ignore,
) -> tuple[str, ...]:
    """Put the models of a bundle in their places; all are checked before one becomes visible.

    Parameters
    ----------
    needs
        Every model that is known, and its place.
    overwrite
        Whether models that are there and differ are replaced.
    accept
        Names of models that are taken though their bytes are not those known or recorded.
    hear
        Told if it has to wait for another process.

    Returns
    -------
    tuple
        The names of the models that were put in place; those that were there already are not
        among them.

    Raises
    ------
    UnreadableInputError
        Not a bundle, cut off, altered, or of models that are not known.
    SegmenterUnavailableError
        A place cannot be written, or a model is not the one that is known.
    """
    waiting = FetchProgress(stage=Stage.WAITING)
    with _opened(path) as archive:
        arrivals = _match(_read_manifest(archive, path), tuple(needs), path)
        check_names(accept, [a.download for a in arrivals])
        _check_entries(archive, arrivals, path)
        with ExitStack() as stack:
            for _, place in sorted({a.place.path: a.place for a in arrivals}.items()):
                stack.enter_context(locked(place, lambda: hear(waiting)))
            wanted = [a for a in arrivals if not _is_here(a)]
            for arrival in wanted:
                _check_replaceable(arrival, overwrite=overwrite)
            return _put_all(archive, wanted, path, accept)


def _put_all(
    archive: zipfile.ZipFile, arrivals: list[_Arrival], path: Path, accept: Collection[str]
) -> tuple[str, ...]:
    """Unpack and check all, then put each in its place."""
    try:
        made = [_unpack(archive, arrival, path, accept) for arrival in arrivals]
        for arrival, (root, record) in zip(arrivals, made, strict=True):
            install(arrival.place, arrival.download, root, record)
            Part(place=arrival.place, download=arrival.download).remove()
    finally:
        for arrival in arrivals:
            clean_up(arrival.place, arrival.download)
    return tuple(arrival.download.name for arrival in arrivals)


def _describe(place: WeightsFolder, download: Download) -> BundledModel:
    """A model as it is, after a look at every byte."""
    record = read_ledger(place).models.get(download.folder)
    altered = find_alterations(place, download, record)
    if altered:
        raise altered_failure(place, download, altered)
    files = hash_folder(place.path / download.folder)
    described = record or ModelRecord(origin="found", files=files)
    return BundledModel(
        segmenter=download.segmenter,
        folder=download.folder,
        record=described.model_copy(update={"files": files}),
    )


def _add(archive: zipfile.ZipFile, source: Path, entry: str, wanted: FileRecord) -> None:
    """Copy a file in; one that changed since it was hashed is a failure."""
    digest = hashlib.sha256()
    info = zipfile.ZipInfo(entry)
    info.file_size = wanted.size_bytes
    with source.open("rb") as file, archive.open(info, "w", force_zip64=True) as sink:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            sink.write(chunk)
    if digest.hexdigest() != wanted.sha256:
        raise SegmenterUnavailableError(
            "changed while it was copied", where=entry, hint="run it again when nobody writes there"
        )


def _entry(model: BundledModel, name: str) -> str:
    return f"models/{model.segmenter}/{model.folder}/{name}"


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The bundle as an archive; whatever is wrong with it is told as such."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except FileNotFoundError:
        raise UnreadableInputError("no such file", where=str(path)) from None
    except DAMAGED:
        raise _damaged(path) from None
    except OSError as error:
        raise UnreadableInputError(
            "cannot be read", where=str(path), found=error.strerror
        ) from error


def _read_manifest(archive: zipfile.ZipFile, path: Path) -> Bundle:
    """What the bundle says it holds."""
    try:
        with archive.open(MANIFEST) as file:
            return Bundle.model_validate_json(file.read(_LONGEST_MANIFEST))
    except (KeyError, ValidationError) as error:
        # a bundle without its end shows the directory of a checkpoint within, itself an archive
        if isinstance(error, KeyError) and _begins_like_a_bundle(path):
            raise _damaged(path) from None
        raise UnreadableInputError(
            "not a bundle of weights that this osteoct can read",
            where=str(path),
            wanted=f"a file of osteoct weights export, with {MANIFEST} of schema "
            "osteoct.weights-bundle/1",
        ) from None


def _begins_like_a_bundle(path: Path) -> bool:
    """Whether the first entry is the manifest, whatever the directory at the end says."""
    with path.open("rb") as file:
        return MANIFEST.encode() in file.read(_LOCAL_HEADER_BYTES + len(MANIFEST))


def _damaged(path: Path) -> UnreadableInputError:
    return UnreadableInputError(
        "the bundle is cut off or damaged",
        where=str(path),
        found=f"{path.stat().st_size} bytes that are no whole archive",
        hint="copy it again; nothing was changed here",
    )


def _match(bundle: Bundle, needs: tuple[WeightsNeed, ...], path: Path) -> list[_Arrival]:
    """Find the place of each model; one that is not known has none."""
    known = {(d.segmenter, d.folder): (n, d) for n in needs for d in n.downloads}
    arrivals = []
    for model in bundle.models:
        if (model.segmenter, model.folder) not in known:
            raise UnreadableInputError(
                "the bundle holds a model that this osteoct does not know",
                where=str(path),
                found=f"{model.segmenter} {model.folder}, exported by osteoct "
                f"{bundle.osteoct_version}",
                hint="a newer osteoct may know it; nothing was changed here",
            )
        need, download = known[model.segmenter, model.folder]
        arrivals.append(_Arrival(need=need, download=download, model=model))
    return arrivals


def _check_entries(archive: zipfile.ZipFile, arrivals: list[_Arrival], path: Path) -> None:
    """Refuse a bundle with other files than it tells of, or with names that leave their folder."""
    told = {_entry(a.model, n): f for a in arrivals for n, f in a.model.record.files.items()}
    infos = {i.filename: i for i in archive.infolist() if i.filename != MANIFEST}
    names = [name for a in arrivals for name in a.model.record.files]
    is_whole = set(infos) == set(told) and len(infos) == len(archive.infolist()) - 1
    sizes = all(i.file_size == told[n].size_bytes for n, i in infos.items()) if is_whole else False
    if not is_whole or not sizes or not all(_is_safe(name) for name in names):
        raise _altered(path, "other files than it tells of")


def _is_safe(name: str) -> bool:
    """Whether a name stays below its folder on every system."""
    parts = PurePosixPath(name).parts
    is_plain = not any(sign in name for sign in ("\\", ":", "\0"))
    return is_plain and bool(parts) and not name.startswith("/") and ".." not in parts


def _is_here(arrival: _Arrival) -> bool:
    """Whether the same model is in its place already, with its record."""
    place, download = arrival.place, arrival.download
    record = read_ledger(place).models.get(download.folder)
    if find_fault(place.path, download) is not None or record is None:
        return False
    here, coming = record.files, arrival.model.record.files
    is_same = all(here.get(name) == coming.get(name) for name in download.needed)
    return is_same and not find_alterations(place, download, record)


def _check_replaceable(arrival: _Arrival, *, overwrite: bool) -> None:
    """Refuse to replace a whole model of other bytes unasked."""
    place, download = arrival.place, arrival.download
    if overwrite or find_fault(place.path, download) is not None:
        return
    here = hash_folder(place.path / download.folder)
    if any(here.get(n) != arrival.model.record.files.get(n) for n in download.needed):
        raise SegmenterUnavailableError(
            f"{download.name} is there already, and differs from the one in the bundle",
            where=place.shown,
            hint="osteoct weights verify says what is there; --overwrite replaces it",
        )


def _unpack(
    archive: zipfile.ZipFile, arrival: _Arrival, path: Path, accept: Collection[str]
) -> tuple[Path, ModelRecord]:
    """Unpack a model beside its place, compare every byte, and make its record."""
    place, download, model = arrival.place, arrival.download, arrival.model
    check_space(place, sum(file.size_bytes for file in model.record.files.values()))
    staging = make_staging(place, download)
    for name, wanted in model.record.files.items():
        _copy_out(archive, _entry(model, name), staging / name, wanted, place, path)
    if find_fault(staging.parent, download, staging.name) is not None:
        raise _altered(path, f"{download.name} is incomplete")
    before = read_ledger(place).models.get(download.folder)
    try:
        is_other = check_incoming(
            download, model.record.files, before, archive_sha256=None, where=str(path)
        )
    except WrongContentError:
        if download.name not in accept:
            raise
        is_other = True
    record = model.record.model_copy(update={"origin": "bundle", "is_accepted": is_other})
    return staging, record


def _copy_out(
    archive: zipfile.ZipFile,
    entry: str,
    target: Path,
    wanted: FileRecord,
    place: WeightsFolder,
    path: Path,
) -> None:
    """Copy a file out, no longer than it should be, and compare its hash."""
    digest = hashlib.sha256()
    with writing(place):
        target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(entry) as source, target.open("xb") as sink:
        while chunk := source.read(_CHUNK_BYTES):
            digest.update(chunk)
            with writing(place):
                sink.write(chunk)
    if digest.hexdigest() != wanted.sha256:
        raise _altered(path, f"{entry} with sha256 {digest.hexdigest()}", wanted.sha256)


def _altered(path: Path, found: str, wanted: str | None = None) -> UnreadableInputError:
    return UnreadableInputError(
        "the bundle was altered",
        where=str(path),
        found=found,
        wanted=wanted,
        hint="copy it again, or export it again; nothing was changed here",
    )
