"""Several machines on one ledger, tested against a real server that comes and goes."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time

import psycopg
import pytest

from osteoct.errors import LedgerError
from osteoct.run.ledger import database as waiting
from osteoct.run.ledger.ledger import Ledger
from osteoct.run.records import Outcome, State

CASES = 400


@pytest.fixture
def server(postgres):
    """A server that runs again for the next test, however this one leaves it."""
    yield postgres
    postgres.start_again()


WORKERS = """
import json, os, sys
from osteoct.errors import LedgerError
from osteoct.run.ledger.ledger import Ledger
from osteoct.run.records import Outcome, State

address, number = sys.argv[1], int(sys.argv[2])


def work(owner):
    got, done, error = [], [], None
    try:
        with Ledger.open(address, create=False) as ledger:
            while claims := ledger.claim(owner, 3, lease_s=600):
                for claim in claims:
                    name = claim.item.case_id
                    got.append(name)
                    ledger.begin(owner, name, worker=owner)
                    outcome = Outcome(case_id=name, key=claim.item.key)
                    if ledger.finish(owner, outcome, state=State.DONE, worker=owner):
                        done.append(name)
    except LedgerError as failure:
        error = failure.line
    return {"got": got, "done": done, "error": error}


Ledger.open(address, create=False).close()
for n in range(number):
    if not os.fork():
        told = json.dumps(work(f"owner{n}")).encode() + b"\\n"
        os.write(1, told)
        os._exit(0)
for n in range(number):
    os.wait()
