"""The tables of a ledger; one description for SQLite and PostgreSQL.

Times are seconds since 1970 (UTC) as floating point: both databases compare them alike, whatever
time zone a server is set to.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

SCHEMA: Final = "osteoct.ledger/1"
"""Changes whenever an older osteoct would misread the tables."""

_NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only where the type is called INTEGER."""

_NAME = Text().with_variant(Text(collation="C"), "postgresql")
"""Sorted by code point in both, so that a table comes out in the same order."""

metadata = MetaData()

meta = Table(
    "osteoct_meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

cases = Table(
    "osteoct_cases",
    metadata,
    Column("seq", _NUMBER, primary_key=True, autoincrement=True),
    Column("case_id", _NAME, nullable=False, unique=True),
    Column("patient", Text),
    Column("key", Text),
    Column("segment_key", Text),
    Column("inputs", LargeBinary),
    Column("bytes_in", BigInteger),
    Column("voxels", BigInteger),
    Column("plan", Integer, nullable=False),
    Column("planned", Double, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("alone", Boolean, nullable=False),
    Column("interruptions", Integer, nullable=False, default=0),
    Column("owner", Text),
    Column("worker", Text),
    Column("token", Text),
    Column("lease_until", Double),
    Column("began", Double),
    Column("ended", Double),
    Column("cause", Text),
    Column("kind", Text),
    Column("message", Text),
    Column("seconds", Text),
    Column("peak_mib", Double),
    Column("findings", Text),
    Column("worst", Text),
    Column("usability", Text),
    Column("is_measured", Boolean),
    Column("place", Text),
    Index("osteoct_cases_by_state", "state", "seq"),
    Index("osteoct_cases_by_end", "ended"),
)

attempts = Table(
    "osteoct_attempts",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("seq", _NUMBER, ForeignKey(cases.c.seq), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("owner", Text, nullable=False),
    Column("worker", Text),
    Column("began", Double, nullable=False),
    Column("ended", Double, nullable=False),
    Column("end", Text, nullable=False),
    Column("cause", Text),
    Column("kind", Text),
    Column("message", Text),
    Column("peak_mib", Double),
)
