"""The file of a ledger: killed, locked, damaged, watched while it is written."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import event

from osteoct.errors import LedgerError
from osteoct.run.ledger import sqlite as backend
from osteoct.run.ledger.address import sqlite_address
from osteoct.run.ledger.database import Database
from osteoct.run.ledger.ledger import Ledger
from osteoct.run.ledger.opening import check_schema
from osteoct.run.ledger.sqlite import SqliteBackend
from osteoct.run.records import Outcome, State


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def ledger(path):
    with Ledger.open(sqlite_address(path), create=True) as opened:
        yield opened


def test_a_path_may_hold_any_sign(tmp_path, item):
    """The address of a file is its path, not a URL with escapes."""
    path = tmp_path / "a ?b=c&d #%41 ä" / "led ger.sqlite"
    path.parent.mkdir()
    with Ledger.open(sqlite_address(path), create=True) as ledger:
        ledger.record([item("a")])
    assert path.is_file()
    with Ledger.open(sqlite_address(path), create=False) as ledger:
        assert ledger.counts()[State.PENDING] == 1


def test_another_process_reads_while_one_writes(path, ledger, item):
    """``status`` from another terminal is neither held up nor holds up."""
    ledger.record([item("a"), item("b")])
    with Ledger.open(sqlite_address(path), create=False) as other:
        rows = other.rows()
        next(rows)
        (claim,) = ledger.claim("me", 1, lease_s=60)
        assert ledger.finish(
            "me", Outcome(case_id=claim.item.case_id, key="k1"), state=State.DONE, worker="w"
        )
        assert other.counts()[State.DONE] == 1


def test_a_lock_that_stays_is_one_line(path, ledger, item, monkeypatch):
    """Somebody opened the file in another program and left it there."""
    ledger.record([item("a")])
    ledger.close()
    monkeypatch.setattr(backend, "PATIENCE_S", 0.2)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        with (
            Ledger.open(sqlite_address(path), create=False) as other,
            pytest.raises(LedgerError, match=r"ledger\.sqlite: is locked by another process"),
        ):
            other.claim("me", 1, lease_s=60)
    finally:
        holder.close()
    assert ledger.claim("me", 1, lease_s=60), "and once the lock is gone, written"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"no database at all" * 100, "is not a ledger"),
        (b"", "holds no ledger"),
    ],
)
def test_another_file_is_refused_in_one_line(path, content, line):
    """The wrong file was named; it stays as it is."""
    path.write_bytes(content)
    with pytest.raises(LedgerError, match=line):
        Ledger.open(sqlite_address(path), create=False)
    assert path.read_bytes() == content


def test_somebody_elses_database_is_refused(path):
    """It has tables, but none of ours, and must not get them."""
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE patients (name TEXT)")
    other.close()
    before = path.read_bytes()
    for create in (False, True):
        with pytest.raises(LedgerError, match=r"holds no ledger|is not a ledger"):
            Ledger.open(sqlite_address(path), create=create)
    assert path.read_bytes() == before


def test_a_ledger_made_by_many_at_once_is_one(tmp_path, item):
    """Two terminals begin the same batch."""
    for number in range(5):
        address = sqlite_address(tmp_path / f"{number}.sqlite")

        def begin(key: int, address: str = address) -> None:
            with Ledger.open(address, create=True) as ledger:
                ledger.record([item(f"c{key}"), item("same")])

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(begin, range(4)))
        assert read_names(address) == ["c0", "c1", "c2", "c3", "same"]


def test_a_damaged_ledger_is_one_line(path, ledger, item):
    """A page was overwritten by a failing disk."""
    ledger.record([item(f"c{n:04d}", "k" * 50) for n in range(500)])
    ledger.close()
    content = bytearray(path.read_bytes())
    content[4096:] = bytes(b ^ 0x5A for b in content[4096:])
    path.write_bytes(content)
    with pytest.raises(LedgerError, match=r"is damaged|is not a ledger") as caught:
        read_names(sqlite_address(path))
    assert "\n" not in caught.value.line


def test_a_folder_that_is_not_there_is_one_line(tmp_path):
    """The store's folder is made before its ledger; should it vanish, the reason is told."""
    with pytest.raises(LedgerError, match="cannot be opened"):
        Ledger.open(sqlite_address(tmp_path / "none" / "ledger.sqlite"), create=True)


def test_where_files_cannot_be_shared_memory_a_journal_serves(path, item):
    """Some network file systems; nothing is promised less there."""
    without = SqliteBackend(path, where="ledger", vfs="unix-dotfile")
    database = Database(without)
    check_schema(database, create=True)
    with Ledger(database) as ledger:
        ledger.record([item("a")])
        assert ledger.claim("me", 1, lease_s=60)
    assert without.has_log is False
    with sqlite3.connect(path) as file:
        assert file.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    file.close()


def test_what_is_finished_is_forced_to_the_disk_and_claims_are_not(path, item):
    """A power cut may undo who works on what, never a result; each such wait costs milliseconds."""
    inner = SqliteBackend(path, where="ledger")
    check_schema(Database(inner), create=True)
    said: list[str] = []

    @event.listens_for(inner.engine, "before_cursor_execute")
    def note(_connection, _cursor, statement, *_) -> None:
        if statement.startswith("PRAGMA synchronous"):
            said.append(statement.rsplit(" ", 1)[-1])

    with Ledger(Database(inner)) as ledger:
        ledger.record([item("a")])
        assert set(said) == {"FULL"}
        said.clear()
        ledger.claim("me", 1, lease_s=60)
        ledger.renew("me", lease_s=60)
        ledger.begin("me", "a", worker="w")
        assert said == ["NORMAL"] * 3
        ledger.finish("me", Outcome(case_id="a", key="k1"), state=State.DONE, worker="w")
        ledger.note("a", "b")
        assert said[3:] == ["FULL"] * 2


