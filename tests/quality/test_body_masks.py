"""Body masks that are missing here and there, or do not fill the body."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from osteoct.anatomy import Level
from osteoct.compartments.level import LevelCompartments, VertebraAxes
from osteoct.geometry import Geometry
from osteoct.quality.body_masks import (
    check_bodies,
    measure_share,
    measure_uncovered,
)
from osteoct.records import BodySource, Severity

SIDE = 40
ARCH = slice(0, 30)
BODY = slice(30, 70)


def vertebra(name: str, *, margin: int = 0, back: int = 0, arch: int = 0) -> LevelCompartments:
    """A cube of bone with a block of arch behind it.

    The body mask is smaller by a margin on every side, lies further back, or holds part of the
    arch.
    """
    mask = np.zeros((SIDE, 70, SIDE), dtype=bool)
    mask[:, BODY] = True
    mask[:, ARCH, :20] = True
    body = np.zeros_like(mask)
    inner = slice(margin, SIDE - margin)
    body[inner, BODY.start + margin - back : BODY.stop - margin - back, inner] = True
    body[:, BODY.start - arch : BODY.start] = True
    body &= mask
    grid = Geometry.from_spacing(mask.shape, (1.0, 1.0, 1.0))
    return LevelCompartments(
        level=Level[name],
        box=tuple(slice(0, n) for n in mask.shape),
        geometry=grid,
        vertebra=mask,
        body=body,
        body_source=BodySource.MASK,
        body_certainty=1.0,
        axes=VertebraAxes(
            origin_mm=grid.to_patient(np.argwhere(body).mean(axis=0)),
            right=np.array([1.0, 0, 0]),
            anterior=np.array([0, 1.0, 0]),
            superior=np.array([0, 0, 1.0]),
        ),
        excluded=np.zeros_like(mask),
    )


def codes(levels) -> list[tuple[str, str]]:
    return [(f.code, str(f.level)) for f in check_bodies(levels)]


def test_a_full_body_mask_has_no_finding():
    """It leaves nothing out but the arch."""
    level = vertebra("L3")
    assert measure_uncovered(level) == pytest.approx(0, abs=0.01)
    assert measure_share(level) == pytest.approx(40**3 / (40**3 + 30 * 40 * 20))
    assert codes([level]) == []


def test_too_small_all_around():
    """A rim of 4 voxels leaves out the volume that voxel counts say."""
    level = vertebra("L3", margin=4)
    # the slab behind the mask's own wall, and 3 mm before it, do not count
    left_out = 40 * 40 * 33 - 32 * 32 * 29
    assert measure_uncovered(level) == pytest.approx(left_out / 32**3, rel=0.1)
    assert codes([level]) == [("body-mask-disagrees", "L3")]


def test_too_far_back():
    """Bone in front of the body mask is left out."""
    assert codes([vertebra("L3", back=12)]) == [("body-mask-disagrees", "L3")]
    assert codes([vertebra("L3", back=2)]) == []


def test_holds_the_arch():
    """More than a body's share of the vertebra."""
    level = vertebra("L3", arch=30)
    assert measure_share(level) == 1
    assert codes([level]) == [("body-mask-disagrees", "L3")]


@pytest.mark.parametrize(
    ("limit", "measure", "level"),
    [
        ("MOST_UNCOVERED", measure_uncovered, vertebra("L3", margin=4)),
        ("MOST_SHARE", measure_share, vertebra("L3", arch=30)),
    ],
)
def test_exactly_at_the_limit_nothing_fires(monkeypatch, limit, measure, level):
    """The limits themselves are allowed."""
    monkeypatch.setattr(f"osteoct.quality.body_masks.{limit}", measure(level))
    assert codes([level]) == []


def test_missing_where_others_have_one():
    """A level measured in another way than its neighbours; where none has a mask all are alike."""
    lone = replace(vertebra("L2"), body_source=BodySource.GEOMETRY)
    (found,) = check_bodies([vertebra("L1"), lone, vertebra("L3")])
    assert (found.code, found.level, found.severity) == (
        "body-mask-missing",
        Level.L2,
        Severity.WARNING,
    )
    assert check_bodies([lone]) == ()
