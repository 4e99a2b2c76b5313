"""What a user sees while vertebrae are looked for."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys

import pytest

from osteoct.cli.live_line import LiveLine
from osteoct.cli.segmenting import SegmentingLine
from osteoct.segment.interface import Progress
from osteoct.segment.progress import Hearing


class Terminal(io.StringIO):
    """Standard error that says it is a terminal."""

    def isatty(self):
        return True


def _steps(left):
    return (
        Progress(stage="start"),
        Progress(stage="vertebrae"),
        Progress(stage="locate", done=1, total=1),
        Progress(stage="vertebrae", done=1, total=9),
        Progress(stage="vertebrae", done=2, total=9, seconds_left=left),
    )


@pytest.mark.parametrize(
    ("left", "words"),
    [(99.0, "about 99 s left"), (100.0, "about 2 min left"), (600.0, "about 10 min left")],
)
def test_a_terminal_shows_one_line_and_clears_it(monkeypatch, left, words):
    """The last thing on the terminal is the result, not a half-written line."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    with SegmentingLine() as line:
        for step in _steps(left):
            line(step)
    written = sys.stderr.getvalue()
    assert "\n" not in written
    assert f"segmenting: vertebrae 2/9, {words}" in written
    assert written.endswith("\r\x1b[K")


def test_a_log_gets_a_line_per_stage(capsys):
    """A line per patch would bury what matters; none at all looks like a hang."""
    with SegmentingLine() as line:
        for step in (*_steps(5.0), *_steps(4.0)):
            line(step)
    assert capsys.readouterr().err.splitlines() == [
        "segmenting: loading the segmenter",
        "segmenting: looking for the spine, 1 network patch",
        "segmenting: vertebrae, 9 network patches",
    ]


def test_the_line_is_cleared_when_work_fails(monkeypatch):
    """The message of the failure begins at the left."""
    monkeypatch.setattr(sys, "stderr", Terminal())

    def fail():
        with LiveLine() as line:
            line.show("half")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert sys.stderr.getvalue().endswith("\r\x1b[K")


def test_a_real_terminal_is_told_from_a_pipe():
    """The command itself, on a pseudo-terminal."""
    code = (
        "from osteoct.cli.live_line import LiveLine\n"
        "with LiveLine() as line: line.show('working', heading='once')\n"
    )
    main, other = pty.openpty()
    subprocess.run([sys.executable, "-c", code], stderr=other, check=True, timeout=60)  # noqa: S603 - our own
    assert os.read(main, 100) == b"\r\x1b[Kworking\r\x1b[K"
    os.close(main)
    os.close(other)
    piped = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code], capture_output=True, check=True, timeout=60
    )
    assert piped.stderr.split() == [b"once"]


def test_the_estimate_is_the_rate_of_the_parts_done(monkeypatch):
    """Ten seconds a part, the first one not counted: it waits for the model to load."""
    clock, heard = iter([0.0, 100.0, 110.0, 120.0]), []
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    hear = Hearing(heard.append)
    hear({"stage": "vertebrae"})
    for done in (1, 2, 3):
        hear({"stage": "vertebrae", "done": done, "total": 6})
    assert [p.seconds_left for p in heard] == [None, None, 40.0, 30.0]
