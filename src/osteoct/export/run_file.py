"""The run file: what was asked for and what made the numbers, beside the results, as TOML."""

from __future__ import annotations

from typing import Any

import tomli_w

from osteoct.config import AnalysisConfig
from osteoct.records import CaseResult


def run_toml(result: CaseResult, config: AnalysisConfig) -> str:
    """Return configuration, versions, input hashes and times as TOML.

    Inputs stand there by content hash, never by path; a chosen series is only said to be
    ``given``, for its UID would name the patient's scan.
    """
    made = result.provenance
    document: dict[str, Any] = {
        "schema": "osteoct.run/1",
        "case_id": result.case_id,
        "started_utc": made.started_utc,
        "configuration": _configuration(config),
        "versions": {
            "osteoct": made.osteoct_version,
            "python": made.python_version,
            **dict(sorted(made.packages.items())),
        },
        "seconds": {step: round(seconds, 3) for step, seconds in made.seconds.items()},
        "inputs": [i.model_dump(mode="json") for i in made.inputs],
    }
    if result.policy is not None:
        document["policy"] = result.policy.model_dump(mode="json")
    if made.segmenter is not None:
        document["segmenter"] = made.segmenter.model_dump(mode="json", exclude_none=True)
    return tomli_w.dumps(document)


def _configuration(config: AnalysisConfig) -> dict[str, Any]:
    """The choices that were made; TOML has no null, so what was left open is left out."""
    chosen = config.model_dump(mode="json", exclude_none=True)
    if "series" in chosen:
        chosen["series"] = "given"
    return chosen
