"""What becomes of a case after an attempt."""

from __future__ import annotations

from osteoct.run.records import Outcome, State

ATTEMPTS = 3
"""Attempts that a case gets: a crash or an occupied device may pass; three are no chance."""


def judge(outcome: Outcome, *, attempt: int, attempts: int = ATTEMPTS) -> State:
    """Return the state of a case after its ``attempt``-th attempt (counted from 1).

    >>> from osteoct.run.records import Cause, Failure
    >>> crash = Outcome(case_id="a", key="k", failure=Failure(
    ...     cause=Cause.CRASH, kind="SIGSEGV", message="the worker ended"))
    >>> [str(judge(crash, attempt=n)) for n in (1, 2, 3)]
    ['pending', 'pending', 'set-aside']
    """
    if outcome.failure is None:
        return State.DONE
    if not outcome.failure.cause.is_worth_repeating:
        return State.FAILED
    return State.PENDING if attempt < attempts else State.SET_ASIDE