"""


class Workers:
    """Four processes that empty one ledger, started together."""

    def __init__(self, address: str) -> None:
        self._running = subprocess.Popen(  # noqa: S603 -- our own interpreter
            [sys.executable, "-c", WORKERS, address, "4"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def told(self) -> list[dict]:
        """What each of them says at its end."""
        out, err = self._running.communicate(timeout=120)
        assert self._running.returncode == 0, err
        assert err == ""
        return [json.loads(line) for line in out.splitlines()]


def test_four_workers_do_every_case_once(postgres, item):
    """No case is given to two, none is lost, and all of them work."""
    address = postgres.new_database()
    with Ledger.open(address, create=True) as ledger:
        ledger.record(item(f"c{n:03d}") for n in range(CASES))
        told = Workers(address).told()
        assert ledger.counts()[State.DONE] == CASES
        assert {row.attempts for row in ledger.rows()} == {1}
    assert [one["error"] for one in told] == [None] * 4
    got = [name for one in told for name in one["got"]]
    assert len(got) == CASES
    assert len(set(got)) == CASES
    assert all(one["done"] for one in told)


def test_a_server_stopped_and_started_in_the_middle_loses_nothing(server, item):
    """Connections break between and inside transactions; workers wait and go on."""
    address = server.new_database()
    with Ledger.open(address, create=True) as ledger:
        ledger.record(item(f"c{n:03d}") for n in range(CASES))
        workers = Workers(address)
        for mode in ("immediate", "fast"):
            wait_for_progress(ledger)
            server.stop(mode)
            server.start()
        told = workers.told()
        assert [one["error"] for one in told] == [None] * 4
        done = [name for one in told for name in one["done"]]
        assert len(done) == len(set(done))
        # a crash of the server forgets claims that no disk has seen, never a finished case
        states = {row.case_id: row.state for row in ledger.rows()}
        assert len(states) == CASES
        assert [name for name in done if states[name] is not State.DONE] == []
        resumed = {claim.item.case_id for claim in ledger.recover(is_dead=lambda _: True)}
        pending = {name for name, state in states.items() if state is State.PENDING}
        assert len(resumed | pending) + ledger.counts()[State.DONE] == CASES


def wait_for_progress(ledger) -> None:
    """Wait until some more cases are done."""
    before = ledger.counts()[State.DONE]
    deadline = time.monotonic() + 30
    while ledger.counts()[State.DONE] < before + 20 and time.monotonic() < deadline:
        time.sleep(0.02)


def test_a_server_that_stays_away_ends_in_one_line_and_the_batch_resumes(server, item, monkeypatch):
    """Nobody waits forever; what was finished is there when it comes back."""
    monkeypatch.setattr(waiting, "PATIENCE_S", 0.3)
    address = server.new_database()
    with Ledger.open(address, create=True) as ledger:
        ledger.record([item("a"), item("b")])
        a, b = ledger.claim("me", 2, lease_s=60)
        ledger.begin("me", a.item.case_id, worker="w")
        ledger.finish("me", Outcome(case_id="a", key="k1"), state=State.DONE, worker="w")
        server.stop()
        with pytest.raises(LedgerError, match="cannot be reached") as caught:
            ledger.finish("me", Outcome(case_id="b", key="k1"), state=State.DONE, worker="w")
        assert "\n" not in caught.value.line
        assert server.password not in caught.value.line
        with pytest.raises(LedgerError, match="cannot be reached"):
            Ledger.open(address, create=False)
        server.start()
        assert ledger.finish("me", Outcome(case_id="b", key="k1"), state=State.DONE, worker="w")
        assert ledger.counts()[State.DONE] == 2
    assert b.item.case_id == "b"


@pytest.mark.parametrize("step", ["claim", "finish"])
def test_a_connection_lost_while_sealing_is_asked_about(postgres, item, step, monkeypatch):
    """Whether the server had written it or not: done once, and known as done."""
    address = postgres.new_database()
    with Ledger.open(address, create=True) as ledger:
        ledger.record([item("a"), item("b")])
        if step == "finish":
            ledger.claim("me", 1, lease_s=600)
            ledger.begin("me", "a", worker="w")
        for is_written in (True, False):
            cut = cut_at_commit(ledger, monkeypatch, is_written=is_written)
            if step == "claim":
                (got,) = ledger.claim("me", 1, lease_s=600)
                assert got.item.case_id == ("a" if is_written else "b")
            elif is_written:
                outcome = Outcome(case_id="a", key="k1")
                assert ledger.finish("me", outcome, state=State.DONE, worker="w")
                assert len(ledger.attempts("a")) == 1
                ledger.claim("me", 1, lease_s=600)
                ledger.begin("me", "b", worker="w")
            else:
                outcome = Outcome(case_id="b", key="k1")
                assert ledger.finish("me", outcome, state=State.DONE, worker="w")
            assert cut, "the connection was cut"
        expected = State.RUNNING if step == "claim" else State.DONE
        assert {row.state for row in ledger.rows()} == {expected}


def cut_at_commit(ledger, monkeypatch, *, is_written: bool) -> list[int]:
    """Let the server end the connection around the next commit of a claim or an end."""
    engine = ledger._database.backend.engine
    inner = engine.dialect.do_commit
    cut: list[int] = []

    def commit(connection) -> None:
        if cut:
            inner(connection)
            return
        cut.append(connection.driver_connection.info.backend_pid)
        if is_written:
            inner(connection)
        with psycopg.connect(
            engine.url.set(drivername="postgresql").render_as_string(hide_password=False),
            autocommit=True,
        ) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [cut[0]])
        if not is_written:
            inner(connection)
        else:
            connection.driver_connection.execute("SELECT 1")

    monkeypatch.setattr(engine.dialect, "do_commit", commit)
    return cut


def test_leases_are_counted_by_the_clock_of_the_server(postgres, item, monkeypatch):
    """A machine whose clock is an hour fast must not take cases from others."""
    address = postgres.new_database()
    with Ledger.open(address, create=True) as ledger:
        ledger.record([item("a")])
        monkeypatch.setattr(time, "time", lambda: 4e9)
        ledger.claim("me", 1, lease_s=60)
        assert ledger.recover(is_dead=lambda _: False) == []
        monkeypatch.undo()
        monkeypatch.setenv("PGPASSWORD", postgres.password)
        assert ledger.recover(is_dead=lambda _: False) == []


def test_a_claim_does_not_wait_for_another_machines(postgres, item):
    """Rows that are just being taken are passed over."""
    address = postgres.new_database()
    with Ledger.open(address, create=True) as ledger:
        ledger.record([item("a"), item("b")])
        with psycopg.connect(address) as other:
            other.execute("SELECT 1 FROM osteoct_cases WHERE case_id = 'a' FOR UPDATE")
            started = time.monotonic()
            claims = ledger.claim("me", 2, lease_s=60)
            assert time.monotonic() - started < 5
        assert [claim.item.case_id for claim in claims] == ["b"]


def test_a_deadlock_is_resolved_by_doing_it_again(postgres, item):
    """The server undoes one of two transactions; nobody hears of it."""
    address = postgres.new_database()
    with Ledger.open(address, create=True) as ledger:
        ledger.record([item("a"), item("b")])
        ledger.claim("me", 2, lease_s=60)
        with psycopg.connect(address) as other:
            other.execute("SET deadlock_timeout = '10min'")
            other.execute("UPDATE osteoct_cases SET worker = 'x' WHERE case_id = 'b'")
            renewing = threading.Thread(target=ledger.renew, args=("me",), kwargs={"lease_s": 60})
            renewing.start()
            time.sleep(0.3)
            other.execute("UPDATE osteoct_cases SET worker = 'x' WHERE case_id = 'a'")
            other.commit()
            renewing.join(timeout=20)
        assert not renewing.is_alive()
        assert [row.worker for row in ledger.rows()] == ["x", "x"]


def test_no_message_shows_a_password(postgres, monkeypatch):
    """Wrong passwords, databases and hosts: one line each, with the server's reason."""
    address = postgres.new_database()
    wrong = address.replace("osteoct@", "osteoct:hunter2@")
    with pytest.raises(LedgerError, match="password authentication failed") as caught:
        Ledger.open(wrong, create=False)
    assert "hunter2" not in caught.value.line
    with pytest.raises(LedgerError, match="does not exist") as caught:
        Ledger.open(address.rsplit("/", 1)[0] + "/none", create=False)
    assert postgres.password not in caught.value.line
    monkeypatch.delenv("PGPASSWORD")
    with pytest.raises(LedgerError, match="no password supplied"):
        Ledger.open(address, create=False)
    given = address.replace("osteoct@", f"osteoct:{postgres.password}@")
    with Ledger.open(given, create=True) as ledger:
        assert ledger.noted("schema") == "osteoct.ledger/1"


def test_options_of_an_address_reach_the_server(postgres, item):
    """A schema of its own beside the tables of others."""
    address = postgres.new_database()
    with psycopg.connect(address, autocommit=True) as other:
        other.execute("CREATE SCHEMA ours")
        other.execute("CREATE TABLE patients (name TEXT)")
    with Ledger.open(f"{address}?options=-csearch_path%3Dours", create=True) as ledger:
        ledger.record([item("a")])
    with psycopg.connect(address) as other:
        assert other.execute("SELECT count(*) FROM ours.osteoct_cases").fetchone() == (1,)
