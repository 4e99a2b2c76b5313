"""What is seen of a batch while it runs: in a terminal, in a log, by a machine."""

from __future__ import annotations

import json

import pytest

from osteoct.cli.batch_line import (
    BatchJson,
    BatchLine,
    draw_bar,
    tell_progress,
    tell_rate,
    tell_time,
)
from osteoct.run.progress import RunProgress
from osteoct.run.records import State


def moment(**more) -> RunProgress:
    """Half of a batch of 200 is over, two of them failed."""
    counts = {State.DONE: 98, State.FAILED: 2, State.PENDING: 98, State.RUNNING: 2}
    told = {"counts": counts, "finished": 100, "workers": 2, "elapsed_s": 50.0, **more}
    return RunProgress(**told)


def test_one_line_says_how_far_how_fast_and_what_failed() -> None:
    """The numbers a person looks for, and no others."""
    now = moment(rate_per_s=0.5, seconds_left=200.0, running={"w1": "a", "w2": "b"})
    words = tell_progress(now)
    assert words == "100/200, 30.0/min, 3 min left, 2 failed, 2 of 2 workers busy"
    assert draw_bar(now) == "[############............]"


def test_an_empty_batch_is_over() -> None:
    """No division by nothing."""
    now = RunProgress(counts={}, finished=0, workers=0, elapsed_s=0.0)
    assert draw_bar(now) == "[########################]"
    assert tell_progress(now) == "0/0"


def test_a_log_gets_a_line_now_and_then_and_the_engines_page_once(capsys) -> None:
    """Two lines a minute, however often progress is told."""
    with BatchLine() as line:
        for _ in range(5):
            line(moment(dashboard="http://127.0.0.1:8265"))
    said = capsys.readouterr().err.splitlines()
    assert said == ["the cluster's own page: http://127.0.0.1:8265", "100/200, 2 failed"]


def test_a_machine_gets_json(capsys) -> None:
    """One document a line."""
    with BatchJson() as tell:
        tell(moment())
    assert json.loads(capsys.readouterr().err)["counts"]["done"] == 98


@pytest.mark.parametrize(("per_s", "words"), [(2.0, "2.0/s"), (0.5, "30.0/min"), (0.001, "3.6/h")])
def test_rates_have_a_unit_to_compare_by(per_s, words) -> None:
    """Nobody compares 0.0003 with 0.0004."""
    assert tell_rate(per_s) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(99.0, "99 s"), (100.0, "2 min"), (6000.0, "1.7 h"), (200_000.0, "2.3 days")],
)
def test_times_are_said_as_people_do(seconds, words) -> None:
    """Each unit begins where the one before is no longer read."""
    assert tell_time(seconds) == words