def test_a_full_disk_is_one_line_and_loses_nothing(path, ledger, item):
    """The file may not grow any more, as on a full disk."""
    ledger.record([item("a")])
    ledger.close()
    size = path.stat().st_size
    code = (
        "import resource, signal, sys; from osteoct.run.ledger.ledger import Ledger\n"
        "from osteoct.run.records import Inputs, WorkItem\n"
        "from osteoct.errors import LedgerError\n"
        "many = (WorkItem(case_id=f'x{n}', key='k', inputs=Inputs(ct=('/x' * 999,)), bytes_in=0)"
        " for n in range(9999))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)\n"
        "try: Ledger.open(sys.argv[1], create=False).record(many)\n"
        "except LedgerError as error: print(error.line)\n"
    )
    done = subprocess.run(  # noqa: S603 -- our own interpreter
        [sys.executable, "-c", code, sqlite_address(path), str(size + 100_000)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("ledger.sqlite: cannot be"), done.stdout + done.stderr
    assert ledger.counts()[State.PENDING] >= 1
    assert read_names(sqlite_address(path))[0] == "a"


def read_names(address: str) -> list[str]:
    with Ledger.open(address, create=False) as ledger:
        return [row.case_id for row in ledger.rows()]


KILLED = '''
import json, os, random, signal, sqlite3, sys, time
from osteoct.run.ledger.ledger import Ledger
from osteoct.run.records import Inputs, Outcome, State, WorkItem

address, path, log = sys.argv[1:4]
CASES = 40


def plan(key):
    for n in range(CASES):
        yield WorkItem(case_id=f"c{n:02d}", key=key, inputs=Inputs(ct=("/x",)), bytes_in=0)


def work(round_, steps):
    """Plan anew, then claim and finish, and write down what was promised."""
    said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with Ledger.open(address, create=True) as ledger:
        ledger.recover(is_dead=lambda owner: True)
        key = f"k{round_ // 4}"
        ledger.record(plan(key))
        os.write(said, f"planned {key} .\\n".encode())
        os.write(steps, b"!")
        while claims := ledger.claim(f"o{round_}", 3, lease_s=600):
            for claim in claims:
                name = claim.item.case_id
                ledger.begin(f"o{round_}", name, worker="w")
                outcome = Outcome(case_id=name, key=key, seconds={"all": 1.0})
                if ledger.finish(f"o{round_}", outcome, state=State.DONE, worker="w"):
                    os.write(said, f"done {key} {name}\\n".encode())
                    os.write(steps, b"!")


def check(round_):
    """What is wrong with the ledger, if anything."""
    with sqlite3.connect(path) as file:
        whole = file.execute("PRAGMA integrity_check").fetchone()[0]
        tried = {}
        if file.execute("SELECT 1 FROM sqlite_master").fetchone():
            for name, end in file.execute(
                'SELECT case_id, "end" FROM osteoct_attempts JOIN osteoct_cases USING (seq) '
                "ORDER BY osteoct_attempts.id"
            ):
                tried.setdefault(name, []).append(end)
    file.close()
    with Ledger.open(address, create=True) as ledger:
        rows = {row.case_id: row for row in ledger.rows()}
    lines = open(log).read().splitlines() if os.path.exists(log) else []
    promised = [line.split() for line in lines]
    keys = [key for kind, key, _ in promised if kind == "planned"]
    wrong = [] if whole == "ok" else [whole]
    for kind, key, name in promised:
        row = rows.get(name)
        if kind == "done" and (row is None or (row.key == key and row.state is not State.DONE)):
            wrong.append(f"lost {name}")
    if keys and len(rows) != CASES:
        wrong.append(f"{len(rows)} cases")
    for name, row in rows.items():
        if row.state is State.RUNNING and row.owner is None:
            wrong.append(f"torn {name}")
        ends = tried.get(name, [])
        if row.state is State.DONE and not (ends and ends[-1] == "done" and row.attempts == 1):
            wrong.append(f"torn {name}: {ends}, {row.attempts}")
    return wrong, sum(row.state is State.DONE for row in rows.values())


wrong, progress = [], []
random.seed(int(sys.argv[4]))
for round_ in range(int(sys.argv[5])):
    heard, planned = os.pipe()
    child = os.fork()
    if not child:
        try:
            work(round_, planned)
        finally:
            os._exit(0)
    os.close(planned)
    for _ in range(random.choice([0, 1, 2, 9, 18])):
        os.read(heard, 1)
    time.sleep(random.uniform(0.0, 0.02))
    os.close(heard)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    found, done = check(round_)
    wrong += found
    progress.append(done)
print(json.dumps({"wrong": wrong, "done": progress}))
'''


def test_a_process_killed_at_any_moment_tears_nothing(path, tmp_path):
    """kill -9 in the middle of planning, claiming and finishing, twenty times over one ledger."""
    arguments = [sqlite_address(path), str(path), str(tmp_path / "said"), "7", "20"]
    done = subprocess.run(  # noqa: S603 -- our own interpreter
        [sys.executable, "-c", KILLED, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["wrong"] == []
    assert len(set(found["done"])) > 5, "the kills fell into the middle of the work"
