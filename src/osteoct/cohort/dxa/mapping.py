"""Which column of a DXA table holds what: said by a small TOML, else guessed from the names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tomllib import TOMLDecodeError, loads
from typing import Literal

from pydantic import Field, ValidationError

from osteoct.cohort.dxa.words import (
    DXA_SITES,
    PEOPLE,
    QUANTITIES,
    SIDED,
    SIDES,
    find_quantity,
    find_site,
    fold,
)
from osteoct.errors import ConfigError
from osteoct.record import Record

MEASURE_FIELDS = tuple(
    f"{quantity}_{site}{side}"
    for site in DXA_SITES
    for side in (("", *(f"_{name}" for name in SIDES)) if site in SIDED else ("",))
    for quantity in QUANTITIES
)
"""Fields of a table with a column per site: ``t_lumbar``, ``abmd_total_hip_left``, ``z_l3`` …"""

LONG_FIELDS = ("t", "z", "abmd")
"""Fields of a table with a row per site, beside ``site`` and ``side``."""

FIELDS = (*PEOPLE, *MEASURE_FIELDS, *LONG_FIELDS)

Words = tuple[str, ...]


class DxaMap(Record):
    """What the user says of a DXA table; everything left out is guessed.

    Parameters
    ----------
    columns
        Field to column name, such as ``t_lumbar = "LS T"``. The fields are ``FIELDS``.
    sheet
        Sheet of a workbook; the first where not said.
    date_order
        How 03/04/2021 is read. Without it such a column is a problem unless some day exceeds 12.
    abmd_unit, height_unit
        Units of the table's numbers.
    sex
        Further words, such as ``{F = ["2"], M = ["1"]}``.
    ids
        What the patient column holds: ``hospital`` numbers (made pseudonyms while reading, with the
        key the CTs were analysed with), ``pseudonym`` or ``case``. Told by form where not said.
    issuer
        IssuerOfPatientID of the CTs, where their headers have one: it is part of the pseudonym.
    """

    columns: dict[str, str] = {}
    sheet: str | None = None
    date_order: Literal["dmy", "mdy"] | None = None
    abmd_unit: Literal["g/cm2", "mg/cm2"] = "g/cm2"
    height_unit: Literal["cm", "m"] = "cm"
    sex: dict[Literal["F", "M"], Words] = {}
    ids: Literal["hospital", "pseudonym", "case"] | None = None
    issuer: str = Field(default="", repr=False)


def read_map(path: Path) -> DxaMap:
    """Read a map from TOML.

    Raises
    ------
    ConfigError
        Unreadable, not TOML, or with unknown keys, fields or values.
    """
    try:
        made = DxaMap.model_validate(loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError("cannot be read", where=str(path), found=error.strerror) from error
    except (TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError("is not TOML", where=str(path), found=str(error)) from error
    except ValidationError as error:
        problems = [f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors()]
        raise ConfigError("bad values", where=str(path), found=" | ".join(problems)) from error
    unknown = [name for name in made.columns if name not in FIELDS]
    if unknown:
        raise ConfigError(
            "unknown fields in [columns]",
            where=str(path),
            found=", ".join(unknown),
            wanted=", ".join(FIELDS),
        )
    return made


def assign_columns(header: Sequence[str], asked: DxaMap) -> dict[str, int]:
    """Field to place of its column, as the map says and else by name; the first match counts.

    >>> assign_columns(["ID", "Scan date", "Spine L1-L4 T-score"], DxaMap())
    {'patient': 0, 'dxa_date': 1, 't_lumbar': 2}
    """
    places = {name: i for i, name in reversed(list(enumerate(header)))}
    found = {field: places[name] for field, name in asked.columns.items() if name in places}
    taken = set(found.values())
    for i, name in enumerate(header):
        field = None if i in taken else guess_field(name)
        if field is not None and field not in found and field not in asked.columns:
            found[field] = i
    return {field: found[field] for field in FIELDS if field in found}


def guess_field(name: str) -> str | None:
    """The field that a column's name suggests, or ``None``.

    >>> guess_field("T-Score Total Hip left"), guess_field("Geschlecht"), guess_field("Remarks")
    ('t_total_hip_left', 'sex', None)
    """
    folded = fold(name)
    person = next((field for field, known in PEOPLE.items() if folded in known), None)
    quantity = find_quantity(name)
    if person is not None or quantity is None:
        return person
    site = find_site(name)
    if site is None:
        words = set(folded.split()) - {"score", "g", "cm2", "cm", "mg", "wert", "value"}
        return quantity if words <= QUANTITIES[quantity] else None
    side = f"_{site[1]}" if site[1] else ""
    return f"{quantity}_{site[0]}{side}"
