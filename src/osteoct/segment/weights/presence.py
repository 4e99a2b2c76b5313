"""Is a model there, whole as far as a glance tells? Bytes are compared in :mod:`.trust`."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Final

from osteoct.errors import SegmenterUnavailableError, WeightsMissingError
from osteoct.segment.interface import Quality
from osteoct.segment.registry import DEFAULT
from osteoct.segment.weights.catalogue import Download, WeightsNeed
from osteoct.segment.weights.place import WeightsFolder

MISSING: Final = "missing"
UNREADABLE: Final = "cannot be read"


def find_fault(place: Path, download: Download, name: str | None = None) -> str | None:
    """Say what is wrong with a model's files, or ``None`` if they are there and look whole.

    An nnU-Net checkpoint is a zip archive whose directory stands at its end: a download that broke
    off is told by that, without reading hundreds of megabytes.

    Parameters
    ----------
    name
        Of its folder, where it is not in its place yet.
    """
    folder = place / (name or download.folder)
    try:
        if not folder.is_dir():
            return MISSING
        faults = (_find_file_fault(folder, name) for name in download.needed)
        return next((f"incomplete: {fault}" for fault in faults if fault), None)
    except PermissionError:
        return UNREADABLE


def find_faults(need: WeightsNeed) -> dict[Download, str]:
    """Return what is wrong, by model; empty if all are there and look whole."""
    faults = ((d, find_fault(need.place.path, d)) for d in need.downloads)
    return {download: fault for download, fault in faults if fault is not None}


def check_presence(need: WeightsNeed) -> None:
    """Raise unless every model is there.

    Raises
    ------
    WeightsMissingError
        Names every model that is missing or incomplete, the folder, and what brings them.
    SegmenterUnavailableError
        A model is there and may not be read.
    """
    faults = find_faults(need)
    if not faults:
        return
    can_be_fetched = UNREADABLE not in faults.values()
    failure = WeightsMissingError if can_be_fetched else SegmenterUnavailableError
    raise failure(
        f"weights of {need.downloads[0].segmenter} cannot be used",
        where=need.place.shown,
        found=" and ".join(f"{download.name} {fault}" for download, fault in faults.items()),
        wanted="the trained models, whole",
        hint=how_to_get(need.place, faults) if can_be_fetched else "ask who owns them",
    )


def how_to_get(place: WeightsFolder, downloads: Collection[Download]) -> str:
    """Say what brings models, with internet and without."""
    return (
        f"{fetch_command(downloads)} brings them; without internet, osteoct weights export FILE "
        "where they are and osteoct weights import FILE here; or name the folder that holds them "
        f"in {place.variable}"
    )


def fetch_command(downloads: Collection[Download]) -> str:
    """Return the command that fetches them."""
    segmenter = next(iter(downloads)).segmenter
    words = ["osteoct weights fetch"]
    if segmenter != DEFAULT:
        words.append(f"--segmenter {segmenter}")
    covering = [q for q in Quality if all(q in download.qualities for download in downloads)]
    if Quality.BEST not in covering:
        words.append(f"--quality {covering[0] if covering else 'all'}")
    return " ".join(words)


def _find_file_fault(folder: Path, name: str) -> str | None:
    file = folder / name
    if not file.is_file():
        return f"{name} is missing"
    if file.suffix == ".json":
        return None if _is_json(file) else f"{name} is damaged"
    size = file.stat().st_size
    is_cut_off = not zipfile.is_zipfile(file) if file.suffix == ".pth" else size == 0
    return f"{name} is cut off ({size} bytes)" if is_cut_off else None


def _is_json(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_text(encoding="utf-8")), dict)
    except PermissionError:
        raise
    except (OSError, ValueError):
        return False
