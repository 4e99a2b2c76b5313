"""Things that go wrong in patients: fractures, metal, cement, sclerosis. Phantom to phantom.

What goes wrong in masks and fields of view is in :mod:`osteoct.phantom.mask_defects`; both are
re-exported here.
"""

from __future__ import annotations

from dataclasses import replace

from osteoct.anatomy import Level
from osteoct.errors import ConfigError
from osteoct.phantom.body import Body
from osteoct.phantom.description import Inclusion, Phantom, Vertebra
from osteoct.phantom.lattice import Frame, Vector
from osteoct.phantom.mask_defects import (
    add_island,
    cut_field_of_view,
    leak_label,
    remove_level,
    swap_labels,
)
from osteoct.phantom.shapes import Capsule, Ellipsoid, Placed, Union
from osteoct.phantom.spine import fit_arch
from osteoct.phantom.tissue import CEMENT, METAL, Tissue, TissueKind

LARGEST_LOSS = 0.7
"""A body that lost more than this has no room left for its shell and pedicles."""

SCREW_RADIUS_MM = 3.0
SCREW_HEAD_RADIUS_MM = 5.5


def wedge_fracture(phantom: Phantom, level: Level, *, height_loss: float = 0.3) -> Phantom:
    """Lower the front of a body by a share of its posterior height, at both end plates alike."""
    body = phantom.vertebra(level).body
    back = body.height_posterior_mm
    broken = body.with_heights(back * (1 - _checked(height_loss)), back)
    return _with_body(phantom, level, broken, f"wedge fracture {level}, {height_loss:.0%}")


def biconcave_fracture(phantom: Phantom, level: Level, *, height_loss: float = 0.3) -> Phantom:
    """Hollow both end plates until the middle is a share lower than the posterior height."""
    body = phantom.vertebra(level).body
    front, back = body.height_anterior_mm, body.height_posterior_mm
    middle = back * (1 - _checked(height_loss))
    dish = ((front + back) / 2 - middle) / 2
    broken = body.with_heights(front, back, dish_mm=dish)
    return _with_body(phantom, level, broken, f"biconcave fracture {level}, {height_loss:.0%}")


def crush_fracture(phantom: Phantom, level: Level, *, height_loss: float = 0.4) -> Phantom:
    """Lower front and back alike; the neighbours stay, the discs fill what is lost."""
    body = phantom.vertebra(level).body
    left = 1 - _checked(height_loss)
    broken = body.with_heights(body.height_anterior_mm * left, body.height_posterior_mm * left)
    return _with_body(phantom, level, broken, f"crush fracture {level}, {height_loss:.0%}")


def _checked(height_loss: float) -> float:
    """A height loss that leaves a vertebra."""
    if not 0 < height_loss <= LARGEST_LOSS:
        raise ConfigError(
            "impossible height loss",
            where="height_loss",
            found=height_loss,
            wanted=f"more than 0, at most {LARGEST_LOSS}",
        )
    return height_loss


def _with_body(phantom: Phantom, level: Level, body: Body, defect: str) -> Phantom:
    """Put another body into a vertebra and fit its pedicles to it."""
    vertebra = phantom.vertebra(level)
    changed = replace(vertebra, body=body, arch=fit_arch(level, body))
    return phantom.with_vertebra(changed, defect=defect)


def pedicle_screws(phantom: Phantom, level: Level, *, width: float = 1.0) -> Phantom:
    """Put a titanium screw through each pedicle; the scan then shows streaks.

    Parameters
    ----------
    width
        Factor on the radii of shaft and head: a third of them is a wire.
    """
    vertebra = phantom.vertebra(level)
    back = vertebra.body.section.back_mm
    parts: list[Placed] = []
    for side in (-1.0, 1.0):
        entry, tip = (side * 18.5, back - 24.0, 5.5), (side * 10.0, back + 22.0, 3.5)
        head = (side * 19.0, back - 30.0, 5.7)
        parts.append(_make_rod(entry, tip, width * SCREW_RADIUS_MM))
        parts.append(_make_rod(head, entry, width * SCREW_HEAD_RADIUS_MM))
    screws = Inclusion(shape=Union(parts=tuple(parts)), tissue=METAL, inside_core=False)
    return with_inclusion(phantom, vertebra, screws, f"pedicle screws {level}{_sized(width)}")


def _make_rod(start_mm: Vector, stop_mm: Vector, radius_mm: float) -> Placed:
    """A rod with round ends."""
    length = sum((a - b) ** 2 for a, b in zip(start_mm, stop_mm, strict=True)) ** 0.5
    return Placed(
        primitive=Capsule(half_length_mm=length / 2, radius_mm=radius_mm),
        frame=Frame.along(start_mm, stop_mm),
    )


def cement(phantom: Phantom, level: Level, *, size: float = 1.0) -> Phantom:
    """Fill part of a body's core with bone cement, as after vertebroplasty.

    Parameters
    ----------
    size
        Factor on the semi-axes of the fill.
    """
    vertebra = phantom.vertebra(level)
    middle = vertebra.body.section.middle_mm
    blobs = (
        ((-7.0, middle + 3.0, -1.0), (9.0, 8.0, 7.0)),
        ((8.0, middle + 1.0, 2.0), (8.0, 9.0, 6.0)),
        ((0.0, middle - 4.0, -3.0), (6.0, 6.0, 5.0)),
    )
    parts = tuple(
        Placed(
            primitive=Ellipsoid(semi_mm=(size * a, size * b, size * c)),
            frame=Frame(origin_mm=at),
        )
        for at, (a, b, c) in blobs
    )
    fill = Inclusion(shape=Union(parts=parts), tissue=CEMENT)
    return with_inclusion(phantom, vertebra, fill, f"cement {level}{_sized(size)}")


def sclerosis(phantom: Phantom, level: Level, *, hu: float = 600.0, size: float = 1.0) -> Phantom:
    """Make a dense region in the front of a body's core.

    Parameters
    ----------
    size
        Factor on the semi-axes of the region.
    """
    vertebra = phantom.vertebra(level)
    dense = Tissue(name="sclerotic bone", hu=hu, kind=TissueKind.TRABECULAR)
    middle = vertebra.body.section.middle_mm
    region = Placed(
        primitive=Ellipsoid(semi_mm=(13.0 * size, 9.0 * size, 8.0 * size)),
        frame=Frame(origin_mm=(3.0, middle + 4.0, 2.0)),
    )
    told = f"sclerosis {level}, {hu:g} HU{_sized(size)}"
    return with_inclusion(phantom, vertebra, Inclusion(shape=region, tissue=dense), told)


def _sized(factor: float) -> str:
    """A size other than the usual one, in words."""
    return "" if factor == 1 else f", {factor:.0%} of the size"


def with_inclusion(
    phantom: Phantom, vertebra: Vertebra, inclusion: Inclusion, defect: str
) -> Phantom:
    """Embed something in a vertebra, in its own frame."""
    changed = replace(vertebra, inclusions=(*vertebra.inclusions, inclusion))
    return phantom.with_vertebra(changed, defect=defect)


__all__ = [
    "add_island",
    "biconcave_fracture",
    "cement",
    "crush_fracture",
    "cut_field_of_view",
    "leak_label",
    "pedicle_screws",
    "remove_level",
    "sclerosis",
    "swap_labels",
    "wedge_fracture",
    "with_inclusion",
]
