"""A ledger neither loses a case nor gives it to two; the same in a file and on a server."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from osteoct.errors import LedgerError
from osteoct.records import Finding, Severity, Usability
from osteoct.run.ledger.ledger import Ledger
from osteoct.run.ledger.records import FailureCount, FindingCount, PlanCounts
from osteoct.run.records import Cause, Failure, Inputs, Outcome, Refusal, State

LONG_S = 3600


def never(_owner: str) -> bool:
    """Nobody is dead."""
    return False


def names(claims) -> list[str]:
    return [claim.item.case_id for claim in claims]


def states(ledger) -> dict[str, State]:
    return {row.case_id: row.state for row in ledger.rows()}


def finish(ledger, item, state=State.DONE, *, owner="me", failure=None, **more) -> bool:
    """Begin and finish a case that was claimed."""
    ledger.begin(owner, item.case_id, worker="w1")
    outcome = Outcome(case_id=item.case_id, key=item.key, failure=failure, **more)
    return ledger.finish(owner, outcome, state=state, worker="w1")


def row_of(ledger, case_id):
    return next(row for row in ledger.rows() if row.case_id == case_id)


def test_an_item_comes_back_as_it_was_planned(ledger, item):
    """Whatever a plan knows of a case reaches the worker."""
    inputs = Inputs(ct=("/a/1.dcm", "/a/2.dcm"), series="1.2.3", masks="/m", tissues="/t")
    full = item("c", inputs=inputs, patient="p", segment_key="s", voxels=7, bytes_in=2**40)
    ledger.record([full])
    (claim,) = ledger.claim("me", 5, lease_s=LONG_S)
    assert claim.item == full
    assert (claim.attempt, claim.alone) == (1, False)
    assert row_of(ledger, "c").inputs == inputs


def test_recording_the_same_plan_again_changes_nothing(ledger, item):
    """A run that was interrupted plans again."""
    plan = [item("a"), item("b"), Refusal(case_id="r", cause=Cause.INPUT, message="no CT")]
    assert ledger.record(plan) == PlanCounts(new=2, refused=1)
    (claim,) = ledger.claim("me", 1, lease_s=LONG_S)
    finish(ledger, claim.item)
    assert ledger.record(plan) == PlanCounts(unchanged=2, refused=1)
    assert states(ledger) == {"a": State.DONE, "b": State.PENDING, "r": State.REFUSED}


def test_another_key_is_work_to_do_again(ledger, item):
    """A changed protocol measures anew; what the old one brought is forgotten, not mixed."""
    ledger.record([item("a"), item("b")])
    for claim in ledger.claim("me", 2, lease_s=LONG_S):
        finish(ledger, claim.item, worst="metal", peak_mib=3.0)
    assert ledger.record([item("a", "k2"), item("b")]) == PlanCounts(changed=1, unchanged=1)
    row = row_of(ledger, "a")
    assert (row.state, row.key, row.attempts) == (State.PENDING, "k2", 0)
    assert (row.worst, row.peak_mib, row.ended) == (None, None, None)


def test_a_refused_case_that_can_be_measured_now_is_pending_and_the_reverse(ledger, item):
    """The masks that were missing have come; the CT that was there is gone."""
    refusal = Refusal(case_id="a", patient="p", cause=Cause.INPUT, message="no masks")
    ledger.record([refusal, item("b")])
    row = row_of(ledger, "a")
    assert (row.state, row.key, row.inputs, row.patient) == (State.REFUSED, None, None, "p")
    assert row.failure == Failure(cause=Cause.INPUT, kind="Refusal", message="no masks")
    gone = Refusal(case_id="b", cause=Cause.INPUT, message="gone")
    assert ledger.record([item("a"), gone]) == PlanCounts(changed=1, refused=1)
    assert states(ledger) == {"a": State.PENDING, "b": State.REFUSED}


@pytest.mark.parametrize("between", [0, 600])
def test_a_case_that_comes_twice_in_a_plan_counts_once(ledger, item, between):
    """Two scans under one name would overwrite each other; near and far apart in the stream."""
    others = [item(f"x{n:04d}") for n in range(between)]
    counts = ledger.record([item("a", "first"), *others, item("a", "second")])
    assert counts == PlanCounts(new=1 + between, repeated=1)
    assert row_of(ledger, "a").key == "first"
    assert ledger.record([item("a", "first")]) == PlanCounts(unchanged=1)


def test_claims_go_by_the_order_of_the_plan_and_are_nobody_elses(ledger, item):
    """Oldest first; what one has, another does not get."""
    ledger.record([item("c"), item("a"), item("b"), item("d")])
    assert names(ledger.claim("me", 2, lease_s=LONG_S)) == ["c", "a"]
    assert names(ledger.claim("you", 5, lease_s=LONG_S)) == ["b", "d"]
    assert ledger.claim("me", 5, lease_s=LONG_S) == []
    assert ledger.claim("me", 0, lease_s=LONG_S) == []


def test_a_claim_may_be_limited_to_named_cases(ledger, item):
    """``--only``; names nobody knows do no harm, and a great many fit."""
    ledger.record([item("a"), item("b'"), item("c")])
    many = ["c", "b'", *(f"none{n}" for n in range(40_000))]
    assert names(ledger.claim("me", 5, lease_s=LONG_S, only=many)) == ["b'", "c"]
    assert ledger.claim("me", 5, lease_s=LONG_S, only=[]) == []


def test_an_attempt_is_charged_when_it_was_begun(ledger, item):
    """A case refused before its turn has not been tried."""
    ledger.record([item("a"), item("b")])
    a, b = ledger.claim("me", 2, lease_s=LONG_S)
    failure = Failure(cause=Cause.MEMORY, kind="TooLarge", message="30 GB")
    outcome = Outcome(case_id="a", key="k1", failure=failure)
    assert ledger.finish("me", outcome, state=State.REFUSED, worker="-")
    assert finish(ledger, b.item, State.FAILED, failure=failure)
    assert row_of(ledger, a.item.case_id).attempts == 0
    assert ledger.attempts("a") == []
    assert row_of(ledger, "b").attempts == 1
    (attempt,) = ledger.attempts("b")
    assert (attempt.number, attempt.owner, attempt.worker) == (1, "me", "w1")
    assert (attempt.end, attempt.failure) == ("failed", failure)
    assert attempt.began <= attempt.ended


def test_a_case_to_be_repeated_comes_again_with_its_number(ledger, item):
    """Attempts are counted over claims; the last reason stays until there is a result."""
    ledger.record([item("a")])
    failure = Failure(cause=Cause.CRASH, kind="WorkerLost", message="signal 9")
    for number in (1, 2):
        (claim,) = ledger.claim("me", 1, lease_s=LONG_S)
        assert claim.attempt == number
        finish(ledger, claim.item, State.PENDING, failure=failure)
    assert row_of(ledger, "a").failure == failure
    (claim,) = ledger.claim("me", 1, lease_s=LONG_S)
    finish(ledger, claim.item)
    row = row_of(ledger, "a")
    assert (row.state, row.attempts, row.failure) == (State.DONE, 3, None)
    assert [attempt.end for attempt in ledger.attempts("a")] == ["pending", "pending", "done"]


def test_what_the_plan_found_reaches_the_worker(ledger, item):
    """A tie between series, a damaged file: the worker sees the chosen files alone."""
    finding = Finding(
        code="series-tie",
        severity=Severity.WARNING,
        message="2 series were equal",
        evidence={"series": 2, "share": 0.5, "none": None},
    )
    planned = item("a").model_copy(update={"findings": (finding,)})
    ledger.record([planned, item("b")])
    assert [claim.item for claim in ledger.claim("me", 2, lease_s=LONG_S)] == [planned, item("b")]
    assert row_of(ledger, "a").inputs == planned.inputs


def test_an_outcome_is_kept_whole(ledger, item):
    """What status and the table show is what the worker said."""
    ledger.record([item("a")])
    (claim,) = ledger.claim("me", 1, lease_s=LONG_S)
    said = {
        "seconds": {"read": 0.25, "measure": 1.5},
        "peak_mib": 812.5,
        "findings": {Severity.WARNING: 2, Severity.INFO: 1},
        "worst": "slice-thickness",
        "usability": Usability.NOT_USABLE,
        "is_measured": True,
        "place": "cases/ab/a",
    }
    before = datetime.now(UTC) - timedelta(seconds=60)
    finish(ledger, claim.item, **said)
    row = row_of(ledger, "a")
    assert {name: getattr(row, name) for name in said} == said
    assert (row.owner, row.worker, row.interruptions) == ("me", "w1", 0)
    assert before < row.planned <= row.began <= row.ended < before + timedelta(seconds=120)
    assert row.ended.tzinfo is not None


def test_what_a_former_owner_says_is_not_heard(ledger, item):
    """It stood still, its lease passed, and somebody else did the case."""
    ledger.record([item("a")])
    (claim,) = ledger.claim("slow", 1, lease_s=-1)
    assert names(ledger.recover(is_dead=never)) == ["a"]
    ledger.claim("quick", 1, lease_s=LONG_S)
    assert not ledger.begin("slow", "a", worker="w")
    failure = Failure(cause=Cause.TIME, kind="TimeLimit", message="late")
    assert not finish(ledger, claim.item, State.FAILED, owner="slow", failure=failure)
    ledger.give_back("slow", ["a"])
    assert states(ledger) == {"a": State.RUNNING}
    assert finish(ledger, claim.item, owner="quick")
    assert not finish(ledger, claim.item, State.FAILED, owner="slow", failure=failure)
    row = row_of(ledger, "a")
    assert (row.state, row.owner, row.failure, row.attempts) == (State.DONE, "quick", None, 1)


def test_a_result_of_an_old_key_is_not_taken_for_the_new_one(ledger, item):
    """Planned anew while it was being measured; even where the same owner claimed it again."""
    ledger.record([item("a")])
    (old,) = ledger.claim("me", 1, lease_s=LONG_S)
    ledger.record([item("a", "k2")])
    assert not finish(ledger, old.item)
    (new,) = ledger.claim("me", 1, lease_s=LONG_S)
    assert not finish(ledger, old.item)
    assert states(ledger) == {"a": State.RUNNING}
    assert finish(ledger, new.item)


def test_running_is_no_end(ledger, item):
    """A case that is finished is not being worked on."""
    ledger.record([item("a")])
    (claim,) = ledger.claim("me", 1, lease_s=LONG_S)
    with pytest.raises(ValueError, match="running is no end"):
        finish(ledger, claim.item, State.RUNNING)


def test_what_is_given_back_costs_nothing_and_may_go_alone(ledger, item):
    """A crash with two cases in one worker is charged to neither."""
    ledger.record([item("a"), item("b"), item("c")])
    ledger.claim("me", 3, lease_s=LONG_S)
    ledger.begin("me", "a", worker="w1")
    ledger.give_back("me", ["a", "b"], alone=True)
    claims = ledger.claim("me", 3, lease_s=LONG_S)
    assert [(c.item.case_id, c.attempt, c.alone) for c in claims] == [
        ("a", 1, True),
        ("b", 1, True),
    ]
    assert [attempt.end for attempt in ledger.attempts("a")] == ["given-back"]
    ledger.give_back("me", ["a"])
    (claim,) = ledger.claim("me", 1, lease_s=LONG_S)
    assert claim.alone, "once alone, alone until it is done"


def test_the_dead_lose_their_cases_and_the_living_keep_them(ledger, item):
    """kill -9 of a coordinator costs no attempt; one on another machine goes on."""
    ledger.record([item(name) for name in "abcd"])
    ledger.claim("dead", 2, lease_s=LONG_S)
    ledger.begin("dead", "b", worker="w1")
    ledger.claim("living", 1, lease_s=LONG_S)
    lost = ledger.recover(is_dead=lambda owner: owner == "dead")
    assert [(claim.item.case_id, claim.attempt) for claim in lost] == [("a", 1), ("b", 1)]
    expected = {"a": State.PENDING, "b": State.PENDING, "c": State.RUNNING, "d": State.PENDING}
    assert states(ledger) == expected
    assert [row.interruptions for row in ledger.rows()] == [1, 1, 0, 0]
    assert ledger.attempts("a") == []
    assert [attempt.end for attempt in ledger.attempts("b")] == ["interrupted"]
    assert ledger.recover(is_dead=never) == []


def test_a_lease_keeps_a_case_as_long_as_it_is_renewed(ledger, item):
    """A machine that stands still cannot say that it is dead."""
    ledger.record([item("a"), item("b")])
    ledger.claim("me", 1, lease_s=0.2)
    ledger.renew("me", lease_s=LONG_S)
    ledger.claim("you", 1, lease_s=0.2)
    assert ledger.recover(is_dead=never) == []
    time.sleep(0.3)
    assert names(ledger.recover(is_dead=never)) == ["b"]


def test_a_result_found_in_the_store_is_adopted(ledger, item):
    """The coordinator died between the put and the ledger; only the same work counts."""
    ledger.record([item("a"), item("b")])
    ledger.claim("dead", 1, lease_s=LONG_S)
    outcome = Outcome(case_id="a", key="k1", worst="metal", is_measured=True)
    assert not ledger.adopt(outcome), "somebody has it"
    ledger.recover(is_dead=lambda _: True)
    assert not ledger.adopt(Outcome(case_id="a", key="k2"))
    assert ledger.adopt(outcome)
    assert not ledger.adopt(outcome)
    row = row_of(ledger, "a")
    assert (row.state, row.worst, row.attempts, row.interruptions) == (State.DONE, "metal", 0, 1)
    assert names(ledger.claim("me", 5, lease_s=LONG_S)) == ["b"]


def test_cases_are_reset_by_state_or_name_but_never_while_at_work(ledger, item):
    """``--retry failed`` and ``--only``; a refusal of the plan has nothing to measure."""
    refusal = Refusal(case_id="r", cause=Cause.INPUT, message="no CT")
    ledger.record([item(name) for name in "abcde"] + [refusal])
    failure = Failure(cause=Cause.INPUT, kind="NotCtError", message="an MR")
    ends = [State.DONE, State.FAILED, State.SET_ASIDE, State.REFUSED]
    for claim, state in zip(ledger.claim("me", 4, lease_s=LONG_S), ends, strict=True):
        finish(ledger, claim.item, state, failure=None if state is State.DONE else failure)
    ledger.claim("me", 1, lease_s=LONG_S)
    assert ledger.reset(states=[State.FAILED, State.SET_ASIDE], case_ids=None) == 2
    row = row_of(ledger, "b")
    assert (row.state, row.attempts, row.alone, row.failure) == (State.PENDING, 0, False, None)
    assert ledger.reset(states=None, case_ids=["a", "e", "r", "none"]) == 1
    assert ledger.reset(states=[State.REFUSED], case_ids=None) == 1
    assert states(ledger) == {
        **dict.fromkeys("abcd", State.PENDING),
        "e": State.RUNNING,
        "r": State.REFUSED,
    }


def test_a_status_counts_every_case_once(ledger, item):
    """States, reasons and findings, the most frequent first."""
    ledger.record([item(f"c{n}") for n in range(8)])
    one = Failure(cause=Cause.INPUT, kind="NotCtError", message="an MR")
    two = Failure(cause=Cause.CRASH, kind="WorkerLost", message="signal 9")
    claims = ledger.claim("me", 7, lease_s=LONG_S)
    for claim in claims[:2]:
        finish(ledger, claim.item, State.FAILED, failure=one)
    finish(ledger, claims[2].item, State.SET_ASIDE, failure=two)
    for claim, worst in zip(claims[3:6], ["metal", "contrast", "metal"], strict=True):
        finish(ledger, claim.item, worst=worst)
    assert ledger.counts() == {
        State.PENDING: 1,
        State.RUNNING: 1,
        State.DONE: 3,
        State.FAILED: 2,
        State.SET_ASIDE: 1,
        State.REFUSED: 0,
    }
    assert ledger.failures() == [
        FailureCount(
            cause=Cause.INPUT,
            kind="NotCtError",
            cases=2,
            example_case_id="c0",
            example_message="an MR",
        ),
        FailureCount(
            cause=Cause.CRASH,
            kind="WorkerLost",
            cases=1,
            example_case_id="c2",
            example_message="signal 9",
        ),
    ]
    assert ledger.findings(1) == [FindingCount(code="metal", cases=2)]
    assert len(ledger.findings(5)) == 2
    now = datetime.now(UTC)
    assert ledger.finished_since(now - timedelta(hours=1)) == 6
    assert ledger.finished_since(now + timedelta(hours=1)) == 0


def test_rows_come_by_name_however_many(ledger, item):
    """More than one piece, in the order of code points on every database."""
    plan = [item(f"c{n}") for n in range(1200)] + [item("B"), item("a"), item("ä")]
    ledger.record(plan)
    found = [row.case_id for row in ledger.rows()]
    assert found == sorted(entry.case_id for entry in plan)


def test_notes_stay_and_are_replaced(ledger, address):
    """A word about the batch, such as the store it belongs to."""
    assert ledger.noted("store") is None
    ledger.note("store", "one")
    ledger.note("store", "two")
    with Ledger.open(address, create=False) as again:
        assert again.noted("store") == "two"


def test_a_newer_ledger_is_refused_in_one_line(ledger, address):
    """An older osteoct would misread it."""
    ledger.note("schema", "osteoct.ledger/2")
    with pytest.raises(LedgerError, match="another version") as caught:
        Ledger.open(address, create=True)
    assert "found osteoct.ledger/2; wanted osteoct.ledger/1" in caught.value.line


def test_an_absent_ledger_is_said_to_be_absent(address):
    """``status`` of a folder without a batch makes none."""
    with pytest.raises(LedgerError, match="holds no ledger"):
        Ledger.open(address, create=False)
    with Ledger.open(address, create=True) as ledger:
        assert sum(ledger.counts().values()) == 0
    Ledger.open(address, create=False).close()
