"""How sure the name of each vertebra is, seen from what it was counted from.

Counting goes from vertebra to vertebra. Where one is missing from the masks its place is taken from
the distance of its neighbours, and where a label is not one vertebra what lies beyond it was
counted over a doubt: the names on the far side of either are less sure than those before it. With
something to count from on both sides, each vertebra is counted from where that is surest. The
arithmetic stands in ``docs/explanation/level-certainty.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import floor, prod

from osteoct.anatomy import Level
from osteoct.compartments.anchors import Sights, Step, steps_apart
from osteoct.quality.named_bones import level_of
from osteoct.quality.sacrum import count_between
from osteoct.records import Anchor, AnchorKind, Finding, LevelName, Severity

TRANSITIONAL_SHARE = 0.163
"""Share of people with a transitional vertebra (10.1007/s00256-025-04952-z)."""

ONE_ANCHOR = 1 - TRANSITIONAL_SHARE
"""Certainty of names counted from one end: in so many people that end is what it seems."""

SHAPE_ANCHOR = round(1 - 2 * TRANSITIONAL_SHARE, 3)
"""Chosen: the shape of vertebrae may be misread as well, and that is taken as often."""

FROM_C2 = 0.95
"""Chosen: from C2 down nothing is left to guess but whether it is C2, and without a sacrum below
the count has no second end."""

NO_ANCHOR = 0.5
"""Chosen: without an anchor names are the segmenter's guess."""

UNUSUAL = 0.5
"""Chosen, likewise: an unusual spine or a wrong name, and nothing says which."""

CONTRADICTED = 0.1
"""Chosen: names that contradict each other are wrong somewhere."""

OVER_A_GAP = 0.9
"""Left of a certainty for each vertebra that is missing, or whose label is not one vertebra, on the
way: how sure it is that a distance tells their number, as the finding about it says (chosen)."""

UNMEASURED = 0.5
"""Left where a gap has no distance, because a neighbour is cut: names beyond are a guess (chosen,
as ``NO_ANCHOR``)."""

ROUNDING = 0.5
"""A distance of 1.5 usual ones, or of less than a half, is not that of neighbours."""

MIXED_UP = ("labels-swapped", "merged-levels", "level-in-two-labels")
"""Findings that say, where they block, that a label is not one vertebra."""

SPACING = "level-spacing"

_STRENGTH: Mapping[AnchorKind, float] = {
    AnchorKind.WHOLE_COLUMN: 1.0,
    AnchorKind.C2: FROM_C2,
    AnchorKind.SACRUM: ONE_ANCHOR,
    AnchorKind.RIBS: ONE_ANCHOR,
    AnchorKind.PROCESSES: SHAPE_ANCHOR,
}
_LIMIT: Mapping[AnchorKind, str] = {
    AnchorKind.C2: "nothing below confirms the count",
    AnchorKind.SACRUM: f"{TRANSITIONAL_SHARE:.1%} have a transitional vertebra",
    AnchorKind.RIBS: f"{TRANSITIONAL_SHARE:.1%} have a transitional vertebra",
    AnchorKind.PROCESSES: "neither sacrum nor ribs are labelled",
}


@dataclass(frozen=True, kw_only=True)
class Link:
    """What counting from one vertebra to the next, or over it, leaves of a certainty.

    Parameters
    ----------
    reason
        What takes something away; empty where nothing does.
    is_broken
        Whether the two contradict each other: nothing can be counted over it.
    """

    left: float = 1.0
    reason: str = ""
    is_broken: bool = False


@dataclass(frozen=True, kw_only=True)
class Chain:
    """The vertebrae of a case and what lies between them, from head to feet.

    Parameters
    ----------
    links
        One fewer than levels.
    doubtful
        What counting over a level leaves, for levels whose label is not one vertebra.
    below
        What counting from the sacrum to the lowest level leaves.
    """

    levels: tuple[Level, ...]
    links: tuple[Link, ...]
    doubtful: Mapping[Level, Link] = field(default_factory=dict)
    below: Link = field(default_factory=Link)

    def way(self, start: int, end: int) -> tuple[Link, ...]:
        """What is counted over between two places; of the two levels themselves, the first."""
        first, last = sorted((start, end))
        over = [n for n in range(first, last + 1) if n != end]
        doubts = (self.doubtful[lv] for n in over if (lv := self.levels[n]) in self.doubtful)
        return (*self.links[first:last], *doubts)


def room_of(step: Step) -> int:
    """How many steps fit into a distance."""
    return floor(step.ratio + ROUNDING)


def name_each(
    sights: Sights,
    anchors: Sequence[Anchor],
    findings: Sequence[Finding],
    doubtful: Mapping[Level, str],
) -> tuple[LevelName, ...]:
    """Say of every vertebra how sure its name is, and why.

    Parameters
    ----------
    anchors, findings
        What the numbering was judged by.
    doubtful
        Levels whose label is not one vertebra, and the code of the finding that says so.
    """
    chain = make_chain(sights, doubtful)
    limit, said = _limit_all(chain, anchors, findings)
    names = [_name(chain, place, anchors) for place in range(len(chain.levels))]
    return tuple(
        name
        if name.certainty < limit
        else name.model_copy(update={"certainty": limit, "reason": said})
        if said
        else name
        for name in names
    )


