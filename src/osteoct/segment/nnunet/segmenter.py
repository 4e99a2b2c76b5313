"""Any nnU-Net v2 model of the spine as a segmenter: its folder, and what its labels mean."""

from __future__ import annotations

import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from osteoct.anatomy import Part, Structure
from osteoct.errors import ConfigError, DependencyError, SegmentationError
from osteoct.records import SegmenterRecord
from osteoct.segment.interface import Segmentation, SegmenterState, SegmentOptions
from osteoct.segment.isolation.holding import ProcessHolder
from osteoct.segment.isolation.session import Session
from osteoct.segment.nnunet.level_map import LevelMap, map_of_names, read_level_map
from osteoct.segment.nnunet.model import TrainedModel, find_model
from osteoct.segment.progress import Hearing
from osteoct.segment.weights.hashes import hash_once
from osteoct.volume import CTVolume, LabelVolume

DISTRIBUTION: Final = "nnunetv2"
WORKER: Final = "osteoct.segment.nnunet.worker"
HOW_TO_INSTALL: Final = "pip install 'osteoct[nnunet]'"


class NnunetSegmenter(ProcessHolder):
    """Runs the model of a folder in a process of its own.

    Inside ``with segmenter:`` the process and the model serve one CT after another.

    Parameters
    ----------
    options
        ``model`` names the folder, ``level_map`` the file that says what its labels mean.
    """

    name: Final = "nnunet"

    def __init__(self, options: SegmentOptions) -> None:
        self._options = options

    def describe(self) -> SegmenterState:
        """Say whether nnU-Net is there; the model is the user's."""
        installed = installed_version()
        return SegmenterState(
            name=self.name,
            title="any nnU-Net v2 model (--model, --level-map)",
            licence="Apache-2.0 (program); that of the model",
            is_installed=installed is not None,
            version=installed,
            hint=HOW_TO_INSTALL if installed is None else None,
        )

    def check(self) -> None:
        """Raise unless nnU-Net, the model and the meaning of its labels are there.

        Raises
        ------
        DependencyError
            The package is missing.
        SegmenterUnavailableError
            The folder holds no whole model.
        ConfigError
            No model was named, it is not for CT, or the map does not fit it.
        """
        if installed_version() is None:
            raise DependencyError(
                "nnU-Net is not installed", where="--segmenter nnunet", hint=HOW_TO_INSTALL
            )
        self._choose()

    def segment(self, ct: CTVolume) -> Segmentation:
        """Run the model on the CT, turned as the model knows it, and name its labels.

        Raises
        ------
        ConfigError, DependencyError, SegmenterUnavailableError
            As :meth:`check`; or the machine ran out of memory or time.
        SegmentationError
            No vertebrae were found, or nnU-Net failed.
        """
        self.check()
        clock = time.perf_counter()
        model, meaning = self._choose()
        turned = ct.reoriented(meaning.orientation)
        with self._session() as session, session.job_folder() as folder:
            told = self._run(turned, model, meaning, session, folder)
            labels = np.load(folder / "labels.npy")
        vertebrae = make_labels(labels, meaning.vertebrae, turned)
        if vertebrae is None or not _has_level(vertebrae):
            raise _no_vertebrae()
        bodies = make_labels(labels, meaning.bodies, turned)
        codes = ct.geometry.axis_codes
        return Segmentation(
            vertebrae=vertebrae.reoriented(codes),
            bodies=None if bodies is None else bodies.reoriented(codes),
            provenance=self._record(told, model, meaning, time.perf_counter() - clock),
        )

    def _choose(self) -> tuple[TrainedModel, LevelMap]:
        """The model and the meaning of its labels."""
        if self._options.model is None:
            raise ConfigError(
                "needs a model", where="--segmenter nnunet", found="none", wanted="--model FOLDER"
            )
        model = find_model(self._options.model)
        if self._options.level_map is None:
            meaning = map_of_names(model.labels, where=str(self._options.model))
        else:
            meaning = read_level_map(self._options.level_map, model.labels)
        lacking = [str(fold) for fold in meaning.folds if fold not in model.folds]
        if lacking:
            raise ConfigError(
                "the model has no such fold",
                where=str(self._options.level_map),
                found=f"folds {', '.join(lacking)}",
                wanted=f"of {', '.join(map(str, model.folds))}",
            )
        return model, meaning

    def _open(self) -> Session:
        return Session(WORKER, title="nnU-Net", where=self.name, prepare=_prepare)

    def _run(
        self,
        ct: CTVolume,
        model: TrainedModel,
        meaning: LevelMap,
        session: Session,
        folder: Path,
    ) -> dict[str, Any]:
        """Give the process the CT and the model."""
        np.save(folder / "ct.npy", ct.array)
        heard = None if self._options.progress is None else Hearing(self._options.progress)
        job = {
            "ct": "ct.npy",
            "affine": ct.geometry.affine.tolist(),
            "device": self._options.device,
            "model": str(model.folder),
            "folds": meaning.folds or model.folds,
            "is_mirrored": meaning.is_mirrored,
        }
        return session.run(job, folder, hear=heard, limit_s=self._options.limit_s)

    def _record(
        self, told: dict[str, Any], model: TrainedModel, meaning: LevelMap, total_s: float
    ) -> SegmenterRecord:
        folds = meaning.folds or model.folds
        seconds = {**told["seconds"], "total": total_s}
        return SegmenterRecord(
            name=self.name,
            version=installed_version() or "unknown",
            device=told["device"],
            weights={f"{model.dataset}/fold_{f}": hash_once(model.checkpoint(f)) for f in folds},
            seconds={step: round(value, 3) for step, value in seconds.items()},
            patches=told["patches"],
            peak_memory_mb=told["peak_memory_mb"],
        )


def installed_version() -> str | None:
    """Version of nnU-Net; ``None`` where it, or torch, cannot be imported."""
    if any(find_spec(name) is None for name in ("nnunetv2", "torch")):
        return None
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return None


def make_labels(
    labels: NDArray[np.uint16], meaning: Mapping[int, Structure], ct: CTVolume
) -> LabelVolume | None:
    """Return the labels of one kind, each structure under one number; ``None`` if there are none.

    Parameters
    ----------
    labels
        The model's numbers, shape of the CT.
    meaning
        Structures by the model's numbers; several numbers may mean the same.
    """
    structures = list(dict.fromkeys(meaning.values()))
    table = np.zeros(max(int(labels.max()), *meaning, 0) + 1, np.uint8)
    for number, structure in meaning.items():
        table[number] = structures.index(structure) + 1
    array = table[labels]
    if not array.any():
        return None
    return LabelVolume(
        array=array,
        geometry=ct.geometry,
        structures=dict(enumerate(structures, start=1)),
    )


def _has_level(labels: LabelVolume) -> bool:
    """Whether any vertebra is among the labels, not only the sacrum."""
    numbers = [n for n, s in labels.structures.items() if s.part is Part.VERTEBRA]
    return bool(np.isin(labels.array, numbers).any())


def _prepare(folder: Path) -> dict[str, str]:
    """Folders that nnU-Net asks for when it is imported; nothing is ever in them."""
    names = ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results")
    for name in names:
        (folder / name).mkdir()
    return {name: str(folder / name) for name in names}


def _no_vertebrae() -> SegmentationError:
    return SegmentationError(
        "no vertebrae were found",
        where="nnunet",
        found="no label that the level map names",
        wanted="a CT that shows vertebrae, and the model's own orientation in the map",
    )
