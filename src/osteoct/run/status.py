"""How far a batch is, from its ledger alone: also while another process works on it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from osteoct.record import Record
from osteoct.run.ledger.ledger import Ledger
from osteoct.run.records import Cause, State

_RECENT: Final = timedelta(minutes=10)
_WORST: Final = 8
"""Findings that are told: more are not read."""


class Reason(Record):
    """Cases without a result for one reason, and what one of them says."""

    cause: Cause
    kind: str
    cases: int
    example_case_id: str
    example_message: str


class BatchStatus(Record):
    """A moment of a batch.

    Parameters
    ----------
    rate_per_s
        Of the last ten minutes; ``None`` where nothing ended.
    seconds_left
        For what is pending and running, at that rate.
    reasons
        Why cases have no result, the most frequent first.
    findings
        Cases by their gravest finding.
    """

    counts: dict[State, int]
    rate_per_s: float | None = None
    seconds_left: float | None = None
    reasons: tuple[Reason, ...] = ()
    findings: dict[str, int] = {}  # noqa: RUF012 - pydantic copies defaults

    @property
    def total(self) -> int:
        """All cases."""
        return sum(self.counts.values())

    @property
    def left(self) -> int:
        """Cases that are not over."""
        return sum(n for state, n in self.counts.items() if not state.is_over)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do."""
        return self.left == 0

    @property
    def is_all_done(self) -> bool:
        """Whether every case has a result."""
        return self.counts.get(State.DONE, 0) == self.total


def read_status(ledger: Ledger) -> BatchStatus:
    """Return how far a batch is."""
    counts = ledger.counts()
    ended = ledger.finished_since(datetime.now(UTC) - _RECENT)
    rate = ended / _RECENT.total_seconds() if ended else None
    status = BatchStatus(
        counts=counts,
        rate_per_s=rate,
        reasons=tuple(
            Reason(
                cause=found.cause,
                kind=found.kind,
                cases=found.cases,
                example_case_id=found.example_case_id,
                example_message=found.example_message,
            )
            for found in ledger.failures()
        ),
        findings={found.code: found.cases for found in ledger.findings(_WORST)},
    )
    left = None if rate is None or status.is_over else status.left / rate
    return status.model_copy(update={"seconds_left": left})
