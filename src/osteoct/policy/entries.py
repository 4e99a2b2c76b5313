"""The shipped policy: one entry per finding code, read from ``policy.toml`` and validated."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from tomllib import TOMLDecodeError, loads
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from osteoct.errors import ConfigError
from osteoct.record import Record
from osteoct.records import Severity
from osteoct.usability_records import Effect

POLICY_NAME = "osteoct"
POLICY_FILE = "policy.toml"

NodeId = Annotated[str, Field(pattern=r"^tests/[\w/]+\.py::test_\w+$")]


class PolicyEntry(Record):
    """What findings of one code do, and why.

    Parameters
    ----------
    info, warning, blocking
        Effect per severity; ``None`` for a severity that the code cannot have.
    choice
        Whether the numbers are right and the bone is unusual, so that a study may decide otherwise.
        Everywhere else a weaker ``exclude`` or ``block`` needs the user's explicit word.
    image_wide
        Whether its cause concerns all masks alike: where it leaves out most levels, the others are
        right by chance at most, and the case is blocked.
    fires, silent
        Tests in which the finding appears, and in which it does not.
    """

    about: Literal["case", "level"]
    info: Effect | None = None
    warning: Effect | None = None
    blocking: Effect | None = None
    reason: Annotated[str, Field(min_length=1)]
    choice: bool = False
    image_wide: bool = False
    fires: NodeId
    silent: NodeId

    @model_validator(mode="after")
    def _can_be_applied(self) -> PolicyEntry:
        """An entry does something, and a finding about the case cannot exclude a level."""
        if not self.effects:
            msg = "an entry needs an effect for info, warning or blocking"
            raise ValueError(msg)
        if self.about == "case" and Effect.EXCLUDE in self.effects.values():
            msg = "a finding about the case excludes no level: wanted ignore, warn or block"
            raise ValueError(msg)
        return self

    @property
    def effects(self) -> dict[Severity, Effect]:
        """Effect per severity that the code can have."""
        told = {
            Severity.INFO: self.info,
            Severity.WARNING: self.warning,
            Severity.BLOCKING: self.blocking,
        }
        return {severity: effect for severity, effect in told.items() if effect is not None}

    def is_protected(self, severity: Severity) -> bool:
        """Whether a weaker effect for this severity needs the user's explicit word."""
        effect = self.effects.get(severity, Effect.IGNORE)
        return not self.choice and effect.order >= Effect.EXCLUDE.order


def parse_entries(text: str) -> dict[str, PolicyEntry]:
    """Read entries from TOML text: one table per code.

    Raises
    ------
    ConfigError
        The text is not TOML, or entries are not valid (all are named).
    """
    try:
        tables = loads(text)
    except TOMLDecodeError as error:
        raise ConfigError("is not TOML", where=POLICY_FILE, found=str(error)) from error
    entries, problems = {}, []
    for code, table in tables.items():
        try:
            entries[code] = PolicyEntry.model_validate(table)
        except ValidationError as error:
            problems += [
                f"{'.'.join((code, *(str(p) for p in e['loc'])))}: {e['msg']}"
                for e in error.errors()
            ]
    if problems:
        raise ConfigError("bad entries", where=POLICY_FILE, found=" | ".join(problems))
    return entries


@cache
def load_entries() -> Mapping[str, PolicyEntry]:
    """Return the shipped policy by code, in the order of its file.

    >>> load_entries()["labels-out-of-order"].blocking
    <Effect.BLOCK: 'block'>
    """
    return parse_entries(_read_file().decode())


@cache
def hash_entries() -> str:
    """SHA-256 of the shipped policy's file, line ends as in the repository."""
    return sha256(_read_file().replace(b"\r\n", b"\n")).hexdigest()


def _read_file() -> bytes:
    return files("osteoct.policy").joinpath(POLICY_FILE).read_bytes()
