"""What is doubtful: the case's findings, the gravest first."""

from __future__ import annotations

from dataclasses import dataclass

from osteoct.anatomy import name_levels
from osteoct.policy.judging import effect_of
from osteoct.records import CaseResult, Effect, Finding, Severity
from osteoct.report.wording import EFFECTS, SEVERITIES

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
    effect: str = ""
    """What it does beyond warning, in words."""


def list_doubts(result: CaseResult) -> tuple[Doubt, ...]:
    """All findings: blocking, then warnings, then notes; the case before its levels.

    Findings that say the same of several levels are one row.
    """
    rows: dict[tuple[Severity, Effect, str, str], list[Finding]] = {}
    for finding in sorted(result.findings, key=_rank):
        key = (finding.severity, effect_of(finding), finding.code, _pattern(finding))
        rows.setdefault(key, []).append(finding)
    return tuple(_make_doubt(pattern, group) for (*_, pattern), group in rows.items())


def _rank(finding: Finding) -> tuple[int, int, int]:
    place = -1 if finding.level is None else finding.level.order
    return _GRAVITY[finding.severity], -effect_of(finding).order, place


def _pattern(finding: Finding) -> str:
    """The message with the level's name left open, equal where two levels have one finding."""
    message = finding.message.replace("{", "{{").replace("}", "}}")
    return message if finding.level is None else message.replace(finding.level, "{level}")


def _make_doubt(pattern: str, group: list[Finding]) -> Doubt:
    first = group[0]
    levels = name_levels([f.level for f in group if f.level is not None])
    return Doubt(
        severity=first.severity,
        severity_words=SEVERITIES[first.severity],
        place=levels or "Case",
        message=pattern.format(level=levels),
        code=first.code,
        effect=EFFECTS[effect_of(first)],
    )
