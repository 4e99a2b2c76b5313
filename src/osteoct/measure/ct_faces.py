"""Both end plates of a body in the CT itself, near where the mask has them.

A mask is a staircase: on 3 mm slices an upright body is 9 or 10 slices high and never 27.5 mm. The
CT's grey values tell where between two slices a face lies.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from osteoct.compartments.axes import in_frame, thinned
from osteoct.compartments.level import LevelCompartments, VertebraAxes
from osteoct.geometry import Box, Geometry
from osteoct.measure.edge_model import Blur, FaceFit, FaceGuess, FaceVoxels, fit_face
from osteoct.volume import CTVolume

Floats = NDArray[np.float64]

KNOT_RANGE_MM = (2.0, 4.0)
"""Distance of knots from back to front: that of the slices, within these limits. Closer ones follow
the rim of a deep dish, and only thin slices show it."""

WALL_MARGIN_MM = 2.0
"""Voxels nearer to front and rear wall than this, and half a pixel, see the wall's own shell; on
thick slices a tilted body's walls are seen from further."""

KERNEL_FWHM_MM = 0.9
"""In-plane blur of a standard kernel, typical; the pixel's comes on top."""

PROFILE_SHARE = 0.1
"""Gaussian part of the slice profile over its width, as scanners' profiles have, chosen."""

LEAST_SIGMA_MM = 0.1
"""No profile is sharper."""

INSIDE_MM = 8.0
"""How far below a face its profile is read, besides one slice."""

OUTSIDE_MM = 4.0
"""How far beyond a face: half of a lumbar disc of 8 mm, besides a third of a slice."""

MASK_SD_MM = 1.0
"""How wrong the surface of a mask may be, besides half a slice."""

MOST_VOXELS = 1500
"""Voxels used per face; more moved no height by 0.05 mm on phantoms."""

LEAST_VOXELS = 60
"""Voxels below which nothing is fitted."""

FINEST_MM = 0.8
"""In-plane distance of the voxels used; finer grids are thinned."""

STEADY_SLICE_MM = 2.0
"""Slice distance above which a mask's staircase may start the fit at the wrong place."""

LEAST_PIECES = 5
"""Pieces between knots that a face has at least."""

LEAST_PART = 0.5
"""Share of the depth that must be left between the margins."""

REACH_MM = 8.0
"""How far above and below the body the CT is read."""

USUAL_CORE_HU = 130.0
"""HU of a core that no voxel tells; chosen between young and old."""

LEAST_CONTRAST_HU = 40.0
"""Contrast of a face below which the CT shows no edge: the assumed SD of a voxel."""

MOST_MISFIT = 0.4
"""Share of the contrast that the profile may leave unexplained.

End plates of the project's real example have 0.1 to 0.28, one with a dense spot beneath it 0.5 to
0.9, whichever the body mask; phantoms with 100 HU noise have 0.2.
"""

FARTHEST_MM = 2.0
"""How far from the mask's face, besides one slice, the CT's may lie and still be the same one."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Band:
    """The mid-sagittal band of a body as its mask has it.

    Parameters
    ----------
    half_mm
        Half the band's width.
    anterior_mm, top_mm, bottom_mm
        Columns (A,) from rear to front wall, and both faces along the superior axis.
    """

    half_mm: float
    anterior_mm: Floats
    top_mm: Floats
    bottom_mm: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class Slab:
    """Voxels (N,) of the band: place in the vertebra's own axes, and HU."""

    anterior_mm: Floats
    superior_mm: Floats
    hu: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class CtFaces:
    """Both faces (K,) at knots along the anterior axis, in mm from the body's centre."""

    anterior_mm: Floats
    top_mm: Floats
    bottom_mm: Floats


def find_ct_faces(ct: CTVolume, level: LevelCompartments, band: Band) -> CtFaces | None:
    """Find both end plates in the CT, or ``None`` where it does not show them.

    Metal in the body, too little contrast, or an edge far from the mask's: then the mask is all
    there is.

    Parameters
    ----------
    ct
        The CT whose grid ``level.box`` indexes.
    """
    if level.body is None or level.axes is None or (level.excluded & level.body).any():
        return None
    blur, lean_mm = _blur_across(ct, level.axes)
    knots = _place_knots(ct.geometry, band, lean_mm)
    if knots is None:
        return None
    slab = _read_slab(ct, level.axes, band, knots)
    core_hu = _median_of_middle(slab, band)
    slice_mm = ct.geometry.spacing_mm[ct.geometry.slice_axis]
    faces = []
    for sign, face in ((1.0, band.top_mm), (-1.0, band.bottom_mm)):
        guess = FaceGuess(
            knots_mm=knots,
            face_mm=sign * np.interp(knots, band.anterior_mm, face),
            sd_mm=MASK_SD_MM + slice_mm / 2,
            core_hu=core_hu,
            shifts_mm=(-slice_mm / 2, slice_mm / 2) if slice_mm > STEADY_SLICE_MM else (),
        )
        voxels = _around(slab, sign, guess, slice_mm)
        if len(voxels.hu) < LEAST_VOXELS:
            return None
        fit = fit_face(voxels, guess, blur)
        if not _is_edge(fit, guess, slice_mm):
            return None
        faces.append(sign * fit.face_mm)
    return CtFaces(anterior_mm=knots, top_mm=faces[0], bottom_mm=faces[1])


