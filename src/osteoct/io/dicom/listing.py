"""What a path holds, as records that name nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pydantic import Field

from osteoct.io.dicom.choice import Candidate, Choice
from osteoct.records import Acquisition, GridRecord, Record
from osteoct.volume import describe_grid


class SeriesSummary(Record):
    """One stack of CT slices.

    Parameters
    ----------
    key
        Short name for display and for choosing: the series number, or ``series-1`` …
    files
        Number of files, repeated ones included.
    slices
        Number of different slice positions.
    grid
        Shape, spacing and directions; ``None`` with the reason in ``refusal``.
    tilt_deg
        Gantry tilt as the positions show it.
    reasons
        What each deciding rule said.
    uid
        SeriesInstanceUID; never written out.
    """

    key: str
    files: int
    slices: int
    modality: str = "CT"
    grid: GridRecord | None = None
    refusal: str | None = None
    tilt_deg: float | None = None
    acquisition: Acquisition
    is_chosen: bool
    reasons: tuple[str, ...] = ()
    uid: str = Field(default="", exclude=True, repr=False)


class SeriesListing(Record):
    """All CT stacks found under a path, and how many files were left out for which reason."""

    series: tuple[SeriesSummary, ...]
    ignored: dict[str, int] = Field(default_factory=dict)
    patients: int
    """Number of different patients among the CT images; more than one and nothing is chosen."""

    @property
    def chosen(self) -> SeriesSummary | None:
        """The stack that would be read, if any."""
        return next((s for s in self.series if s.is_chosen), None)


def make_listing(
    candidates: Sequence[Candidate], choice: Choice, ignored: dict[str, int], patients: int
) -> SeriesListing:
    """The listing of candidates and the choice among them."""
    summaries = tuple(
        _summary(candidate, key, reasons, is_chosen=candidate is choice.chosen)
        for candidate, key, reasons in zip(
            candidates, make_keys(candidates), choice.reasons, strict=True
        )
    )
    return SeriesListing(series=summaries, ignored=ignored, patients=patients)


def make_keys(candidates: Sequence[Candidate]) -> list[str]:
    """One key per candidate: its series number, numbered on where several share one."""
    names = [
        f"series-{n}" if c.series_number is None else str(c.series_number)
        for n, c in enumerate(candidates, start=1)
    ]
    counts = Counter(names)
    seen: Counter[str] = Counter()
    keys = []
    for name in names:
        seen[name] += 1
        keys.append(name if counts[name] == 1 else f"{name}.{seen[name]}")
    return keys


def _summary(
    candidate: Candidate, key: str, reasons: tuple[str, ...], *, is_chosen: bool
) -> SeriesSummary:
    """The record of one candidate."""
    stack = candidate.stack
    images = {s.image.path for s in stack.slices}
    images.update(further.image.path for _, further in stack.duplicates)
    return SeriesSummary(
        key=key,
        files=len(images),
        slices=len(stack.slices),
        grid=None if stack.grid is None else describe_grid(stack.grid.geometry),
        refusal=None if stack.refusal is None else stack.refusal.line,
        tilt_deg=None if stack.grid is None else stack.grid.tilt_deg,
        acquisition=candidate.acquisition,
        is_chosen=is_chosen,
        reasons=reasons,
        uid=candidate.uid,
    )
