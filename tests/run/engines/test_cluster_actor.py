"""The side of an actor, without Ray: the order of cases that arrive in another one."""

from __future__ import annotations

import pytest

from osteoct.run.engines.cluster_actor import ClusterActor
from osteoct.run.engines.cluster_words import Ended, Word
from osteoct.run.engines.interface import Started, WorkerSpec
from osteoct.run.records import Inputs, WorkItem
from osteoct.run.testing import STAGE


def a_case(case_id: str) -> WorkItem:
    return WorkItem(case_id=case_id, key="k", inputs=Inputs(ct=("ct",)), bytes_in=1)


@pytest.mark.parametrize("depth", [1, 2])
def test_cases_that_overtake_each_other_are_taken_up_in_order(
    depth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a time limit the first case given is charged: another one must not hang in its place."""
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "1")
    actor = ClusterActor("w1", WorkerSpec(stage=STAGE, depth=depth))
    actor.give(None, 3)
    actor.give(a_case("second"), 1)
    actor.give(a_case("first"), 0)
    actor.give(a_case("third"), 2)
    words: list[Word] = []
    while not any(isinstance(word, Ended) for word in words):
        words += actor.listen()
    started = [word.case_id for word in words if isinstance(word, Started)]
    assert started == ["first", "second", "third"]
