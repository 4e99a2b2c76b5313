"""What has to be known of an examination before its numbers are compared with another's."""

from __future__ import annotations

from datetime import date

from osteoct.anatomy import Level
from osteoct.io.dicom_sr import ReportedResults
from osteoct.record import Record
from osteoct.records import CaseResult, LevelResult, Phase


class Examination(Record):
    """One examination: its numbers, and the conditions that they depend on.

    Parameters
    ----------
    case_id
        ``None`` where it was read from a structured report.
    patient
        Keyed pseudonym; ``None`` where the source names no patient.
    study_date
        ``YYYY-MM-DD``; ``None`` where it is missing or no date.
    scanner
        Manufacturer and model; ``None`` where one of them is unknown.
    kernel
        Reconstruction kernel as the header has it; empty where unknown.
    """

    case_id: str | None
    patient: str | None
    study_date: str | None
    kvp: float | None
    phase: Phase | None
    scanner: str | None
    kernel: tuple[str, ...]
    levels: tuple[LevelResult, ...]

    def level(self, level: Level) -> LevelResult | None:
        """The result of one level, or ``None`` if it was not asked for."""
        return next((r for r in self.levels if r.level is level), None)


def examination_of(result: CaseResult) -> Examination:
    """The examination of a case."""
    scan = result.acquisition
    return Examination(
        case_id=result.case_id,
        patient=result.patient_pseudonym,
        study_date=_iso(scan.study_date),
        kvp=scan.kvp,
        phase=scan.phase,
        scanner=name_scanner(scan.manufacturer, scan.model),
        kernel=scan.kernel,
        levels=result.levels,
    )


def examination_of_report(report: ReportedResults, *, patient: str | None) -> Examination:
    """The examination of a structured report, which names no case."""
    return Examination(
        case_id=None,
        patient=patient,
        study_date=_iso(report.study_date),
        kvp=report.kvp,
        phase=report.phase,
        scanner=report.scanner,
        kernel=report.kernel,
        levels=report.levels,
    )


def _iso(text: str | None) -> str | None:
    """A date of a header or of a result, which write it differently."""
    try:
        return None if text is None else date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def name_scanner(manufacturer: str | None, model: str | None) -> str | None:
    """Manufacturer and model in one; ``None`` where one of them is missing.

    >>> name_scanner("SIEMENS", "Force"), name_scanner("SIEMENS", None)
    ('SIEMENS Force', None)
    """
    return f"{manufacturer} {model}" if manufacturer and model else None
