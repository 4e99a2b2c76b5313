"""The posterior elements of a lumbar vertebra, fitted to a body.

Rounded boxes only, whose distances are exact: two pedicles, two laminae that meet like a roof, two
articular pillars (stubby, without facets: neighbours never touch), two transverse processes and a
spinous process, with the elliptic vertebral foramen carved out.
"""

from __future__ import annotations

import numpy as np

from osteoct.phantom.body import Body
from osteoct.phantom.lattice import Frame
from osteoct.phantom.shapes import Carved, EllipticCylinder, Placed, RoundedBox, Union

CANAL_SEMI_MM = (11.0, 7.5)
"""Half width and half depth of the vertebral foramen."""

SPINOUS_HALF_LENGTH_MM = 15.0
"""Half length of the spinous process."""


PEDICLE_CLEARANCE_MM = 1.5
"""A pedicle ends this far below the upper end plate, whatever became of the body's height."""


def make_arch(body: Body, *, spinous_half_length_mm: float = SPINOUS_HALF_LENGTH_MM) -> Carved:
    """Fit the posterior elements to a body, in the vertebra's own frame."""
    across, deep = CANAL_SEMI_MM
    wall = body.section.back_mm
    canal_y = wall - deep
    sides = (-1.0, 1.0)
    parts = [_make_spinous(canal_y, spinous_half_length_mm)]
    for side in sides:
        parts += [
            _make_pedicle(side * (across + PEDICLE_HALF_WIDTH_MM), body),
            _make_lamina(side, canal_y),
            _make_pillar(side, canal_y),
            _make_transverse(side, canal_y),
        ]
    foramen = EllipticCylinder(semi_mm=CANAL_SEMI_MM, half_height_mm=40.0)
    return Carved(
        shape=Union(parts=tuple(parts)),
        hole=Placed(primitive=foramen, frame=Frame(origin_mm=(0.0, canal_y, 0.0))),
    )


PEDICLE_HALF_WIDTH_MM = 4.8
"""Half width of a pedicle; its inner side touches the foramen."""


def _make_pedicle(x_mm: float, body: Body) -> Placed:
    """A pedicle: from 6 mm inside the body to 12 mm behind its wall, in the upper half."""
    top = min(11.5, body.height_posterior_mm / 2 - PEDICLE_CLEARANCE_MM)
    bottom = max(-3.5, -top)
    return Placed(
        primitive=RoundedBox(
            half_mm=(PEDICLE_HALF_WIDTH_MM, 9.0, (top - bottom) / 2), rounding_mm=4.2
        ),
        frame=Frame(origin_mm=(x_mm, body.section.back_mm - 3.0, (top + bottom) / 2)),
    )


def _make_lamina(side: float, canal_y_mm: float) -> Placed:
    """A plate from the pedicle's end backwards to the midline."""
    yaw = side * float(np.degrees(np.arctan2(8.5, 15.0)))
    return Placed(
        primitive=RoundedBox(half_mm=(10.5, 4.0, 10.5), rounding_mm=3.0),
        frame=Frame.at((side * 7.5, canal_y_mm - 8.0, -2.0), yaw_deg=yaw),
    )


def _make_pillar(side: float, canal_y_mm: float) -> Placed:
    """The articular pillar behind the pedicle."""
    return Placed(
        primitive=RoundedBox(half_mm=(7.2, 7.5, 13.0), rounding_mm=5.5),
        frame=Frame(origin_mm=(side * 17.5, canal_y_mm - 5.5, -1.0)),
    )


def _make_transverse(side: float, canal_y_mm: float) -> Placed:
    """A transverse process, pointing outwards and a little backwards."""
    return Placed(
        primitive=RoundedBox(half_mm=(11.5, 3.8, 5.6), rounding_mm=3.6),
        frame=Frame.at((side * 29.0, canal_y_mm - 4.0, 4.0), yaw_deg=-side * 10.0),
    )


def _make_spinous(canal_y_mm: float, half_length_mm: float) -> Placed:
    """The spinous process, pointing backwards and a little down."""
    return Placed(
        primitive=RoundedBox(half_mm=(4.4, half_length_mm, 10.5), rounding_mm=3.6),
        frame=Frame.at((0.0, canal_y_mm - 10.0 - half_length_mm, -4.0), tilt_deg=-10.0),
    )
