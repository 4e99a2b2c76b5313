"""HU of a stack: slice by slice, rescaled with each slice's own slope and intercept.

The array is filled slice after slice in memory order, so an uncompressed series is read into its
final place; int16 wherever that is exact, float32 otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoct.errors import IrregularGridError
from osteoct.io.dicom.elements import quietly
from osteoct.io.dicom.headers import Slice
from osteoct.io.dicom.stored import StoredReader, check_layout, stored_type
from osteoct.records import Finding, Severity
from osteoct.volume import HuArray

PADDING_FALLBACK_HU = -3024.0
"""Marks padding where slices declare several values, or one that int16 cannot hold: GE's own mark
(-2000 less 1024), which no tissue and no air reaches."""

PADDING_BELOW_HU = -900.0
"""A padding value above this lies among tissue: some writers declare 0 with signed pixels. Such a
declaration is not believed, or water would count as never measured."""

_INT16 = np.iinfo(np.int16)


@dataclass(frozen=True, kw_only=True, eq=False)
class Pixels:
    """HU (column, row, slice) with the value that marks padding, and what reading noticed."""

    array: HuArray
    padding_hu: float | None
    findings: tuple[Finding, ...] = ()


class _NotInt16Error(Exception):
    """A slice holds values that int16 cannot hold: not a failure, the reader takes float32."""


def read_pixels(slices: Sequence[Slice]) -> Pixels:
    """Read the HU of slices in the given order.

    Raises
    ------
    UnreadableInputError
        A file's pixels are missing, truncated or cannot be decoded; the file is named.
    """
    padding_hu = _common_padding_hu(slices)
    findings: tuple[Finding, ...] = ()
    if padding_hu is not None and padding_hu > PADDING_BELOW_HU:
        findings = (_padding_finding(padding_hu),)
        padding_hu = None
    with quietly():
        try:
            array = _fill(slices, np.dtype(np.int16), padding_hu) if _is_whole(slices) else None
        except _NotInt16Error:
            array = None
        if array is None:
            array = _fill(slices, np.dtype(np.float32), padding_hu)
    return Pixels(array=array, padding_hu=padding_hu, findings=findings)


def check_duplicates(pairs: Sequence[tuple[Slice, Slice]]) -> tuple[Finding, ...]:
    """Accept several slices at one position only if they are equal; say how many were dropped."""
    if not pairs:
        return ()
    for kept, further in pairs:
        one, other = _alone(kept), _alone(further)
        if not np.array_equal(one, other):
            raise IrregularGridError(
                "two different images at one position",
                where=further.image.where,
                found=f"other HU than {kept.image.where}",
                wanted="one image per position",
                hint="Two acquisitions share one series; separate them first.",
            )
    plural = "s" if len(pairs) > 1 else ""
    return (
        Finding(
            code="duplicate-slices",
            severity=Severity.INFO,
            message=f"{len(pairs)} slice{plural} present twice with equal pixels, read once",
            evidence={"slices": len(pairs)},
        ),
    )


def _alone(slice_: Slice) -> NDArray[np.float64]:
    """HU of one slice in full precision."""
    check_layout(slice_)
    columns, rows = slice_.shape
    stored = np.empty((rows, columns), dtype=stored_type(slice_.image.layout))
    with quietly():
        StoredReader().read_into(slice_, stored)
    return stored.astype(np.float64) * _slope(slice_) + _intercept(slice_)


def _fill(slices: Sequence[Slice], dtype: np.dtype[Any], padding_hu: float | None) -> HuArray:
    """All slices in one new array; memory order is slice, row, column."""
    columns, rows = slices[0].shape
    stack = np.empty((len(slices), rows, columns), dtype=dtype)
    reader = StoredReader()
    for plane, s in zip(stack, slices, strict=True):
        check_layout(s)
        kind = stored_type(s.image.layout)
        in_place = kind.itemsize == dtype.itemsize == 2  # noqa: PLR2004 - bytes of an int16
        stored = plane.view(kind) if in_place else np.empty(plane.shape, dtype=kind)
        reader.read_into(s, stored)
        is_padding = _padding_mask(stored, s, padding_hu)
        if dtype == np.int16:
            _rescale_whole(stored, plane, s, is_padding)
        else:
            hu = stored.astype(np.float64)
            hu *= _slope(s)
            hu += _intercept(s)
            plane[...] = hu
        if is_padding is not None:
            plane[is_padding] = padding_hu
    volume: HuArray = stack.transpose(2, 1, 0)
    return volume


def _rescale_whole(
    stored: NDArray[Any], plane: NDArray[Any], s: Slice, is_padding: NDArray[np.bool_] | None
) -> None:
    """Turn whole stored values into whole HU; ``stored`` may be the memory of ``plane`` itself."""
    real = stored if is_padding is None else stored[~is_padding]
    if real.size:
        ends = [int(v) * int(_slope(s)) + int(_intercept(s)) for v in (real.min(), real.max())]
        if min(ends) < _INT16.min or max(ends) > _INT16.max:
            raise _NotInt16Error
    # The end values fit, so wrapping arithmetic on 16 bits gives every value between them exactly.
    if stored.dtype.itemsize != plane.dtype.itemsize:
        plane[...] = stored.astype(np.int64).astype(np.int16)
    slope, intercept = (_wrapped(v) for v in (_slope(s), _intercept(s)))
    if slope != 1:
        np.multiply(plane, slope, out=plane)
    if intercept != 0:
        np.add(plane, intercept, out=plane)


def _wrapped(value: float) -> np.int16:
    """A whole number modulo 2^16 as int16."""
    return np.uint16(int(value) & 0xFFFF).view(np.int16)


def _is_whole(slices: Sequence[Slice]) -> bool:
    """Whether every slope and intercept is a whole number."""
    return all(_slope(s).is_integer() and _intercept(s).is_integer() for s in slices)


def _slope(s: Slice) -> float:
    """RescaleSlope, which the grid's checks have seen present."""
    return 1.0 if s.slope is None else s.slope


