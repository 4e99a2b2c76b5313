"""Observations: regions and heights of each level, means over levels, opinions, findings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from osteoct.anatomy import Level
from osteoct.classify.rules import load_rules
from osteoct.export.fhir.elements import (
    Json,
    absent,
    chosen_fields,
    concept,
    measured,
    measured_fields,
    own_word,
    quantity,
    worded,
)
from osteoct.io import report_fields as fields
from osteoct.io.report_fields import Number
from osteoct.io.result_codes import REGION_CONCEPTS, level_concept
from osteoct.protocols import Region
from osteoct.records import (
    CaseResult,
    Finding,
    LevelResult,
    Opinion,
    RegionMeasure,
    Summary,
)

_VALUE = Number(concept=fields.ATTENUATION, unit=fields.HU)


@dataclass(frozen=True, kw_only=True)
class Observed:
    """An Observation without what all of a bundle share.

    ``name`` says which it is within a case; ``sources`` names those that it was computed from.
    """

    name: str
    body: Json
    sources: tuple[str, ...] = ()


def make_observations(result: CaseResult) -> Iterator[Observed]:
    """All observations of a case, what it concludes first."""
    for opinion in result.opinions:
        yield _opinion(opinion)
    for summary in result.summaries:
        yield _summary(result, summary)
    for level in result.levels:
        yield _level(level)
        for region in level.regions:
            yield _region(level.level, region)
    for number, finding in enumerate(result.findings, start=1):
        yield _finding(finding, number)


def _name_region(level: Level, protocol: str, region: Region) -> str:
    return f"{level} {protocol} {region}"


def _region(level: Level, measure: RegionMeasure) -> Observed:
    """Volume and HU of a region, or the reason why there are none."""
    body: Json = {
        "code": concept(fields.ATTENUATION, f"HU and volume of {measure.region} of {level}"),
        "bodySite": concept(level_concept(level)),
        "method": concept(own_word(measure.protocol)),
    }
    what = {
        "code": concept(fields.REGION_ASKED),
        "valueCodeableConcept": concept(REGION_CONCEPTS[measure.region]),
    }
    if measure.hu is None:
        body["dataAbsentReason"] = absent(measure.reason)
    numbers = {k: n for k, n in fields.REGION.items() if k != "excluded_voxels"}
    body["component"] = [
        what,
        *measured_fields(measure.hu, fields.STATISTICS, measure.reason),
        *measured_fields(measure, numbers, measure.reason),
    ]
    return Observed(name=_name_region(level, measure.protocol, measure.region), body=body)


def _level(level: LevelResult) -> Observed:
    """Heights and their ratios, and how far a level can be used."""
    heights, shape = level.heights, level.morphometry
    names = {k: n for k, n in fields.LEVEL.items() if k != "vertebra_voxels"}
    usable = fields.YES if level.usable else fields.NO
    return Observed(
        name=str(level.level),
        body={
            "code": concept(fields.LEVEL_RESULT, f"Heights and usability of {level.level}"),
            "bodySite": concept(level_concept(level.level)),
            "component": [
                {"code": concept(fields.USABLE), "valueCodeableConcept": concept(usable)},
                *chosen_fields(level, fields.LEVEL_CHOICES),
                *measured_fields(heights, fields.HEIGHTS, heights.reason),
                *measured_fields(shape, fields.MORPHOMETRY, shape.reason or heights.reason),
                *measured_fields(level, names, heights.reason),
            ],
        },
    )


def _summary(result: CaseResult, summary: Summary) -> Observed:
    """A mean over levels, with the observations that it was taken over."""
    body: Json = {
        "code": concept(fields.SUMMARY),
        "method": concept(own_word(summary.protocol)),
        "component": [
            {
                "code": concept(fields.REGION_ASKED),
                "valueCodeableConcept": concept(REGION_CONCEPTS[summary.region]),
            },
            {
                "code": concept(fields.STATISTIC),
                "valueCodeableConcept": concept(fields.STATISTIC_CONCEPTS[summary.statistic]),
            },
            measured(fields.NUMBERING_CERTAINTY, summary.numbering_certainty, None),
        ],
    }
    if summary.value_hu is None:
        body["dataAbsentReason"] = absent(None)
    else:
        body["valueQuantity"] = quantity(summary.value_hu, fields.HU)
    name = f"mean over levels {summary.protocol} {summary.region} {summary.statistic}"
    used = [result.level(level) for level in summary.levels_used]
    sources = tuple(
        _name_region(level.level, summary.protocol, summary.region)
        for level in used
        if level is not None and level.region(summary.protocol, summary.region) is not None
    )
    return Observed(name=name, body=body, sources=sources)


def _opinion(opinion: Opinion) -> Observed:
    """What a published cut-off says, and whose it is; never an interpretation of FHIR's own."""
    rule = next((r for r in load_rules() if r.id == opinion.rule), None)
    notes = [opinion.reason]
    if rule is not None:
        notes.append(f"{rule.citation}; doi {rule.doi}" if rule.doi else rule.citation)
    cutoff = Number(concept=fields.CUT_OFF, unit=fields.UNIT_CONCEPTS[opinion.unit])
    body: Json = {
        "code": concept(fields.OPINION, opinion.rule if rule is None else rule.title),
        "valueCodeableConcept": concept(own_word(opinion.verdict.value)),
        "component": [
            measured(_VALUE, opinion.value_hu, None),
            measured(cutoff, opinion.cutoff, None),
        ],
        "note": [{"text": note} for note in notes],
    }
    if rule is not None and rule.protocol is not None:
        body["method"] = concept(own_word(rule.protocol))
    return Observed(name=f"opinion {opinion.rule}", body=body)


def _finding(finding: Finding, number: int) -> Observed:
    """What limits how far a number can be trusted."""
    components = [worded(fields.SEVERITY, finding.severity.value)]
    if finding.effect is not None:
        components.append(worded(fields.EFFECT, finding.effect.value))
    if finding.certainty is not None:
        certainty = Number(concept=fields.CERTAINTY, unit=fields.COUNT)
        components.append(measured(certainty, finding.certainty, None))
    body: Json = {
        "code": concept(fields.FINDING),
        "valueCodeableConcept": concept(own_word(finding.code), finding.code),
        "component": components,
        "note": [{"text": finding.message}],
    }
    if finding.level is not None:
        body["bodySite"] = concept(level_concept(finding.level))
    return Observed(name=f"finding {number} {finding.code}", body=body)
