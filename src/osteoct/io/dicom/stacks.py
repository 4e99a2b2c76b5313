"""From the slices of one series to stacks that form a grid each.

A SeriesInstanceUID may hold several acquisitions, phases or reconstructions. They are told apart by
orientation, size and pixel spacing, and by the tags that differ between slices at one position. A
split counts only if *every* part is a regular stack: a slice of another size in the middle of a
series is a broken series, and leaving it out would be a wrong volume without an error.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from osteoct.errors import HuNotRecoverableError, IrregularGridError, OsteoctError
from osteoct.io.dicom.discovery import ENHANCED_CT
from osteoct.io.dicom.grid import SAME_POSITION_MM, Grid, measure_grid, normal_of
from osteoct.io.dicom.headers import Slice, Vector
from osteoct.io.dicom.uniformity import (
    SAME_COSINE,
    SAME_SPACING_MM,
    check_placed,
    check_rescale,
    check_uniform,
)
from osteoct.records import Finding, Severity

MIN_PART_SLICES = 2
"""A part of a split series needs at least two slices: one slice has no distance."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Stack:
    """Slices of one series that belong together.

    Parameters
    ----------
    slices
        One slice per position, sorted along the slice normal where there is a grid.
    duplicates
        Pairs (kept slice, further slice at its position); their pixels must be equal.
    grid
        The grid, or ``None`` with the reason in ``refusal``.
    """

    slices: tuple[Slice, ...]
    duplicates: tuple[tuple[Slice, Slice], ...] = ()
    grid: Grid | None = None
    refusal: OsteoctError | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def first(self) -> Slice:
        """The slice that speaks for the stack's header."""
        return self.slices[0]


def split_into_series(slices: Sequence[Slice]) -> list[tuple[Slice, ...]]:
    """Group slices by series; de-identified ones without UID by study and series number."""
    groups: dict[Hashable, list[Slice]] = defaultdict(list)
    for s in slices:
        ids = s.image.identifiers
        number = None if ids.series_uid else s.image.series_number
        groups[ids.series_uid, number, "" if ids.series_uid else ids.study_uid].append(s)
    return [tuple(group) for group in groups.values()]


def split_into_stacks(slices: Sequence[Slice]) -> tuple[Stack, ...]:
    """Split the slices of one series into stacks; one refused stack where that cannot be done."""
    try:
        _check_single_frames(slices)
        check_placed(slices)
        parts = _split_by_plane(slices)
        stacks = [stack for part in parts for stack in _split_by_phase(part)]
    except OsteoctError as refusal:
        return (Stack(slices=tuple(slices), refusal=refusal),)
    if len(stacks) == 1:
        return tuple(stacks)
    if any(s.grid is None and isinstance(s.refusal, IrregularGridError) for s in stacks):
        return (_refused_whole(slices, stacks),)
    return tuple(_with_split_finding(stack, len(stacks)) for stack in stacks)


def _check_single_frames(slices: Sequence[Slice]) -> None:
    """Refuse multi-frame files without a position per frame."""
    for s in slices:
        if s.image.sop_class not in ENHANCED_CT and s.image.layout.frames > 1:
            raise IrregularGridError(
                "several frames but only one position",
                where=s.image.where,
                found=f"{s.image.layout.frames} frames in a single-frame CT image",
                wanted="one frame, or an enhanced CT image",
            )


def _split_by_plane(slices: Sequence[Slice]) -> list[list[Slice]]:
    """Parts of one size, pixel spacing, frame of reference and orientation."""
    parts: list[list[Slice]] = []
    for s in slices:
        home = next((p for p in parts if _is_same_plane(p[0], s)), None)
        if home is None:
            parts.append([s])
        else:
            home.append(s)
    return parts


