"""A trained nnU-Net v2 model as it lies in a folder: what it is, and whether it is whole."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from osteoct.errors import ConfigError, LabelsError, SegmenterUnavailableError
from osteoct.io.nnunet_dataset import parse_labels

TEXTS: Final = ("plans.json", "dataset.json")
CHECKPOINT: Final = "checkpoint_final.pth"
FOLD: Final = "fold_"
MOST_LABELS: Final = 255
"""nnU-Net writes label maps of 8 bits up to here; no model of the spine has more."""


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """A model folder that is whole.

    Parameters
    ----------
    folder
        ``TRAINER__PLANS__CONFIGURATION``, with ``plans.json``, ``dataset.json`` and folds.
    dataset
        Name of the data set it was trained on.
    labels
        Names by number, without the background.
    folds
        Numbers of the folds that are there, or ``all``.
    """

    folder: Path
    dataset: str
    labels: Mapping[int, str]
    folds: tuple[int | str, ...]

    def checkpoint(self, fold: int | str) -> Path:
        """Where the weights of a fold lie."""
        return self.folder / f"{FOLD}{fold}" / CHECKPOINT


def find_model(folder: Path) -> TrainedModel:
    """Look at a model folder without loading the model.

    Raises
    ------
    SegmenterUnavailableError
        Missing, no model folder, or not whole.
    ConfigError
        A model that is not for one CT image, or whose labels are regions.
    """
    where = str(folder)
    plans, dataset = (_read_json(folder / name, where) for name in TEXTS)
    folds = _find_folds(folder)
    for fold in folds:
        _check_checkpoint(folder / f"{FOLD}{fold}" / CHECKPOINT, where)
    _check_channels(dataset, where)
    return TrainedModel(
        folder=folder.absolute(),
        dataset=str(plans.get("dataset_name", folder.parent.name)),
        labels=_read_labels(dataset, where),
        folds=folds,
    )


def _read_json(path: Path, where: str) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise _no_model(where, f"no {path.name}") from None
    except (OSError, ValueError) as error:
        raise _no_model(where, f"{path.name}: {type(error).__name__}") from error
    if not isinstance(content, dict):
        raise _no_model(where, f"{path.name} holds no object")
    return content


def _find_folds(folder: Path) -> tuple[int | str, ...]:
    """Folds with a checkpoint, in order; those of a cross-validation before the one of all."""
    names = [path.parent.name.removeprefix(FOLD) for path in folder.glob(f"{FOLD}*/{CHECKPOINT}")]
    numbers: list[int | str] = [*sorted(int(name) for name in names if name.isdecimal())]
    folds = numbers or [name for name in names if name == "all"]
    if not folds:
        raise _no_model(str(folder), f"no fold with a {CHECKPOINT}")
    return tuple(folds)


def _check_checkpoint(path: Path, where: str) -> None:
    """A checkpoint is a zip archive whose directory stands at its end."""
    if not zipfile.is_zipfile(path):
        size = path.stat().st_size
        raise _no_model(where, f"{path.parent.name}/{path.name} is cut off ({size} bytes)")


def _check_channels(dataset: Mapping[str, Any], where: str) -> None:
    channels = dataset.get("channel_names", dataset.get("modality"))
    names = list(channels.values()) if isinstance(channels, dict) else []
    if len(names) != 1 or not str(names[0]).casefold().startswith("ct"):
        raise ConfigError(
            "the model is not for CT images",
            where=where,
            found=f"channels {', '.join(map(str, names)) or 'none'} in dataset.json",
            wanted="one channel, CT",
        )


def _read_labels(dataset: Mapping[str, Any], where: str) -> Mapping[int, str]:
    labels = dataset.get("labels")
    try:
        names = parse_labels(labels, where=where) if isinstance(labels, dict) else None
    except LabelsError as error:
        raise ConfigError(
            "labels of this model cannot be used",
            where=where,
            found=error.found,
            wanted=error.wanted,
        ) from error
    if not names or max(names) > MOST_LABELS:
        found = "none" if not names else f"numbers up to {max(names)}"
        raise ConfigError(
            "labels of this model cannot be used",
            where=where,
            found=found,
            wanted=f"labels in dataset.json, numbers up to {MOST_LABELS}",
        )
    return names


def _no_model(where: str, found: str) -> SegmenterUnavailableError:
    return SegmenterUnavailableError(
        "is no whole nnU-Net v2 model",
        where=where,
        found=found,
        wanted=f"plans.json, dataset.json and {FOLD}N/{CHECKPOINT}",
        hint="name the folder TRAINER__PLANS__CONFIGURATION itself",
    )
