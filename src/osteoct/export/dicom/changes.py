"""Groups of a structured report about what changed since an earlier examination."""

from __future__ import annotations

from collections.abc import Iterator

from highdicom.sr import ContentItem

from osteoct.export.dicom.grouping import Group, plain_group
from osteoct.export.dicom.items import (
    evaluate,
    evaluate_fields,
    measure_fields,
    text_item,
    word,
)
from osteoct.export.dicom.origin import Origin
from osteoct.io import report_fields as fields
from osteoct.io.result_codes import REGION_CONCEPTS
from osteoct.records import Change, RegionChange


def change_groups(origin: Origin) -> Iterator[Group]:
    """One group for the comparison as a whole, one for every number; none without a comparison.

    The name of the earlier case stays behind: DICOM objects carry no pseudonym.
    """
    change = origin.case.result.change
    if change is None:
        return
    yield _whole(origin, change)
    for row in change.rows:
        yield _row(origin, row)


def _whole(origin: Origin, change: Change) -> Group:
    dates = (
        (fields.EARLIER_DATE, change.earlier_date),
        (fields.LATER_DATE, change.later_date),
    )
    texts = (
        *(() if origin.source.is_deidentified else dates),
        (fields.LIMIT_FROM, change.limit_from),
        *((fields.NOTE, note) for note in change.notes),
    )
    further: list[ContentItem] = [text_item(name, text) for name, text in texts if text is not None]
    return plain_group(
        origin,
        "change",
        fields.CHANGE,
        [evaluate(fields.SAME_SCANNER, word(change.scanner))],
        measurements=measure_fields(change, fields.CHANGE_CASE),
        further=further,
    )


def _row(origin: Origin, row: RegionChange) -> Group:
    where = "mean over levels" if row.level is None else str(row.level)
    return plain_group(
        origin,
        f"change: {where}, {row.region}, {row.protocol}, {row.quantity}",
        fields.CHANGED_VALUE,
        [
            evaluate(fields.REGION_ASKED, REGION_CONCEPTS[row.region]),
            evaluate(fields.SINGLE_LEVEL, fields.NO if row.level is None else fields.YES),
            *evaluate_fields(row, fields.CHANGE_CHOICES),
        ],
        measurements=measure_fields(row, fields.CHANGES[row.quantity]),
        method=word(row.protocol),
        where=row.levels,
        further=[text_item(fields.REASON, row.reason)],
    )
