"""JSON Schema of ``case.json``, schema ``osteoct.case/1``.

The shipped file is generated from :class:`osteoct.records.CaseResult`, so that programs in other
languages can check a result without osteoct. ``nox -s schema`` writes it anew.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from osteoct.records import CaseResult

SCHEMA_FILE = "osteoct.case-1.json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def make_case_schema() -> dict[str, Any]:
    """Generate the schema from the records as they are written.

    >>> make_case_schema()["title"]
    'osteoct.case/1'
    """
    schema = CaseResult.model_json_schema(by_alias=True, mode="serialization")
    return {"$schema": DIALECT, **schema, "title": "osteoct.case/1"}


def load_case_schema() -> dict[str, Any]:
    """Return the schema that this release ships."""
    text = files("osteoct.schemas").joinpath(SCHEMA_FILE).read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def render_case_schema() -> str:
    """Text of the file to ship, stable from run to run."""
    return json.dumps(make_case_schema(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"
