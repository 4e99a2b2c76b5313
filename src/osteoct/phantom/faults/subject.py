"""A CT with its masks: what a fault is made on, from a phantom or from a real case."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from osteoct.anatomy import Level, Part, Structure
from osteoct.errors import GeometryError
from osteoct.geometry import Box
from osteoct.phantom.acquisition import PhantomScan
from osteoct.records import Acquisition
from osteoct.volume import CTVolume, LabelVolume, Mask

CANONICAL = "RAS"

HU_RANGE = (-32768, 32767)
"""What int16 holds."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """A CT and its masks on one grid, in canonical orientation.

    Parameters
    ----------
    vertebrae
        Whole vertebrae, and the sacrum where it is labelled.
    bodies
        Bodies per level; ``None`` where there are none.
    tissues
        Vessels, organs and muscles; on any grid of the patient space.

    Raises
    ------
    GeometryError
        CT and masks lie on different grids, or not in canonical orientation.
    """

    ct: CTVolume
    vertebrae: LabelVolume
    bodies: LabelVolume | None = None
    tissues: LabelVolume | None = None

    def __post_init__(self) -> None:
        grid = self.ct.geometry
        for volume in (self.vertebrae, self.bodies):
            if volume is not None and not volume.geometry.is_same_grid(grid):
                raise GeometryError(
                    "CT and masks differ", found=volume.geometry.shape, wanted=grid.shape
                )
        if grid.axis_codes != CANONICAL:
            raise GeometryError("not canonical", found=grid.axis_codes, wanted=CANONICAL)

    def label(self, level: Level) -> int:
        """The integer of a level among the vertebrae."""
        return label_in(self.vertebrae, level)

    def mask(self, level: Level) -> Mask:
        """Where a level is labelled."""
        found: Mask = self.vertebrae.array == self.label(level)
        return found

    @property
    def levels(self) -> tuple[Level, ...]:
        """Levels that have voxels, head to feet."""
        structures = self.vertebrae.structures
        present = (structures.get(int(i)) for i in np.unique(self.vertebrae.array))
        levels = {s.level for s in present if s is not None and s.level is not None}
        return tuple(sorted(levels, key=lambda level: level.order))

    def centre_mm(self, level: Level) -> NDArray[np.float64]:
        """Mean position (3,) of a level's voxels in patient space."""
        index = np.argwhere(self.mask(level))
        if not len(index):
            raise GeometryError("no voxel of the level", found=level)
        return self.ct.geometry.to_patient(index.mean(axis=0))

    def with_labels(
        self, vertebrae: NDArray[np.generic], bodies: NDArray[np.generic] | None
    ) -> Subject:
        """The same CT under other labels."""
        others = self.bodies
        if others is not None and bodies is not None:
            others = replace(others, array=bodies)
        return replace(self, vertebrae=replace(self.vertebrae, array=vertebrae), bodies=others)

    def with_hu(self, hu: NDArray[np.float32], acquisition: Acquisition | None = None) -> Subject:
        """The same masks over another image, rounded as a scanner rounds."""
        array = np.rint(np.clip(hu, *HU_RANGE)).astype(np.int16)
        told = self.ct.acquisition if acquisition is None else acquisition
        return replace(self, ct=replace(self.ct, array=array, acquisition=told))

    def cropped(self, box: Box) -> Subject:
        """The part of all volumes inside a box."""
        return replace(
            self,
            ct=self.ct.cropped(box),
            vertebrae=self.vertebrae.cropped(box),
            bodies=None if self.bodies is None else self.bodies.cropped(box),
        )


def subject_of(scan: PhantomScan, tissues: LabelVolume | None = None) -> Subject:
    """The images of a phantom scan without what only a phantom knows."""
    return make_subject(scan.ct, scan.vertebrae, scan.bodies, tissues)


def make_subject(
    ct: CTVolume,
    vertebrae: LabelVolume,
    bodies: LabelVolume | None = None,
    tissues: LabelVolume | None = None,
) -> Subject:
    """Bring volumes of one grid into canonical orientation."""
    return Subject(
        ct=ct.reoriented(CANONICAL),
        vertebrae=vertebrae.reoriented(CANONICAL),
        bodies=None if bodies is None else bodies.reoriented(CANONICAL),
        tissues=tissues,
    )


def has_sacrum(subject: Subject) -> bool:
    """Whether any voxel is labelled sacrum or S1."""
    structures = subject.vertebrae.structures
    numbers = [n for n, s in structures.items() if s.part is Part.SACRUM or s.level is Level.S1]
    return bool(np.isin(subject.vertebrae.array, numbers).any())


def label_in(labels: LabelVolume, level: Level) -> int:
    """The integer of a level in a label volume.

    Raises
    ------
    GeometryError
        The labels have no such level.
    """
    for number, structure in labels.structures.items():
        if structure.level is level:
            return number
    raise GeometryError("the labels have no such level", found=level)


def with_level(labels: LabelVolume, level: Level, *, part: Part) -> LabelVolume:
    """The labels with a number for a level that their scheme may lack, such as L6."""
    if any(s.level is level for s in labels.structures.values()):
        return labels
    free = max(labels.structures) + 1
    added = Structure(name=f"vertebrae_{level}", part=part, level=level)
    return replace(labels, structures={**labels.structures, free: added})


def assigned(subject: Subject, where: Mask, level: Level | None) -> Subject:
    """Give voxels to a level, or to the background, in vertebrae and bodies alike."""
    vertebrae = subject.vertebrae
    bodies = subject.bodies
    number = body_number = 0
    if level is not None:
        vertebrae = with_level(vertebrae, level, part=Part.VERTEBRA)
        number = label_in(vertebrae, level)
        if bodies is not None:
            bodies = with_level(bodies, level, part=Part.BODY)
            body_number = label_in(bodies, level)
    changed = np.where(where, number, vertebrae.array).astype(vertebrae.array.dtype)
    vertebrae = replace(vertebrae, array=changed)
    if bodies is not None:
        inside = where & (bodies.array > 0)
        moved = np.where(inside, body_number, bodies.array).astype(bodies.array.dtype)
        bodies = replace(bodies, array=moved)
    return replace(subject, vertebrae=vertebrae, bodies=bodies)


def farthest_share(
    subject: Subject, where: Mask, direction_mm: NDArray[np.float64], share: float
) -> Mask:
    """The share of some voxels that lies farthest along a direction; exact to one voxel."""
    index = np.argwhere(where)
    along = subject.ct.geometry.to_patient(index) @ direction_mm
    count = round(share * len(index))
    chosen = index[np.argsort(along, kind="stable")[len(index) - count :]]
    taken = np.zeros(where.shape, dtype=np.bool_)
    taken[tuple(chosen.T)] = True
    return taken
