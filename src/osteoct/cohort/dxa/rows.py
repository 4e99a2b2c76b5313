"""Rows of a sheet into examinations; every problem is kept, none ends the reading."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from osteoct.cohort.dxa.cells import (
    DateOrder,
    find_date_order,
    is_absent,
    parse_date,
    parse_number,
    parse_sex,
)
from osteoct.cohort.dxa.mapping import LONG_FIELDS, DxaMap
from osteoct.cohort.dxa.scan import (
    ABMD_LIMITS,
    BMI_TOLERANCE,
    EARLIEST,
    HEIGHT_LIMITS_CM,
    DxaScan,
    Person,
    Problem,
    SiteMeasure,
)
from osteoct.cohort.dxa.sheet import Cell, Sheet
from osteoct.cohort.dxa.words import QUANTITIES, SIDES, find_site

T = TypeVar("T")
M = TypeVar("M", Person, SiteMeasure)

PER_G: Final = 1000.0
"""mg in a g."""

PERSON_NUMBERS: Final = ("age", "height_cm", "weight_kg", "bmi")


@dataclass(kw_only=True)
class RowReader:
    """Reads the rows of one sheet and collects what is wrong with them."""

    sheet: Sheet
    columns: Mapping[str, int]
    asked: DxaMap
    today: date
    problems: list[Problem] = field(default_factory=list)
    passed_over: int = 0
    """Rows of a table in the long form about sites that are not used."""

    def read(self) -> list[DxaScan]:
        """Read every row; one with a problem as far as it goes, to compare it with others."""
        orders = {
            name: self.asked.date_order or find_date_order([row[i] for _, row in self.sheet.rows])
            for name, i in self.columns.items()
            if name in ("dxa_date", "ct_date")
        }
        scans = [self._read_row(number, row, orders) for number, row in self.sheet.rows]
        return [scan for scan in scans if scan is not None]

    def _read_row(
        self, number: int, row: tuple[Cell, ...], orders: Mapping[str, DateOrder | None]
    ) -> DxaScan | None:
        cells = {name: row[i] for name, i in self.columns.items() if not is_absent(row[i])}
        measures = self._read_measures(number, cells)
        person = self._read_person(number, cells)
        dates = {
            name: self._read_date(number, name, cells[name], order)
            for name, order in orders.items()
            if name in cells
        }
        for name in ("patient", "dxa_date"):
            if name not in cells:
                self._note(number, name, "empty, and needed")
        day = dates.get("dxa_date")
        if day is None or "patient" not in cells:
            return None
        return DxaScan(
            row=number,
            patient=_as_id(cells["patient"]),
            dxa_date=day,
            ct_date=dates.get("ct_date"),
            person=person,
            measures=measures,
        )

    def _note(self, row: int, name: str, what: str) -> None:
        self.problems.append(Problem(row=row, column=self._title(name), what=what))

    def _title(self, name: str) -> str:
        return self.sheet.header[self.columns[name]] if name in self.columns else name

    def _parse(self, row: int, name: str, cell: Cell, parse: Callable[[Cell], T]) -> T | None:
        """Parse a cell, or note what is wrong with it."""
        try:
            return parse(cell)
        except ValueError as error:
            self._note(row, name, f"{error}; found {_shown(cell)}")
            return None

    def _read_date(self, row: int, name: str, cell: Cell, order: DateOrder | None) -> date | None:
        day = self._parse(row, name, cell, lambda c: parse_date(c, order))
        if day is not None and not EARLIEST <= day <= self.today:
            when = "in the future" if day > self.today else f"before {EARLIEST.year}"
            self._note(row, name, f"a date {when}; found {day.isoformat()}")
            return None
        return day

    def _read_person(self, row: int, cells: Mapping[str, Cell]) -> Person:
        values: dict[str, Any] = {
            name: self._parse(row, name, cells[name], parse_number)
            for name in PERSON_NUMBERS
            if name in cells
        }
        height = values.get("height_cm")
        if height is not None and self.asked.height_unit == "m":
            values["height_cm"] = height * 100
        if "sex" in cells:
            values["sex"] = self._parse(
                row, "sex", cells["sex"], lambda c: parse_sex(c, self.asked.sex)
            )
        person = self._build(row, Person, values, names={n: n for n in values})
        return self._check_bmi(row, person)

    def _check_bmi(self, row: int, person: Person) -> Person:
        """Compare the table's BMI with height and weight, or make it from them."""
        if person.height_cm is None or person.weight_kg is None:
            return person
        own = person.weight_kg / (person.height_cm / 100) ** 2
        if person.bmi is None:
            return person.model_copy(update={"bmi": round(own, 2)})
        if abs(own - person.bmi) > BMI_TOLERANCE:
            self._note(
                row, "bmi", f"{person.bmi:g} does not fit height and weight, which give {own:.1f}"
            )
        return person

    def _read_measures(self, row: int, cells: Mapping[str, Cell]) -> tuple[SiteMeasure, ...]:
        """The sites of a row: one in the long form, else one for each column."""
        if "site" in self.columns:
            return self._read_long(row, cells)
        grouped: dict[tuple[str, str | None], dict[str, str]] = {}
        for name in cells:
            quantity, _, place = name.partition("_")
            if quantity in QUANTITIES and place:
                side = next((s for s in SIDES if place.endswith(f"_{s}")), None)
                site = place.removesuffix(f"_{side}")
                grouped.setdefault((site, side), {})[quantity] = name
        return tuple(self._measure(row, key, names, cells) for key, names in grouped.items())

    def _read_long(self, row: int, cells: Mapping[str, Cell]) -> tuple[SiteMeasure, ...]:
        if "site" not in cells:
            self._note(row, "site", "empty, and needed")
            return ()
        found = find_site(f"{cells['site']} {cells.get('side', '')}")
        if found is None:
            self.passed_over += 1
            return ()
        names = {quantity: quantity for quantity in LONG_FIELDS if quantity in cells}
        return (self._measure(row, found, names, cells),)

    def _measure(
        self,
        row: int,
        key: tuple[str, str | None],
        names: Mapping[str, str],
        cells: Mapping[str, Cell],
    ) -> SiteMeasure:
        site, side = key
        values: dict[str, Any] = {
            quantity: self._parse(row, name, cells[name], parse_number)
            for quantity, name in names.items()
        }
        density = values.get("abmd")
        if density is not None and self.asked.abmd_unit == "mg/cm2":
            values["abmd"] = density / PER_G
        return self._build(row, SiteMeasure, {**values, "site": site, "side": side}, names=names)

    def _build(
        self, row: int, model: type[M], values: dict[str, Any], *, names: Mapping[str, str]
    ) -> M:
        """Make a record; a value outside its limits is a problem of its cell, and left out."""
        try:
            return model.model_validate(values)
        except ValidationError as error:
            for one in error.errors():
                name = str(one["loc"][0])
                self._note(row, names.get(name, name), _explain(name, one["input"], one["msg"]))
                del values[name]
            return model.model_validate(values)


def _explain(name: str, value: float, message: str) -> str:
    """What is wrong with a value outside its limits, and the usual mistake behind it."""
    said = f"impossible value {value:g} ({message[0].lower()}{message[1:]})"
    low, high = (limit * PER_G for limit in ABMD_LIMITS)
    if name == "abmd" and low <= value <= high:
        return f'{said}: looks like mg/cm²; say abmd_unit = "mg/cm2" in the map'
    low, high = (limit / 100 for limit in HEIGHT_LIMITS_CM)
    if name == "height_cm" and low <= value <= high:
        return f'{said}: looks like metres; say height_unit = "m" in the map'
    return said


def _shown(cell: Cell) -> str:
    """A cell in a message, cut short."""
    longest = 24
    text = str(cell)
    return repr(text if len(text) <= longest else text[:longest] + "…")


def _as_id(cell: Cell) -> str:
    """A patient's id as text; a spreadsheet's 4711.0 is 4711."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()
