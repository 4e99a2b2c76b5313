"""What a ledger hands out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from osteoct.records import Severity, Usability
from osteoct.run.ledger.packing import unpack_inputs
from osteoct.run.records import Cause, Failure, Inputs, State, WorkItem


@dataclass(frozen=True, kw_only=True)
class PlanCounts:
    """What recording a plan came to.

    Parameters
    ----------
    new, changed, unchanged
        Cases never seen, cases whose key is another one now, and cases left as they are.
    refused
        Entries of the plan that are no case to measure.
    repeated
        Entries whose ``case_id`` stood in the same plan before; the first one counts.
    """

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    repeated: int = 0


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A case given to one owner.

    Parameters
    ----------
    attempt
        Number of the attempt about to be made, from 1.
    alone
        Whether no other case may share the worker: one of two crashed it before.
    """

    item: WorkItem
    attempt: int
    alone: bool


@dataclass(frozen=True, kw_only=True)
class FailureCount:
    """How many cases ended without a result for one reason, and one of them."""

    cause: Cause
    kind: str
    cases: int
    example_case_id: str
    example_message: str


@dataclass(frozen=True, kw_only=True)
class FindingCount:
    """How many cases have this code as their gravest finding."""

    code: str
    cases: int


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One attempt at a case that is over.

    Parameters
    ----------
    end
        The state it led to, ``interrupted`` (its coordinator died) or ``given-back``.
    """

    number: int
    owner: str
    worker: str | None
    began: datetime
    ended: datetime
    end: str
    failure: Failure | None
    peak_mib: float | None


@dataclass(frozen=True, kw_only=True)
class Row:
    """All that is known of one case; times are UTC.

    Parameters
    ----------
    key
        ``None`` for what was refused when the plan was made.
    attempts
        Attempts that were charged; an interrupted one is not.
    interruptions
        How often a coordinator died or stood still with this case in its hands.
    owner, worker
        Who has it now, or had it last.
    began, ended
        Of the last attempt.
    failure
        Why there is no result, or why the last attempt brought none.
    """

    case_id: str
    patient: str | None
    key: str | None
    segment_key: str | None
    bytes_in: int | None
    voxels: int | None
    state: State
    attempts: int
    alone: bool
    interruptions: int
    owner: str | None
    worker: str | None
    planned: datetime
    began: datetime | None
    ended: datetime | None
    failure: Failure | None
    seconds: dict[str, float]
    peak_mib: float | None
    findings: dict[Severity, int]
    worst: str | None
    usability: Usability | None
    is_measured: bool | None
    place: str | None
    packed_inputs: bytes | None = field(default=None, repr=False)

    @property
    def inputs(self) -> Inputs | None:
        """Where the images lie; unpacked when asked for, as tables do not need it."""
        return None if self.packed_inputs is None else unpack_inputs(self.packed_inputs)
