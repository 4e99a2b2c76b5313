"""Which tasks and models a quality takes, and why those.

``best``: task ``total`` at 1.5 mm, kept to the lumbar vertebrae, their neighbours and the sacrum.
The package then evaluates one of its five models (the vertebrae), inside the box that the 6 mm
model finds. Task ``vertebrae_body`` follows, on the box of the vertebrae found, since the package
itself would evaluate it over the whole image.

``fast``: task ``total`` at 3 mm in the same box. ``vertebrae_body`` has no fast model: bodies are
then found by geometry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from osteoct.segment.interface import Quality


@dataclass(frozen=True, kw_only=True)
class Model:
    """One nnU-Net model as TotalSegmentator stores it.

    Parameters
    ----------
    folder
        Below the folder of weights; its number is the package's own id of the model.
    trainer
        nnU-Net trainer, part of the name of the folder below.
    task
        What ``totalseg_download_weights -t`` calls the download that brings it.
    """

    id: int
    folder: str
    trainer: str
    task: str

    @property
    def trained(self) -> str:
        """The folder of the trained network, relative to the folder of weights."""
        return f"{self.folder}/{self.trainer}__nnUNetPlans__3d_fullres"


@dataclass(frozen=True, kw_only=True)
class Task:
    """One call of the package.

    Parameters
    ----------
    result
        What the labels are: ``vertebrae`` or ``bodies``.
    task
        The package's name of the task.
    is_fast
        Whether at 3 mm.
    structures
        What the labels are kept to; empty for all of the task.
    within
        Result of an earlier task whose box the image is cut to first.
    """

    result: str
    task: str
    is_fast: bool = False
    structures: tuple[str, ...] = ()
    within: str | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Tasks in their order, and the models they load."""

    tasks: tuple[Task, ...]
    models: tuple[Model, ...]


STRUCTURES: Final = (
    *("vertebrae_T11", "vertebrae_T12"),
    *("vertebrae_L1", "vertebrae_L2", "vertebrae_L3", "vertebrae_L4", "vertebrae_L5"),
    *("vertebrae_S1", "sacrum"),
)
"""L1–L5 and the neighbours by which mixed-up levels are noticed."""

MARGIN_MM: Final = 20.0
"""Left around the vertebrae for ``vertebrae_body``: what the package leaves around its crops."""

_PART = "nnUNetTrainerNoMirroring"
_WHOLE = "nnUNetTrainer_4000epochs_NoMirroring"

VERTEBRAE: Final = Model(
    id=292,
    folder="Dataset292_TotalSegmentator_part2_vertebrae_1532subj",
    trainer=_PART,
    task="total",
)
THREE_MM: Final = Model(
    id=297,
    folder="Dataset297_TotalSegmentator_total_3mm_1559subj",
    trainer=_WHOLE,
    task="total_fast",
)
SIX_MM: Final = Model(
    id=298, folder="Dataset298_TotalSegmentator_total_6mm_1559subj", trainer=_WHOLE, task="total"
)
BODIES: Final = Model(
    id=305,
    folder="Dataset305_vertebrae_discs_1559subj",
    trainer="nnUNetTrainer_DASegOrd0",
    task="vertebrae_body",
)

UNUSED_FOLDERS: Final = (
    "Dataset291_TotalSegmentator_part1_organs_1559subj",
    "Dataset293_TotalSegmentator_part3_cardiac_1559subj",
    "Dataset294_TotalSegmentator_part4_muscles_1559subj",
    "Dataset295_TotalSegmentator_part5_ribs_1559subj",
)
"""Models of ``total`` that are never evaluated here; the package only asks whether they exist."""

PLANS: Final[Mapping[Quality, Plan]] = {
    Quality.BEST: Plan(
        tasks=(
            Task(result="vertebrae", task="total", structures=STRUCTURES),
            Task(result="bodies", task="vertebrae_body", within="vertebrae"),
        ),
        models=(SIX_MM, VERTEBRAE, BODIES),
    ),
    Quality.FAST: Plan(
        tasks=(Task(result="vertebrae", task="total", is_fast=True, structures=STRUCTURES),),
        models=(SIX_MM, THREE_MM),
    ),
}
"""What each quality does."""
