"""Image formation: coverage on fine cells, then blur, slice profile and voxel in three products.

Along each index one matrix holds the share of every fine cell in every voxel: the integral of
(pixel or slice box ⊛ Gaussian) over the cell, in closed form. An image is linear in the object, so
what is the same in every slice is imaged once, and every solid adds its difference on a small crop.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from osteoct.geometry import Box
from osteoct.phantom.description import Phantom, Solid
from osteoct.phantom.lattice import FloatArray, Lattice, intersected
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.shapes import coverage_of, list_slabs
from osteoct.phantom.tissue import Tissue

SIGMA_PER_FWHM = 1 / (2 * np.sqrt(2 * np.log(2)))
"""Standard deviation of a Gaussian over its full width at half maximum."""

SUPPORT_SIGMAS = 4.0
"""Where a Gaussian is cut off: 6e-5 of its weight lies beyond, and the weights are normalised."""

SMOOTH_SHARE = 0.1
"""Sigma of the Gaussian that blurs a smooth box, over the box's width."""


def form_image(phantom: Phantom, scanner: Scanner, lattice: Lattice) -> FloatArray:
    """Noise-free HU at the voxels of ``lattice``, float32, shape ``lattice.shape``."""
    image = np.empty(lattice.shape, dtype=np.float32)
    image[:] = _form_surroundings(phantom, scanner, lattice)
    for solid in phantom.solids:
        _add_solid(image, solid, phantom, scanner, lattice)
    return image


def _support_voxels(scanner: Scanner) -> tuple[int, int, int]:
    """How many voxels away a point can still be seen, along each index."""
    # the wider Gaussian of an edge-enhancing kernel has twice the width
    widest = 2 * scanner.blur.fwhm_mm if scanner.blur.edge_gain else scanner.blur.fwhm_mm
    across = SUPPORT_SIGMAS * SIGMA_PER_FWHM * widest / scanner.pixel_mm + 1.0
    box, sigma = _slice_box(scanner)
    along = (box / 2 + SUPPORT_SIGMAS * sigma) / scanner.slice_mm + 0.5
    return int(np.ceil(across)), int(np.ceil(across)), int(np.ceil(along))


def _slice_box(scanner: Scanner) -> tuple[float, float]:
    """Box width and Gaussian sigma of the slice profile along the table, in mm."""
    # a leaning slice is met at an angle: along the table it is thicker
    thickness = scanner.thickness_mm / float(np.cos(np.radians(scanner.gantry_tilt_deg)))
    if scanner.slice_profile == "gaussian":
        return 0.0, thickness * SIGMA_PER_FWHM
    return thickness, SMOOTH_SHARE * thickness if scanner.slice_profile == "smooth-box" else 0.0


def _shares(
    voxels: slice, cells: slice, factor: int, *, step_mm: float, box_mm: float, sigma_mm: float
) -> FloatArray:
    """Share of each fine cell in each voxel along one index, shape (cells, voxels).

    Parameters
    ----------
    voxels
        Voxels that are formed.
    cells
        Voxels whose fine cells are given, ``factor`` cells each; elsewhere there is nothing to see.
    """
    edges = cells.start - 0.5 + np.arange((cells.stop - cells.start) * factor + 1) / factor
    reach = (edges[:, None] - np.arange(voxels.start, voxels.stop)[None, :]) * step_mm
    return np.diff(_cumulated(reach, box_mm, sigma_mm), axis=0).astype(np.float32)


def _cumulated(t: NDArray[np.float64], box_mm: float, sigma_mm: float) -> NDArray[np.float64]:
    """Integral up to ``t`` of a box of unit area blurred by a Gaussian."""
    if box_mm == 0:
        normal: NDArray[np.float64] = 0.5 + 0.5 * erf(t / (np.sqrt(2) * sigma_mm))
        return normal

    def ramp(u: NDArray[np.float64]) -> NDArray[np.float64]:
        if sigma_mm == 0:
            return np.maximum(u, 0)
        s = u / sigma_mm
        bell = np.exp(-0.5 * s * s) / np.sqrt(2 * np.pi)
        blurred: NDArray[np.float64] = u * (0.5 + 0.5 * erf(s / np.sqrt(2))) + sigma_mm * bell
        return blurred

    return (ramp(t + box_mm / 2) - ramp(t - box_mm / 2)) / box_mm


def _project(fine: FloatArray, voxels: Box, cells: Box, scanner: Scanner) -> FloatArray:
    """Voxels from fine cells; a single sheet of cells stays a single slice."""
    if fine.shape[2] > 1:
        box, sigma = _slice_box(scanner)
        fine = fine @ _shares(
            voxels[2],
            cells[2],
            scanner.fine_factors[2],
            step_mm=scanner.slice_mm,
            box_mm=box,
            sigma_mm=sigma,
        )
    blur = scanner.blur
    sharp = _blur_in_plane(fine, voxels, cells, scanner, blur.fwhm_mm)
    if not blur.edge_gain:
        return sharp
    wide = _blur_in_plane(fine, voxels, cells, scanner, 2 * blur.fwhm_mm)
    gain = np.float32(blur.edge_gain)
    enhanced: FloatArray = (1 + gain) * sharp - gain * wide
    return enhanced