def find_mixed_up(findings: Sequence[Finding]) -> dict[Level, str]:
    """Levels whose label is not one vertebra and was not repaired."""
    return {
        f.level: f.code
        for f in findings
        if f.level is not None and f.code in MIXED_UP and f.severity is Severity.BLOCKING
    }


def make_chain(sights: Sights, doubtful: Mapping[Level, str]) -> Chain:
    """What lies between the vertebrae of a case."""
    levels = tuple(lv for lv in sights.column.levels if lv is not Level.S1)
    steps = {(level_of(s.upper), level_of(s.lower)): s for s in sights.steps}
    between = 0 if sights.sacrum is None else count_between(sights.sacrum.ratio)
    return Chain(
        levels=levels,
        links=tuple(make_link(u, lo, steps.get((u, lo))) for u, lo in pairwise(levels)),
        doubtful={
            lv: Link(left=OVER_A_GAP, reason=f"counted over {lv}, whose label is doubtful ({code})")
            for lv, code in doubtful.items()
        },
        below=Link(
            left=OVER_A_GAP**between,
            reason=f"{_vertebrae(between)} missing below {levels[-1]} and counted by distance",
        )
        if between
        else Link(),
    )


def make_link(upper: Level, lower: Level, step: Step | None) -> Link:
    """What counting from one vertebra to the next in the masks leaves of a certainty."""
    missing = steps_apart(upper, lower) - 1
    if step is not None and room_of(step) != missing + 1:
        reason = f"beyond {upper} and {lower}, whose distance contradicts their names"
        return Link(left=0.0, reason=reason, is_broken=True)
    if missing < 1:
        return Link()
    gap = f"{_vertebrae(missing)} missing between {upper} and {lower}"
    if step is None:
        reason = f"{gap}, and no distance tells how many, because the border cuts a neighbour"
        return Link(left=UNMEASURED, reason=reason)
    return Link(left=OVER_A_GAP**missing, reason=f"{gap} and counted by distance")


def _vertebrae(count: int) -> str:
    return "1 vertebra is" if count == 1 else f"{count} vertebrae are"


def _limit_all(
    chain: Chain, anchors: Sequence[Anchor], findings: Sequence[Finding]
) -> tuple[float, str]:
    """What no certainty of the case exceeds, and why; the worst thing counts."""
    blocking = [f for f in findings if f.severity is Severity.BLOCKING]
    reach_all = [f for f in blocking if f.code != SPACING or _none_is_spared(chain, anchors)]
    if reach_all:
        return CONTRADICTED, reach_all[0].message
    unusual = [f for f in findings if f.code not in ("level-missing-inside", SPACING)]
    return (UNUSUAL, unusual[0].message) if unusual else (1.0, "")


def _none_is_spared(chain: Chain, anchors: Sequence[Anchor]) -> bool:
    """Whether a contradiction inside the column reaches every name.

    It does not where one side of it alone can be counted from: that side's names are as sure as
    before. With something to count from on both sides, the two contradict each other.
    """
    places = [n for a in anchors if a.agrees if (n := _place(chain, a)) is not None]
    broken = [n for n, link in enumerate(chain.links) if link.is_broken]
    return not places or any(min(places) <= n < max(places) for n in broken)


def _place(chain: Chain, anchor: Anchor) -> int | None:
    return chain.levels.index(anchor.named) if anchor.named in chain.levels else None


def _name(chain: Chain, place: int, anchors: Sequence[Anchor]) -> LevelName:
    """The name of one vertebra, counted from where that is surest."""
    level = chain.levels[place]
    ways = [_count(chain, place, anchor) for anchor in anchors]
    known = [way for way in ways if way is not None]
    certainty, reason = (
        max(known, key=lambda way: way[0])
        if known
        else (NO_ANCHOR, "neither sacrum, ribs nor the change from T12 to L1 is in the masks")
    )
    own = chain.doubtful.get(level)
    if own is not None and certainty > UNUSUAL:
        certainty, reason = UNUSUAL, f"its own label is not one vertebra; {reason}"
    return LevelName(level=level, certainty=certainty, reason=reason)


def _count(chain: Chain, place: int, anchor: Anchor) -> tuple[float, str] | None:
    """Certainty of a vertebra counted from one anchor, and why."""
    start = _place(chain, anchor)
    if start is None:
        return None
    way = chain.way(start, place)
    if anchor.kind is AnchorKind.SACRUM:
        way = (chain.below, *way)
    left = prod((link.left for link in way), start=_STRENGTH[anchor.kind])
    why = [anchor.says, _LIMIT.get(anchor.kind, ""), *dict.fromkeys(link.reason for link in way)]
    return max(CONTRADICTED, left), "; ".join(filter(None, why))
