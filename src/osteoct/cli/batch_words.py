"""What is said of a batch: its plan, its status, its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

import click

from osteoct.cli.batch_line import tell_rate, tell_time
from osteoct.cli.words import say

if TYPE_CHECKING:
    from osteoct.run.batch import Recovery
    from osteoct.run.ledger.records import PlanCounts
    from osteoct.run.progress import RunProgress
    from osteoct.run.records import Refusal, WorkItem
    from osteoct.run.status import BatchStatus, Reason

_SHOWN: Final = 8
_GIB: Final = 1024**3


def say_plan(counts: PlanCounts) -> None:
    """Say what planning came to."""
    parts = (
        (counts.new, "new"),
        (counts.changed, "changed"),
        (counts.unchanged, "unchanged"),
        (counts.refused, "refused"),
        (counts.repeated, "named twice and left out"),
    )
    said = ", ".join(f"{number} {word}" for number, word in parts if number)
    say(f"Plan: {said or 'no case found'}")


def say_left_out(left_out: Mapping[str, int]) -> None:
    """Say how many files belong to no case."""
    counted = [f"{number} × {why}" for why, number in left_out.items() if number]
    if counted:
        say("Left out: " + ", ".join(counted))


def say_recovery(recovery: Recovery) -> None:
    """Say what a run that died had left."""
    if recovery.given_back or recovery.adopted:
        say(
            f"An earlier run ended in the middle: {recovery.adopted} results were whole, "
            f"{recovery.given_back} cases are done again"
        )


def print_preview(entries: Iterable[WorkItem | Refusal]) -> int:
    """Print what would be done; the exit code."""
    from osteoct.run.records import WorkItem

    cases = size = to_segment = 0
    reasons: Counter[str] = Counter()
    for entry in entries:
        if isinstance(entry, WorkItem):
            cases += 1
            size += entry.bytes_in
            to_segment += entry.segment_key is not None
        else:
            reasons[entry.message] += 1
    click.echo(f"{cases} cases, {size / _GIB:.2f} GiB, {to_segment} to be segmented")
    for message, number in reasons.most_common(_SHOWN):
        click.echo(f"refused: {number} × {message}")
    return 0 if cases else 1


def print_status(status: BatchStatus, *, as_json: bool) -> None:
    """Print a status as a few lines or as one of JSON."""
    if as_json:
        click.echo(status.model_dump_json())
        return
    states = ", ".join(f"{number} {state}" for state, number in status.counts.items() if number)
    click.echo(f"{status.total} cases: {states or 'none'}")
    if status.rate_per_s and not status.is_over:
        left = "" if status.seconds_left is None else f", {tell_time(status.seconds_left)} left"
        click.echo(f"{tell_rate(status.rate_per_s)}{left}")
    for line in _tell_reasons(status):
        click.echo(line)
    if status.findings:
        found = ", ".join(f"{code} {number}" for code, number in status.findings.items())
        click.echo(f"gravest finding of each case: {found}")


def say_end(end: RunProgress, status: BatchStatus, store: str) -> None:
    """Say how a run ended, and what to do about what failed."""
    rate = f" ({tell_rate(end.rate_per_s)})" if end.rate_per_s else ""
    say(f"{end.finished} cases in {tell_time(end.elapsed_s)}{rate}")
    print_status(status, as_json=False)
    if status.left:
        say(f"Go on with: osteoct run {store} --resume")
    elif not status.is_all_done:
        say(f"Try those without a result again: osteoct run {store} --retry all")
    say(f"One table of everything: osteoct collect {store} -o results.csv")


def _tell_reasons(status: BatchStatus) -> list[str]:
    """Why cases have no result, the most frequent first."""
    lines = [_tell_reason(reason) for reason in status.reasons[:_SHOWN]]
    more = len(status.reasons) - _SHOWN
    return [*lines, f"and {more} more reasons"] if more > 0 else lines


def _tell_reason(reason: Reason) -> str:
    case = "case" if reason.cases == 1 else "cases"
    return (
        f"{reason.cases} {case} ({reason.cause}): {reason.example_message} "
        f"[{reason.example_case_id}]"
    )
