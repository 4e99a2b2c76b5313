"""``osteoct weights`` as a user calls it, in processes of its own, ended in every way."""

from __future__ import annotations

import io
import json
import signal
import sys
import time
from dataclasses import replace

import pytest

from osteoct.cli.fetching import FetchLine, announce
from osteoct.segment.weights.fetch import FetchPlan
from osteoct.segment.weights.progress import FetchProgress, Stage


def _wait(is_so, seconds=20):
    """Wait for something to become so."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def states(run):
    """State of each model by ``weights list --json``."""

    def read():
        code, out, _ = run("weights", "list", "--json")
        assert code == 0
        return {row["id"]: row["state"] for row in json.loads(out)}

    return read


def test_fetch_announces_brings_and_counts(run, states, server, archives, models, place):
    """Size, source and destination before anything else; then a line per model."""
    code, out, said = run("weights", "fetch")
    assert (code, out) == (0, "")
    total = sum(len(archives[f]) for f in models.BEST)
    first, *lines, last = said.splitlines()
    assert first == (
        f"fetching {round(total / 1000)} kB of weights from {server.url[7:]} into "
        f"TOTALSEG_WEIGHTS_PATH={place}"
    )
    assert [line.split(":")[0] for line in lines] == list(models.BEST)
    assert all(" kB in " in line for line in lines)
    assert last == "3 fetched, 0 here already and unaltered"
    assert {states()[f] for f in models.BEST} == {"present"}
    server.asked.clear()
    code, _, said = run("weights", "fetch")
    assert (code, said) == (0, "0 fetched, 3 here already and unaltered\n")
    assert server.asked == []


def test_list_says_what_is_known_of_each(run, models):
    """For people: nothing is fetched to list it."""
    code, out, said = run("weights", "list")
    assert (code, said) == (0, "")
    for words in (models.LOCATE, "missing", "kB to fetch", "Apache-2.0", "not published", "best"):
        assert words in out
    assert "spine-segment-v0.1.0" in out


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_fetch_that_was_ended_goes_on_where_it_ended(  # noqa: PLR0917 - fixtures
    command, run, server, archives, models, place, states, number
):
    """In the middle of the second model: no byte is sent twice, and nothing half is used."""
    server.pause_s = 0.02
    process = command("weights", "fetch")
    part = place / f"{models.VERTEBRAE}.zip.part"
    _wait(lambda: part.exists() and part.stat().st_size > 60_000)
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    code = {signal.SIGKILL: -9, signal.SIGTERM: 143, signal.SIGINT: 130}[number]
    assert process.returncode == code
    if number == signal.SIGINT:
        assert "what has arrived is kept" in said
    now = states()
    assert now[models.LOCATE] == "present"
    assert now[models.VERTEBRAE] == "missing"
    kept, server.pause_s = part.stat().st_size, 0.0
    assert f"{round(kept / 1000)} kB of an interrupted fetch are here" in run("weights", "list")[1]
    _wait(lambda: _is_quiet(server))
    server.sent = 0
    code, _, said = run("weights", "fetch")
    assert code == 0
    assert f"({round(kept / 1000)} kB of it here already)" in said
    rest = len(archives[models.VERTEBRAE]) - kept + len(archives[models.BODIES])
    assert server.sent == rest
    assert run("weights", "verify", "--quality", "best")[0] == 0


def _is_quiet(server):
    """Whether the server has noticed that nobody listens."""
    before = server.sent
    time.sleep(0.1)
    return server.sent == before


def test_two_processes_fetch_once(command, server, archives, models):
    """The second says that it waits."""
    server.pause_s = 0.02
    processes = [command("weights", "fetch") for _ in range(2)]
    said = [p.communicate(timeout=60)[1] for p in processes]
    assert [p.returncode for p in processes] == [0, 0]
    assert sum("another osteoct is writing to this folder" in text for text in said) == 1
    assert server.sent == sum(len(archives[f]) for f in models.BEST)


@pytest.mark.parametrize("way", [("--offline",), ()])
def test_offline_forbids_fetching(run, server, place, way):
    """By option or by environment: exit code 4, one line with what brings them, nothing asked."""
    environment = {} if way else {"OSTEOCT_OFFLINE": "1"}
    code, out, said = run("weights", "fetch", *way, **environment)
    assert (code, out) == (4, "")
    (line,) = said.splitlines()
    assert "OSTEOCT_OFFLINE forbids fetching" in line
    assert "osteoct weights import" in line
    assert server.asked == []
    assert not place.exists()


def test_offline_with_all_there_is_no_failure(run, server):
    """What is there is looked at and no server asked."""
    assert run("weights", "fetch")[0] == 0
    server.asked.clear()
    assert run("weights", "fetch", OSTEOCT_OFFLINE="1")[0] == 0
    assert run("weights", "fetch", OSTEOCT_OFFLINE="0")[0] == 0
    assert server.asked == []


def test_offline_forbids_again_as_well(run, server):
    """``--again`` would fetch what is there."""
    assert run("weights", "fetch")[0] == 0
    server.asked.clear()
    code, _, said = run("weights", "fetch", "--again", "--offline")
    assert code == 2
    assert "--offline" in said
    assert server.asked == []


def test_verify_tells_altered_from_missing(run, place, models):
    """Missing is no fault until it is asked for; altered always is, and --accept is by name."""
    assert run("weights", "verify")[0] == 4
    assert run("weights", "fetch")[0] == 0
    code, out, said = run("weights", "verify")
    assert code == 0
    assert models.THREE_MM not in out
    assert said == "3 unaltered, 0 altered or incomplete, 2 missing\n"
    assert run("weights", "verify", "--quality", "fast")[0] == 4
    file = place / models.LOCATE / models.DOWNLOADS[models.LOCATE].needed[0]
    file.write_text('{"mine": 1}')
    code, out, said = run("weights", "verify")
    assert code == 4
    assert "plans.json: found sha256" in out
    assert f"fetch --again {models.LOCATE}" in said
    assert run("weights", "verify", "--accept", "another")[0] == 2
    code, out, _ = run("weights", "verify", "--accept", models.LOCATE, "--json")
    assert code == 0
    assert {row["id"]: row["trust"] for row in json.loads(out)}[models.LOCATE] == "accepted"


def test_verify_does_not_call_unaltered_what_it_cannot_compare(run, place, models):
    """Put there by another program: whole, and nothing is known of its bytes until recorded."""
    for name, data in models.make_files(models.LOCATE).items():
        file = place / models.LOCATE / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    code, _, said = run("weights", "verify")
    assert code == 0
    first, hint = said.splitlines()
    assert first.startswith("0 unaltered, 1 with nothing to compare to, 0 altered")
    assert hint.startswith("osteoct weights fetch MODEL records")
    assert run("weights", "fetch", models.LOCATE)[0] == 0
    assert run("weights", "verify")[2].startswith("1 unaltered, 0 altered")


def test_one_model_is_repaired_by_its_name(run, server, archives, models, place):
    """The others are not fetched for it."""
    assert run("weights", "fetch")[0] == 0
    file = place / models.LOCATE / models.DOWNLOADS[models.LOCATE].needed[0]
    file.write_text('{"mine": 1}')
    assert run("weights", "fetch")[0] == 4
    server.sent = 0
    code, _, said = run("weights", "fetch", "--again", models.LOCATE)
    assert (code, said.splitlines()[-1]) == (0, "1 fetched, 0 here already and unaltered")
    assert server.sent == len(archives[models.LOCATE])
    assert run("weights", "fetch")[0] == 0
    assert run("weights", "fetch", "Dataset1")[0] == 2
    assert run("weights", "fetch", models.LOCATE, "spine-segment-v0.1.0")[0] == 2


def test_export_and_import(run, place, models, tmp_path):
    """From one folder to another, without a network."""
    bundle, other = tmp_path / "w.bundle", tmp_path / "other"
    code, _, said = run("weights", "export", bundle)
    assert code == 4
    assert "no weights to export" in said
    assert run("weights", "fetch")[0] == 0
    assert run("weights", "export", bundle, "--quality", "all")[0] == 0
    assert run("weights", "export", bundle)[0] == 2
    assert run("weights", "export", bundle, "--overwrite", "--quality", "best")[0] == 0
    code, _, said = run("weights", "export", tmp_path / "x", "--quality", "fast")
    assert code == 4
    assert models.THREE_MM in said
    there = {"TOTALSEG_WEIGHTS_PATH": str(other), "OSTEOCT_OFFLINE": "1"}
    code, _, said = run("weights", "import", bundle, **there)
    assert code == 0
    assert said.splitlines() == [*models.BEST, f"3 taken from {bundle}"]
    assert run("weights", "verify", "--quality", "best", **there)[0] == 0
    code, _, said = run("weights", "import", bundle, **there)
    assert (code, said) == (0, "all of it was here already\n")
    bundle.write_bytes(bundle.read_bytes()[:-500])
    code, _, said = run("weights", "import", bundle, **there)
    assert code == 3
    assert "cut off" in said
    assert place.exists()


def test_a_terminal_shows_a_live_line(monkeypatch):
    """Percent, rate and time left, written over; what stays is a line per model."""

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    clock = iter([100.0, 102.0, 102.1, 104.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    monkeypatch.setattr(sys, "stderr", Terminal())
    with FetchLine() as line:
        for done in (50_000_000, 90_000_000, 91_000_000):
            line(
                FetchProgress(
                    stage=Stage.RECEIVING, name="M_1", done_bytes=done, total_bytes=200_000_000
                )
            )
        line(FetchProgress(stage=Stage.UNPACKING, name="M_1"))
        line(FetchProgress(stage=Stage.DONE, name="M_1", done_bytes=200_000_000))
    shown = [part for part in sys.stderr.getvalue().replace("\n", "").split("\r\x1b[K") if part]
    assert shown == [
        "M: 25% of 200 MB",
        "M: 45% of 200 MB, 20 MB/s, about 6 s left",
        "M: checking and unpacking",
        "M_1: 200 MB in 4 s",
    ]
    assert sys.stderr.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize(
    ("total", "here", "note", "words"),
    [
        (602_447_604, 0, "", "fetching 602 MB of weights from host into ~/w"),
        (602_447_604, 131_000_000, "", "fetching 602 MB of weights (131 MB of it here already)"),
        (None, 0, "once", "fetching weights of unknown size from host into ~/w; once"),
    ],
)
def test_the_announcement(best, total, here, note, words):
    """What a user reads before hundreds of megabytes move."""
    plan = FetchPlan(downloads=best.downloads, total_bytes=total, here_bytes=here, host="host")
    need = replace(best, place=replace(best.place, shown="~/w"))
    assert announce(plan, need, note).startswith(words)


def test_an_unknown_segmenter_is_a_usage_error(run):
    """The names there are, are told."""
    code, _, said = run("weights", "list", "--segmenter", "precomputed")
    assert code == 2
    assert "totalsegmentator" in said


def test_messages_never_show_the_home_folder(run, tmp_path, models, monkeypatch):
    """Its name may be a person's."""
    monkeypatch.delenv("TOTALSEG_WEIGHTS_PATH")
    monkeypatch.delenv("SPINE_SEGMENT_CACHE_DIR")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    home = {"HOME": str(tmp_path / "Secretname")}
    (tmp_path / "Secretname").mkdir()
    for arguments in (("fetch",), ("list",), ("list", "--json"), ("verify",), ("fetch", "--again")):
        code, out, said = run("weights", *arguments, **home)
        assert code == 0
        assert "Secretname" not in out + said
    folder = tmp_path / "Secretname" / ".totalsegmentator" / "nnunet" / "results"
    assert (folder / models.LOCATE).is_dir()
    (folder / models.LOCATE / models.DOWNLOADS[models.LOCATE].needed[0]).write_text("{}")
    code, out, said = run("weights", "fetch", **home)
    assert code == 4
    assert "Secretname" not in out + said
    assert "~/.totalsegmentator" in said