def _intercept(s: Slice) -> float:
    """RescaleIntercept, which the grid's checks have seen present."""
    return 0.0 if s.intercept is None else s.intercept


def _padding_range(s: Slice) -> tuple[int, int] | None:
    """Lowest and highest stored value that mean padding."""
    if s.padding is None:
        return None
    limit = s.padding if s.padding_limit is None else s.padding_limit
    return min(s.padding, limit), max(s.padding, limit)


def _common_padding_hu(slices: Sequence[Slice]) -> float | None:
    """One HU that marks padding in the whole volume, or ``None`` where no slice declares any."""
    declared = {s.padding * _slope(s) + _intercept(s) for s in slices if s.padding is not None}
    if not declared:
        return None
    worst = max(declared)
    if worst > PADDING_BELOW_HU:
        return worst
    only = worst if len(declared) == 1 else PADDING_FALLBACK_HU
    return only if only.is_integer() and only >= _INT16.min else PADDING_FALLBACK_HU


def _padding_mask(
    stored: NDArray[Any], s: Slice, padding_hu: float | None
) -> NDArray[np.bool_] | None:
    """Voxels to set to the padding value; ``None`` where they have it already or there are none."""
    bounds = _padding_range(s)
    if padding_hu is None or bounds is None:
        return None
    low, high = bounds
    if low == high and low * _slope(s) + _intercept(s) == padding_hu:
        return None
    mask: NDArray[np.bool_] = (stored >= low) & (stored <= high)
    return mask if mask.any() else None


def _padding_finding(padding_hu: float) -> Finding:
    """What is said of a padding value among tissue."""
    return Finding(
        code="padding-implausible",
        severity=Severity.WARNING,
        message=f"the declared padding value is {padding_hu:g} HU, which tissue has; it is ignored",
        evidence={"padding_hu": padding_hu},
    )
