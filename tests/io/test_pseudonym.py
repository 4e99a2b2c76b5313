"""Pseudonyms: stable with the key, silent without it, and never two patients in one."""

from __future__ import annotations

import re
import stat
import subprocess
import sys

import pytest

from osteoct.errors import ConfigError
from osteoct.io import pseudonym
from osteoct.io.identity import SourceIdentity
from osteoct.io.pseudonym import case_pseudonym, check_case_id, load_key, patient_pseudonym

KEY = b"0123456789abcdef"


@pytest.fixture(autouse=True)
def own_config(tmp_path, monkeypatch):
    """Keys are made in a folder of the test's own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("OSTEOCT_KEY", raising=False)
    monkeypatch.delenv("OSTEOCT_KEY_FILE", raising=False)
    return tmp_path / "config" / "osteoct" / "pseudonym.key"


def case(patient: bytes | None, series: bytes | None, content: str = "00") -> str:
    return case_pseudonym(SourceIdentity(patient_key=patient, series_key=series), content, KEY)


@pytest.mark.parametrize(
    ("first", "second"),
    [(b"A-1", b"A1"), (b"A1", b"a1"), (b"A1", b"A1 "), (b"01", b"1"), (b"", None), (b"A\0", b"A")],
)
def test_ids_are_never_normalised(first, second):
    """Patient ids stripped of punctuation collided: lost and mixed-up patients."""
    assert case(first, b"s") != case(second, b"s")
    if second is not None:
        names = [patient_pseudonym(SourceIdentity(patient_key=k), KEY) for k in (first, second)]
        assert names[0] != names[1]


def test_parts_do_not_run_together():
    """Patient "ab" series "c" is not patient "a" series "bc"; content is not a series."""
    assert case(b"ab", b"c") != case(b"a", b"bc")
    assert case(b"a", None, "c0") != case(b"a", b"c0")
    assert case(None, b"s") != case(b"s", None)


def test_the_series_names_the_case_and_content_stands_in():
    """The same series under other bytes (renamed, re-sent) keeps its name."""
    assert case(b"p", b"s", "00") == case(b"p", b"s", "11")
    assert case(b"p", None, "00") != case(b"p", None, "11")


def test_names_are_short_lower_case_and_safe():
    """They become folder names on any file system."""
    assert re.fullmatch(r"c-[a-z2-7]{16}", case(b"p", b"s"))
    assert re.fullmatch(
        r"p-[a-z2-7]{16}", str(patient_pseudonym(SourceIdentity(patient_key=b"p"), KEY))
    )
    assert check_case_id(case(b"p", b"s")) == case(b"p", b"s")


def test_no_patient_no_pseudonym():
    """Two files without an id are not one patient."""
    assert patient_pseudonym(SourceIdentity(), KEY) is None


def test_another_key_gives_other_names():
    """Without the key nobody can try all patient ids."""
    identity = SourceIdentity(patient_key=b"4711")
    assert patient_pseudonym(identity, KEY) != patient_pseudonym(identity, KEY[::-1])


def test_a_key_is_made_once_and_kept_private(own_config):
    """Made on first use, mode 0600, the same ever after."""
    first = load_key()
    assert len(first) >= 32
    assert load_key() == first
    assert stat.S_IMODE(own_config.stat().st_mode) == 0o600
    assert [p.name for p in own_config.parent.iterdir()] == [own_config.name]


def test_processes_at_once_end_up_with_one_key(own_config):
    """A batch starts many workers on a fresh machine."""
    code = "from osteoct.io.pseudonym import load_key; print(load_key().decode())"
    command = [sys.executable, "-c", code]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(4)]  # noqa: S603 -- ours
    keys = {run.communicate()[0] for run in runs}
    assert len(keys) == 1
    assert keys.pop().strip() == own_config.read_bytes()


def test_losing_the_race_means_reading_the_winners_key(own_config, monkeypatch):
    """The other process links its key between our look and our link."""
    make = pseudonym._make_key

    def late(path):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"w" * 32)
        make(path)

    monkeypatch.setattr(pseudonym, "_make_key", late)
    assert load_key() == b"w" * 32
    assert [p.name for p in own_config.parent.iterdir()] == [own_config.name]


def test_the_order_of_the_sources(tmp_path, monkeypatch):
    """Option, then file variable, then key variable, then the own file."""
    for name in ("option", "file"):
        (tmp_path / name).write_bytes(name.encode() * 8 + b"\n")
    own = load_key()
    monkeypatch.setenv("OSTEOCT_KEY", "variable" * 4)
    assert load_key() == b"variable" * 4
    monkeypatch.setenv("OSTEOCT_KEY_FILE", str(tmp_path / "file"))
    assert load_key() == b"file" * 8
    assert load_key(tmp_path / "option") == b"option" * 8
    assert own not in (b"variable" * 4, b"file" * 8)


def test_short_and_missing_keys_are_refused(tmp_path, monkeypatch):
    """An empty key file would make the pseudonyms an unkeyed hash."""
    (tmp_path / "short").write_bytes(b"secret\n")
    with pytest.raises(ConfigError, match="found 6 bytes") as caught:
        load_key(tmp_path / "short")
    assert "secret" not in str(caught.value)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_key(tmp_path / "missing")
    monkeypatch.setenv("OSTEOCT_KEY", "short")
    with pytest.raises(ConfigError, match="OSTEOCT_KEY"):
        load_key()


def test_a_configuration_folder_that_cannot_be_made(tmp_path, monkeypatch):
    """A home folder that is a file, as in some containers."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    with pytest.raises(ConfigError, match="OSTEOCT_KEY_FILE"):
        load_key()


@pytest.mark.parametrize("text", ["case-1", "A.b_c-9", "0", "x" * 100])
def test_safe_case_ids_are_kept(text):
    """As given: nothing is changed."""
    assert check_case_id(text) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "..", "a/b", "a\\b", "../x", ".hidden", "-o", "a b", "ä", "a\n"),
        *("nul", "COM1.txt", "x" * 101, "end."),
    ],
)
def test_unsafe_case_ids_are_refused(text):
    """They become folder names: no way out of the folder, no option, no device."""
    with pytest.raises(ConfigError, match="case id"):
        check_case_id(text)
