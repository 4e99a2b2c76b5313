"""What a run has claimed and how far it is, as the coordinator counts it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from osteoct.run.ledger.records import Claim


@dataclass(kw_only=True, eq=False)
class Tally:
    """What is claimed and how far the run is.

    Parameters
    ----------
    waiting
        Claimed, and with no worker yet.
    given
        Cases given out in this run.
    failed_starts
        Workers that ended before they were ready, one after the other.
    is_dry
        Whether the ledger had nothing to claim when it was last asked.
    spared
        Cases that failed for the machine's sake and are to count as untried.
    """

    waiting: deque[Claim] = field(default_factory=deque)
    given: int = 0
    failed_starts: int = 0
    is_dry: bool = False
    spared: tuple[str, ...] = ()
