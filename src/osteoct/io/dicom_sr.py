"""Results read back from a structured report that osteoct wrote.

Every number is the 64-bit number that was written. A report holds no evidence of findings, and no
place of them; all else of levels, means, findings and opinions comes back as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pydicom
from pydantic import ValidationError

from osteoct.anatomy import Level
from osteoct.errors import UnreadableInputError
from osteoct.io import report_fields as fields
from osteoct.io.dicom.elements import PARSE_ERRORS, quietly
from osteoct.io.report_fields import Choice, Number
from osteoct.io.result_codes import PRIVATE_SCHEME, REGION_CONCEPTS, Concept, level_of
from osteoct.io.sr_items import SrItem, is_same, read_items
from osteoct.protocols import Region
from osteoct.record import Record
from osteoct.records import (
    Change,
    Finding,
    LevelResult,
    MasksUsed,
    Opinion,
    Phase,
    Quantity,
    RegionChange,
    RegionMeasure,
    Summary,
    Usability,
)

_STRUCTURED_REPORT: Final = "1.2.840.10008.5.1.4.1.1.88."
_WANTED: Final = "a structured report of osteoct export"


class ReportedResults(Record):
    """What a structured report says; holds no identifier.

    Parameters
    ----------
    osteoct_version
        Version that measured.
    study_date
        ``YYYYMMDD``, where the report has it.
    is_verified, is_preliminary
        Whether a person vouches for the report, and whether it is not the final one.
    findings
        Without evidence and places; those of the case first, then level by level.
    """

    osteoct_version: str
    study_date: str | None
    is_verified: bool
    is_preliminary: bool
    usability: Usability | None
    usability_codes: tuple[str, ...]
    masks_used: MasksUsed
    levels: tuple[LevelResult, ...]
    summaries: tuple[Summary, ...]
    findings: tuple[Finding, ...]
    opinions: tuple[Opinion, ...]
    kvp: float | None = None
    phase: Phase | None = None
    scanner: str | None = None
    """Manufacturer and model; the three of reports older than comparisons are ``None``."""
    kernel: tuple[str, ...] = ()
    change: Change | None = None

    def level(self, level: Level) -> LevelResult | None:
        """The result of one level, or ``None`` if it is not in the report."""
        return next((r for r in self.levels if r.level is level), None)


def read_structured_report(path: Path | str) -> ReportedResults:
    """Read the results of a structured report that osteoct wrote.

    Raises
    ------
    UnreadableInputError
        No structured report, one of another program, or one that is damaged: with a number in
        another unit, a word that osteoct does not know, or a level without its group.
    """
    where = str(path)
    try:
        with quietly():
            dataset = pydicom.dcmread(path)
            sop_class = str(dataset.get("SOPClassUID", ""))
            root = read_items(dataset) if sop_class.startswith(_STRUCTURED_REPORT) else None
        if root is None:
            raise UnreadableInputError("is no structured report", where=where, wanted=_WANTED)
        return _results(dataset, _groups(root, where=where), where=where)
    except ValidationError as error:
        raise _damaged(where, f"{error.error_count()} fields that do not fit") from None
    except PARSE_ERRORS as error:
        # pydicom's words quote header values
        raise _damaged(where, type(error).__name__) from None


def _damaged(where: str, found: str) -> UnreadableInputError:
    return UnreadableInputError("is damaged", where=where, found=found, wanted=_WANTED)


def _groups(root: SrItem, *, where: str) -> tuple[SrItem, ...]:
    """The measurement groups of a report of osteoct."""
    measured = root.first_of(fields.IMAGING_MEASUREMENTS)
    groups = () if measured is None else measured.all_of(fields.MEASUREMENT_GROUP)
    if not any(_is_kind(group, fields.CASE_RESULT) for group in groups):
        raise UnreadableInputError(
            "is no report of osteoct",
            where=where,
            found=f"{len(groups)} measurement groups, none in the scheme {PRIVATE_SCHEME}",
            wanted=_WANTED,
        )
    return groups


def _results(
    dataset: pydicom.Dataset, groups: tuple[SrItem, ...], *, where: str
) -> ReportedResults:
    case = next(group for group in groups if _is_kind(group, fields.CASE_RESULT))
    levels = [group for group in groups if _is_kind(group, fields.LEVEL_RESULT)]
    version = case.text_of(fields.ALGORITHM_VERSION)
    return ReportedResults.model_validate(
        {
            "osteoct_version": version or "unknown",
            "study_date": str(dataset.get("StudyDate") or "") or None,
            "is_verified": dataset.get("VerificationFlag") == "VERIFIED",
            "is_preliminary": dataset.get("PreliminaryFlag") != "FINAL",
            "usability": _value(case, fields.USABILITY),
            "masks_used": _value(case, fields.USED_REPAIRED),
            "usability_codes": _values(case, fields.USABILITY_CODE),
            "levels": tuple(_level(group, groups, where=where) for group in levels),
            "summaries": tuple(
                _summary(g, where=where) for g in groups if _is_kind(g, fields.SUMMARY)
            ),
            "findings": (
                *_findings(case, None),
                *(f for group in levels for f in _findings(group, _site(group))),
            ),
            "opinions": tuple(
                _opinion(g, where=where) for g in groups if _is_kind(g, fields.OPINION)
            ),
            **_words(case, fields.SCAN_CHOICES),
            **_numbers(case, fields.SCAN, where=where),
            "scanner": case.text_of(fields.SCANNER),
            "kernel": _texts(case, fields.KERNEL),
            "change": _change(groups, where=where),
        }
    )


def _change(groups: tuple[SrItem, ...], *, where: str) -> Change | None:
    """What changed since an earlier examination, where the report compares."""
    whole = next((group for group in groups if _is_kind(group, fields.CHANGE)), None)
    if whole is None:
        return None
    return Change.model_validate(
        {
            "earlier_case": None,
            "earlier_date": whole.text_of(fields.EARLIER_DATE),
            "later_date": whole.text_of(fields.LATER_DATE),
            "days": None,
            **_numbers(whole, fields.CHANGE_CASE, where=where),
            "scanner": _value(whole, fields.SAME_SCANNER),
            "limit_from": whole.text_of(fields.LIMIT_FROM),
            "notes": _texts(whole, fields.NOTE),
            "rows": tuple(
                _changed(group, where=where)
                for group in groups
                if _is_kind(group, fields.CHANGED_VALUE)
            ),
        }
    )


def _changed(group: SrItem, *, where: str) -> RegionChange:
    """One number of two examinations."""
    words = _words(group, fields.CHANGE_CHOICES)
    levels = _levels(group, fields.FINDING_SITE)
    is_single = group.codes_of(fields.SINGLE_LEVEL)[0].key == fields.YES.key
    regions = {concept.key: region for region, concept in REGION_CONCEPTS.items()}
    return RegionChange.model_validate(
        {
            "level": levels[0] if is_single else None,
            "levels": levels,
            "protocol": _method(group),
            "region": regions[group.codes_of(fields.REGION_ASKED)[0].key],
            "reason": group.text_of(fields.REASON),
            **words,
            **_numbers(group, fields.CHANGES[Quantity(words["quantity"])], where=where),
        }
    )


def _level(group: SrItem, groups: tuple[SrItem, ...], *, where: str) -> LevelResult:
    level = _site(group)
    regions = (
        _region(other, where=where)
        for other in groups
        if _region_of(other) is not None and _site(other) is level
    )
    return LevelResult.model_validate(
        {
            "level": level,
            "usable": group.codes_of(fields.USABLE)[0].key == fields.YES.key,
            "usability_codes": _values(group, fields.USABILITY_CODE),
            "numbering_reason": group.text_of(fields.NAME_REASON),
            **_words(group, fields.LEVEL_CHOICES),
            **_numbers(group, fields.LEVEL, where=where),
            "heights": {
                **_words(group, fields.HEIGHT_CHOICES),
                **_numbers(group, fields.HEIGHTS, where=where),
            },
            "morphometry": {
                **_words(group, fields.MORPHOMETRY_CHOICES),
                **_numbers(group, fields.MORPHOMETRY, where=where),
            },
            "regions": tuple(regions),
        }
    )


def _region(group: SrItem, *, where: str) -> RegionMeasure:
    statistics = _numbers(group, fields.STATISTICS, where=where)
    return RegionMeasure.model_validate(
        {
            "protocol": _method(group),
            "region": _region_of(group),
            **_words(group, fields.REGION_CHOICES),
            **_numbers(group, fields.REGION, where=where),
            "hu": statistics or None,
        }
    )


def _summary(group: SrItem, *, where: str) -> Summary:
    statistic = group.codes_of(fields.STATISTIC)[0]
    names = {concept.key: name for name, concept in fields.STATISTIC_CONCEPTS.items()}
    regions = {concept.key: region for region, concept in REGION_CONCEPTS.items()}
    value = {"value_hu": fields.STATISTICS["mean_hu"]}
    certainty = {"numbering_certainty": fields.NUMBERING_CERTAINTY}
    return Summary.model_validate(
        {
            "protocol": _method(group),
            "region": regions[group.codes_of(fields.REGION_ASKED)[0].key],
            "statistic": names[statistic.key],
            "value_hu": None,
            **_numbers(group, value | certainty, where=where),
            "levels_used": _levels(group, fields.FINDING_SITE),
            "levels_asked": _levels(group, fields.LEVEL_ASKED),
            "levels_less_sure": _levels(group, fields.LEVEL_LESS_SURE),
        }
    )


def _opinion(group: SrItem, *, where: str) -> Opinion:
    cutoff = group.first_of(fields.CUT_OFF)
    units = {concept.key: name for name, concept in fields.UNIT_CONCEPTS.items()}
    unit = None if cutoff is None or cutoff.unit is None else units.get(cutoff.unit.key)
    return Opinion.model_validate(
        {
            "rule": group.text_of(fields.TRACKING_ID),
            "reason": group.text_of(fields.REASON),
            "cutoff": None if cutoff is None else cutoff.number,
            "unit": unit,
            **_words(group, fields.VERDICT_CHOICES),
            **_numbers(group, {"value_hu": fields.STATISTICS["mean_hu"]}, where=where),
            "levels_used": _levels(group, fields.FINDING_SITE),
        }
    )


def _findings(group: SrItem, level: Level | None) -> tuple[Finding, ...]:
    return tuple(
        Finding.model_validate(
            {
                "code": item.code.value if item.code else None,
                "severity": _value(item, fields.SEVERITY),
                "effect": _value(item, fields.EFFECT),
                "message": item.text_of(fields.MESSAGE),
                "certainty": next((c.number for c in item.all_of(fields.CERTAINTY)), None),
                "level": level,
            }
        )
        for item in group.all_of(fields.FINDING)
    )


def _is_kind(group: SrItem, kind: Concept) -> bool:
    return any(is_same(code, kind) for code in group.codes_of(fields.FINDING_TYPE))


def _region_of(group: SrItem) -> Region | None:
    """The region that a group measures; groups of other kinds measure none."""
    return next((r for r, kind in REGION_CONCEPTS.items() if _is_kind(group, kind)), None)


def _method(group: SrItem) -> str | None:
    return _value(group, fields.METHOD)


def _site(group: SrItem) -> Level | None:
    return next(iter(_levels(group, fields.FINDING_SITE)), None)


def _levels(group: SrItem, name: Concept) -> tuple[Level | None, ...]:
    return tuple(level_of(code) for code in group.codes_of(name))


def _value(item: SrItem, name: Concept) -> str | None:
    return next(iter(_values(item, name)), None)


def _values(item: SrItem, name: Concept) -> tuple[str, ...]:
    return tuple(code.value for code in item.codes_of(name))


def _texts(item: SrItem, name: Concept) -> tuple[str, ...]:
    return tuple(found.text for found in item.all_of(name) if found.text is not None)


def _words(group: SrItem, choices: Mapping[str, Choice]) -> dict[str, str]:
    """The words of a record that a group has."""
    found = {name: _value(group, choice.concept) for name, choice in choices.items()}
    return {name: value for name, value in found.items() if value is not None}


def _numbers(group: SrItem, numbers: Mapping[str, Number], *, where: str) -> dict[str, Any]:
    """The numbers of a record that a group has, each in the unit that it is written in."""
    found: dict[str, Any] = {}
    for name, number in numbers.items():
        for item in group.all_of(number.concept):
            if number.derivation and number.derivation.key not in {
                code.key for code in item.codes_of(fields.DERIVATION)
            }:
                continue
            if not is_same(item.unit, number.unit):
                raise UnreadableInputError(
                    "has a number in another unit",
                    where=where,
                    found=f"{name} in {item.unit.value if item.unit else 'no unit'}",
                    wanted=number.unit.value,
                )
            found[name] = item.number
    return found
