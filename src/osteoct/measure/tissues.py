"""HU of blood, organs and muscles, well inside them, where their labels exist.

Labels are eroded on their own grid and the CT is looked up at the points that are left, in patient
space: no label is resampled, and a map at 3 mm serves a CT at 0.7 mm as well as one of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from osteoct.anatomy import TISSUES, Part
from osteoct.compartments.axes import thinned
from osteoct.compartments.boxes import label_boxes
from osteoct.compartments.depth import core_of
from osteoct.geometry import Box, Geometry
from osteoct.protocols import Membership
from osteoct.volume import CTVolume, LabelVolume, Mask

STEP_MM = 3.0
"""Labels finer than half of this are thinned to about it: what lies well inside needs no more."""

DEPTH_MM = 3.5
"""How deep inside a tissue HU are taken: beyond the vessel wall and half a voxel of a 3 mm map, and
less than the radius of a vena cava (chosen)."""

LEAST_POINTS = 30
"""Fewer points give no median: with 15 HU of noise, that of 30 is known to ± 3.4 HU (derived)."""

MOST_POINTS = 20_000
"""Points looked up per tissue; more would not move a median by 0.1 HU."""

MAD_TO_SD = 1.4826
"""Median absolute deviation to SD, for normal noise."""


@dataclass(frozen=True, kw_only=True)
class TissueHu:
    """HU inside one tissue.

    Parameters
    ----------
    median_hu, sd_hu
        Median, and SD from the median absolute deviation: stones, gas and plaques count little.
    centre_mm
        Mean position of the points in patient space.
    """

    name: str
    points: int
    median_hu: float
    sd_hu: float
    centre_mm: tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class TissueHus:
    """HU of the tissues of a case by name, and why the others have none."""

    found: Mapping[str, TissueHu] = field(default_factory=lambda: MappingProxyType({}))
    absent: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def measure_tissues(ct: CTVolume, labels: LabelVolume | None) -> TissueHus:
    """Measure HU inside every tissue of :data:`osteoct.anatomy.TISSUES` that the labels name.

    Parameters
    ----------
    labels
        Labels on any grid of the CT's patient space; ``None`` for no labels.

    Returns
    -------
    TissueHus
        Tissues with fewer than ``LEAST_POINTS`` points inside are absent, with the reason.
    """
    if labels is None:
        return TissueHus()
    named = {n: s.name for n, s in labels.structures.items() if _is_tissue(s.part, s.name)}
    if not named:
        return TissueHus()
    coarse = _thin(labels)
    boxes = label_boxes(coarse)
    found: dict[str, TissueHu] = {}
    absent: dict[str, str] = {}
    for label, name in named.items():
        points = _points_inside(coarse, label, boxes.get(label))
        hu, place = look_up(ct, points)
        if hu.size < LEAST_POINTS:
            absent[name] = f"{hu.size} points inside, needs {LEAST_POINTS}"
        else:
            found[name] = _describe(name, hu, place)
    return TissueHus(found=found, absent=absent)


def _is_tissue(part: Part, name: str) -> bool:
    """Whether a structure is one that HU are compared with."""
    return part is Part.OTHER and name in TISSUES


def _thin(labels: LabelVolume) -> LabelVolume:
    """Every n-th voxel of labels that are finer than need be (a view)."""
    steps = np.array([max(1, round(STEP_MM / s)) for s in labels.geometry.spacing_mm])
    affine = labels.geometry.affine.copy()
    affine[:3, :3] *= steps
    i, j, k = (int(n) for n in steps)
    array = labels.array[::i, ::j, ::k]
    return replace(labels, array=array, geometry=Geometry(shape=array.shape, affine=affine))


def _points_inside(labels: LabelVolume, label: int, box: Box | None) -> NDArray[np.float64]:
    """Patient coordinates (n, 3) of points of a label at least ``DEPTH_MM`` below its surface."""
    if box is None:
        return np.empty((0, 3))
    mask: Mask = np.ascontiguousarray(labels.array[box] == label)
    inside = core_of(
        mask,
        labels.geometry.spacing_mm,
        depth_mm=DEPTH_MM,
        membership=Membership.VOXEL_CENTRE,
    )
    index = thinned(np.argwhere(inside), MOST_POINTS) + np.array([s.start for s in box])
    return labels.geometry.to_patient(index)


def look_up(
    ct: CTVolume, points_mm: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """HU (n,) of the voxels that points lie in, and the points, without those never measured."""
    index = np.rint(ct.geometry.to_index(points_mm)).astype(np.intp)
    within = ((index >= 0) & (index < np.array(ct.geometry.shape))).all(axis=1)
    hu = ct.array[tuple(index[within].T)].astype(np.float32)
    measured = np.isfinite(hu)
    if ct.padding_hu is not None:
        measured &= hu != ct.padding_hu
    return hu[measured], points_mm[within][measured]


def _describe(name: str, hu: NDArray[np.float32], points_mm: NDArray[np.float64]) -> TissueHu:
    """Median, spread and place of a tissue's points."""
    median = float(np.median(hu))
    x, y, z = (float(c) for c in points_mm.mean(axis=0))
    return TissueHu(
        name=name,
        points=int(hu.size),
        median_hu=median,
        sd_hu=float(np.median(np.abs(hu - median))) * MAD_TO_SD,
        centre_mm=(x, y, z),
    )
