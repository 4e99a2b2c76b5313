"""The comparison of two segmenters as the page shows it: one row per level."""

from __future__ import annotations

from dataclasses import dataclass

from osteoct.protocols import Region
from osteoct.quality.disagreement import CODES
from osteoct.records import Agreement, CaseResult, LevelAgreement, OneSided
from osteoct.report.wording import format_number

REASONS = {
    OneSided.ONLY_FIRST: "not found by the second",
    OneSided.ONLY_SECOND: "found by the second only",
}


@dataclass(frozen=True, kw_only=True)
class AgreementRow:
    """One level; ``note`` says in words what no number says."""

    level: str
    cells: tuple[str, ...]
    note: str = ""
    is_doubtful: bool = False


@dataclass(frozen=True, kw_only=True)
class AgreementTable:
    """Two segmenters side by side."""

    first: str
    second: str
    columns: tuple[str, ...]
    rows: tuple[AgreementRow, ...]


def make_agreement_table(result: CaseResult) -> AgreementTable | None:
    """Make the table; ``None`` where there was no second segmenter."""
    agreement = result.agreement
    if agreement is None:
        return None
    doubtful = {f.level for f in result.findings if f.code in CODES}
    protocols = _protocols_of(agreement)
    return AgreementTable(
        first=agreement.first,
        second=agreement.second,
        columns=(
            "Dice, vertebra",
            "Dice, body",
            "Volume cm³, first",
            "Volume cm³, second",
            *(f"Trabecular HU, second − first ({name})" for name in protocols),
        ),
        rows=tuple(
            _make_row(level, protocols, is_doubtful=level.level in doubtful)
            for level in agreement.levels
        ),
    )


def _protocols_of(agreement: Agreement) -> tuple[str, ...]:
    """Protocols whose core was measured in both at some level."""
    cores = (r for level in agreement.levels for r in level.hu if r.region is Region.TRABECULAR)
    return tuple(dict.fromkeys(core.protocol for core in cores))


def _make_row(
    level: LevelAgreement, protocols: tuple[str, ...], *, is_doubtful: bool
) -> AgreementRow:
    cores = [level.region(name, Region.TRABECULAR) for name in protocols]
    return AgreementRow(
        level=level.level,
        cells=(
            format_number(level.dice, 3),
            format_number(level.body_dice, 3),
            format_number(level.first_volume_cm3),
            format_number(level.second_volume_cm3),
            *(format_number(None if core is None else core.difference_hu) for core in cores),
        ),
        note=_note(level),
        is_doubtful=is_doubtful,
    )


def _note(level: LevelAgreement) -> str:
    """Absent in one, or another name for the same place."""
    notes = [] if level.reason is None else [REASONS[level.reason]]
    if level.same_place is not None and level.same_place != level.level.value:
        notes.append(f"the second has {level.same_place} at this place")
    return "; ".join(notes)
