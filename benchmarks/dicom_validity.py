"""PyPI's dicom-validator on exported objects, with tables of the standard that PyPI carries.

Usage, in an environment with ``dicom-validator==0.9.0`` and ``dicom-standard==0.1.0``::

    python benchmarks/dicom_validity.py FILE.dcm ...

dicom-validator fetches the tables from the network. dicom-standard has them as of April 2020; its
tables have lost which macro of a report's item belongs to which value type (PS3.3, table C.17-5),
and that items hold items: both are put back. Enumerated values are not checked. Types and presence
are: of modules, macros, functional groups and sequences.
"""

from __future__ import annotations

import html
import json
import logging
import re
import sys
from collections import defaultdict
from importlib.metadata import distribution
from typing import Any

from dicom_validator.spec_reader.condition import ConditionType
from dicom_validator.spec_reader.condition_parser import ConditionParser
from dicom_validator.spec_reader.serializer import DefinitionEncoder
from dicom_validator.validator.dicom_file_validator import DicomFileValidator
from dicom_validator.validator.dicom_info import DicomInfo
from pydicom.datadict import DicomDictionary

CONTENT = "(0040,A730)"
VALUE_TYPES = {
    "(3006,0024)": ["SCOORD3D"],
    "(0070,0022)": ["SCOORD", "SCOORD3D"],
    "(0070,0023)": ["SCOORD", "SCOORD3D"],
    "(0040,A300)": ["NUM"],
    "(0040,A168)": ["CODE"],
    "(0040,A13A)": ["TCOORD"],
    "(0040,A138)": ["TCOORD"],
    "(0040,A130)": ["TCOORD"],
    "(0008,1199)": ["COMPOSITE", "IMAGE", "WAVEFORM"],
    "(0040,A050)": ["CONTAINER"],
    "(0040,A160)": ["TEXT"],
    "(0040,A120)": ["DATETIME"],
    "(0040,A121)": ["DATE"],
    "(0040,A122)": ["TIME"],
    "(0040,A123)": ["PNAME"],
    "(0040,A124)": ["UIDREF"],
}
"""Attributes of an item by the value types that they belong to."""

Table = dict[str, Any]


def read(name: str) -> list[Table]:
    """A table of dicom-standard."""
    files = distribution("dicom-standard").files or []
    (file,) = (f for f in files if f.name == f"{name}.json")
    rows: list[Table] = json.loads(file.locate().read_text(encoding="utf-8"))
    return rows


def plain(text: str | None) -> str:
    """Words without their markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text or "")).split())


def read_dictionary() -> Table:
    """Names and types of attributes, from pydicom."""
    return {
        f"({tag >> 16:04X},{tag & 0xFFFF:04X})": {"name": name, "vr": vr, "vm": vm, "prop": retired}
        for tag, (vr, vm, name, retired, _) in DicomDictionary.items()
    }


def read_attributes(name: str, key: str, parser: ConditionParser, names: Table) -> Table:
    """Attributes of modules or macros, those of sequences below them."""
    tables: Table = defaultdict(dict)
    for row in read(name):
        node = tables[row[key]]
        for part in row["path"].split(":")[1:-1]:
            above = node.setdefault(f"({part[:4].upper()},{part[4:].upper()})", {})
            node = above.setdefault("items", {})
        tag = row["tag"].upper()
        if "X" in tag:  # a repeating group, which the validator does not know
            continue
        entry = {"name": names.get(tag, {}).get("name", tag), "type": row["type"]}
        condition = parser.parse(plain(row["description"]))
        if row["type"] in ("1C", "2C", "3") and condition.type != ConditionType.UserDefined:
            entry["cond"] = condition
        node[tag] = entry
    return tables


def read_usage(name: str, of: str, names: Table, parser: ConditionParser) -> dict[str, Table]:
    """Modules or macros of each object, with their condition."""
    tables: dict[str, Table] = defaultdict(dict)
    for row in read(name):
        statement = plain(row["conditionalStatement"])
        use = f"{row['usage']} - {statement}" if statement else row["usage"]
        entry = {"ref": f"{of} {row[of]}", "use": use}
        if statement:
            entry["cond"] = parser.parse(use)
        tables[row["ciodId"]][names[row[of]]] = entry
    return tables


def settle_report(items: Table, parser: ConditionParser) -> None:
    """Put back what belongs to which value type."""
    for tag, types in VALUE_TYPES.items():
        if tag in items:
            one_of = " or ".join(f'"{value}"' for value in types)
            condition = parser.parse(f"Required if Value Type (0040,A040) is {one_of}.")
            condition.type = ConditionType.MandatoryOrNotAllowed
            is_empty_allowed = items[tag]["type"].startswith("2")
            items[tag] |= {"cond": condition, "type": "2C" if is_empty_allowed else "1C"}


def make_tables() -> DicomInfo:
    """What the validator needs to know."""
    names = read_dictionary()
    parser = ConditionParser(names)
    modules = read_attributes("module_to_attributes", "moduleId", parser, names)
    macros = read_attributes("macro_to_attributes", "macroId", parser, names)
    for tag in ("(5200,9229)", "(5200,9230)"):
        groups = {"include": [{"ref": "FuncGroup"}]}
        modules["multi-frame-functional-groups"][tag]["items"] = groups
    content = modules["sr-document-content"]
    for items in (content, content[CONTENT]["items"]):
        settle_report(items, parser)
    titles = {m["id"]: m["name"] for m in read("modules")}
    used = read_usage("ciod_to_modules", "moduleId", titles, parser)
    titles = {m["id"]: m["name"] for m in read("macros")}
    grouped = read_usage("ciod_to_fg_macros", "macroId", titles, parser)
    objects = {c["name"]: c["id"] for c in read("ciods")}
    classes = {
        sop["id"]: {
            "title": sop["ciod"],
            "modules": used[objects[sop["ciod"]]],
            "group_macros": grouped[objects[sop["ciod"]]],
        }
        for sop in read("sops")
        if sop["ciod"] in objects
    }
    tables = {f"moduleId {name}": table for name, table in modules.items()}
    tables |= {f"macroId {name}": table for name, table in macros.items()}
    for one in classes.values():
        for entry in (*one["modules"].values(), *one["group_macros"].values()):
            tables.setdefault(entry["ref"], {})
    known = json.loads(json.dumps([classes, tables], cls=DefinitionEncoder))
    items = known[1]["moduleId sr-document-content"][CONTENT]["items"]
    items[CONTENT] = {"name": "Content Sequence", "type": "3", "items": items}
    return DicomInfo(names, *known)


def main(files: list[str]) -> int:
    """Errors of each file, in the validator's words; how many there are."""
    validator = DicomFileValidator(make_tables(), logging.WARNING, False, False)
    total = 0
    for file in files:
        errors = sum(result.errors for result in validator.validate(file).values())
        print(f"{file}: {errors} errors")
        total += errors
    return total


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
