"""Refusals are told, and not so often that nothing else is read."""

from __future__ import annotations

from osteoct.network.node.refusals import SILENCE_S, Refusal, Tally


def test_ten_thousand_refusals_are_few_lines():
    """The first at once, the others together after a while, the rest at the end."""
    said, now = [], [0.0]
    tally = Tally(said.append, clock=lambda: now[0])
    for _ in range(10_000):
        tally.add(Refusal.CALLER)
    assert said == ["refused: a caller that is not on the list"]
    now[0] = SILENCE_S
    tally.add(Refusal.CALLER)
    assert said[1:] == ["refused: a caller that is not on the list (10000 times)"]
    tally.add(Refusal.CALLER, 4)
    tally.tell_rest()
    assert said[2:] == ["refused: a caller that is not on the list (4 times)"]
    tally.tell_rest()
    assert len(said) == 3
    assert tally.counts == {"a caller that is not on the list": 10_005}


def test_kinds_do_not_silence_each_other():
    """A flood of one kind hides no other."""
    said = []
    tally = Tally(said.append)
    for refusal in Refusal:
        tally.add(refusal)
    assert len(said) == len(set(said)) == len(Refusal)


def test_statuses_are_failures_of_storing():
    """PS3.4 table B.2-1: out of resources, does not match, cannot understand."""
    told = [r.status for r in Refusal if r.status is not None]
    assert all(s >> 8 == 0xA7 or s >> 8 == 0xA9 or s >> 12 == 0xC for s in told)
    assert len(told) == len(set(told))
