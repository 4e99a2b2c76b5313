"""Which tasks and models a quality takes, and why those.

``best``: task ``total`` at 1.5 mm, kept to the lumbar vertebrae, their neighbours and the sacrum.
The package then evaluates one of its five models (the vertebrae), inside the box that the 6 mm
model finds. Task ``vertebrae_body`` follows, on the box of the vertebrae found, since the package
itself would evaluate it over the whole image.

``fast``: task ``total`` at 3 mm in the same box. ``vertebrae_body`` has no fast model: bodies are
then found by geometry.

Tissues, where asked: task ``total`` at 3 mm, kept to them. Their mean HU are taken well inside, for
which 3 mm will do, and one model knows them all, while at 1.5 mm they are spread over three. The
same run finds the last ribs and the sacrum, which vertebrae are counted from, and, where asked, the
organs that the package's classifier of the contrast phase looks at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from osteoct.anatomy import PHASE_ORGANS, TISSUES
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
        What the labels are: ``vertebrae``, ``bodies`` or ``tissues``.
    task
        The package's name of the task.
    model
        The one of the task's models that knows the structures.
    spacing_mm
        Grid that the model works on; the package calls 3 mm ``fast``.
    step
        Distance of neighbouring network patches, in parts of their size: the package's own.
    structures
        What the labels are kept to; empty for all of the task. The package then looks for them at
        6 mm first, and evaluates the model in their box.
    within
        Result of an earlier task whose box the image is cut to first.
    """

    result: str
    task: str
    model: Model
    spacing_mm: float
    step: float
    structures: tuple[str, ...] = ()
    within: str | None = None

    @property
    def is_fast(self) -> bool:
        """Whether the package is to be told so."""
        return self.spacing_mm == THREE_MM_SPACING


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

LANDMARKS: Final = (
    *("rib_left_11", "rib_left_12", "rib_right_11", "rib_right_12"),
    "sacrum",
)
"""Bones that vertebrae are counted from. S1 is a label of the vertebrae."""

MARGIN_MM: Final = 20.0
"""Left around the vertebrae for ``vertebrae_body``: what the package leaves around its crops."""

LOCATE_SPACING, THREE_MM_SPACING, FULL_SPACING = 6.0, 3.0, 1.5
LOCATE_STEP, TOTAL_STEP, BODY_STEP = 0.8, 0.8, 0.5
"""The package's own."""

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

LOCATE: Final = Task(
    result="locate", task="total", model=SIX_MM, spacing_mm=LOCATE_SPACING, step=LOCATE_STEP
)
"""What the package does first wherever a task is kept to structures."""

_FULL = Task(
    result="vertebrae",
    task="total",
    model=VERTEBRAE,
    spacing_mm=FULL_SPACING,
    step=TOTAL_STEP,
    structures=STRUCTURES,
)
_BODIES = Task(
    result="bodies",
    task="vertebrae_body",
    model=BODIES,
    spacing_mm=FULL_SPACING,
    step=BODY_STEP,
    within="vertebrae",
)
_COARSE = replace(_FULL, model=THREE_MM, spacing_mm=THREE_MM_SPACING)
_TISSUES = replace(_COARSE, result="tissues", structures=(*TISSUES, *LANDMARKS))

PLANS: Final[Mapping[Quality, Plan]] = {
    Quality.BEST: Plan(tasks=(_FULL, _BODIES), models=(SIX_MM, VERTEBRAE, BODIES)),
    Quality.FAST: Plan(tasks=(_COARSE,), models=(SIX_MM, THREE_MM)),
}
"""What each quality does."""


def plan_of(
    quality: Quality, *, with_tissues: bool = False, with_phase_organs: bool = False
) -> Plan:
    """Return the tasks and models of a quality, with the tissues' where they are asked for.

    Organs of the phase cost no further model, but a box that reaches as far as they do.
    """
    plan = PLANS[quality]
    if not (with_tissues or with_phase_organs):
        return plan
    more = PHASE_ORGANS if with_phase_organs else ()
    tissues = replace(_TISSUES, structures=tuple(dict.fromkeys((*_TISSUES.structures, *more))))
    models = dict.fromkeys((*plan.models, THREE_MM))
    return Plan(tasks=(*plan.tasks, tissues), models=tuple(models))
