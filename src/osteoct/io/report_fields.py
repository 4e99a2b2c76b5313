"""How the fields of a result stand in a structured report: concept, unit and way of derivation.

Writer and reader go by these tables alone, so that what is written is what is read. Every number is
written twice (PS3.3 C.18.1): as a decimal string of up to 16 characters, and as the 64-bit number
that it is, which is read back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from osteoct.io.label_codes import SNOMED
from osteoct.io.result_codes import Concept, private
from osteoct.records import (
    BodySource,
    ChangeVerdict,
    Deformity,
    HeightSource,
    MasksUsed,
    Phase,
    Quantity,
    Reason,
    Usability,
    Verdict,
)

DCM: Final = "DCM"
UCUM: Final = "UCUM"


def _dcm(value: str, meaning: str) -> Concept:
    return Concept(scheme=DCM, value=value, meaning=meaning)


def _sct(value: str, meaning: str) -> Concept:
    return Concept(scheme=SNOMED, value=value, meaning=meaning)


def _ucum(value: str, meaning: str) -> Concept:
    return Concept(scheme=UCUM, value=value, meaning=meaning)


HU: Final = _ucum("[hnsf'U]", "Hounsfield unit")
CM3: Final = _ucum("cm3", "cubic centimeter")
MM: Final = _ucum("mm", "mm")
DEGREE: Final = _ucum("deg", "Degree")
PERCENT: Final = _ucum("%", "Percent")
RATIO: Final = _ucum("{ratio}", "ratio")
COUNT: Final = _ucum("1", "no units")
KV: Final = _ucum("kV", "kilovolt")
MG_CM3: Final = _ucum("mg/cm3", "mg/cm^3")

ATTENUATION: Final = _dcm("112031", "Attenuation Coefficient")
VOLUME: Final = _sct("118565006", "Volume")
MEAN: Final = _sct("373098007", "Mean")
MEDIAN: Final = _sct("373099004", "Median")
SD: Final = _sct("386136009", "Standard Deviation")
YES: Final = _sct("373066001", "Yes")
NO: Final = _sct("373067005", "No")

FINDING_TYPE: Final = _dcm("121071", "Finding")
FINDING_SITE: Final = _sct("363698007", "Finding Site")
METHOD: Final = _sct("370129005", "Measurement Method")
DERIVATION: Final = _dcm("121401", "Derivation")
TRACKING_ID: Final = _dcm("112039", "Tracking Identifier")
REFERENCED_SEGMENT: Final = _dcm("121191", "Referenced Segment")
IMAGING_MEASUREMENTS: Final = _dcm("126010", "Imaging Measurements")
MEASUREMENT_GROUP: Final = _dcm("125007", "Measurement Group")
ALGORITHM_VERSION: Final = _dcm("111003", "Algorithm Version")
DEVICE_NAME: Final = _dcm("121013", "Device Observer Name")
COMMENT: Final = _dcm("121106", "Comment")
REFERENCE_AUTHORITY: Final = _dcm("121406", "Reference Authority")

LEVEL_RESULT: Final = private("LEVEL_RESULT", "Result of one vertebral level")
SUMMARY: Final = private("SUMMARY", "Mean over vertebral levels")
OPINION: Final = private("OPINION", "What a published cut-off says")
CASE_RESULT: Final = private("CASE_RESULT", "What concerns the whole case")
CHANGE: Final = private("CHANGE", "Change since an earlier examination")
CHANGED_VALUE: Final = private("CHANGED_VALUE", "Change of one number")

FINDING: Final = private("DOUBT", "Finding that limits trust")
SEVERITY: Final = private("SEVERITY", "Severity of the finding")
EFFECT: Final = private("EFFECT", "Effect of the finding by the policy")
MESSAGE: Final = private("MESSAGE", "Message")
CERTAINTY: Final = private("CERTAINTY", "Certainty, 0 to 1")
NOT_MEASURED: Final = private("NOT_MEASURED", "Reason why it is not measured")
USABLE: Final = private("USABLE", "Counts in means over levels")
USABILITY_CODE: Final = private("USABILITY_CODE", "Finding that limits the use")
REGION_ASKED: Final = private("REGION", "Region of each level")
LEVEL_ASKED: Final = private("LEVEL_ASKED", "Level that was asked for")
STATISTIC: Final = private("STATISTIC", "Statistic of each level")
CUT_OFF: Final = private("CUT_OFF", "Published cut-off")
VERDICT: Final = private("VERDICT", "Value against the cut-off")
LEVEL_LESS_SURE: Final = private("LEVEL_LESS_SURE", "Level whose name is less sure than others")
NAME_REASON: Final = private("NAME_REASON", "What the name of the level was counted from")
REASON: Final = private("REASON", "Reason of the verdict")
MEANING: Final = private("CUT_OFF_MEANS", "What the cut-off is and means")
CONDITIONS: Final = private("CONDITIONS", "Conditions of the cut-off")
MASKS_FROM: Final = private("MASKS_FROM", "Origin of the masks")
SCANNER: Final = private("SCANNER", "Manufacturer and model of the scanner")
KERNEL: Final = private("KERNEL", "Reconstruction kernel")
EARLIER_DATE: Final = private("EARLIER_DATE", "Date of the earlier examination")
LATER_DATE: Final = private("LATER_DATE", "Date of this examination")
SAME_SCANNER: Final = private("SAME_SCANNER", "Whether the scanner is the same")
LIMIT_FROM: Final = private("LIMIT_FROM", "Origin of the least significant change")
NOTE: Final = private("NOTE", "Note")
SINGLE_LEVEL: Final = private("SINGLE_LEVEL", "Whether it is of one level")
STATED: Final = private("STATED", "Stated by the user, not the header")
USED_REPAIRED: Final = private("MASKS_USED", "Masks that were measured")
USABILITY: Final = private("USABILITY", "Usability")


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number of a record."""

    concept: Concept
    unit: Concept
    derivation: Concept | None = None


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One of a few words of a record."""

    concept: Concept
    kind: type[StrEnum]


def _hu(derivation: Concept) -> Number:
    return Number(concept=ATTENUATION, unit=HU, derivation=derivation)


def _number(value: str, meaning: str, unit: Concept) -> Number:
    return Number(concept=private(value, meaning), unit=unit)


STATISTICS: Final[Mapping[str, Number]] = {
    "mean_hu": _hu(MEAN),
    "median_hu": _hu(MEDIAN),
    "sd_hu": _hu(SD),
    "p05_hu": _hu(private("P05", "5th percentile")),
    "p25_hu": _hu(private("P25", "25th percentile")),
    "p75_hu": _hu(private("P75", "75th percentile")),
    "p95_hu": _hu(private("P95", "95th percentile")),
}
REGION: Final[Mapping[str, Number]] = {
    "volume_cm3": Number(concept=VOLUME, unit=CM3),
    "voxels": _number("VOXELS", "Voxels that HU were taken from", COUNT),
    "excluded_voxels": _number("VOXELS_EXCLUDED", "Voxels left out of HU", COUNT),
}
HEIGHTS: Final[Mapping[str, Number]] = {
    "height_anterior_mm": _number("HEIGHT_ANTERIOR", "Anterior height of vertebral body", MM),
    "height_middle_mm": _number("HEIGHT_MIDDLE", "Middle height of vertebral body", MM),
    "height_posterior_mm": _number("HEIGHT_POSTERIOR", "Posterior height of vertebral body", MM),
    "uncertainty_mm": _number("HEIGHT_ERROR", "Error of each height, 95 %", MM),
}
MORPHOMETRY: Final[Mapping[str, Number]] = {
    "wedge_ratio": _number("WEDGE_RATIO", "Anterior over posterior height", RATIO),
    "biconcave_ratio": _number("BICONCAVE_RATIO", "Middle over posterior height", RATIO),
    "crush_ratio": _number("CRUSH_RATIO", "Height over that of the neighbours", RATIO),
    "expected_height_mm": _number("HEIGHT_EXPECTED", "Height of the neighbours", MM),
    "height_loss_percent": _number("HEIGHT_LOSS", "Largest loss of height", PERCENT),
    "uncertainty_percent": _number("LOSS_ERROR", "Error of the loss of height", PERCENT),
    "grade": _number("DEFORMITY_GRADE", "Deformity grade, 0 to 3", COUNT),
}
LEVEL: Final[Mapping[str, Number]] = {
    "vertebra_voxels": _number("VERTEBRA_VOXELS", "Voxels of the vertebra", COUNT),
    "body_certainty": _number("BODY_CERTAINTY", "Certainty of the body, 0 to 1", COUNT),
    "tilt_deg": _number("TILT", "Tilt of the vertebra", DEGREE),
    "numbering_certainty": _number("NAME_CERTAINTY", "Certainty of the level, 0 to 1", COUNT),
}
NUMBERING_CERTAINTY: Final = LEVEL["numbering_certainty"]

HEIGHT_CHOICES: Final[Mapping[str, Choice]] = {
    "source": Choice(concept=private("HEIGHT_SOURCE", "Source of heights"), kind=HeightSource),
    "reason": Choice(
        concept=private("NO_HEIGHTS", "Reason why heights are not measured"), kind=Reason
    ),
}
MORPHOMETRY_CHOICES: Final[Mapping[str, Choice]] = {
    "deformity": Choice(concept=private("DEFORMITY", "Kind of deformity"), kind=Deformity),
    "reason": Choice(
        concept=private("NO_MORPHOMETRY", "Reason why ratios are not measured"), kind=Reason
    ),
}
LEVEL_CHOICES: Final[Mapping[str, Choice]] = {
    "usability": Choice(concept=USABILITY, kind=Usability),
    "body_source": Choice(concept=private("BODY_SOURCE", "Source of the body"), kind=BodySource),
    "masks_used": Choice(concept=USED_REPAIRED, kind=MasksUsed),
}
REGION_CHOICES: Final[Mapping[str, Choice]] = {
    "reason": Choice(concept=NOT_MEASURED, kind=Reason),
}
SCAN_CHOICES: Final[Mapping[str, Choice]] = {
    "phase": Choice(concept=private("PHASE", "Contrast phase"), kind=Phase),
}
SCAN: Final[Mapping[str, Number]] = {
    "kvp": Number(concept=_dcm("113733", "KVP"), unit=KV),
}
CHANGE_CASE: Final[Mapping[str, Number]] = {
    "days": Number(concept=private("DAYS_BETWEEN", "Days between the two"), unit=_ucum("d", "day")),
}
CHANGE_CHOICES: Final[Mapping[str, Choice]] = {
    "verdict": Choice(
        concept=private("CHANGE_VERDICT", "Against the least significant change"),
        kind=ChangeVerdict,
    ),
    "quantity": Choice(concept=private("QUANTITY", "Quantity"), kind=Quantity),
}


def _change_numbers(unit: Concept) -> Mapping[str, Number]:
    return {
        "earlier": _number("EARLIER_VALUE", "Value in the earlier examination", unit),
        "later": _number("LATER_VALUE", "Value in this examination", unit),
        "difference": _number("DIFFERENCE", "Difference, later less earlier", unit),
        "difference_percent": _number("DIFFERENCE_PCT", "Difference, of the mean of both", PERCENT),
        "limit": _number("LSC", "Least significant change", unit),
        "limit_percent": _number("LSC_PCT", "Least significant change, of the mean", PERCENT),
    }


CHANGES: Final[Mapping[Quantity, Mapping[str, Number]]] = {
    Quantity.MEAN_HU: _change_numbers(HU),
    Quantity.VOLUME: _change_numbers(CM3),
}
VERDICT_CHOICES: Final[Mapping[str, Choice]] = {"verdict": Choice(concept=VERDICT, kind=Verdict)}

STATISTIC_CONCEPTS: Final[Mapping[str, Concept]] = {"mean": MEAN, "median": MEDIAN}
UNIT_CONCEPTS: Final[Mapping[str, Concept]] = {"HU": HU, "mg/cm3": MG_CM3}


def private_concepts() -> tuple[Concept, ...]:
    """Every private concept by which a field or a group is named, in the order of this module."""
    found: list[Concept] = []
    for value in globals().values():
        items = value.values() if isinstance(value, dict) else (value,)
        for item in items:
            named = (item,) if isinstance(item, Concept) else _concepts_of(item)
            found += [c for c in named if c.is_private]
    return tuple(dict.fromkeys(found))


def _concepts_of(item: object) -> tuple[Concept, ...]:
    if isinstance(item, Number):
        return (item.concept, item.derivation) if item.derivation else (item.concept,)
    return (item.concept,) if isinstance(item, Choice) else ()
