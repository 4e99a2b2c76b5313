"""A sacrum good enough to be a neighbour: its upper end plate is exact, the rest is rough."""

from __future__ import annotations

from osteoct.phantom.body import Body
from osteoct.phantom.description import Sacrum
from osteoct.phantom.lattice import Frame
from osteoct.phantom.shapes import Carved, EllipticCylinder, Placed, RoundedBox, Union
from osteoct.phantom.tissue import Tissue

SACRAL_CANAL_SEMI_MM = (12.0, 6.0)
"""Half width and half depth of the sacral canal."""


def make_sacrum(
    frame: Frame, body: Body, *, shell_mm: float, shell: Tissue, core: Tissue
) -> Sacrum:
    """Put wings, lower segments and a back wall around the body of S1."""
    canal_y = body.section.back_mm - SACRAL_CANAL_SEMI_MM[1]
    canal = EllipticCylinder(semi_mm=SACRAL_CANAL_SEMI_MM, half_height_mm=32.0)
    return Sacrum(
        frame=frame,
        body=body,
        wings=Carved(
            shape=Union(parts=(*_lower_segments(), *_wings(canal_y), _back_wall(canal_y))),
            hole=Placed(primitive=canal, frame=Frame(origin_mm=(0.0, canal_y, -6.0))),
        ),
        shell_mm=shell_mm,
        shell=shell,
        core=core,
    )


def _lower_segments() -> tuple[Placed, ...]:
    """S2 and S3, narrowing and bending backwards."""
    return (
        Placed(
            primitive=RoundedBox(half_mm=(22.0, 11.5, 15.0), rounding_mm=6.0),
            frame=Frame.at((0.0, -2.0, -25.0), tilt_deg=8.0),
        ),
        Placed(
            primitive=RoundedBox(half_mm=(18.0, 8.5, 15.0), rounding_mm=5.0),
            frame=Frame.at((0.0, -9.0, -47.0), tilt_deg=24.0),
        ),
    )


def _wings(canal_y_mm: float) -> tuple[Placed, ...]:
    """The alae and what joins them to the back wall, on both sides."""
    wings: list[Placed] = []
    for side in (-1.0, 1.0):
        wings += [
            Placed(
                primitive=RoundedBox(half_mm=(21.0, 12.0, 14.0), rounding_mm=8.0),
                frame=Frame.at((side * 36.0, -9.0, -6.0), lateral_deg=side * 12.0),
            ),
            Placed(
                primitive=RoundedBox(half_mm=(17.0, 11.0, 20.0), rounding_mm=8.0),
                frame=Frame.at((side * 27.0, -14.0, -30.0), lateral_deg=side * 18.0),
            ),
            Placed(
                primitive=RoundedBox(half_mm=(6.0, 10.0, 14.0), rounding_mm=5.0),
                frame=Frame(origin_mm=(side * 17.0, canal_y_mm - 2.0, -14.0)),
            ),
        ]
    return tuple(wings)


def _back_wall(canal_y_mm: float) -> Placed:
    """The plate behind the sacral canal."""
    return Placed(
        primitive=RoundedBox(half_mm=(20.0, 4.0, 17.0), rounding_mm=3.5),
        frame=Frame(origin_mm=(0.0, canal_y_mm - 9.0, -20.0)),
    )
