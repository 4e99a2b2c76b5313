"""Records of how sure the names of the levels are; part of :mod:`osteoct.records`."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from osteoct.anatomy import Level
from osteoct.record import Record


class AnchorKind(StrEnum):
    """What vertebrae can be counted from."""

    SACRUM = "sacrum"
    RIBS = "ribs"
    PROCESSES = "processes"
    """The last vertebra without long transverse processes."""
    C2 = "c2"
    """C2 under C1, without a sacrum at the other end."""
    WHOLE_COLUMN = "whole-column"
    """Every vertebra from C2 to the sacrum."""


class Anchor(Record):
    """One thing that tells a vertebra's name, apart from its label.

    Parameters
    ----------
    named
        What the masks call the vertebra in question.
    expected
        What the anchor calls it.
    """

    kind: AnchorKind
    named: Level
    expected: Level
    says: str

    @property
    def agrees(self) -> bool:
        """Whether it calls the vertebra what the masks call it."""
        return self.named is self.expected


class LevelName(Record):
    """How sure the name of one vertebra is, and what that rests on."""

    level: Level
    certainty: float = Field(ge=0, le=1)
    reason: str


class Numbering(Record):
    """How sure the names of a case's vertebrae are.

    Parameters
    ----------
    certainty
        0 … 1, that of the least sure level; how it is reckoned stands in
        ``docs/explanation/level-certainty.md``.
    reason
        Why it is no more.
    names
        Each vertebra of ``levels_seen`` but S1 with a certainty of its own: lower on the far side
        of a gap or a doubtful label. Empty in results of before levels were judged apart.
    levels_seen
        Every vertebra that the masks hold, asked for or not.
    candidates
        What the lumbar vertebrae may be, the most likely first.
    """

    certainty: float = Field(ge=0, le=1)
    anchors: tuple[Anchor, ...] = ()
    reason: str
    candidates: tuple[str, ...] = ()
    levels_seen: tuple[Level, ...] = ()
    names: tuple[LevelName, ...] = ()

    def name_of(self, level: Level) -> LevelName | None:
        """How sure a level's name is; ``None`` where the masks do not hold it.

        In results that know one certainty for all, that one.
        """
        known = next((name for name in self.names if name.level is level), None)
        if known is not None or level not in self.levels_seen:
            return known
        return LevelName(level=level, certainty=self.certainty, reason=self.reason)
