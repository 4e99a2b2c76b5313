"""Masks onto the grid of the CT, in patient space, exactly or by a named rule, or not at all.

- One grid, or one grid with its axes permuted or flipped: the same voxels, in the CT's order.
- Another grid in the same patient space: every label is resampled as an indicator (1 inside, 0
  outside) by trilinear interpolation; a CT voxel is labelled where the labels together weigh at
  least :data:`FOREGROUND_WEIGHT`, with the heaviest of them. Where voxel centres coincide this
  copies them exactly. The finding ``mask-resampled`` says so.
- The same numbers of voxels on another affine: refused. Such a mask was made on another scan, or
  its header was lost, and the voxels would meet by array index only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoct.anatomy import Part
from osteoct.errors import GeometryError
from osteoct.geometry import Box, Geometry, grown
from osteoct.io.alignment_findings import beyond_ct, cut_by_mask_border, resampled
from osteoct.records import Finding
from osteoct.volume import LabelVolume

FOREGROUND_WEIGHT: Final = 0.5
"""Weight of all labels together from which a voxel is labelled: the surface stays where it was."""

EQUAL_WEIGHT: Final = 1e-5
"""Rounding of float32 weights, which would leave a voxel exactly on the surface to chance."""

_SLAB_SLICES = 32
"""CT slices resampled at a time: three float32 arrays of 512 × 512 × 32, 100 MB."""


def align_labels(labels: LabelVolume, grid: Geometry, *, where: str = "masks") -> LabelVolume:
    """Return the labels on the grid of the CT.

    Labels of structures outside the spine (:attr:`~osteoct.anatomy.Part.OTHER`, or without a
    meaning) are dropped when resampling is needed: nobody measures them, and they count as
    background.

    Parameters
    ----------
    labels
        Masks on any grid of the same patient space.
    grid
        The CT's grid.
    where
        What a failure calls the masks.

    Raises
    ------
    GeometryError
        One shape on two affines (the distance of the corners is told), no overlap in patient
        space (both extents are told), or no labelled voxel inside the CT.
    """
    if labels.geometry.is_same_grid(grid):
        return replace(labels, geometry=grid)
    step = labels.geometry.reorientation_onto(grid)
    if step is not None:
        return replace(labels.apply(step), geometry=grid)
    _check_not_lost(labels.geometry, grid, where=where)
    _check_overlap(labels.geometry, grid, where=where)
    return _resample(labels, grid, where=where)


def check_meeting(labels: Geometry, grid: Geometry, *, where: str = "masks") -> None:
    """Refuse labels that do not lie on the CT in patient space; moves nothing.

    Raises
    ------
    GeometryError
        As :func:`align_labels`.
    """
    if labels.is_same_grid(grid) or labels.reorientation_onto(grid) is not None:
        return
    _check_not_lost(labels, grid, where=where)
    _check_overlap(labels, grid, where=where)


def _check_not_lost(mask: Geometry, grid: Geometry, *, where: str) -> None:
    """Refuse equal numbers of voxels on unequal affines."""
    if sorted(mask.shape) != sorted(grid.shape):
        return
    oriented = mask.reorientation_to(grid.axis_codes).apply_to_geometry(mask)
    apart = (
        f", corners {oriented.corner_distance_mm(grid):.1f} mm apart"
        if oriented.shape == grid.shape
        else ""
    )
    raise GeometryError(
        "masks have the CT's number of voxels but lie elsewhere",
        where=where,
        found=f"{_grid_line(mask)}{apart}",
        wanted=f"the CT's grid, {_grid_line(grid)}",
        hint="these are masks of another scan, or their header was lost on the way",
    )


def _check_overlap(mask: Geometry, grid: Geometry, *, where: str) -> None:
    for inner, outer in ((mask, grid), (grid, mask)):
        corners = outer.to_index(_outer_corners(inner))
        first, last = np.full(3, -0.5), np.array(outer.shape) - 0.5
        if (corners.max(axis=0) <= first).any() or (corners.min(axis=0) >= last).any():
            raise _no_overlap(mask, grid, where=where)


def _no_overlap(mask: Geometry, grid: Geometry, *, where: str) -> GeometryError:
    return GeometryError(
        "no overlap of masks and CT in patient space",
        where=where,
        found=f"masks from {_extent_line(mask)}",
        wanted=f"inside the CT, {_extent_line(grid)}",
        hint="these are masks of another scan or another patient",
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Piece:
    """One label, cut out of the mask with a margin of one voxel, and where it meets the CT."""

    label: int
    mask_box: Box
    ct_box: Box


def _resample(labels: LabelVolume, grid: Geometry, *, where: str) -> LabelVolume:
    structures = {n: s for n, s in labels.structures.items() if s.part is not Part.OTHER}
    boxes = label_boxes(labels.array, structures)
    pieces = [p for n, box in boxes.items() if (p := _piece(n, box, labels.geometry, grid))]
    out = np.zeros(grid.shape, labels.array.dtype, order="F")
    for start in range(0, grid.shape[2], _SLAB_SLICES):
        _fill_slab(out, slice(start, start + _SLAB_SLICES), pieces, labels, grid)
    if not out.any():
        raise _no_overlap(labels.geometry, grid, where=where)
    found: list[Finding] = [resampled(labels.geometry, grid)]
    found += cut_by_mask_border(boxes, structures, labels.geometry, grid)
    found += beyond_ct(labels, boxes, structures, grid)
    return replace(
        labels,
        array=out,
        geometry=grid,
        structures=structures,
        findings=(*labels.findings, *found),
    )


def label_boxes(array: NDArray[Any], structures: Mapping[int, object]) -> dict[int, Box]:
    """Bounding box of each label of ``structures`` that is present."""
    highest = max(structures, default=0)
    # first axis fastest in memory: the transpose is what find_objects walks eight times faster
    narrow = array if array.max(initial=0) <= highest else np.where(array <= highest, array, 0)
    found = ndimage.find_objects(narrow.T, max_label=highest)
    return {
        label: (box[2], box[1], box[0])
        for label, box in enumerate(found, 1)
        if box is not None and label in structures
    }


def _piece(label: int, box: Box, mask: Geometry, grid: Geometry) -> _Piece | None:
    """Where a label can have weight: up to one mask voxel beyond its box."""
    reach = np.array([[s.start - 1, s.stop] for s in box], dtype=float)
    corners = np.array(np.meshgrid(*reach)).reshape(3, -1).T
    index = grid.to_index(mask.to_patient(corners))
    low = np.maximum(np.ceil(index.min(axis=0) - 1e-3), 0).astype(int)
    high = np.minimum(np.floor(index.max(axis=0) + 1e-3) + 1, grid.shape).astype(int)
    if (low >= high).any():
        return None
    a, b, c = (slice(int(start), int(stop)) for start, stop in zip(low, high, strict=True))
    return _Piece(label=label, mask_box=grown(box, (1, 1, 1), mask.shape), ct_box=(a, b, c))


def _fill_slab(
    out: NDArray[Any], depth: slice, pieces: list[_Piece], labels: LabelVolume, grid: Geometry
) -> None:
    """Label the CT slices of one slab: the heaviest label where all together weigh enough."""
    slab = out[:, :, depth]
    total = np.zeros(slab.shape, np.float32, order="F")
    best = np.zeros(slab.shape, np.float32, order="F")
    for piece, box in _in_slab(pieces, depth):
        weight = _weight(piece, box, labels, grid)
        here = (box[0], box[1], slice(box[2].start - depth.start, box[2].stop - depth.start))
        total[here] += weight
        wins = weight > best[here] + EQUAL_WEIGHT
        best[here][wins] = weight[wins]
        slab[here][wins] = piece.label
    slab[total < FOREGROUND_WEIGHT - EQUAL_WEIGHT] = 0


def _in_slab(pieces: list[_Piece], depth: slice) -> Iterator[tuple[_Piece, Box]]:
    for piece in pieces:
        a, b, c = piece.ct_box
        part = slice(max(c.start, depth.start), min(c.stop, depth.stop))
        if part.start < part.stop:
            yield piece, (a, b, part)


def _weight(piece: _Piece, box: Box, labels: LabelVolume, grid: Geometry) -> NDArray[np.float32]:
    """Trilinear weight of one label at the voxel centres of a box of the CT."""
    indicator = (labels.array[piece.mask_box] == piece.label).astype(np.float32)
    source = labels.geometry.cropped(piece.mask_box)
    target = grid.cropped(box)
    matrix = np.linalg.inv(source.affine) @ target.affine
    weight: NDArray[np.float32] = ndimage.affine_transform(
        indicator,
        matrix[:3, :3],
        matrix[:3, 3],
        output_shape=target.shape,
        output=np.float32,
        order=1,
        mode="grid-constant",  # a label at the border of its grid ends half a voxel beyond
    )
    return weight


def _outer_corners(grid: Geometry) -> NDArray[np.float64]:
    """Patient coordinates (8, 3) of the corners of the grid, voxels taken as boxes."""
    reach = np.array([[-0.5, n - 0.5] for n in grid.shape])
    return grid.to_patient(np.array(np.meshgrid(*reach)).reshape(3, -1).T)


def _extent_line(grid: Geometry) -> str:
    corners = _outer_corners(grid)
    pairs = zip("xyz", corners.min(axis=0), corners.max(axis=0), strict=True)
    return ", ".join(f"{axis} {round(low)} to {round(high)} mm" for axis, low, high in pairs)


def _grid_line(grid: Geometry) -> str:
    spacing = " x ".join(f"{s:.3g}" for s in grid.spacing_mm)
    return f"{' x '.join(map(str, grid.shape))} voxels of {spacing} mm, {grid.axis_codes}"
