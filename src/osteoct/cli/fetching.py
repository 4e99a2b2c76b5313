"""Weights are fetched only after it was said how much, from where and to where."""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from osteoct.cli.live_line import LiveLine
from osteoct.cli.words import say

if TYPE_CHECKING:
    from osteoct.segment.weights.catalogue import WeightsNeed
    from osteoct.segment.weights.fetch import FetchPlan
    from osteoct.segment.weights.progress import FetchProgress

OFFLINE_VARIABLE: Final = "OSTEOCT_OFFLINE"

_SHOW_EVERY_S: Final = 0.2
_RATE_AFTER_S: Final = 1.0
"""Before that a rate is noise."""


class FetchLine(LiveLine):
    """Shows how far a fetch has come; a line per model stays."""

    def __init__(self) -> None:
        super().__init__()
        self._name, self._since, self._first, self._shown = "", 0.0, 0, 0.0

    def __call__(self, progress: FetchProgress) -> None:
        """Show one step."""
        from osteoct.segment.weights.progress import Stage

        if progress.stage is Stage.RECEIVING:
            self._receive(progress)
        elif progress.stage is Stage.UNPACKING:
            self.show(f"{progress.name.partition('_')[0]}: checking and unpacking")
        elif progress.stage is Stage.RETRYING:
            self._keep(str(progress.note))
        elif progress.stage is Stage.WAITING:
            self._keep("another osteoct is writing to this folder; waiting for it to end")
        else:
            self._done(progress)

    def _receive(self, progress: FetchProgress) -> None:
        """Percent, rate and time left, a few times a second."""
        now = time.monotonic()
        if progress.name != self._name:
            self._name, self._since, self._first = progress.name, now, progress.done_bytes
        if now - self._shown < _SHOW_EVERY_S:
            return
        self._shown = now
        self.show(self._in_words(progress, now - self._since))

    def _in_words(self, progress: FetchProgress, seconds: float) -> str:
        from osteoct.segment.weights.size import in_words, time_in_words

        done, total = progress.done_bytes, progress.total_bytes
        # whole names fill a terminal's line, and what wraps cannot be written over
        name = progress.name.partition("_")[0]
        words = f"{name}: {in_words(done)}"
        if total:
            words = f"{name}: {done / total:.0%} of {in_words(total)}"
        rate = (done - self._first) / seconds if seconds >= _RATE_AFTER_S else 0.0
        if rate <= 0:
            return words
        left = f", about {time_in_words((total - done) / rate)} left" if total else ""
        return f"{words}, {in_words(rate)}/s{left}"

    def _done(self, progress: FetchProgress) -> None:
        from osteoct.segment.weights.size import in_words, time_in_words

        seconds = time.monotonic() - self._since if progress.name == self._name else 0.0
        size = in_words(progress.done_bytes)
        self._keep(f"{progress.name}: {size} in {time_in_words(seconds)}")

    def _keep(self, words: str) -> None:
        """Say a line that stays; what is live moves below it."""
        self.show("")
        say(words)


def prepare_weights(segmenter: Any, ct: Path, *, offline: bool) -> None:  # noqa: ANN401 - Segmenter or None, imported late
    """Fetch what a segmenter lacks, announced; nothing where it lacks nothing or is ``None``.

    Raises
    ------
    WeightsMissingError
        Weights are missing, and fetching is forbidden.
    """
    from osteoct.errors import WeightsMissingError
    from osteoct.io.volume import read_volume
    from osteoct.segment.weights.catalogue import WeightsUser

    if not isinstance(segmenter, WeightsUser):
        return
    try:
        segmenter.check()  # type: ignore[attr-defined]
    except WeightsMissingError as error:
        if is_offline(offline=offline):
            raise forbidden(error) from None
        if not ct.exists():
            read_volume(ct)  # says so, before hundreds of megabytes are fetched for nothing
        need = segmenter.needed_weights()
        fetch_announced(need, note="this is done once; --offline forbids it")
        segmenter.check()  # type: ignore[attr-defined]


def fetch_announced(
    need: WeightsNeed,
    *,
    again: bool = False,
    accept: Collection[str] = (),
    note: str = "",
) -> tuple[str, ...]:
    """Say what will be fetched, fetch it, and show how far it has come."""
    from osteoct.segment.weights.fetch import fetch, plan_fetch

    plan = plan_fetch(need, again=again)
    if plan.downloads:
        say(announce(plan, need, note))
    try:
        with FetchLine() as line:
            return fetch(need, again=again, accept=accept, hear=line)
    except KeyboardInterrupt:
        say("what has arrived is kept: the next fetch goes on from there")
        raise


def announce(plan: FetchPlan, need: WeightsNeed, note: str) -> str:
    """Size, source and destination of a fetch, in one line."""
    from osteoct.segment.weights.size import in_words

    size = "weights of unknown size"
    if plan.total_bytes is not None:
        size = f"{in_words(plan.total_bytes)} of weights"
    here = f" ({in_words(plan.here_bytes)} of it here already)" if plan.here_bytes else ""
    end = f"; {note}" if note else ""
    return f"fetching {size}{here} from {plan.host} into {need.place.shown}{end}"


def is_offline(*, offline: bool) -> bool:
    """Whether fetching is forbidden, by the option or by the environment."""
    return offline or os.environ.get(OFFLINE_VARIABLE, "").strip() not in ("", "0")


def forbidden(error: Any) -> Any:  # noqa: ANN401 - WeightsMissingError, imported late
    """Return the failure of missing weights for a user who forbade fetching."""
    return type(error)(
        error.what,
        where=error.where,
        found=error.found,
        wanted=error.wanted,
        hint=f"--offline or {OFFLINE_VARIABLE} forbids fetching; where it is allowed, {error.hint}",
    )
