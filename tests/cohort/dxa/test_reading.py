"""DXA tables: what is understood, and that every mistake is named with its place."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from osteoct.cohort.dxa.mapping import DxaMap, read_map
from osteoct.cohort.dxa.reading import read_dxa
from osteoct.errors import ConfigError, TableError, UnreadableInputError

TODAY = date(2024, 1, 1)
GOOD = "A1,2020-03-01,-2.5,-1.0,0.3,F,71,28.1"


def problems_of(path, **options):
    with pytest.raises(TableError) as caught:
        read_dxa(path, today=TODAY, **options)
    return caught.value.problems


def test_a_hand_made_sheet_is_read(sheet):
    """Plain names of columns need no map; the numbers are those of the cells."""
    (scan,) = read_dxa(sheet(GOOD), today=TODAY).scans
    assert (scan.patient, scan.dxa_date, scan.row) == ("A1", date(2020, 3, 1), 2)
    assert [scan.t_score(s) for s in ("lumbar", "femoral_neck", "total_hip")] == [-2.5, -1.0, 0.3]
    assert (scan.person.sex, scan.person.age, scan.person.bmi) == ("F", 71.0, 28.1)


def test_a_german_export_is_read(tmp_path):
    """Semicolons, decimal commas, Windows-1252 and a title line: what Excel in Germany saves."""
    path = tmp_path / "dxa.csv"
    text = (
        "Export der Knochendichte\n"
        "Patienten-ID;Untersuchungsdatum;Geschlecht;Alter;Größe cm;Gewicht kg;"
        "T-Wert LWS;T-Wert Schenkelhals links;T-Wert Schenkelhals rechts\n"
        "4711;24.12.2021;weiblich;70,5;160;64;−2,6;-1,0;-1,4\n"
    )
    path.write_bytes(text.replace("−", "-").encode("cp1252"))
    (scan,) = read_dxa(path, today=TODAY).scans
    assert scan.row == 3
    assert (scan.t_score("lumbar"), scan.t_score("femoral_neck")) == (-2.6, -1.4)
    assert scan.person.bmi == pytest.approx(64 / 1.6**2)
    assert scan.t_score("total_hip") is None


@pytest.mark.parametrize("kind", ["xlsx", "parquet", "utf16", "tab"])
def test_formats_say_the_same(tmp_path, sheet, kind):
    """Excel, Parquet and other CSV hold the same table as plain CSV, dates as dates included."""
    plain = sheet(GOOD, "A2,2020-03-05,,-0.5,,M,60,")
    wanted = read_dxa(plain, today=TODAY).scans
    frame = pd.read_csv(plain, parse_dates=["date"])
    path = tmp_path / f"table.{kind if kind in ('xlsx', 'parquet') else 'csv'}"
    if kind == "xlsx":
        frame.to_excel(path, index=False)
    elif kind == "parquet":
        frame.to_parquet(path)
    else:
        text = frame.to_csv(index=False, sep="\t" if kind == "tab" else ",")
        path.write_bytes(text.encode("utf-16" if kind == "utf16" else "utf-8"))
    assert read_dxa(path, today=TODAY).scans == wanted


def test_a_row_per_site_is_joined_per_patient_and_day(sheet):
    """The long shape: rows of one day are one examination; the forearm is passed over."""
    header = "ID,Scan date,Region,Side,BMD,T-score,Z-score"
    table = read_dxa(
        sheet(
            "A1,2020-03-01,AP Spine L1-L4,,0.812,-2.6,-1.0",
            "A1,2020-03-01,Femur Neck,Left,0.7,-1.9,",
            "A1,2020-03-01,Femur Neck,Right,0.6,-2.2,",
            "A1,2020-03-01,Forearm radius 33%,,0.5,-3.0,",
            "A1,2021-03-01,L3,,0.5,-3.0,",
            header=header,
        ),
        today=TODAY,
    )
    first, second = table.scans
    assert (first.t_score("lumbar"), first.t_score("femoral_neck")) == (-2.6, -2.2)
    assert [m.abmd for m in first.measures] == [0.812, 0.7, 0.6]
    assert table.passed_over == 1
    assert second.t_score("l3") == -3.0
    assert second.t_score("lumbar") is None


def test_all_problems_come_at_once_with_row_and_column(sheet):
    """A user who is told one mistake per run gives up; the places are those of the sheet."""
    header = "id,date,T-score L1-L4,T-score neck,BMD neck,sex,BMI,height,weight"
    found = problems_of(
        sheet(
            "A1,2020-03-01,-25,-1.0,0.8,F,28,160,72",
            'A2,2030-03-01,-1.0,"1,0,1",0.8,F,28,160,72',
            "A3,2020-02-30,-1.0,-1.0,812,X,3,1.6,72",
            "A4,2020-03-01,-1.0,-1.0,0.8,F,40,160,72",
            "A1,2020-03-01,-2.4,-1.0,0.8,F,28,160,72",
            ",2020-03-01,-2.4,-1.0,0.8,F,28,160,72",
            header=header,
        )
    )
    wanted = [
        ("row 2, column 'T-score L1-L4'", "-25"),
        ("row 3, column 'T-score neck'", "two decimal signs"),
        ("row 3, column 'date'", "in the future"),
        ("row 4, column 'BMD neck'", "looks like mg/cm²"),
        ("row 4, column 'date'", "no such day"),
        ("row 4, column 'sex'", "unknown word"),
        ("row 4, column 'BMI'", "impossible value 3"),
        ("row 4, column 'height'", "looks like metres"),
        ("row 5, column 'BMI'", "does not fit height and weight"),
        ("row 6", "the same patient, day and site as row 2"),
        ("row 7, column 'id'", "empty"),
    ]
    for place, what in wanted:
        assert any(line.startswith(place) and what in line for line in found), (place, found)
    assert len(found) == len(wanted)


def test_units_are_taken_as_the_map_says(sheet):
    """mg/cm² and metres are no mistake once somebody said so."""
    header = "id,date,T-score neck,BMD neck,height,weight"
    asked = DxaMap(abmd_unit="mg/cm2", height_unit="m")
    (scan,) = read_dxa(
        sheet("A1,2020-03-01,-1,812,1.6,64", header=header), asked=asked, today=TODAY
    ).scans
    assert scan.measures[0].abmd == pytest.approx(0.812)
    assert scan.person.height_cm == pytest.approx(160)


@pytest.mark.parametrize(("value", "is_right"), [("-10", True), ("-10.1", False), ("10", True)])
def test_t_score_at_its_limit(sheet, value, is_right):
    """±10 is still believed, a tenth beyond is not."""
    path = sheet(f"A1,2020-03-01,{value},-1.0,0.3,F,71,28.1")
    if is_right:
        assert read_dxa(path, today=TODAY).scans[0].t_score("lumbar") == float(value)
    else:
        assert "impossible value" in problems_of(path)[0]


def test_today_is_not_in_the_future(sheet):
    """The limit itself."""
    path = sheet(GOOD)
    assert read_dxa(path, today=date(2020, 3, 1)).scans
    with pytest.raises(TableError, match="future"):
        read_dxa(path, today=date(2020, 2, 29))


def test_an_ambiguous_date_is_never_guessed(sheet):
    """03/04 may be March or April; a day above 12 in the column, or the map, settles it."""
    row = "A1,03/04/2020,-2.5,-1.0,0.3,F,71,28.1"
    assert "ambiguous" in problems_of(sheet(row))[0]
    told = read_dxa(sheet(row), asked=DxaMap(date_order="mdy"), today=TODAY).scans[0]
    assert told.dxa_date == date(2020, 3, 4)
    other = row.replace("A1,03/04", "A2,25/04")
    assert read_dxa(sheet(row, other), today=TODAY).scans[0].dxa_date == date(2020, 4, 3)


def test_numbers_for_sex_need_the_map(sheet):
    """1 is male in one sheet and female in the next."""
    row = "A1,2020-03-01,-2.5,-1.0,0.3,1,71,28.1"
    assert "unknown word for sex" in problems_of(sheet(row))[0]
    told = read_dxa(sheet(row), asked=DxaMap(sex={"F": ("1",)}), today=TODAY)
    assert told.scans[0].person.sex == "F"


def test_missing_columns_are_named_with_what_was_found(sheet):
    """So that a map can be written without opening the file."""
    found = problems_of(sheet("A1,5", header="number of patient,something"))
    assert len(found) == 3
    assert all("'number of patient', 'something'" in line for line in found)


def test_missing_stays_missing(sheet):
    """An empty cell is no 0, no 65 and no M."""
    (scan,) = read_dxa(sheet("A1,2020-03-01,-2.5,,n/a,,,"), today=TODAY).scans
    assert scan.t_score("femoral_neck") is None
    assert (scan.person.sex, scan.person.age, scan.person.bmi) == (None, None, None)


def test_a_map_names_the_columns(tmp_path, sheet):
    """Names nobody could guess; a field that does not exist is refused with those that do."""
    path = tmp_path / "map.toml"
    path.write_text('[columns]\npatient = "nr"\ndxa_date = "d"\nt_lumbar = "x7"\n')
    table = sheet("A1,2020-03-01,-2.5", header="nr,d,x7")
    assert read_dxa(table, asked=read_map(path), today=TODAY).scans[0].t_score("lumbar") == -2.5
    path.write_text('[columns]\nt_lumber = "x7"\n')
    with pytest.raises(ConfigError, match=r"t_lumber.*t_lumbar"):
        read_map(path)


def test_no_patient_shows_in_a_message(sheet):
    """Hospital numbers are typed into the sheet; they must not be typed into a log."""
    path = sheet("SECRET-17,2020-03-01,-25,-1,0.3,F,71,28.1", "SECRET-17,2020-03-01,-2,,,,,")
    assert not [line for line in problems_of(path) if "SECRET" in line]
    scan = read_dxa(sheet("SECRET-17,2020-03-01,-2,,,,,"), today=TODAY).scans[0]
    assert "SECRET" not in repr(scan)


@pytest.mark.parametrize("name", ["nothing.csv", "no.xlsx", "no.parquet"])
def test_files_that_are_none(tmp_path, name):
    """Missing, or not what the name says."""
    path = tmp_path / name
    if name != "nothing.csv":
        path.write_bytes(b"PK, but no workbook")
    with pytest.raises(UnreadableInputError):
        read_dxa(path)
