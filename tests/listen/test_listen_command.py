"""What cannot be meant is refused before anything is received."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from osteoct.cli import main
from osteoct.listen.service import alone_in

ALLOWED = ("--allow", "SCANNER")


@pytest.fixture(autouse=True)
def _own_key(monkeypatch):
    monkeypatch.setenv("OSTEOCT_KEY", "a key for tests, not for patients")
    monkeypatch.delenv("OSTEOCT_KEY_FILE", raising=False)
    monkeypatch.delenv("OSTEOCT_LEDGER", raising=False)


@pytest.fixture
def call(tmp_path, network):
    """``osteoct listen`` with a port and a store."""

    def run(*options, port=None, store=None):
        where = ["--port", port or network.free_port(), "-o", store or tmp_path / "store"]
        given = [str(option) for option in (*where, *options)]
        return CliRunner().invoke(main, ["listen", *given], prog_name="osteoct")

    return run


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "who may send?"),
        ((*ALLOWED, "--send", "seg,hl7"), "'hl7'"),
        ((*ALLOWED, "--forward", "pacs.example"), "AE@HOST:PORT"),
        (
            (*ALLOWED, "--forward", "https://me:secret@pacs/web"),
            "holds more than an address",
        ),
        (("--allow", "A TITLE THAT IS TOO LONG"), "AE title"),
        ((*ALLOWED, "--ca", "nobody.pem"), "--cert"),
        ((*ALLOWED, "--segmenter", "nobody"), "unknown segmenter"),
    ],
)
def test_refused_with_a_word(call, options, words):
    """Usage, not a node that nobody can reach or everybody can; no secret is repeated."""
    told = call(*options)
    assert told.exit_code == 2, told.output
    assert words in told.output
    assert "secret" not in told.output


def test_images_are_received_into_folders(call):
    """They are on the disk before their sender is answered: no object store."""
    told = call(*ALLOWED, store="s3://bucket/results")
    assert told.exit_code == 2
    assert "a local folder" in told.output


def test_a_port_that_is_taken(call, site, monkeypatch):
    """The environment's fault, in one line."""
    monkeypatch.syspath_prepend(site)
    monkeypatch.syspath_prepend(Path(__file__).parent)
    monkeypatch.setenv("OSTEOCT_TEST_MASKS", "nowhere.nii.gz")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = call(*ALLOWED, "--segmenter", "phantom-masks", port=port)
    assert told.exit_code == 4, told.output
    assert f"127.0.0.1:{port}" in told.output


def test_one_listener_per_store(call, tmp_path):
    """A second one, by mistake on another port, would empty what the first is receiving."""
    with alone_in(str(tmp_path / "store")):
        told = call(*ALLOWED)
    assert told.exit_code == 2, told.output
    assert "another listener" in told.output