def _is_same_plane(one: Slice, other: Slice) -> bool:
    """Whether two slices may belong to one stack."""
    same_raster = one.shape == other.shape and one.frame_of_reference == other.frame_of_reference
    same_spacing = _largest_difference(one.pixel_spacing, other.pixel_spacing) <= SAME_SPACING_MM
    same_direction = _largest_difference(one.orientation, other.orientation) <= SAME_COSINE
    return same_raster and same_spacing and same_direction


def _largest_difference(one: Vector, other: Vector) -> float:
    """Largest difference of two vectors' components; plain Python, for it is asked per slice."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def _split_by_phase(part: Sequence[Slice]) -> list[Stack]:
    """Stacks of a part: itself, or split by the first tag that makes every stack regular."""
    whole = _make_stack(part)
    if not whole.duplicates:
        return [whole]
    for key in _phase_keys(part):
        groups: dict[Hashable, list[Slice]] = defaultdict(list)
        for s in part:
            groups[key(s)].append(s)
        stacks = [_make_stack(group) for group in groups.values()]
        if len(stacks) > 1 and all(s.grid is not None and not s.duplicates for s in stacks):
            return stacks
    return [whole]


def _phase_keys(part: Sequence[Slice]) -> list[Callable[[Slice], Hashable]]:
    """Ways to tell slices at one position apart: tag by tag, then all tags together."""
    names = [name for name, _ in part[0].phase_keys]

    def by_name(name: str) -> Callable[[Slice], Hashable]:
        return lambda s: dict(s.phase_keys).get(name)

    return [*(by_name(name) for name in names), lambda s: s.phase_keys]


def _make_stack(part: Sequence[Slice]) -> Stack:
    """A stack of one slice per position, with its grid or the reason why not."""
    try:
        kept, duplicates = _without_duplicates(part)
        check_rescale(kept)
        grid = measure_grid(kept)
    except (IrregularGridError, HuNotRecoverableError) as refusal:
        return Stack(slices=tuple(part), refusal=_placed(refusal, part[0]))
    ordered = tuple(kept[n] for n in grid.order)
    return Stack(slices=ordered, duplicates=duplicates, grid=grid, findings=grid.findings)


def _placed(refusal: OsteoctError, first: Slice) -> OsteoctError:
    """A refusal of a whole stack names the file the stack starts with."""
    if refusal.where is None:
        refusal.where = f"series of {first.image.where}"
        refusal.args = (refusal.line,)
    return refusal


def _without_duplicates(
    part: Sequence[Slice],
) -> tuple[list[Slice], tuple[tuple[Slice, Slice], ...]]:
    """One slice per position, and the pairs (kept, further one at its position)."""
    height = np.array([s.position for s in part]) @ normal_of(part[0])
    names = [(s.image.instance_number, s.image.where, s.frame) for s in part]
    order = sorted(range(len(part)), key=lambda n: (height[n], names[n]))
    kept: list[int] = []
    pairs: list[tuple[Slice, Slice]] = []
    for n in order:
        if kept and height[n] - height[kept[-1]] <= SAME_POSITION_MM:
            pairs.append((part[kept[-1]], part[n]))
        else:
            kept.append(n)
    return [part[n] for n in kept], tuple(pairs)


def _refused_whole(slices: Sequence[Slice], stacks: Sequence[Stack]) -> Stack:
    """The series as one refused stack: what is mixed is named first."""
    try:
        check_uniform(slices)
    except IrregularGridError as refusal:
        return Stack(slices=tuple(slices), refusal=refusal)
    first = next(s.refusal for s in stacks if s.refusal is not None)
    return Stack(slices=tuple(slices), refusal=first)


def _with_split_finding(stack: Stack, parts: int) -> Stack:
    """A stack that says it is only a part of its series."""
    finding = Finding(
        code="series-split",
        severity=Severity.WARNING,
        message=f"the series holds {parts} stacks; this is one of them",
        evidence={"stacks": parts, "slices": len(stack.slices)},
    )
    return Stack(
        slices=stack.slices,
        duplicates=stack.duplicates,
        grid=stack.grid,
        refusal=stack.refusal,
        findings=(*stack.findings, finding),
    )
