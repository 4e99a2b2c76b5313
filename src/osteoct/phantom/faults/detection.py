"""Whether a fault was found: what a faulty case says that the clean one did not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from osteoct.phantom.faults.codes import FOUND_BY
from osteoct.phantom.faults.fault import Fault, Strength
from osteoct.records import Finding, Severity


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One fault at one strength on one case, and what was found.

    Parameters
    ----------
    case
        What the fault was made on, such as ``phantom``.
    found_by
        Codes that tell it, in the order of their table; empty where it was missed.
    others
        Further codes that only the faulty case showed.
    """

    fault: str
    strength: Strength
    case: str
    found_by: tuple[str, ...]
    others: tuple[str, ...] = ()

    @property
    def is_found(self) -> bool:
        """Whether the fault was noticed."""
        return bool(self.found_by)


def judge(
    fault: Fault,
    strength: Strength,
    case: str,
    clean: Sequence[Finding],
    faulty: Sequence[Finding],
) -> Trial:
    """Compare the findings of a faulty case with those of the clean one.

    A finding tells the fault if its code is one of the fault's, it was not there before, it stands
    on a level that the fault concerns or on the case, and it blocks where it must.
    """
    before = {(f.code, f.level, f.severity) for f in clean}
    new = [f for f in faulty if (f.code, f.level, f.severity) not in before]
    right = [f for f in new if f.level is None or f.level in fault.levels]
    telling = {f.code for f in right} & set(FOUND_BY[fault.name])
    blocks = any(f.code in telling and f.severity is Severity.BLOCKING for f in right)
    if fault.is_blocking(strength) and not blocks:
        telling = set()
    return Trial(
        fault=fault.name,
        strength=strength,
        case=case,
        found_by=tuple(code for code in FOUND_BY[fault.name] if code in telling),
        others=tuple(sorted({f.code for f in new} - telling)),
    )


def share_found(trials: Sequence[Trial], strength: Strength) -> float | None:
    """The share of the trials of a strength that were found; ``None`` without any."""
    mine = [trial.is_found for trial in trials if trial.strength is strength]
    return sum(mine) / len(mine) if mine else None
