"""The commands: one summary line, exit codes, and nothing of the patient on the screen."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from osteoct.cli import main

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""pynetdicom leaves a socket that the other side closed to the garbage collector."""


def call(*args):
    return CliRunner().invoke(main, [str(a) for a in args], prog_name="osteoct")


def test_sent_listed_fetched_without_names(make_node, make, tmp_path):
    """The whole way; no name, number, date or UID in any line or file name."""
    study = make.series(tmp_path / "in")
    (tmp_path / "in" / "readme.txt").write_text("no DICOM")
    node = make_node().address
    sent = call("send", tmp_path / "in", "--to", node)
    assert (sent.exit_code, sent.stdout.startswith("4 sent (")) == (0, True)
    assert "1 files that are no DICOM objects" in sent.stdout
    again = call("send", tmp_path / "in", "--to", node)
    assert again.stdout.startswith("0 sent (0.0 MB), 4 there already, 0 refused")
    listed = call("fetch", "--from", node, "--study", study, "--dry-run")
    assert (listed.exit_code, len(listed.stdout.splitlines())) == (0, 1)
    fetched = call("fetch", "--from", node, "--study", study, "-o", tmp_path / "out")
    assert fetched.exit_code == 0
    assert fetched.stdout.startswith("1 series fetched (4 images)")
    names = " ".join(str(p.relative_to(tmp_path)) for p in (tmp_path / "out").rglob("*"))
    for result in (sent, again, listed, fetched):
        names += result.stdout + result.stderr
    assert not [s for s in (*make.secrets, study, "20260102") if s in names]


@pytest.mark.parametrize("status", [0xA900, 0xC001])
def test_refused_objects_end_with_one(status, make_node, make, tmp_path):
    """And the reason is counted."""
    make.series(tmp_path / "in")
    node = make_node()
    node.status = status
    done = call("send", tmp_path / "in", "--to", node.address)
    assert done.exit_code == 1
    assert done.stderr == f"refused: 4 × status {status:04X}\n"


def test_nothing_that_matches_ends_with_one(make_node, tmp_path):
    """A study that nobody has must not look like success."""
    done = call("fetch", "--from", make_node().address, "--study", "1.2.3", "-o", tmp_path / "out")
    assert done.exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("send", "{in}", "--to", "nonsense"), 2),
        (("send", "{none}", "--to", "A@127.0.0.1:1"), 3),
        (("send", "{empty}", "--to", "A@127.0.0.1:1"), 3),
        (("send", "{in}", "--to", "A@127.0.0.1:1", "--attempts", "1"), 4),
        (("fetch", "--from", "A@127.0.0.1:1", "--study", "1.2"), 2),
        (("fetch", "--from", "A@127.0.0.1:1", "--study", "x/../y", "--dry-run"), 2),
    ],
)
def test_exit_codes(arguments, code, make, tmp_path):
    """One line each, as documented."""
    make.series(tmp_path / "in", images=1)
    (tmp_path / "empty").mkdir()
    places = {name: tmp_path / name for name in ("in", "none", "empty")}
    done = call(*(a.format(**places) for a in arguments))
    assert done.exit_code == code
    assert done.stderr.splitlines()[-1]
