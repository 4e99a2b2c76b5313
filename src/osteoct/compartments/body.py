"""The vertebral body: by a body mask, or else by the vertebra's own geometry.

By geometry, the body is the part of the vertebra in front of the plane through the front wall of
its canal, perpendicular to the canal's front–back direction. The pedicles are cut where they leave
the body. The canal's front edge is the silhouette of that wall: where the wall leans or is hollow
(L5 above all), the plane moves forwards to the wall's mean position. A body found this way counts
as less sure than one from a mask.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage as ndi

from osteoct.compartments.canal import Canal, Points, find_canal
from osteoct.geometry import Geometry
from osteoct.records import BodySource
from osteoct.volume import Mask

BODY_SHARE = (0.40, 0.85)
"""Share of a lumbar vertebra's volume that its body can have; outside it something is not a body.

The five levels of the project's real example have 0.63 … 0.71 by TotalSegmentator's body task.
"""

GEOMETRY_CERTAINTY = 0.8
"""Certainty of a body found by geometry.

A body from a mask has the share of the body mask that lies inside the vertebra.
"""


WALL_DEPTH_MM = 12.0
"""Depth of the two slabs behind and in front that show where the wall is: half a lumbar body."""

MOST_RECESS_MM = 4.0
"""Furthest that the wall's mean lies in front of its silhouette; a normal wall is hollow by 2 mm,
and a wall 25 mm high that leans by 15 degrees recedes by 3 mm in the mean."""

MIDDLE_SHARE = 0.5
"""Share of the canal's half-width that counts as its middle: the pedicles stay out of the slab."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Body:
    """The body's mask (I, J, K), where it came from and how sure it is (0 … 1)."""

    mask: Mask
    source: BodySource
    certainty: float


def find_body(vertebra: Mask, body_mask: Mask | None, geometry: Geometry) -> Body | None:
    """Return the body of a vertebra, or ``None`` where neither way gives a plausible one.

    Parameters
    ----------
    vertebra
        Mask (I, J, K) of the whole level.
    body_mask
        Body mask on the same crop (all bodies, or this level's), or ``None`` to use geometry.
    """
    if body_mask is not None:
        return _body_by_mask(vertebra, body_mask)
    canal = find_canal(vertebra, geometry)
    return None if canal is None else _body_by_geometry(vertebra, canal, geometry)


def _body_by_mask(vertebra: Mask, body_mask: Mask) -> Body | None:
    """The part of the body mask inside the vertebra."""
    mask = largest_part(vertebra & body_mask)
    if not _is_plausible(mask, vertebra):
        return None
    certainty = float(mask.sum() / body_mask.sum())
    return Body(mask=mask, source=BodySource.MASK, certainty=certainty)


def _body_by_geometry(vertebra: Mask, canal: Canal, geometry: Geometry) -> Body | None:
    """The part of the vertebra in front of the canal's front wall."""
    index = np.argwhere(vertebra)
    offset = geometry.to_patient(index) - canal.centre_mm
    beyond = offset @ canal.anterior - canal.front_mm
    recess = _measure_recess(beyond, offset @ canal.right, canal)
    mask = np.zeros_like(vertebra)
    mask[tuple(index[beyond > recess].T)] = True
    mask = largest_part(mask)
    if not _is_plausible(mask, vertebra):
        return None
    return Body(mask=mask, source=BodySource.GEOMETRY, certainty=GEOMETRY_CERTAINTY)


def _measure_recess(beyond: Points, across: Points, canal: Canal) -> float:
    """How far (mm) the wall's mean lies in front of the canal's front edge, by equal volumes.

    Behind the middle of the body, the first slab would hold as many voxels as the second if the
    wall were flat and upright; what it lacks is the volume of the recess.
    """
    half_width = np.sqrt(canal.area_mm2 / np.pi)
    middle = beyond[np.abs(across) <= MIDDLE_SHARE * half_width]
    first = int(np.count_nonzero((middle > 0) & (middle <= WALL_DEPTH_MM)))
    second = int(np.count_nonzero((middle > WALL_DEPTH_MM) & (middle <= 2 * WALL_DEPTH_MM)))
    if second == 0:
        return 0.0
    return float(np.clip(WALL_DEPTH_MM * (1 - first / second), 0.0, MOST_RECESS_MM))


def largest_part(mask: Mask) -> Mask:
    """The largest face-connected part of a mask."""
    parts, count = ndi.label(mask)
    if count <= 1:
        return mask
    largest: Mask = parts == np.bincount(parts.ravel())[1:].argmax() + 1
    return largest


def _is_plausible(body: Mask, vertebra: Mask) -> bool:
    """Whether the body has a believable share of the vertebra."""
    return bool(BODY_SHARE[0] <= body.sum() / max(vertebra.sum(), 1) <= BODY_SHARE[1])