def _place_knots(grid: Geometry, band: Band, lean_mm: float) -> Floats | None:
    """Even knots between the walls, or ``None`` where too little is left between the margins."""
    margin = WALL_MARGIN_MM + _pixel_mm(grid) / 2 + lean_mm
    back, front = float(band.anterior_mm[0]), float(band.anterior_mm[-1])
    length = front - back - 2 * margin
    if length < LEAST_PART * (front - back):
        return None
    spacing = float(np.clip(grid.spacing_mm[grid.slice_axis], *KNOT_RANGE_MM))
    pieces = max(round(length / spacing), LEAST_PIECES)
    return np.linspace(back + margin, front - margin, pieces + 1)


def _median_of_middle(slab: Slab, band: Band) -> float:
    """HU of the middle two fifths of the body's height: the core, vein and all."""
    top, bottom = band.top_mm.mean(), band.bottom_mm.mean()
    deep = np.abs(slab.superior_mm - (top + bottom) / 2) < (top - bottom) / 5
    return float(np.median(slab.hu[deep])) if deep.any() else USUAL_CORE_HU


def _blur_across(ct: CTVolume, axes: VertebraAxes) -> tuple[Blur, float]:
    """The blur along the superior axis, and how far a slice reaches along the anterior one."""
    grid = ct.geometry
    slice_mm = grid.spacing_mm[grid.slice_axis]
    thickness = max(slice_mm, ct.acquisition.slice_thickness_mm or 0.0)
    cosine = abs(float(axes.superior @ grid.direction[:, grid.slice_axis]))
    sine = (1 - min(cosine, 1.0) ** 2) ** 0.5
    kernel = KERNEL_FWHM_MM / (8 * np.log(2)) ** 0.5
    in_plane = float(np.hypot(kernel, _pixel_mm(grid) / 12**0.5)) * sine
    sigma = max(float(np.hypot(PROFILE_SHARE * thickness * cosine, in_plane)), LEAST_SIGMA_MM)
    return Blur(box_mm=thickness * cosine, sigma_mm=sigma), thickness * sine / 2


def _pixel_mm(grid: Geometry) -> float:
    """The larger of the two distances of voxels within a slice."""
    return max(mm for axis, mm in enumerate(grid.spacing_mm) if axis != grid.slice_axis)


def _read_slab(ct: CTVolume, axes: VertebraAxes, band: Band, knots: Floats) -> Slab:
    """The voxels of the band, with what lies above and below the body."""
    low = np.array([-band.half_mm, knots[0], band.bottom_mm.min() - REACH_MM])
    high = np.array([band.half_mm, knots[-1], band.top_mm.max() + REACH_MM])
    box, steps = _box_of(ct.geometry, axes, low, high)
    part = tuple(slice(s.start, s.stop, n) for s, n in zip(box, steps, strict=True))
    index = np.stack(np.meshgrid(*(np.r_[s] for s in part), indexing="ij"), axis=-1)
    local = in_frame(ct.geometry.to_patient(index.reshape(-1, 3)), axes)
    within = ((local >= low) & (local <= high)).all(axis=1)
    hu = ct.array[part].reshape(-1)[within].astype(np.float64)
    return Slab(anterior_mm=local[within, 1], superior_mm=local[within, 2], hu=hu)


def _box_of(
    grid: Geometry, axes: VertebraAxes, low: Floats, high: Floats
) -> tuple[Box, tuple[int, ...]]:
    """Voxels around a box in the vertebra's own frame, and steps that thin fine grids."""
    corners = np.array(list(product(*zip(low, high, strict=True))))
    index = grid.to_index(corners @ axes.rotation.T + axes.origin_mm)
    first = np.clip(np.floor(index.min(axis=0)).astype(int), 0, grid.shape)
    last = np.clip(np.ceil(index.max(axis=0)).astype(int) + 1, 0, grid.shape)
    i, j, k = (slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
    steps = tuple(
        1 if axis == grid.slice_axis else max(1, int(FINEST_MM / mm))
        for axis, mm in enumerate(grid.spacing_mm)
    )
    return (i, j, k), steps


def _around(slab: Slab, sign: float, guess: FaceGuess, slice_mm: float) -> FaceVoxels:
    """Voxels between some way below a face and some way beyond it."""
    place, outward, hu = slab.anterior_mm, sign * slab.superior_mm, slab.hu
    beyond = outward - np.interp(place, guess.knots_mm, guess.face_mm)
    near = (beyond > -(INSIDE_MM + slice_mm)) & (beyond < OUTSIDE_MM + slice_mm / 3)
    rows = thinned(np.flatnonzero(near), MOST_VOXELS)
    return FaceVoxels(place_mm=place[rows], outward_mm=outward[rows], hu=hu[rows])


def _is_edge(fit: FaceFit, guess: FaceGuess, slice_mm: float) -> bool:
    """Whether a fit found an edge, and the one that the mask means."""
    return (
        fit.is_settled
        and fit.contrast_hu >= LEAST_CONTRAST_HU
        and fit.misfit_hu <= MOST_MISFIT * fit.contrast_hu
        and float(np.abs(fit.face_mm - guess.face_mm).max()) <= FARTHEST_MM + slice_mm
    )
