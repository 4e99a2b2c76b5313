"""Protocols: named, versioned recipes for a number.

A cut-off belongs to the protocol it was found with and is applied to nothing else. A protocol says
which region is taken, how far its core lies below its surface, which voxels belong to the core, and
which statistic is the headline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from osteoct.errors import ConfigError


class Region(StrEnum):
    """Where HU and volumes are taken."""

    VERTEBRA = "vertebra"
    BODY = "body"
    TRABECULAR = "trabecular"
    CORTICAL = "cortical"


class Shape(StrEnum):
    """How a protocol's trabecular region is found."""

    DEPTH = "depth"
    """The part of the base region deeper than a depth below its surface; the rest is the shell."""
    AXIAL_ELLIPSE = "axial-ellipse"
    """An ellipse in the axial slab through the middle of the body; there is no shell."""


class Membership(StrEnum):
    """Which voxels belong to a core; the reasons are in docs/explanation/depth.md."""

    WHOLE_VOXEL = "whole-voxel"
    """A voxel belongs when its whole extent lies deeper than the depth: no shell leaks in."""
    VOXEL_CENTRE = "voxel-centre"
    """A voxel belongs when its centre lies deeper than the depth below the mid-surface."""


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """A recipe for a number.

    Parameters
    ----------
    base
        Region whose surface depths are measured from.
    depth_mm
        Depth of the core below that surface, in mm; for the axial ellipse the least distance of
        the region of interest from the body's surface.
    headline
        Statistic that stands for the region: ``mean`` or ``median``.
    inferred
        True where the recipe was reconstructed from published numbers instead of a description.
    """

    id: str
    version: int
    title: str
    base: Region
    shape: Shape
    depth_mm: float
    membership: Membership
    headline: str
    inferred: bool
    source: str

    @property
    def regions(self) -> tuple[Region, ...]:
        """The regions measured under this protocol, in table order."""
        if self.shape is Shape.AXIAL_ELLIPSE:
            return (Region.TRABECULAR,)
        return (self.base, Region.TRABECULAR, Region.CORTICAL)


BODY_CORE_4 = Protocol(
    id="body-core-4",
    version=1,
    title="Core of the vertebral body, deeper than 4 mm",
    base=Region.BODY,
    shape=Shape.DEPTH,
    depth_mm=4.0,
    membership=Membership.WHOLE_VOXEL,
    headline="mean",
    inferred=False,
    source=(
        "Depth of 4 mm as in TotalSegmentator 2.18's spine report; whole voxels for partial volume"
    ),
)

VERTEBRA_CORE_3_5 = Protocol(
    id="vertebra-core-3.5",
    version=1,
    title="Core of the whole vertebra, deeper than 3.5 mm",
    base=Region.VERTEBRA,
    shape=Shape.DEPTH,
    depth_mm=3.5,
    membership=Membership.VOXEL_CENTRE,
    headline="mean",
    inferred=True,
    source=(
        "Inferred from 'Open-Source Machine Learning Computed Tomography Scan Segmentation for "
        "Spine Osteoporosis Diagnostics' (2026): trabecular part 35 % of the measured volume"
    ),
)

AXIAL_ROI = Protocol(
    id="axial-roi",
    version=1,
    title="Ellipse in the mid-body axial slab",
    base=Region.BODY,
    shape=Shape.AXIAL_ELLIPSE,
    depth_mm=4.0,
    membership=Membership.WHOLE_VOXEL,
    headline="mean",
    inferred=False,
    source="The manual region of interest of Pickhardt 2013, Ann Intern Med 158:588, drawn by rule",
)

PROTOCOLS: Mapping[str, Protocol] = {p.id: p for p in (BODY_CORE_4, VERTEBRA_CORE_3_5, AXIAL_ROI)}
"""Built-in protocols by id; the first is the default for trabecular HU."""


def protocol(protocol_id: str) -> Protocol:
    """Return a protocol by id; an unknown id is an error that lists the known ones.

    >>> protocol("body-core-4").depth_mm
    4.0
    """
    if protocol_id not in PROTOCOLS:
        raise ConfigError(
            "unknown protocol",
            where="--protocol",
            found=repr(protocol_id),
            wanted="one of " + ", ".join(PROTOCOLS),
        )
    return PROTOCOLS[protocol_id]
