"""Measurement groups of a structured report: regions, levels, means, opinions, the whole case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import highdicom as hd
from highdicom.sr import (
    ContentItem,
    QualitativeEvaluation,
    VolumetricROIMeasurementsAndQualitativeEvaluations,
)
from pydicom.dataset import Dataset

from osteoct.change.examination import name_scanner
from osteoct.classify.rules import Rule, load_rules
from osteoct.export.dicom.changes import change_groups
from osteoct.export.dicom.coding import coded
from osteoct.export.dicom.descriptions import ANATOMICAL_STRUCTURE, segment_tracking_id
from osteoct.export.dicom.grouping import Group, algorithm, plain_group
from osteoct.export.dicom.items import (
    evaluate,
    evaluate_fields,
    finding_items,
    measure,
    measure_fields,
    sites,
    text_item,
    tracking,
    word,
)
from osteoct.export.dicom.origin import Origin
from osteoct.export.segments import RegionSegment, name_region, segment_of
from osteoct.io import report_fields as fields
from osteoct.io.report_fields import Number
from osteoct.io.result_codes import REGION_CONCEPTS, level_concept
from osteoct.records import LevelResult, Opinion, RegionMeasure, Summary


def make_groups(
    origin: Origin, segments: Sequence[RegionSegment], segmentation: Dataset
) -> list[Group]:
    """All groups of a case, what it concludes first."""
    result = origin.case.result
    return [
        _case_group(origin),
        *(_opinion_group(origin, opinion) for opinion in result.opinions),
        *(_summary_group(origin, summary) for summary in result.summaries),
        *chain.from_iterable(
            _level_groups(origin, level, segments, segmentation) for level in result.levels
        ),
        *change_groups(origin),
    ]


def _case_group(origin: Origin) -> Group:
    """Usability of the case, and the findings that concern no single level."""
    result = origin.case.result
    evaluations = [evaluate(fields.USED_REPAIRED, word(result.masks_used))]
    if result.usability is not None:
        evaluations.append(evaluate(fields.USABILITY, word(result.usability)))
    evaluations += _codes(result.usability_codes)
    made_by, scan = result.provenance.segmenter, result.acquisition
    evaluations += evaluate_fields(scan, fields.SCAN_CHOICES)
    origin_of_masks = "the user" if made_by is None else f"{made_by.name} {made_by.version}"
    further: list[ContentItem] = [text_item(fields.MASKS_FROM, origin_of_masks)]
    if scan.stated:
        stated = ", ".join(f"{name} {getattr(scan, name)}" for name in scan.stated)
        further.append(text_item(fields.STATED, stated))
    further += finding_items([f for f in result.findings if f.level is None])
    scanner = name_scanner(scan.manufacturer, scan.model)
    further += [] if scanner is None else [text_item(fields.SCANNER, scanner)]
    further += [text_item(fields.KERNEL, kernel) for kernel in scan.kernel]
    return plain_group(
        origin,
        "whole case",
        fields.CASE_RESULT,
        evaluations,
        measurements=measure_fields(scan, fields.SCAN),
        further=further,
    )


def _level_groups(
    origin: Origin,
    level: LevelResult,
    segments: Sequence[RegionSegment],
    segmentation: Dataset,
) -> Iterator[Group]:
    """The group of a level and those of its regions."""
    findings = [f for f in origin.case.result.findings if f.level is level.level]
    named = level.numbering_reason
    counted = [] if named is None else [text_item(fields.NAME_REASON, named)]
    yield plain_group(
        origin,
        str(level.level),
        fields.LEVEL_RESULT,
        [
            evaluate(fields.USABLE, fields.YES if level.usable else fields.NO),
            *evaluate_fields(level, fields.LEVEL_CHOICES),
            *_codes(level.usability_codes),
            *evaluate_fields(level.heights, fields.HEIGHT_CHOICES),
            *evaluate_fields(level.morphometry, fields.MORPHOMETRY_CHOICES),
        ],
        measurements=[
            *measure_fields(level.heights, fields.HEIGHTS),
            *measure_fields(level.morphometry, fields.MORPHOMETRY),
            *measure_fields(level, fields.LEVEL),
        ],
        where=[level.level],
        further=[*counted, *finding_items(findings)],
    )
    for region in level.regions:
        yield _region_group(origin, level, region, segments, segmentation)


def _region_group(
    origin: Origin,
    level: LevelResult,
    region: RegionMeasure,
    segments: Sequence[RegionSegment],
    segmentation: Dataset,
) -> Group:
    """Volume and HU of a region with the segment that they were taken from, or why there are none.

    A region that was not measured has neither a segment nor a number.
    """
    measurements = measure_fields(region, fields.REGION)
    if region.hu is not None:
        measurements += measure_fields(region.hu, fields.STATISTICS)
    evaluations = evaluate_fields(region, fields.REGION_CHOICES)
    kind = REGION_CONCEPTS[region.region]
    name = name_region(level.level, region.region, region.protocol)
    segment = segment_of(segments, level.level, region.region, region.protocol)
    if segment is None or region.hu is None:
        return plain_group(
            origin,
            name,
            kind,
            evaluations,
            measurements=measurements,
            where=[level.level],
            method=word(region.protocol),
        )
    identifier, uid = segment_tracking_id(origin, segment)
    return VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=tracking(identifier, uid),
        referenced_segment=hd.sr.ReferencedSegment(
            sop_class_uid=segmentation.SOPClassUID,
            sop_instance_uid=segmentation.SOPInstanceUID,
            segment_number=segment.number,
            source_series=hd.sr.SourceSeriesForSegmentation(origin.head.SeriesInstanceUID),
        ),
        finding_category=coded(ANATOMICAL_STRUCTURE),
        finding_type=coded(kind),
        finding_sites=sites([level.level]),
        method=coded(word(region.protocol)),
        algorithm_id=algorithm(origin, region.protocol),
        measurements=measurements,
        qualitative_evaluations=evaluations,
    )


def _summary_group(origin: Origin, summary: Summary) -> Group:
    """A mean over levels; its sites are the levels that it was taken over."""
    derivation = fields.STATISTIC_CONCEPTS[summary.statistic]
    value = Number(concept=fields.ATTENUATION, unit=fields.HU, derivation=fields.MEAN)
    measurements = [] if summary.value_hu is None else [measure(value, summary.value_hu)]
    if summary.numbering_certainty is not None:
        measurements.append(measure(fields.NUMBERING_CERTAINTY, summary.numbering_certainty))
    name = f"mean over levels: {summary.region}, {summary.protocol}, {summary.statistic}"
    return plain_group(
        origin,
        name,
        fields.SUMMARY,
        [
            evaluate(fields.REGION_ASKED, REGION_CONCEPTS[summary.region]),
            evaluate(fields.STATISTIC, derivation),
            *(evaluate(fields.LEVEL_ASKED, level_concept(lv)) for lv in summary.levels_asked),
            *(
                evaluate(fields.LEVEL_LESS_SURE, level_concept(lv))
                for lv in summary.levels_less_sure
            ),
        ],
        measurements=measurements,
        method=word(summary.protocol),
        where=[lv for lv in summary.levels_used if origin.case.result.level(lv) is not None],
    )


def _opinion_group(origin: Origin, opinion: Opinion) -> Group:
    """What a rule says: value, cut-off, verdict, its reason, and whose cut-off it is."""
    rule = next((r for r in load_rules() if r.id == opinion.rule), None)
    value = Number(concept=fields.ATTENUATION, unit=fields.HU, derivation=fields.MEAN)
    measurements = [] if opinion.value_hu is None else [measure(value, opinion.value_hu)]
    cutoff = Number(concept=fields.CUT_OFF, unit=fields.UNIT_CONCEPTS[opinion.unit])
    further: list[ContentItem] = [text_item(fields.REASON, opinion.reason)]
    further += [] if rule is None else _authority(rule)
    return plain_group(
        origin,
        opinion.rule,
        fields.OPINION,
        evaluate_fields(opinion, fields.VERDICT_CHOICES),
        measurements=[*measurements, measure(cutoff, opinion.cutoff)],
        method=None if rule is None or rule.protocol is None else word(rule.protocol),
        where=[lv for lv in opinion.levels_used if origin.case.result.level(lv) is not None],
        further=further,
    )


def _authority(rule: Rule) -> Iterator[ContentItem]:
    """Citation and conditions of a rule."""
    citation = rule.citation if rule.doi is None else f"{rule.citation}; doi {rule.doi}"
    yield text_item(fields.REFERENCE_AUTHORITY, citation)
    yield text_item(fields.MEANING, f"{rule.title}. Below: {rule.below_means}")
    if rule.conditions is not None:
        of = rule.conditions
        yield text_item(fields.CONDITIONS, f"{of.kvp:g} kVp ({of.kvp_source}), {of.phase} phase")


def _codes(found: Iterable[str]) -> list[QualitativeEvaluation]:
    return [evaluate(fields.USABILITY_CODE, word(code)) for code in found]
