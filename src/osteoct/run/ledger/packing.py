"""From records to columns and back."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from osteoct.records import Finding, Severity
from osteoct.run.records import Cause, Failure, Inputs, Outcome, Refusal, State, WorkItem

_LEVEL: Final = 6
"""Of zlib: a list of a thousand slices shrinks about tenfold, and more effort gains nothing."""

_FINDINGS: Final = "findings"
"""Beside the fields of the inputs: what the plan hands on to the result."""

BLANK: Final[dict[str, Any]] = {
    "cause": None,
    "kind": None,
    "message": None,
    "seconds": None,
    "peak_mib": None,
    "findings": None,
    "worst": None,
    "usability": None,
    "is_measured": None,
    "place": None,
}
"""The columns of an outcome before there is one."""


def pack_inputs(inputs: Inputs, findings: Sequence[Finding] = ()) -> bytes:
    """Return inputs, and what choosing them brought to light, as compressed JSON."""
    values = inputs.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    if findings:
        told = [f.model_dump(mode="json", exclude_defaults=True) for f in findings]
        values = {**values, _FINDINGS: told}
    return zlib.compress(json.dumps(values, separators=(",", ":")).encode(), _LEVEL)


def unpack_inputs(packed: bytes) -> Inputs:
    """Return the inputs that :func:`pack_inputs` packed."""
    values = json.loads(zlib.decompress(packed))
    values.pop(_FINDINGS, None)
    return Inputs.model_validate(values)


def unpack_findings(packed: bytes) -> tuple[Finding, ...]:
    """Return the findings that :func:`pack_inputs` packed."""
    told = json.loads(zlib.decompress(packed)).get(_FINDINGS, ())
    return tuple(Finding.model_validate_json(json.dumps(one)) for one in told)


def item_columns(item: WorkItem) -> dict[str, Any]:
    """Columns of a case to measure that is planned anew: nothing was done for it yet."""
    return {
        "case_id": item.case_id,
        "patient": item.patient,
        "key": item.key,
        "segment_key": item.segment_key,
        "inputs": pack_inputs(item.inputs, item.findings),
        "bytes_in": item.bytes_in,
        "voxels": item.voxels,
        "state": State.PENDING.value,
        **_untouched(),
        **BLANK,
    }


def refusal_columns(refusal: Refusal) -> dict[str, Any]:
    """Columns of what cannot be measured."""
    return {
        "case_id": refusal.case_id,
        "patient": refusal.patient,
        "key": None,
        "segment_key": None,
        "inputs": None,
        "bytes_in": None,
        "voxels": None,
        "state": State.REFUSED.value,
        **_untouched(),
        **BLANK,
        "cause": refusal.cause.value,
        "kind": "Refusal",
        "message": refusal.message,
    }


def outcome_columns(outcome: Outcome) -> dict[str, Any]:
    """Columns that an attempt fills."""
    failure = outcome.failure
    return {
        "cause": failure.cause.value if failure else None,
        "kind": failure.kind if failure else None,
        "message": failure.message if failure else None,
        "seconds": _json(outcome.seconds),
        "peak_mib": outcome.peak_mib,
        "findings": _json({key.value: count for key, count in outcome.findings.items()}),
        "worst": outcome.worst,
        "usability": outcome.usability.value if outcome.usability else None,
        "is_measured": outcome.is_measured,
        "place": outcome.place,
    }


def unpack_item(row: Mapping[Any, Any]) -> WorkItem:
    """Return the case of a row that has inputs."""
    return WorkItem(
        case_id=row["case_id"],
        patient=row["patient"],
        key=row["key"],
        segment_key=row["segment_key"],
        inputs=unpack_inputs(row["inputs"]),
        bytes_in=row["bytes_in"],
        voxels=row["voxels"],
        findings=unpack_findings(row["inputs"]),
    )


def unpack_failure(row: Mapping[Any, Any]) -> Failure | None:
    """Return why there is no result, or ``None``."""
    if row["cause"] is None:
        return None
    return Failure(cause=Cause(row["cause"]), kind=row["kind"], message=row["message"])


def unpack_numbers(text: str | None) -> dict[str, float]:
    """Return the seconds of an outcome."""
    return {} if text is None else dict(json.loads(text))


def unpack_severities(text: str | None) -> dict[Severity, int]:
    """Return the number of findings by severity."""
    return {} if text is None else {Severity(k): n for k, n in json.loads(text).items()}


def _untouched() -> dict[str, Any]:
    """Columns of a case nobody has begun."""
    return {
        "attempts": 0,
        "alone": False,
        "owner": None,
        "worker": None,
        "token": None,
        "lease_until": None,
        "began": None,
        "ended": None,
    }


def _json(value: Mapping[str, float]) -> str | None:
    return json.dumps(dict(value), separators=(",", ":")) if value else None
