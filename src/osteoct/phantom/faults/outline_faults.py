"""Faults of masks' places and outlines, at three strengths."""

from __future__ import annotations

from osteoct.anatomy import LUMBAR, Level
from osteoct.phantom.faults.fault import Degree, Fault, Strength, on_images
from osteoct.phantom.faults.outlines import (
    add_arches_to_bodies,
    add_hole,
    add_stray,
    coarsen_masks,
    eat_arch,
    eat_level,
    flip_masks_head_feet,
    grow_masks,
    mirror_masks,
    shift_bodies,
    shift_masks,
    shrink_bodies,
    shrink_masks,
    spill_down,
    turn_levels,
)
from osteoct.phantom.faults.subject import Subject

L3 = Level.L3
STRONG = Strength.STRONG


def _lumbar(subject: Subject) -> tuple[Level, ...]:
    """The lumbar levels that a case has."""
    return tuple(level for level in subject.levels if level in LUMBAR)


OUTLINE_FAULTS: tuple[Fault, ...] = (
    Fault(
        name="shift-right",
        title="all masks shifted to the right",
        degrees=on_images(lambda s, v: shift_masks(s, (v, 0, 0)), 1.5, 3.0, 5.0, unit="mm"),
    ),
    Fault(
        name="shift-front",
        title="all masks shifted to the front",
        degrees=on_images(lambda s, v: shift_masks(s, (0, v, 0)), 1.5, 3.0, 5.0, unit="mm"),
    ),
    Fault(
        name="shift-up",
        title="all masks shifted towards the head",
        degrees=on_images(lambda s, v: shift_masks(s, (0, 0, v)), 1.5, 3.0, 5.0, unit="mm"),
    ),
    Fault(
        name="other-place",
        title="all masks far from their bone",
        degrees=on_images(lambda s, v: shift_masks(s, (0, v, v)), 10.0, 20.0, 40.0, unit="mm"),
        blocking_from=STRONG,
    ),
    Fault(
        name="mirrored",
        title="masks mirrored about a plane beside the spine",
        degrees=on_images(lambda s, v: mirror_masks(s, beside_mm=v), 1.5, 4.0, 10.0, unit="mm"),
    ),
    Fault(
        name="upside-down",
        title="masks turned upside down",
        degrees=(
            Degree(text="L3 in itself", images=lambda s: turn_levels(s, (L3,))),
            Degree(text="each in itself", images=lambda s: turn_levels(s, _lumbar(s))),
            Degree(text="the column", images=flip_masks_head_feet),
        ),
        blocking_from=STRONG,
    ),
    Fault(
        name="body-shift",
        title="body masks shifted to the back",
        degrees=on_images(lambda s, v: shift_bodies(s, (0, -v, 0)), 3.0, 6.0, 12.0, unit="mm"),
        needs_bodies=True,
    ),
    Fault(
        name="body-arches",
        title="body masks hold the front share of the arches",
        degrees=on_images(lambda s, v: add_arches_to_bodies(s, share=v), 0.2, 0.6, 1.0, unit="%"),
        needs_bodies=True,
    ),
    Fault(
        name="body-small",
        title="body masks too small all around",
        degrees=on_images(shrink_bodies, 1.5, 3.5, 6.0, unit="mm"),
        needs_bodies=True,
    ),
    Fault(
        name="island",
        title="a stray ball of L3's label, by radius",
        degrees=on_images(lambda s, v: add_stray(s, L3, radius_mm=v), 3.0, 6.0, 12.0, unit="mm"),
        levels=(L3,),
    ),
    Fault(
        name="hole",
        title="a hole in L3's masks, by radius",
        degrees=on_images(lambda s, v: add_hole(s, L3, radius_mm=v), 3.0, 6.0, 9.0, unit="mm"),
        levels=(L3,),
    ),
    Fault(
        name="grown",
        title="all masks too large",
        degrees=on_images(grow_masks, 1.0, 3.0, 5.0, unit="mm"),
    ),
    Fault(
        name="shrunk",
        title="all masks too small",
        degrees=on_images(shrink_masks, 1.0, 2.5, 4.0, unit="mm"),
    ),
    Fault(
        name="eaten",
        title="the lower share of L3 not labelled",
        degrees=on_images(lambda s, v: eat_level(s, L3, share=v), 0.1, 0.3, 0.6, unit="%"),
        levels=(Level.L2, L3, Level.L4),
    ),
    Fault(
        name="arch-missing",
        title="the hindmost share of every lumbar level not labelled",
        degrees=on_images(lambda s, v: eat_arch(s, _lumbar(s), share=v), 0.1, 0.2, 0.35, unit="%"),
    ),
    Fault(
        name="into-disc",
        title="L3's mask runs into the disc below",
        degrees=on_images(lambda s, v: spill_down(s, L3, reach_mm=v), 3.0, 6.0, 9.0, unit="mm"),
        levels=(L3, Level.L4),
    ),
    Fault(
        name="coarse-masks",
        title="masks made on a grid coarser by a factor",
        degrees=on_images(lambda s, v: coarsen_masks(s, int(v)), 2, 4, 7, unit="×"),
    ),
)
"""What goes wrong with outlines."""
