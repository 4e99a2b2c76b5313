"""Faults of names and of the column, at three strengths."""

from __future__ import annotations

from dataclasses import replace

from osteoct.anatomy import Level
from osteoct.phantom.faults.fault import Degree, Fault, Strength, on_images
from osteoct.phantom.faults.names import (
    drop_bodies,
    drop_levels,
    give_to_sacrum,
    leak,
    lumbar_only,
    merge,
    misname_arch,
    name_sacrum_l5,
    number_along,
    renumber,
    split_sideways,
    swap_parts,
)
from osteoct.phantom.faults.subject import Subject

L1, L2, L3, L4, L5, L6 = Level.L1, Level.L2, Level.L3, Level.L4, Level.L5, Level.L6
MIDDLE, STRONG = Strength.MIDDLE, Strength.STRONG


def _six_lumbar(subject: Subject, *, last: Level | None) -> Subject:
    """A column with a vertebra too many: T12 counts as L1, and so on down to L5."""
    names = {Level.T12: L1, L1: L2, L2: L3, L3: L4, L4: L5, L5: last}
    return renumber(subject, {k: v for k, v in names.items() if k in subject.levels})


def _without_bodies(subject: Subject) -> Subject:
    """No body mask at all."""
    return replace(subject, bodies=None)


def _numbered_degrees(steps: int) -> tuple[Degree, Degree, Degree]:
    """Numbered one level wrong: without anchor, with neighbours, with names that run into S1."""
    return (
        Degree(text="L1–L5 alone", images=lambda s: lumbar_only(number_along(s, steps))),
        Degree(text="whole column", images=lambda s: number_along(s, steps)),
        Degree(text="two levels", images=lambda s: number_along(s, 2 * steps)),
    )


NAMING_FAULTS: tuple[Fault, ...] = (
    Fault(
        name="swap",
        title="labels of L2 and L3 exchanged, by share",
        degrees=on_images(lambda s, v: swap_parts(s, L2, L3, share=v), 0.1, 0.4, 1.0, unit="%"),
        levels=(L2, L3),
    ),
    Fault(
        name="merge",
        title="L2 labelled L3: two levels in one label, by share",
        degrees=on_images(lambda s, v: merge(s, L2, into=L3, share=v), 0.4, 0.7, 1.0, unit="%"),
        levels=(L2, L3),
    ),
    Fault(
        name="leak",
        title="L3 leaks into L4, by share of L4",
        degrees=on_images(lambda s, v: leak(s, L3, into=L4, share=v), 0.1, 0.2, 0.3, unit="%"),
        levels=(L3, L4),
    ),
    Fault(
        name="split",
        title="the right-hand share of L3 labelled L2: one level in two labels",
        degrees=on_images(
            lambda s, v: split_sideways(s, L3, named=L2, share=v), 0.1, 0.25, 0.5, unit="%"
        ),
        levels=(L2, L3),
    ),
    Fault(
        name="arch-of-neighbour",
        title="the hindmost share of L3 labelled L2",
        degrees=on_images(
            lambda s, v: misname_arch(s, L3, named=L2, share=v), 0.05, 0.15, 0.3, unit="%"
        ),
        levels=(L2, L3),
    ),
    Fault(
        name="missing-levels",
        title="levels left out of the masks",
        degrees=(
            Degree(text="L1", images=lambda s: drop_levels(s, (L1,))),
            Degree(text="L3", images=lambda s: drop_levels(s, (L3,))),
            Degree(text="L2–L4", images=lambda s: drop_levels(s, (L2, L3, L4))),
        ),
        levels=(L1, L2, L3, L4),
    ),
    Fault(
        name="missing-bodies",
        title="levels left out of the body masks",
        degrees=(
            Degree(text="L3", images=lambda s: drop_bodies(s, (L3,))),
            Degree(text="L2–L4", images=lambda s: drop_bodies(s, (L2, L3, L4))),
            Degree(text="all", images=_without_bodies),
        ),
        needs_bodies=True,
    ),
    Fault(
        name="numbered-up",
        title="every vertebra named a level too high",
        degrees=_numbered_degrees(-1),
    ),
    Fault(
        name="numbered-down",
        title="every vertebra named a level too low",
        degrees=_numbered_degrees(1),
    ),
    Fault(
        name="six-lumbar",
        title="six vertebrae without ribs: the last one",
        degrees=(
            Degree(text="named L6", images=lambda s: _six_lumbar(s, last=L6)),
            Degree(text="unnamed", images=lambda s: _six_lumbar(s, last=None)),
            Degree(
                text="unnamed, and named sacrum in part",
                images=lambda s: _six_lumbar(give_to_sacrum(s, L5, share=0.4), last=None),
            ),
        ),
        # without T12 in the masks it is L1 that is missing
        needs_levels=(Level.T12,),
    ),
    Fault(
        name="four-lumbar",
        title="L5 labelled as sacrum, by share",
        degrees=on_images(lambda s, v: give_to_sacrum(s, L5, share=v), 0.2, 0.5, 1.0, unit="%"),
        levels=(L4, L5),
    ),
    Fault(
        name="sacrum-as-l5",
        title="the upper share of the sacrum labelled L5, all others a level up",
        degrees=on_images(lambda s, v: name_sacrum_l5(s, share=v), 0.2, 0.5, 1.0, unit="%"),
        blocking_from=STRONG,
        needs_sacrum=True,
    ),
)
"""What goes wrong with names."""
