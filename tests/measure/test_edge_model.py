"""The profile across a face against integrals and profiles made from known numbers."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.measure.edge_model import Blur, FaceGuess, FaceVoxels, fit_face

KNOTS = np.linspace(-14.0, 14.0, 9)


def make_voxels(
    face_mm, *, blur, slice_mm, outside=60.0, core=120.0, shell=500.0, width=1.0, noise=0.0
):
    """Voxels on slices that lean by 11 degrees across a face, blurred by numeric means."""
    place = np.repeat(np.linspace(-15, 15, 61), 30)
    outward = np.tile(np.arange(30) * slice_mm - 12 * slice_mm, 61) + 12.3 + 0.2 * place
    near = (outward > 0) & (outward < 18)
    place, outward = place[near], outward[near]
    fine = np.linspace(-0.5, 0.5, 201) * blur.box_mm
    depth = face_mm(place)[:, None] - (outward[:, None] + fine)
    exact = np.where(depth < 0, outside, np.where(depth < width, core + shell, core)).mean(axis=1)
    return FaceVoxels(
        place_mm=place,
        outward_mm=outward,
        hu=exact + noise * np.random.default_rng(1).standard_normal(exact.size),
    )


def make_guess(offset_mm: float, **fields) -> FaceGuess:
    return FaceGuess(
        knots_mm=KNOTS,
        face_mm=np.full(9, 12.0 + offset_mm),
        sd_mm=2.0,
        core_hu=120.0,
        **fields,
    )


@pytest.mark.parametrize("box_mm", [0.6, 3.0, 5.0])
def test_a_step_is_half_at_the_face_and_its_slope_is_its_derivative(box_mm):
    """The fit's directions come from this slope."""
    blur = Blur(box_mm=box_mm, sigma_mm=0.3)
    depth = np.linspace(-8, 8, 33)
    share, slope = blur.step(depth)
    assert share[16] == pytest.approx(0.5)
    assert (share[0], share[-1]) == pytest.approx((0.0, 1.0), abs=1e-9)
    numeric = (blur.step(depth + 1e-5)[0] - blur.step(depth - 1e-5)[0]) / 2e-5
    assert np.allclose(slope, numeric, atol=1e-6)


@pytest.mark.parametrize(("slice_mm", "limit"), [(0.6, 0.1), (1.0, 0.1), (3.0, 0.3), (5.0, 0.8)])
@pytest.mark.parametrize("offset", [-1.5, 0.0, 1.5])
def test_a_sloping_face_is_found_wherever_the_mask_has_it(slice_mm, limit, offset):
    """Half a maximum would lie up to half a slice outside the thin shell."""
    blur = Blur(box_mm=slice_mm, sigma_mm=0.1)
    voxels = make_voxels(lambda a: 12.0 + 0.1 * a, blur=blur, slice_mm=slice_mm, noise=10.0)
    fit = fit_face(voxels, make_guess(offset, shifts_mm=(-slice_mm / 2, slice_mm / 2)), blur)
    assert fit.is_settled
    assert np.abs(fit.face_mm - (12.0 + 0.1 * KNOTS)).max() < limit


def test_a_face_without_a_shell_is_found_by_its_step():
    """A body of bone darker at its edge still ends where the disc begins."""
    blur = Blur(box_mm=1.0, sigma_mm=0.1)
    voxels = make_voxels(lambda a: 12.0 + 0 * a, blur=blur, slice_mm=1.0, core=200.0, shell=0.0)
    fit = fit_face(voxels, make_guess(0.8), blur)
    assert np.abs(fit.face_mm - 12.0).max() < 0.2


def test_contrast_and_misfit_tell_an_edge_from_none():
    """What decides between CT and mask: nothing to see, or nothing that fits."""
    blur = Blur(box_mm=1.0, sigma_mm=0.1)
    edge = make_voxels(lambda a: 12.0 + 0 * a, blur=blur, slice_mm=1.0)
    seen = fit_face(edge, make_guess(0.0), blur)
    # a shell of 1 mm in slices of 1 mm: 60 + 500 HU, less 8 % of the shell by the Gaussian
    assert seen.contrast_hu == pytest.approx(60 + 0.92 * 500, rel=0.03)
    assert seen.misfit_hu < 0.1 * seen.contrast_hu
    flat = make_voxels(
        lambda a: 12.0 + 0 * a, blur=blur, slice_mm=1.0, outside=70.0, core=70.0, shell=0.0
    )
    assert fit_face(flat, make_guess(0.0), blur).contrast_hu < 40.0
    spot = FaceVoxels(
        place_mm=edge.place_mm,
        outward_mm=edge.outward_mm,
        hu=edge.hu + np.where((np.abs(edge.place_mm) < 8) & (edge.outward_mm < 10), 900.0, 0.0),
    )
    assert fit_face(spot, make_guess(0.0), blur).misfit_hu > 2 * seen.misfit_hu
