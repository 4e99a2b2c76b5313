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


class Numbering(Record):
    """How sure the names of a case's vertebrae are.

    Parameters
    ----------
    certainty
        0 … 1; how it is reckoned stands in ``docs/explanation/level-certainty.md``.
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
