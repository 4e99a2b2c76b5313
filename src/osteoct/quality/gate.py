"""What findings allow: which levels count."""

from __future__ import annotations

from collections.abc import Sequence

from osteoct.records import Finding, LevelResult, Severity


def apply_gate(
    levels: Sequence[LevelResult], findings: Sequence[Finding]
) -> tuple[LevelResult, ...]:
    """Mark as not usable every level with a blocking finding.

    A blocking finding without a level (labels out of order) says that no name can be trusted, so
    then no level counts. Numbers stay where they are: only summaries and conclusions leave them
    out.
    """
    blocking = [f for f in findings if f.severity is Severity.BLOCKING]
    names_doubtful = any(f.level is None for f in blocking)
    blocked = {f.level for f in blocking}
    return tuple(
        level.model_copy(
            update={"usable": level.usable and not names_doubtful and level.level not in blocked}
        )
        for level in levels
    )
