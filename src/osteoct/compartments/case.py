"""The compartments of every level of a case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoct.anatomy import Level, Part
from osteoct.compartments.axes import vertebra_axes
from osteoct.compartments.body import Body, find_body
from osteoct.compartments.boxes import is_cut_by_border, label_boxes
from osteoct.compartments.depth import core_of
from osteoct.compartments.exclusions import find_excluded
from osteoct.compartments.level import LevelCompartments, VertebraAxes
from osteoct.compartments.roi import axial_ellipse
from osteoct.errors import GeometryError
from osteoct.geometry import Box, Geometry
from osteoct.protocols import Membership, Protocol, Region, Shape
from osteoct.records import Reason
from osteoct.volume import CTVolume, LabelVolume, Mask

Regions = dict[tuple[str, Region], Mask]
Reasons = dict[tuple[str, Region], Reason]


def build_compartments(
    ct: CTVolume,
    vertebrae: LabelVolume,
    bodies: LabelVolume | None,
    *,
    levels: Sequence[Level],
    protocols: Sequence[Protocol],
) -> tuple[LevelCompartments, ...]:
    """Divide every level that the masks hold into the protocols' regions.

    Parameters
    ----------
    ct, vertebrae, bodies
        Volumes on one grid in canonical orientation (axes close to R, A, S).
    levels
        Levels to divide; those without a voxel are left out of the answer.

    Raises
    ------
    GeometryError
        The volumes are not on one grid.
    """
    for other in (vertebrae, bodies):
        if other is not None and not other.geometry.is_same_grid(ct.geometry):
            raise GeometryError(
                "masks are not on the CT's grid",
                found=other.geometry.shape,
                wanted=ct.geometry.shape,
                hint="align them first",
            )
    boxes = label_boxes(vertebrae)
    labels = _vertebra_labels(vertebrae)
    present = [lv for lv in levels if lv in labels and labels[lv] in boxes]
    return tuple(
        _divide_level(
            ct,
            level=level,
            vertebra=np.ascontiguousarray(vertebrae.array[box] == labels[level]),
            body_mask=body_mask_of(bodies, level, box, vertebrae.array[box], labels[level]),
            box=box,
            protocols=protocols,
        )
        for level, box in ((lv, boxes[labels[lv]]) for lv in present)
    )


def _vertebra_labels(vertebrae: LabelVolume) -> dict[Level, int]:
    """The integer of each level's whole vertebra."""
    return {
        s.level: label
        for label, s in vertebrae.structures.items()
        if s.part is Part.VERTEBRA and s.level is not None
    }


def _divide_level(
    ct: CTVolume,
    *,
    level: Level,
    vertebra: Mask,
    body_mask: Mask | None,
    box: Box,
    protocols: Sequence[Protocol],
) -> LevelCompartments:
    """Divide one level; a level cut by the border is kept whole and divided nowhere."""
    geometry = ct.geometry.cropped(box)
    excluded = find_excluded(ct, box)
    if is_cut_by_border(box, ct.geometry.shape):
        reasons = {(p.id, r): Reason.CUT_BY_BORDER for p in protocols for r in p.regions}
        return LevelCompartments(
            level=level,
            box=box,
            geometry=geometry,
            vertebra=vertebra,
            excluded=excluded,
            reasons=reasons,
        )
    body = find_body(vertebra, body_mask, geometry)
    axes = None if body is None else vertebra_axes(body.mask, vertebra & ~body.mask, geometry)
    regions, reasons = _divide_by_protocols(vertebra, body, axes, geometry, protocols)
    return LevelCompartments(
        level=level,
        box=box,
        geometry=geometry,
        vertebra=vertebra,
        body=None if body is None else body.mask,
        body_source=None if body is None else body.source,
        body_certainty=None if body is None else body.certainty,
        axes=axes,
        excluded=excluded,
        regions=regions,
        reasons=reasons,
    )


def body_mask_of(
    bodies: LabelVolume | None,
    level: Level,
    box: Box,
    vertebra_labels: NDArray[Any],
    own_label: int,
) -> Mask | None:
    """The body mask of a level inside a box: its own label, or the label of all bodies.

    Voxels that the vertebra masks give to another level belong to that level's body.

    Returns
    -------
    Mask or None
        ``None`` where body masks were not given or hold nothing for the level.
    """
    if bodies is None:
        return None
    labels = [
        label
        for label, s in bodies.structures.items()
        if s.part is Part.BODY and s.level in (level, None)
    ]
    free = (vertebra_labels == own_label) | (vertebra_labels == 0)
    mask: Mask = np.isin(bodies.array[box], labels) & free
    return mask if mask.any() else None


def _divide_by_protocols(
    vertebra: Mask,
    body: Body | None,
    axes: VertebraAxes | None,
    geometry: Geometry,
    protocols: Sequence[Protocol],
) -> tuple[Regions, Reasons]:
    """Regions of every protocol, and reasons for those that are absent."""
    regions: Regions = {}
    reasons: Reasons = {}
    cores: dict[tuple[Region, float, Membership], Mask] = {}
    for protocol in protocols:
        base = _base_of(protocol, vertebra, body)
        if base is None:
            reasons |= {(protocol.id, r): Reason.NO_BODY for r in protocol.regions}
            continue
        recipe = (protocol.base, protocol.depth_mm, protocol.membership)
        if recipe not in cores:
            cores[recipe] = core_of(
                base,
                geometry.spacing_mm,
                depth_mm=protocol.depth_mm,
                membership=protocol.membership,
            )
        core = cores[recipe]
        if protocol.shape is Shape.AXIAL_ELLIPSE:
            roi = (
                None
                if axes is None
                else axial_ellipse(base, core, axes, geometry, depth_mm=protocol.depth_mm)
            )
            _put(regions, reasons, (protocol.id, Region.TRABECULAR), roi, Reason.NOT_FOUND)
        else:
            # Where there is no core, "the rest" is the whole region and no shell at all.
            shell = base & ~core if core.any() else None
            _put(regions, reasons, (protocol.id, protocol.base), base, Reason.LEVEL_ABSENT)
            _put(regions, reasons, (protocol.id, Region.TRABECULAR), core, Reason.EMPTY_CORE)
            _put(regions, reasons, (protocol.id, Region.CORTICAL), shell, Reason.EMPTY_CORE)
    return regions, reasons


def _base_of(protocol: Protocol, vertebra: Mask, body: Body | None) -> Mask | None:
    """The region whose surface a protocol measures depths from."""
    if protocol.base is Region.VERTEBRA:
        return vertebra
    return None if body is None else body.mask


def _put(
    regions: Regions,
    reasons: Reasons,
    key: tuple[str, Region],
    mask: Mask | None,
    why_not: Reason,
) -> None:
    """File a region under its key, or the reason why there is none."""
    if mask is None or not mask.any():
        reasons[key] = why_not
    else:
        regions[key] = mask
