"""The body by mask and by geometry, against the phantom's and TotalSegmentator's bodies."""

from __future__ import annotations

import itertools

import nibabel as nib
import numpy as np
import pytest

from osteoct.compartments.body import BODY_SHARE, _measure_recess, find_body, largest_part
from osteoct.compartments.canal import find_canal
from osteoct.geometry import Geometry
from osteoct.records import BodySource


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


@pytest.mark.parametrize("tilt", [0, 10, 20, 30])
@pytest.mark.parametrize("slice_mm", [1.0, 3.0, 5.0])
def test_geometry_finds_the_phantoms_body(make_vertebra, tilt, slice_mm):
    """Without a body mask the body overlaps the true one with a Dice of at least 0.95."""
    shot = make_vertebra(tilt, 0, slice_mm)
    body = find_body(shot.vertebrae.array == 29, None, shot.ct.geometry)
    assert body is not None
    assert body.source is BodySource.GEOMETRY
    assert dice(body.mask, shot.bodies.array > 0) > 0.95


@pytest.mark.parametrize(("level", "label", "least"), [
    ("T12", 32, 0.95), ("L1", 31, 0.95), ("L2", 30, 0.95), ("L3", 29, 0.95), ("L4", 28, 0.95),
    ("L5", 27, 0.93),
])  # fmt: skip
def test_geometry_agrees_with_totalsegmentators_bodies(shared_data, level, label, least):
    """On the real spine the two ways agree; L5's sloping arch makes it the hardest."""
    folder = shared_data / "ts-example"
    image = nib.load(folder / "total_vertebrae.nii.gz")
    vertebra = np.asarray(image.dataobj) == label
    bodies = np.asarray(nib.load(folder / "vertebrae_body.nii.gz").dataobj) == 1
    geometry = Geometry(shape=vertebra.shape, affine=image.affine)
    by_geometry = find_body(vertebra, None, geometry)
    by_mask = find_body(vertebra, bodies & vertebra, geometry)
    assert by_mask.certainty == 1.0
    assert dice(by_geometry.mask, by_mask.mask) > least, level


@pytest.mark.parametrize("subject", ["004", "010"])
def test_geometry_works_on_expert_masks(shared_data, subject):
    """VerSe lumbar levels, fractured ones among them: a body is found, in front of the arch."""
    image = nib.load(shared_data / "verse-masks" / f"sub-verse{subject}_seg-vert_msk.nii.gz")
    labels = np.asarray(image.dataobj)
    geometry = Geometry(shape=labels.shape, affine=image.affine)
    step = geometry.reorientation_to("RAS")
    labels, geometry = step.apply_to_array(labels), step.apply_to_geometry(geometry)
    for label in range(20, 25):
        vertebra = labels == label
        body = find_body(vertebra, None, geometry)
        assert body is not None, label
        behind = vertebra & ~body.mask
        front = geometry.to_patient(np.argwhere(body.mask)).mean(axis=0)
        back = geometry.to_patient(np.argwhere(behind)).mean(axis=0)
        assert front[1] - back[1] > 20, label


def test_the_front_is_the_front_in_every_orientation(make_vertebra):
    """Seen elsewhere: RAS and LPS were treated alike and the arch was measured as the body."""
    shot = make_vertebra(10, 0, 3.0)
    whole = find_body(shot.vertebrae.array == 29, None, shot.ct.geometry).mask.sum()
    for codes in ("LPS", "LAS", "PIR", "SRA", "IPL"):
        turned = shot.vertebrae.reoriented(codes)
        bodies = shot.bodies.reoriented(codes)
        body = find_body(turned.array == 29, None, turned.geometry)
        assert dice(body.mask, bodies.array > 0) > 0.95
        assert body.mask.sum() == pytest.approx(whole, rel=0.02)


def test_a_body_mask_that_disagrees_is_uncertain(make_vertebra):
    """The certainty of a mask is the share of it inside the vertebra."""
    shot = make_vertebra(0, 0, 1.5)
    vertebra, body = shot.vertebrae.array == 29, shot.bodies.array > 0
    shifted = np.roll(body, 8, axis=1)
    found = find_body(vertebra, shifted, shot.ct.geometry)
    assert found.certainty == pytest.approx((shifted & vertebra).sum() / shifted.sum(), abs=0.02)
    assert found.certainty < 0.9


@pytest.mark.parametrize("share", [BODY_SHARE[0] - 0.05, BODY_SHARE[1] + 0.05])
def test_an_implausible_body_is_no_body(share):
    """A body mask that covers next to nothing or everything is not believed."""
    vertebra = np.ones((20, 20, 20), dtype=bool)
    body = np.zeros_like(vertebra)
    body[:, : round(20 * share)] = True
    geometry = Geometry.from_spacing((20, 20, 20), (1, 1, 1))
    assert find_body(vertebra, body, geometry) is None


def test_the_largest_part_wins():
    """A stray piece of a body mask is dropped; voxels that touch by a face are one part."""
    mask = np.zeros((10, 10, 10), dtype=bool)
    mask[1:5, 1:5, 1:5] = True
    mask[8, 8, 8] = True
    assert largest_part(mask).sum() == 64
    assert largest_part(mask[:7, :7, :7]).sum() == 64
    assert all(not mask[i, 8, 8] for i in itertools.chain(range(8), [9]))


@pytest.mark.parametrize("recess_mm", [0.0, 2.0, 4.0])
def test_a_hollow_wall_is_cut_at_its_mean(make_vertebra, recess_mm):
    """A groove across the back wall moves the plane by the wall's mean recess, never backwards.

    The canal seen along its axis shows the rims only; a real L5 was cut 4 mm too far back.
    """
    shot = make_vertebra(0, 0, 1.0)
    vertebra = shot.vertebrae.array == 29
    canal = find_canal(vertebra, shot.ct.geometry)
    index = np.argwhere(vertebra)
    offset = shot.ct.geometry.to_patient(index) - canal.centre_mm
    beyond, along = offset @ canal.anterior - canal.front_mm, offset @ canal.direction
    middle = np.abs(along - np.median(along)) < np.ptp(along) / 4
    kept = ~(middle & (np.abs(beyond - recess_mm) <= recess_mm))
    flat, hollow = (
        _measure_recess(beyond[k], offset[k] @ canal.right, canal)
        for k in (np.ones(len(beyond), bool), kept)
    )
    # half of the height, from the plane to twice the recess: the mean lies at the recess itself
    assert hollow - flat == pytest.approx(recess_mm, abs=1.0)
