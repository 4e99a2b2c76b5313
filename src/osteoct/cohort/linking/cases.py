"""Results of CTs, read one by one from a folder tree; only what the cohort needs is kept."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from osteoct.anatomy import LUMBAR
from osteoct.cohort.linking.choices import LinkChoices
from osteoct.cohort.linking.reasons import Unlinked
from osteoct.errors import UnreadableInputError
from osteoct.protocols import PROTOCOLS, Region
from osteoct.records import CaseResult, Severity
from osteoct.review.decisions import Decision, Review, Standing
from osteoct.review.fingerprint import fingerprint_of

CASE_FILE = "case.json"


@dataclass(frozen=True, kw_only=True)
class CtCase:
    """What a case brings to the cohort; ``refused`` says why it brings nothing.

    Parameters
    ----------
    hu
        Column of ``cohort.csv`` to value, the means over L1–L5 and each level.
    volumes
        The same of volumes, in cm³: ``total_cm3``, ``trabecular_cm3_l1`` …
    """

    case_id: str
    patient: str | None = None
    day: date | None = None
    age: float | None = None
    sex: str | None = None
    kvp: float | None = None
    phase: str | None = None
    has_blocking: bool = False
    hu: Mapping[str, float] | None = None
    volumes: Mapping[str, float] | None = None
    refused: Unlinked | None = None


def find_case_files(folder: Path) -> list[Path]:
    """Every ``case.json`` at any depth, in the order of their paths.

    Folders that begin with a dot are passed over: there lies what is being written or replaced, and
    a result that was replaced would count as another CT.

    Raises
    ------
    UnreadableInputError
        No folder, or none in it.
    """
    if not folder.is_dir():
        raise UnreadableInputError("is no folder of results", where=str(folder))
    found: list[Path] = []
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found.extend([Path(root) / CASE_FILE] if CASE_FILE in names else ())
    if not found:
        raise UnreadableInputError(
            "holds no results", where=str(folder), found=f"no {CASE_FILE}", wanted="osteoct results"
        )
    return sorted(found)


def read_cases(
    folder: Path, choices: LinkChoices, reviews: Mapping[str, Review] | None = None
) -> Iterator[CtCase]:
    """Read every case of a tree; one that cannot be read is a case with that reason.

    A decision of a person about the result as it is now is honoured: a rejected case stays out, a
    rejected level does not count. One about an older result no longer holds.
    """
    seen: set[str] = set()
    for number, path in enumerate(find_case_files(folder), start=1):
        try:
            result = CaseResult.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            yield CtCase(case_id=f"file {number}", refused=Unlinked.UNREADABLE_RESULT)
            continue
        review = None if reviews is None else reviews.get(result.case_id)
        case = review_case(result, choices, review)
        if case.case_id in seen:
            case = CtCase(case_id=case.case_id, refused=Unlinked.REPEATED_CASE)
        seen.add(case.case_id)
        yield case


def review_case(result: CaseResult, choices: LinkChoices, review: Review | None) -> CtCase:
    """Take what the cohort needs of a result, as far as a person has not rejected it."""
    if review is None or review.standing(fingerprint_of(result)) is Standing.OUTDATED:
        return take_case(result, choices)
    if review.rejects_case:
        return replace(take_case(result, choices), refused=Unlinked.REJECTED_ON_REVIEW)
    rejected = review.levels if review.decision is Decision.REJECT else ()
    kept = tuple(one for one in result.levels if one.level not in rejected)
    return take_case(result.model_copy(update={"levels": kept}), choices)


def take_case(result: CaseResult, choices: LinkChoices) -> CtCase:
    """Take what the cohort needs of one result."""
    scan = result.acquisition
    has_blocking = any(f.severity is Severity.BLOCKING for f in result.findings)
    hu = measure_columns(result, choices)
    return CtCase(
        case_id=result.case_id,
        patient=result.patient_pseudonym,
        day=None if scan.study_date is None else date.fromisoformat(scan.study_date),
        age=scan.patient_age_years,
        sex=scan.patient_sex if scan.patient_sex in ("F", "M") else None,
        kvp=scan.kvp,
        phase=None if scan.phase is None else str(scan.phase),
        has_blocking=has_blocking,
        hu=hu,
        volumes=measure_columns(result, choices, unit="cm3"),
        refused=_find_refusal(result, choices, hu, has_blocking=has_blocking),
    )


def _find_refusal(
    result: CaseResult, choices: LinkChoices, hu: Mapping[str, float], *, has_blocking: bool
) -> Unlinked | None:
    if choices.protocol not in result.protocols:
        return Unlinked.PROTOCOL_ABSENT
    if "total_hu" in hu or "trabecular_hu" in hu:
        return None
    return Unlinked.BLOCKING_FINDING if has_blocking else Unlinked.LEVELS_MISSING


def measure_columns(
    result: CaseResult, choices: LinkChoices, *, unit: Literal["hu", "cm3"] = "hu"
) -> dict[str, float]:
    """Values by column: each usable level, and the unweighted mean where enough are usable.

    With ``keep_blocked`` levels count that are measured though a finding forbids conclusions.
    """
    columns: dict[str, float] = {}
    for name, region in name_regions(choices.protocol).items():
        values = []
        for level in LUMBAR:
            found = result.level(level)
            measure = None if found is None else found.region(choices.protocol, region)
            if found is None or measure is None or measure.hu is None:
                continue
            value = measure.hu.mean_hu if unit == "hu" else measure.volume_cm3
            if value is not None and (found.usable or choices.keep_blocked):
                columns[f"{name}_{unit}_{level.lower()}"] = value
                values.append(value)
        if len(values) >= choices.min_levels:
            columns[f"{name}_{unit}"] = sum(values) / len(values)
    return columns


def name_regions(protocol: str) -> dict[str, Region]:
    """The protocol's regions by the names of ``cohort.csv``; ``total`` is its base region."""
    made = PROTOCOLS[protocol]
    names = {made.base: "total"}
    return {names.get(region, str(region)): region for region in made.regions}
