"""The numbers of the flow diagram: screened, excluded and why, linked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

from osteoct.cohort.linking.reasons import WORDS, Unlinked
from osteoct.record import Record

FLOW_COLUMNS = ("side", "step", "reason", "n")


class FlowRow(Record):
    """One number of the flow; ``reason`` where the step is ``excluded``."""

    side: Literal["ct", "dxa", "patients"]
    step: Literal["screened", "excluded", "linked", "analysed"]
    reason: str = ""
    n: int

    @property
    def words(self) -> str:
        """The reason in plain words."""
        return WORDS[Unlinked(self.reason)] if self.reason in set(Unlinked) else self.reason


def count_flow(
    *, n_cases: int, n_scans: int, cases_out: Iterable[Unlinked], scans_out: Iterable[Unlinked],
    n_linked: int, n_patients: int,
) -> tuple[FlowRow, ...]:  # fmt: skip
    """Count each side of the flow, reasons in the order in which they are tested."""
    rows = [FlowRow(side="ct", step="screened", n=n_cases), *_excluded("ct", cases_out)]
    rows += [FlowRow(side="dxa", step="screened", n=n_scans), *_excluded("dxa", scans_out)]
    rows.append(FlowRow(side="ct", step="linked", n=n_linked))
    rows.append(FlowRow(side="patients", step="linked", n=n_patients))
    return tuple(rows)


def _excluded(side: Literal["ct", "dxa"], reasons: Iterable[Unlinked]) -> Sequence[FlowRow]:
    counts = Counter(reasons)
    return [
        FlowRow(side=side, step="excluded", reason=str(reason), n=counts[reason])
        for reason in Unlinked
        if counts[reason]
    ]
