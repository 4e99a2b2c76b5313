"""What is doubtful: the case's findings, the gravest first."""

from __future__ import annotations

from dataclasses import dataclass

from osteoct.anatomy import Level
from osteoct.records import CaseResult, Finding, Severity
from osteoct.report.wording import SEVERITIES

_GRAVITY = {Severity.BLOCKING: 0, Severity.WARNING: 1, Severity.INFO: 2}

CHECKED = (
    "whether each level is present, whole inside the image, in one piece, in order, of plausible "
    "volume; its body; metal, padding and air; kVp, contrast and slice distance"
)
"""What a report without findings says was looked at."""


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """One finding as the page shows it."""

    severity: str
    """The severity's own name, for the style sheet."""
    severity_words: str
    place: str
    message: str
    code: str


def list_doubts(result: CaseResult) -> tuple[Doubt, ...]:
    """All findings: blocking, then warnings, then notes; the case before its levels."""
    return tuple(_make_doubt(f) for f in sorted(result.findings, key=_rank))


def is_blocked(result: CaseResult, level: Level) -> bool:
    """Whether a blocking finding stands against a level."""
    return any(f.level == level and f.severity is Severity.BLOCKING for f in result.findings)


def _rank(finding: Finding) -> tuple[int, int]:
    return _GRAVITY[finding.severity], -1 if finding.level is None else finding.level.order


def _make_doubt(finding: Finding) -> Doubt:
    return Doubt(
        severity=finding.severity,
        severity_words=SEVERITIES[finding.severity],
        place="Case" if finding.level is None else finding.level,
        message=finding.message,
        code=finding.code,
    )
