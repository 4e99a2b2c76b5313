"""Where a ledger lies may be said and stored; how to get in may not."""

from __future__ import annotations

import pytest

from osteoct.errors import LedgerError
from osteoct.run.ledger.address import chosen_address, postgresql_url, shown, storable
from osteoct.run.ledger.ledger import Ledger

SECRET = "postgresql://ann:s%40cret@db.example:5433/ct?sslmode=require&password=s2"  # noqa: S105 -- of nobody


@pytest.mark.parametrize(
    "address", [SECRET, SECRET.replace("postgresql", "postgres"), "postgresql+psycopg://h/d"]
)
def test_an_address_that_may_be_written_down_holds_no_password(address):
    """It goes into the store, where others look; it still leads to the same database."""
    kept = storable(address)
    assert "cret" not in kept
    assert "s2" not in kept
    assert postgresql_url(kept).host == postgresql_url(address).host
    assert postgresql_url(kept).query.get("sslmode") == postgresql_url(address).query.get("sslmode")
    assert storable("sqlite:////a?b/ledger.sqlite") == "sqlite:////a?b/ledger.sqlite"


def test_messages_name_the_server_and_the_database_alone():
    """Not the user, not the parameters, not the folders of a path."""
    assert shown(SECRET) == "postgresql://db.example:5433/ct"
    assert shown("postgresql:///ct") == "postgresql://localhost/ct"
    assert shown("sqlite:////home/jane/b/ledger.sqlite") == "ledger.sqlite"


@pytest.mark.parametrize(
    "address", ["mysql://ann:s3cret@h/d", "s3cret", "postgresql://ann:s3cret@h:port/d", "://s3cret"]
)
def test_what_is_no_address_is_not_repeated(address):
    """A slip of the pen in an address that holds a password."""
    with pytest.raises(LedgerError, match="is no address of a ledger") as caught:
        Ledger.open(address, create=True)
    assert "s3cret" not in caught.value.line


def test_a_password_is_taken_from_the_environment_and_refused_on_the_command_line():
    """Whoever lists the processes of a machine sees what was typed."""
    said = {"OSTEOCT_LEDGER": SECRET}
    assert chosen_address(None, said) == SECRET
    assert chosen_address(None, {}) is None
    assert chosen_address(None, {"OSTEOCT_LEDGER": ""}) is None
    plain = "postgresql://ann@db.example/ct"
    assert chosen_address(plain, said) == plain
    assert chosen_address("sqlite:////a/b.sqlite", {}) == "sqlite:////a/b.sqlite"
    for typed in (SECRET, "postgresql://ann@h/d?password=s2", "postgresql://ann:s2@h/d"):
        with pytest.raises(LedgerError, match="--ledger: a password does not belong") as caught:
            chosen_address(typed, {})
        assert "s2" not in caught.value.line
        assert "cret" not in caught.value.line