def _blur_in_plane(
    fine: FloatArray, voxels: Box, cells: Box, scanner: Scanner, fwhm_mm: float
) -> FloatArray:
    """Blur with a Gaussian and take the mean over each pixel."""
    down, across = (
        _shares(
            voxels[axis],
            cells[axis],
            scanner.fine_factors[axis],
            step_mm=scanner.pixel_mm,
            box_mm=scanner.pixel_mm,
            sigma_mm=fwhm_mm * SIGMA_PER_FWHM,
        )
        for axis in (1, 0)
    )
    rows: FloatArray = np.matmul(down.T, fine)
    flat: FloatArray = across.T @ rows.reshape(rows.shape[0], -1)
    return flat.reshape(-1, *rows.shape[1:])


def _grown(box: Box, margin: tuple[int, int, int]) -> Box:
    """A box with a margin on every side, which may lie outside the image."""
    a, b, c = (slice(s.start - m, s.stop + m) for s, m in zip(box, margin, strict=True))
    return a, b, c


def _paint_surroundings(phantom: Phantom, scanner: Scanner, fine: Lattice) -> FloatArray:
    """HU of everything that is the same in every slice, shape (x, y, 1)."""
    a, b, _ = fine.shape
    sheet = Lattice(shape=(a, b, 1), origin_mm=fine.origin_mm, steps_mm=fine.steps_mm)
    hu = np.full(sheet.shape, scanner.hu_of(phantom.surroundings), dtype=np.float32)
    cell = float(np.linalg.norm(fine.steps_mm[:, 0]))
    for column in phantom.columns:
        covered = coverage_of(column.placed.depth_over(sheet), cell)
        hu += covered * (np.float32(scanner.hu_of(column.tissue)) - hu)
    return hu


def _form_surroundings(phantom: Phantom, scanner: Scanner, lattice: Lattice) -> FloatArray:
    """Image of the surroundings, shape (x, y, 1)."""
    a, b, _ = lattice.shape
    across, down, _ = _support_voxels(scanner)
    voxels = (slice(0, a), slice(0, b), slice(0, 1))
    cells = _grown(voxels, (across, down, 0))
    fine = lattice.cropped(cells).refined(scanner.fine_factors)
    return _project(_paint_surroundings(phantom, scanner, fine), voxels, cells, scanner)


def _add_solid(
    image: FloatArray, solid: Solid, phantom: Phantom, scanner: Scanner, lattice: Lattice
) -> None:
    """Add what a solid changes against the surroundings."""
    corners = [solid.shape.corners_mm()]
    corners += [i.shape.corners_mm() for i in solid.inclusions if not i.inside_core]
    own = lattice.box_around(np.concatenate(corners), 0.0)
    support = _support_voxels(scanner)
    whole = (slice(0, lattice.shape[0]), slice(0, lattice.shape[1]), slice(0, lattice.shape[2]))
    voxels = intersected(_grown(own, support), whole)
    cells = None if voxels is None else intersected(own, _grown(voxels, support))
    if voxels is None or cells is None:
        return
    fine = lattice.cropped(cells).refined(scanner.fine_factors)
    change = _paint_solid(solid, scanner, fine, _paint_surroundings(phantom, scanner, fine))
    image[voxels] += _project(change, voxels, cells, scanner)


def _paint_solid(solid: Solid, scanner: Scanner, fine: Lattice, backdrop: FloatArray) -> FloatArray:
    """HU of a solid less the backdrop, on fine cells; 0 where the solid is not."""
    depth = solid.shape.depth_over(fine)
    insides = [inclusion.shape.depth_over(fine) for inclusion in solid.inclusions]
    change = np.empty(fine.shape, dtype=np.float32)
    for sheets in list_slabs(fine.shape):
        within = [inside[sheets] for inside in insides]
        change[sheets] = _paint_cells(
            solid, scanner, fine.mean_step_mm, depth[sheets], within, backdrop[sheets]
        )
    return change


def _paint_cells(
    solid: Solid,
    scanner: Scanner,
    cell_mm: float,
    depth: FloatArray,
    insides: list[FloatArray],
    backdrop: FloatArray,
) -> FloatArray:
    """The same for some cells, from their depths below the solid's surface and its inclusions'."""
    core = _hu(scanner, solid.core)
    shell = core if solid.shell is None else _hu(scanner, solid.shell)
    change = coverage_of(depth, cell_mm)
    change *= shell - backdrop
    if solid.shell is not None:
        change += coverage_of(depth - np.float32(solid.shell_mm), cell_mm) * (core - shell)
    for inclusion, inside in zip(solid.inclusions, insides, strict=True):
        if inclusion.inside_core:
            np.minimum(inside, depth - np.float32(solid.shell_mm), out=inside)
        hu = _hu(scanner, inclusion.tissue)
        change += coverage_of(inside, cell_mm) * (hu - backdrop - change)
    return change


def _hu(scanner: Scanner, tissue: Tissue) -> np.float32:
    """HU of a tissue as float32, so that nothing is computed in float64."""
    return np.float32(scanner.hu_of(tissue))
