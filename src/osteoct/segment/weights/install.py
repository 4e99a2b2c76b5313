"""A model appears in its place whole or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

from osteoct.io.output import sync_tree
from osteoct.segment.weights.catalogue import Download
from osteoct.segment.weights.ledger import ModelRecord, write_record
from osteoct.segment.weights.place import WeightsFolder
from osteoct.segment.weights.writing import writing


def make_staging(place: WeightsFolder, download: Download) -> Path:
    """Return an empty hidden folder beside the model's place, on the same disk.

    The caller holds the lock of the folder: what lies there is of a process that was killed.
    """
    staging = _staging(place, download)
    with writing(place):
        _remove(staging)
        staging.mkdir()
    return staging


def clean_up(place: WeightsFolder, download: Download) -> None:
    """Remove what a killed process left; a model that it had put aside comes back."""
    target, aside = place.path / download.folder, _aside(place, download)
    with writing(place):
        if aside.exists() and not target.exists():
            aside.rename(target)
        _remove(aside)
        _remove(_staging(place, download))


def find_root(staging: Path, download: Download) -> Path | None:
    """Return the folder of the model in what was unpacked, or ``None`` if its files are not there.

    Archives hold the model's folder, or one of another name, or its files at the top.
    """
    below = [path for path in staging.iterdir() if path.is_dir()]
    candidates = [staging / download.folder, staging, *(below if len(below) == 1 else ())]
    return next((c for c in candidates if all((c / n).is_file() for n in download.needed)), None)


def install(place: WeightsFolder, download: Download, root: Path, record: ModelRecord) -> None:
    """Put an unpacked and checked model in its place, and record it.

    The record is written first: whatever ends the process, a model is never there without it.

    Raises
    ------
    SegmenterUnavailableError
        The folder cannot be written; what was there before is as it was.
    """
    target, aside = place.path / download.folder, _aside(place, download)
    with writing(place):
        sync_tree(root)
    write_record(place, download.folder, record)
    with writing(place):
        if target.exists() or target.is_symlink():
            target.rename(aside)
        try:
            root.rename(target)
        except OSError:
            if aside.exists():
                aside.rename(target)
            raise
    clean_up(place, download)


def _staging(place: WeightsFolder, download: Download) -> Path:
    return place.path / f".osteoct-{download.folder}.new"


def _aside(place: WeightsFolder, download: Download) -> Path:
    return place.path / f".osteoct-{download.folder}.old"


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)
