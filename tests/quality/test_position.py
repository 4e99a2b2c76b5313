"""How the patient lay: tables in every place, and flips that turn or mirror."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.anatomy import Level
from osteoct.compartments.level import LevelCompartments
from osteoct.geometry import Geometry
from osteoct.io.dicom.series import read_dicom
from osteoct.quality.position import check_position
from osteoct.quality.table import (
    LEAST_LENGTH_SHARE,
    MOST_THICKNESS_MM,
    Side,
    find_table,
    side_in_plane,
)
from osteoct.records import Acquisition, Finding, Severity
from osteoct.volume import CTVolume

PIXEL_MM = (2.0, 2.0)
SHAPE = (180, 160)
BODY = (slice(40, 140), slice(50, 110))
"""100 × 60 pixels with room on every side."""


def plane(*parts, air_hu=-1000.0):
    """A body, and solid parts beside it."""
    hu = np.full(SHAPE, air_hu, dtype=np.float32)
    for part in (BODY, *parts):
        hu[part] = 40.0
    return hu


TABLES = {
    Side.BACK: (slice(30, 150), slice(30, 34)),
    Side.FRONT: (slice(30, 150), slice(126, 130)),
    Side.LEFT: (slice(20, 24), slice(45, 115)),
    Side.RIGHT: (slice(156, 160), slice(45, 115)),
}


def scanned(planes):
    """Slices as a CT, with a level over all of them."""
    array = np.stack(planes, axis=-1)
    grid = Geometry.from_spacing(array.shape, (*PIXEL_MM, 3.0))
    mask = np.ones((4, 4, array.shape[2]), dtype=bool)
    box = (slice(80, 84), slice(70, 74), slice(0, array.shape[2]))
    level = LevelCompartments(
        level=Level.L3,
        box=box,
        geometry=grid.cropped(box),
        vertebra=mask,
        excluded=np.zeros_like(mask),
    )
    return CTVolume(array=array, geometry=grid), [level]


def flip_of(axis):
    return Finding(
        code="image-flipped", severity=Severity.WARNING, message="m", evidence={"axis": axis}
    )


@pytest.mark.parametrize("side", list(Side))
def test_a_table_on_each_side(side):
    """It lies where it was put."""
    assert side_in_plane(plane(TABLES[side]), PIXEL_MM) is side
    assert find_table(*scanned([plane(TABLES[side])] * 4)) is side


def test_what_is_no_table():
    """Nothing beside the body; something that touches it; two sides at once."""
    assert side_in_plane(plane(), PIXEL_MM) is None
    assert side_in_plane(plane((slice(30, 150), slice(46, 50))), PIXEL_MM) is None
    both = plane(TABLES[Side.BACK], TABLES[Side.FRONT])
    assert side_in_plane(both, PIXEL_MM) is None


@pytest.mark.parametrize(("pixels", "fires"), [(60, True), (59, False)])
def test_least_length(pixels, fires):
    """Exactly the share of the body's width is long enough; an arm is not."""
    assert pixels >= LEAST_LENGTH_SHARE * 100 or not fires
    part = (slice(60, 60 + pixels), slice(30, 34))
    assert (side_in_plane(plane(part), PIXEL_MM) is Side.BACK) is fires


@pytest.mark.parametrize(("pixels", "fires"), [(20, True), (21, False)])
def test_most_thickness(pixels, fires):
    """Exactly at the limit it is thin enough; a second body is not."""
    assert (pixels * PIXEL_MM[1] <= MOST_THICKNESS_MM) is fires
    part = (slice(50, 130), slice(10, 10 + pixels))
    assert (side_in_plane(plane(part), PIXEL_MM) is Side.BACK) is fires


@pytest.mark.parametrize(("shown", "expected"), [(2, Side.BACK), (1, None)])
def test_half_of_the_slices_must_show_it(shown, expected):
    """At the limit they do; and slices that say different sides say nothing."""
    slices = [plane(TABLES[Side.BACK])] * shown + [plane()] * (4 - shown)
    assert find_table(*scanned(slices)) is expected
    mixed = [plane(TABLES[Side.BACK])] * 3 + [plane(TABLES[Side.FRONT])]
    assert find_table(*scanned(mixed)) is None


@pytest.mark.parametrize(
    ("position", "side"),
    [
        ("HFS", Side.BACK),
        ("FFS", Side.BACK),
        ("HFP", Side.FRONT),
        ("HFDR", Side.RIGHT),
        ("FFDL", Side.LEFT),
    ],
)
def test_the_table_contradicts_the_header(position, side):
    """Every side but the right one does; the right one is silent."""
    said = Acquisition(patient_position=position)
    for other in Side:
        ct, levels = scanned([plane(TABLES[other])] * 3)
        found = check_position(ct, levels, said, ())
        assert [(f.code, f.severity) for f in found] == (
            [] if other is side else [("patient-position", Severity.WARNING)]
        )
        if found:
            assert found[0].evidence["table_side"] == other
            assert found[0].evidence["expected_side"] == side


def test_what_cannot_be_told_is_not():
    """Without a position, a table or a level nothing is said; feet first looks like head first."""
    ct, levels = scanned([plane(TABLES[Side.FRONT])] * 3)
    assert check_position(ct, levels, Acquisition(), ()) == ()
    assert check_position(ct, [], Acquisition(patient_position="HFS"), ()) == ()
    bare, levels = scanned([plane()] * 3)
    assert check_position(bare, levels, Acquisition(patient_position="HFP"), ()) == ()


@pytest.mark.parametrize(
    ("axes", "fires"),
    [
        ((), False),
        (("left-right",), False),
        (("front-back",), False),
        (("left-right", "front-back"), True),
        (("left-right", "head-feet"), True),
        (("front-back", "head-feet"), True),
        (("left-right", "front-back", "head-feet"), False),
    ],
)
def test_two_flips_turn_and_mirror_nothing(axes, fires):
    """One or three mirror: no position explains those."""
    ct, levels = scanned([plane()])
    found = check_position(ct, levels, Acquisition(), [flip_of(axis) for axis in axes])
    assert [f.code for f in found] == ["patient-position"] * fires


def test_a_real_table(shared_data):
    """A chest CT, head first and supine: the table lies at the back in every slice."""
    ct = read_dicom(shared_data / "ts-dicom").reoriented("RAS")
    x, y, _ = ct.geometry.spacing_mm
    everything = slice(None)
    for k in (0, 10, 19):
        hu = ct.hu((everything, everything, slice(k, k + 1)))[..., 0]
        assert side_in_plane(hu, (x, y)) is Side.BACK
    assert ct.acquisition.patient_position == "HFS"
