"""The column: every vertebra that the masks hold, asked for or not, with its place and size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteoct.anatomy import Level, Part
from osteoct.compartments.boxes import is_cut_by_border, label_boxes
from osteoct.geometry import Box, Geometry
from osteoct.volume import LabelVolume, Mask


@dataclass(frozen=True, kw_only=True, eq=False)
class Bone:
    """One labelled vertebra, or the sacrum.

    Parameters
    ----------
    label
        Its integer in the masks.
    level
        ``None`` for the sacrum as a whole.
    box
        Tightest box around its voxels.
    voxels, volume_cm3
        Its size; never 0.
    centre_mm
        Mean position of its voxels, patient space (RAS+), shape (3,).
    faces
        Faces of the grid that it touches, as :func:`~osteoct.compartments.boxes.is_cut_by_border`
        names them.
    """

    label: int
    level: Level | None
    box: Box
    voxels: int
    volume_cm3: float
    centre_mm: NDArray[np.float64]
    faces: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether no face of the grid cuts it."""
        return not self.faces


@dataclass(frozen=True, kw_only=True, eq=False)
class Column:
    """All vertebrae of a label volume.

    Parameters
    ----------
    vertebrae
        In the order of their names, head to feet; ``S1`` is among them where it has a label.
    sacrum
        The sacrum, where it has a label of its own.
    """

    geometry: Geometry
    vertebrae: tuple[Bone, ...]
    sacrum: Bone | None = None

    @property
    def levels(self) -> tuple[Level, ...]:
        """Levels that have voxels, in the order of their names."""
        return tuple(bone.level for bone in self.vertebrae if bone.level is not None)

    def bone(self, level: Level) -> Bone | None:
        """The vertebra of a level, or ``None`` if the masks do not hold it."""
        return next((bone for bone in self.vertebrae if bone.level is level), None)


def stand_column(labels: LabelVolume) -> Column:
    """Find every vertebra and the sacrum of a label volume, in any orientation.

    Two labels of one level, which some label tables allow, count as the larger of them.
    """
    bones: dict[Level | None, Bone] = {}
    for label, box in label_boxes(labels).items():
        structure = labels.structures.get(label)
        if structure is None or structure.part not in (Part.VERTEBRA, Part.SACRUM):
            continue
        if structure.part is Part.VERTEBRA and structure.level is None:
            continue
        bone = _measure_bone(labels, label, structure.level, box)
        known = bones.get(bone.level)
        if known is None or known.voxels < bone.voxels:
            bones[bone.level] = bone
    named = [bone for bone in bones.values() if bone.level is not None]
    return Column(
        geometry=labels.geometry,
        vertebrae=tuple(sorted(named, key=_order)),
        sacrum=bones.get(None),
    )


def _measure_bone(labels: LabelVolume, label: int, level: Level | None, box: Box) -> Bone:
    """Place and size of one label."""
    mask = labels.array[box] == label
    voxels = int(np.count_nonzero(mask))
    return Bone(
        label=label,
        level=level,
        box=box,
        voxels=voxels,
        volume_cm3=voxels * labels.geometry.voxel_volume_mm3 / 1000,
        centre_mm=centre_mm(mask, labels.geometry.cropped(box)),
        faces=is_cut_by_border(box, labels.geometry.shape),
    )


def _order(bone: Bone) -> int:
    """Place along the spine by name."""
    return -1 if bone.level is None else bone.level.order


def centre_mm(mask: Mask, geometry: Geometry) -> NDArray[np.float64]:
    """Patient coordinates (3,) of a mask's centre of mass, from its projections."""
    flat = mask.sum(axis=2)
    across = (flat.sum(axis=1), flat.sum(axis=0), mask.sum(axis=(0, 1)))
    centre = [float(np.average(np.arange(len(w)), weights=w)) for w in across]
    return geometry.to_patient(np.array(centre))
