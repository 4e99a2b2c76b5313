"""Addresses, credentials and questions: what is taken, and that secrets are not repeated."""

from __future__ import annotations

import pytest

from osteoct.errors import ConfigError
from osteoct.network.address import DimseAddress, parse_address
from osteoct.network.credentials import load_credentials
from osteoct.network.query import make_query


def test_addresses():
    """Both kinds, and IPv6."""
    node = parse_address("MY PACS@[::1]:104", option="--to")
    assert node == DimseAddress(title="MY PACS", host="::1", port=104)
    assert parse_address("https://a.b/dicom-web/", option="--to").shown == "https://a.b/dicom-web"


@pytest.mark.parametrize(
    "text",
    [
        *("PACS", "PACS@host", "@host:104", "A@host:0", "A@host:65536", "x" * 17 + "@host:104"),
        *("ftp://a/b", "https://", "https://me:hunter2@a/b", "https://a/b?token=hunter2"),
    ],
)
def test_what_is_no_address_is_refused_and_not_repeated(text):
    """A password in an address would be in the history of a shell, and in a message."""
    with pytest.raises(ConfigError) as caught:
        parse_address(text, option="--to")
    assert "hunter2" not in caught.value.line


def test_credentials_of_a_file_nobody_else_can_read(tmp_path):
    """Mode 0600 and nothing else."""
    file = tmp_path / "pacs.toml"
    file.write_text('user = "me"\npassword = "hunter2"\n')
    for mode in (0o644, 0o640, 0o604, 0o700):
        file.chmod(mode)
        with pytest.raises(ConfigError, match="0600"):
            load_credentials(file)
    file.chmod(0o600)
    known = load_credentials(file)
    assert (known.user, known.password) == ("me", "hunter2")
    assert "hunter2" not in repr(known)


@pytest.mark.parametrize("text", ["hunter2", 'user = "hunter2"', "token = 7", 'pin = "hunter2"'])
def test_half_of_the_credentials_is_none(text, tmp_path):
    """And what the file holds is not repeated."""
    file = tmp_path / "pacs.toml"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(ConfigError) as caught:
        load_credentials(file)
    assert "hunter2" not in caught.value.line


def test_credentials_of_the_environment():
    """A token, or a user with a password; nothing is nothing."""
    assert load_credentials(None, {"OSTEOCT_PACS_TOKEN": "t"}).token == "t"  # noqa: S105
    assert load_credentials(None, {}).is_empty
    with pytest.raises(ConfigError):
        load_credentials(None, {"OSTEOCT_PACS_USER": "me"})


def test_days_are_asked_for_in_the_way_of_dicom():
    """One day, and a range."""
    assert make_query((), "date=2026-01-02").dates == "20260102-20260102"
    assert make_query((), "date=2026-01-02..2026-02-03").dates == "20260102-20260203"


@pytest.mark.parametrize(
    "text",
    [
        *("description=x", "date=yesterday", "date=2026-02-03..2026-02-02", "date=", "name=A"),
        "date=2026-01-02,date=2026-01-03",
    ],
)
def test_a_question_that_cannot_be_meant(text):
    """A question without days would ask for a whole archive."""
    with pytest.raises(ConfigError):
        make_query((), text)
