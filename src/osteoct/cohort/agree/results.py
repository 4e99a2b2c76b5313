"""One side of a comparison from results of osteoct, or from the folder of a cohort."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from tomllib import TOMLDecodeError, loads
from typing import Any, Final

from osteoct.cohort.agree.choices import AgreeChoices
from osteoct.cohort.agree.side import Left, Quantity, Scan, Side, find_quantity
from osteoct.cohort.agree.tables import read_table_side
from osteoct.cohort.folder import MARKER, REPEATS, TABLE
from osteoct.cohort.linking.cases import CtCase, find_case_files, read_cases
from osteoct.cohort.linking.choices import LinkChoices
from osteoct.cohort.linking.reasons import Unlinked
from osteoct.errors import ConfigError, UnreadableInputError
from osteoct.protocols import protocol as find_protocol
from osteoct.review.decisions import read_reviews

_STILL_MEASURED: Final = (Unlinked.BLOCKING_FINDING, Unlinked.LEVELS_MISSING)
"""Reasons against a mean of L1–L5 that are none against the levels that are there."""


def read_side(
    path: Path, number: int, choices: AgreeChoices, *, protocol: str | None, repeats: bool = False
) -> Side:
    """Read results below a folder, the folder of a cohort, or a table.

    Parameters
    ----------
    number
        0 or 1: the first or the second side.
    repeats
        Several CTs of one patient are wanted.

    Raises
    ------
    UnreadableInputError, TableError
        The folder or the table cannot be used; single results never raise.
    ConfigError
        A protocol that does not exist, or another one than the cohort's.
    """
    if not path.exists():
        raise UnreadableInputError(
            "does not exist", where=str(path), wanted="a folder of results, a cohort or a table"
        )
    if not path.is_dir():
        return read_table_side(path, protocol=protocol, repeats=repeats)
    if (path / MARKER).is_file():
        return _read_cohort(path, protocol, repeats=repeats)
    return _read_results(path, number, choices, protocol or LinkChoices().protocol)


def _read_cohort(path: Path, protocol: str | None, *, repeats: bool) -> Side:
    """A cohort's table, or that of its repeated CTs."""
    try:
        record: dict[str, Any] = loads((path / MARKER).read_text(encoding="utf-8"))
    except (OSError, TOMLDecodeError, UnicodeDecodeError) as error:
        raise UnreadableInputError("cannot be read", where=str(path), found=str(error)) from error
    own = record.get("configuration", {}).get("protocol")
    if protocol and own and protocol != own:
        raise ConfigError(
            "the cohort was measured under another protocol",
            where=str(path),
            found=own,
            wanted=protocol,
            hint="osteoct cohort agree RESULTS --protocols P,Q compares protocols",
        )
    file = path / (REPEATS if repeats and (path / REPEATS).is_file() else TABLE)
    return read_table_side(file, protocol=own or protocol, repeats=repeats)


def _read_results(path: Path, number: int, choices: AgreeChoices, protocol: str) -> Side:
    """Every result below a folder, measured under one protocol."""
    find_protocol(protocol)
    link = LinkChoices(protocol=protocol, keep_blocked=choices.keep_blocked)
    scans, left = [], []
    for case in read_cases(path, link, read_reviews(path)):
        values = read_values(case)
        if case.refused is not None and not (case.refused in _STILL_MEASURED and values):
            left.append(Left(side=number, shown=case.case_id, row=None, reason=str(case.refused)))
            continue
        scans.append(
            Scan(
                case=case.case_id,
                patient=case.patient,
                shown=case.case_id,
                day=None if case.day is None else case.day.toordinal(),
                kvp=case.kvp,
                phase=case.phase,
                values=values,
            )
        )
    return Side(
        scans=tuple(scans),
        left=tuple(left),
        protocol=protocol,
        is_synthetic=False,
        sha256=_hash_results(path),
    )


def read_values(case: CtCase) -> dict[Quantity, float]:
    """HU and volumes of a case by quantity."""
    columns = {**(case.hu or {}), **(case.volumes or {})}
    return {q: v for name, v in columns.items() if (q := find_quantity(name)) is not None}


def _hash_results(path: Path) -> str:
    """One hash for all results of a tree, in the order of their paths."""
    digest = sha256()
    for file in find_case_files(path):
        digest.update(sha256(file.read_bytes()).digest())
    return digest.hexdigest()
