"""The folder of a cohort: what ``link`` and ``simulate`` write and ``analyze`` reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tomllib import TOMLDecodeError, loads
from typing import Any, Final

import pandas as pd
import tomli_w

import osteoct
from osteoct.cohort.columns import LEVELS, REQUIRED, SYNTHETIC
from osteoct.cohort.csv_text import csv_text, table_csv
from osteoct.cohort.linking.flow import FLOW_COLUMNS, FlowRow
from osteoct.cohort.linking.link import LinkedCohort
from osteoct.cohort.simulate.assumptions import ASSUMED, ASSUMED_IN_WORDS, PUBLISHED
from osteoct.errors import TableError, UnreadableInputError
from osteoct.io.hashing import sha256_of

MARKER: Final = "cohort.toml"
"""What makes a folder a cohort: only such a folder, or an empty one, is ever replaced."""

TABLE: Final = "cohort.csv"

REPEATS: Final = "repeats.csv"
"""Every usable CT of patients of whom there are several: what repeated scans are compared by."""


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """A cohort as it was read.

    Parameters
    ----------
    protocol
        How the HU were measured; ``None`` where a bare table does not tell.
    is_synthetic
        Drawn, not measured: everything made from it says so.
    linking
        Choices it was linked or drawn with; empty for a bare table.
    repeats
        Table of several CTs of a patient, where there is one.
    """

    table: pd.DataFrame
    flow: tuple[FlowRow, ...]
    protocol: str | None
    is_synthetic: bool
    sha256: str
    linking: dict[str, Any]
    repeats: Path | None = None


def write_linked(cohort: LinkedCohort, folder: Path, *, inputs: Mapping[str, str]) -> None:
    """Write ``cohort.csv``, ``unlinked.csv``, ``flow.csv`` and ``cohort.toml`` into a folder.

    ``repeats.csv`` joins them where a patient has several usable CTs.

    No time of day and no path is written: the same inputs give the same bytes.
    """
    record = {
        "made": "linked",
        "inputs": dict(inputs),
        "configuration": cohort.choices.model_dump(mode="json"),
        "columns": dict(cohort.dxa.columns),
        "dxa": {"rows": cohort.dxa.n_rows, "rows_of_other_sites": cohort.dxa.passed_over},
    }
    _write_folder(folder, cohort.table, cohort.flow, record)
    _write(folder / "unlinked.csv", table_csv(cohort.unlinked))
    if len(cohort.repeats):
        _write(folder / REPEATS, table_csv(cohort.repeats))


def write_simulated(table: pd.DataFrame, folder: Path, *, n: int, seed: int) -> None:
    """Write a drawn cohort; ``cohort.toml`` lists what was assumed."""
    flow = tuple(
        FlowRow(side=side, step=step, n=len(table))
        for side, step in (("ct", "screened"), ("dxa", "screened"), ("patients", "linked"))
    )
    record = {
        "made": SYNTHETIC,
        "configuration": {"n": n, "seed": seed, "protocol": "vertebra-core-3.5"},
        "published": PUBLISHED.model_dump(mode="json"),
        "assumed": ASSUMED.model_dump(mode="json") | {"in_words": list(ASSUMED_IN_WORDS)},
    }
    _write_folder(folder, table, flow, record)


def _write_folder(
    folder: Path, table: pd.DataFrame, flow: tuple[FlowRow, ...], record: Mapping[str, Any]
) -> None:
    whole = {"schema": "osteoct.cohort/1", "osteoct": osteoct.__version__, **record}
    _write(folder / TABLE, table_csv(table))
    synthetic = record["made"] == SYNTHETIC
    _write(folder / "flow.csv", flow_csv(flow, is_synthetic=synthetic))
    _write(folder / MARKER, tomli_w.dumps(whole))


def flow_csv(flow: tuple[FlowRow, ...], *, is_synthetic: bool) -> str:
    """The flow's numbers; a last column says SYNTHETIC where they are of nobody."""
    extra = (SYNTHETIC,) if is_synthetic else ()
    rows = ([r.side, r.step, r.reason, r.n, *([SYNTHETIC] if is_synthetic else [])] for r in flow)
    return csv_text((*FLOW_COLUMNS, *extra), rows)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="")


def read_cohort(path: Path) -> Cohort:
    """Read the folder of a cohort, or a bare CSV of the same shape.

    Raises
    ------
    UnreadableInputError
        Missing, or no cohort.
    TableError
        Columns are missing (all are named, with what was found), or patients repeat without name.
    """
    file = path / TABLE if path.is_dir() else path
    try:
        table = pd.read_csv(file, dtype={"patient": str, "phase": str, "sex": str})
    except OSError as error:
        raise UnreadableInputError(
            "cannot be read", where=str(path), found=error.strerror, wanted=f"{TABLE} or a CSV"
        ) from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise UnreadableInputError("is no CSV", where=str(path), found=str(error)) from error
    _check_columns(path, table)
    record = _read_record(path / MARKER) if path.is_dir() else {}
    flow = _read_flow(path / "flow.csv") if path.is_dir() else ()
    linked = FlowRow(side="patients", step="linked", n=table["patient"].nunique())
    return Cohort(
        table=table,
        flow=flow or (linked,),
        protocol=record.get("configuration", {}).get("protocol"),
        is_synthetic=record.get("made") == SYNTHETIC
        or bool(table["patient"].str.startswith(SYNTHETIC).any()),
        sha256=sha256_of(file),
        linking=record.get("configuration", {}),
        repeats=_find_repeats(path, table),
    )


def _find_repeats(path: Path, table: pd.DataFrame) -> Path | None:
    """The table of several CTs of a patient: the folder's own, or one with patients in it twice."""
    if path.is_dir():
        return path / REPEATS if (path / REPEATS).is_file() else None
    return path if table["patient"].duplicated().any() else None


def _check_columns(path: Path, table: pd.DataFrame) -> None:
    missing = [name for name in REQUIRED if name not in table.columns]
    if missing:
        raise TableError(
            "columns are missing",
            where=str(path),
            problems=[f"no column {name!r}" for name in missing],
            hint=f"found {', '.join(map(str, table.columns))}; "
            f"an unknown T-score or HU is an empty column. Also read: {', '.join(LEVELS)}",
        )


def _read_record(path: Path) -> dict[str, Any]:
    try:
        return loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, TOMLDecodeError, UnicodeDecodeError) as error:
        raise UnreadableInputError("cannot be read", where=str(path), found=str(error)) from error


def _read_flow(path: Path) -> tuple[FlowRow, ...]:
    if not path.is_file():
        return ()
    rows = pd.read_csv(path, keep_default_na=False)
    return tuple(
        FlowRow.model_validate({name: row[name] for name in FLOW_COLUMNS})
        for row in rows.to_dict("records")
    )
