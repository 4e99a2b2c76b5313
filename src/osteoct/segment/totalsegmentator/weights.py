"""Are the models there, whole? Asked before the package is called, which would download them."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from osteoct.errors import SegmenterUnavailableError
from osteoct.io.hashing import sha256_of
from osteoct.segment.totalsegmentator.plan import Model

WEIGHTS_VARIABLE: Final = "TOTALSEG_WEIGHTS_PATH"
HOME_VARIABLE: Final = "TOTALSEG_HOME_DIR"

CHECKPOINT: Final = "fold_0/checkpoint_final.pth"
TEXTS: Final = ("plans.json", "dataset.json")


@dataclass(frozen=True, kw_only=True)
class WeightsFolder:
    """Where the models lie, and what messages call the place.

    A place that the user named is called by that name; the one in the home folder by ``~``, for a
    home folder's name may be a person's.
    """

    path: Path
    shown: str


def weights_folder(environment: Mapping[str, str] | None = None) -> WeightsFolder:
    """Return the folder the package would use: its variables, else the user's home."""
    given = os.environ if environment is None else environment
    below_home = Path("nnunet") / "results"
    if WEIGHTS_VARIABLE in given:
        named = given[WEIGHTS_VARIABLE]
        return WeightsFolder(path=Path(named).absolute(), shown=f"{WEIGHTS_VARIABLE}={named}")
    if HOME_VARIABLE in given:
        named = given[HOME_VARIABLE]
        return WeightsFolder(
            path=Path(named).absolute() / below_home,
            shown=f"{HOME_VARIABLE}={named}, below it {below_home.as_posix()}",
        )
    home = Path.home()
    if str(home) == "/":  # as the package has it: containers without a home
        home = Path("/tmp")  # noqa: S108 -- the package's own place
    return WeightsFolder(
        path=home / ".totalsegmentator" / below_home,
        shown=f"~/.totalsegmentator/{below_home.as_posix()}",
    )


def find_fault(folder: Path, model: Model) -> str | None:
    """Say what is wrong with a model's files, or ``None`` if they are there and whole.

    A checkpoint is a zip archive whose directory stands at its end: a download that broke off is
    told by that, without reading hundreds of megabytes.
    """
    try:
        return _find_fault(folder, model)
    except PermissionError:
        return "cannot be read"


def _find_fault(folder: Path, model: Model) -> str | None:
    if not (folder / model.folder).is_dir():
        return "missing"
    trained = folder / model.trained
    for name in TEXTS:
        if not _is_json(trained / name):
            return f"incomplete: {name} is missing or damaged"
    checkpoint = trained / CHECKPOINT
    if not checkpoint.is_file():
        return f"incomplete: {CHECKPOINT} is missing"
    if not zipfile.is_zipfile(checkpoint):
        return f"incomplete: {CHECKPOINT} is cut off ({checkpoint.stat().st_size} bytes)"
    return None


def find_faults(place: WeightsFolder, models: Iterable[Model]) -> dict[Model, str]:
    """Return what is wrong, by model; empty if all are there and whole."""
    faults = ((model, find_fault(place.path, model)) for model in models)
    return {model: fault for model, fault in faults if fault is not None}


def check_weights(place: WeightsFolder, models: Iterable[Model]) -> None:
    """Raise unless every model is there and whole.

    Raises
    ------
    SegmenterUnavailableError
        Names every model that is missing or incomplete, the folder, and what brings them.
    """
    faults = find_faults(place, models)
    if not faults:
        return
    raise SegmenterUnavailableError(
        "TotalSegmentator's weights cannot be used",
        where=place.shown,
        found=" and ".join(f"{model.folder} {fault}" for model, fault in faults.items()),
        wanted="the trained models, whole",
        hint=how_to_get(faults),
    )


def how_to_get(faults: Mapping[Model, str]) -> str:
    """Say what brings the models; osteoct downloads nothing by itself."""
    tasks = dict.fromkeys(model.task for model in faults)
    commands = " and ".join(f"totalseg_download_weights -t {task}" for task in tasks)
    broken = any(fault.startswith("incomplete") for fault in faults.values())
    first = "delete the incomplete folders, then run " if broken else "run "
    return (
        f"osteoct downloads nothing by itself: {first}{commands} on a machine with internet, or "
        f"name the folder that holds them in {WEIGHTS_VARIABLE}"
    )


def hash_weights(place: WeightsFolder, models: Iterable[Model]) -> dict[str, str]:
    """Return the SHA-256 of each model's checkpoint, by the model's folder."""
    return {m.folder: sha256_of(place.path / m.trained / CHECKPOINT) for m in models}


def _is_json(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_text(encoding="utf-8")), dict)
    except (OSError, ValueError):
        return False
