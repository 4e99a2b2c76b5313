"""Whether the numbers of an image can be Hounsfield units, told from their distribution alone.

A NIfTI file does not say what its numbers are. HU are fixed by physics: air near -1000, fat near
-100, water 0, muscle and blood 30 to 80, bone above. The rule looks for these marks, in this order:

1. Numbers that span less than 100, lie within 0 … 255, or of which 1 % exceed 4000: not HU.
2. Air (-1100 … -850) together with soft tissue or fat (-200 … 300): HU.
3. No air, and a tenth or more near 1000, where water lies in stored numbers that were never
   rescaled, or nearly everything above 500: HU not recoverable.
4. Next to nothing below -30, so neither air nor fat, and a twentieth or more crowding within ±10
   of 0: background of an MR (or masked) image, not HU.
5. No air, but fat (-150 … -30) and soft tissue (0 … 100), nothing cut off below: HU, cropped.
6. Anything else cannot be decided: the finding ``hu-scale-unchecked``, no refusal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from osteoct.errors import HuNotRecoverableError, NotCtError
from osteoct.records import Finding, Severity
from osteoct.volume import CTVolume

SAMPLE_VOXELS: Final = 400_000
"""Voxels looked at, on a regular sub-grid: shares of 0.1 % are then known to a few per cent."""

PADDING_BELOW_HU: Final = -1500.0
"""Lower numbers are padding (-2000, -2048, -3024): filters ring down to about -1200 at most."""

LEAST_SPAN: Final = 100.0
"""A spine spans from fat or muscle to bone, at least 200 HU; normalised images (0 … 1) do not."""

GREY_RANGE: Final = (0.0, 255.0)
"""Numbers of 8-bit pictures. A CT without one voxel of fat below 0 has bone above 255."""

TOP_HU: Final = 4000.0
"""12-bit HU end at 3071; metal in extended scale goes higher, but not in 1 % of the voxels."""
TOP_SHARE: Final = 0.01

AIR_HU: Final = (-1100.0, -850.0)
TISSUE_HU: Final = (-200.0, 300.0)
FAT_HU: Final = (-150.0, -30.0)
SOFT_HU: Final = (0.0, 100.0)
"""Where air, all soft parts, fat, and muscle with blood lie, with 1 to 2 SD of clinical noise."""

AIR_SHARE: Final = 0.005
TISSUE_SHARE: Final = 0.01
FAT_SHARE: Final = 0.01
SOFT_SHARE: Final = 0.1
"""Least shares of the voxels that count as there; noise alone does not reach them."""

BELOW_FAT_HU: Final = -30.0
BELOW_FAT_SHARE: Final = 0.002
"""Fewer voxels than this share below -30: neither air nor fat. Magnitude images such as MR have
next to none there (0.02 % in an interpolated MR); a CT with 5 cm of a patient has over 1 %."""

STORED_WATER: Final = (850.0, 1250.0)
STORED_SHARE: Final = 0.1
"""Stored numbers put water at 1000 or 1024. No part of a spine is to a tenth that dense."""
STORED_FLOOR: Final = 500.0

ZERO_HALF_WIDTH: Final = 10.0
ZERO_SHARE: Final = 0.05
"""Background of magnitude images lies within a few units of 0. Muscle of 50 ± 15 HU puts 0.4 % of
its voxels there; with more noise it has voxels below -30 as well."""

CUT_OFF_SHARE: Final = 0.01
"""This share of the voxels at the very lowest number: values were cut off by a display window."""


class Scale(StrEnum):
    """What the distribution says."""

    HU = "hu"
    NOT_HU = "not-hu"
    STORED = "stored"
    UNDECIDED = "undecided"


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A scale, and the values that speak for it."""

    scale: Scale
    found: str


def require_hu(ct: CTVolume, *, where: str) -> tuple[Finding, ...]:
    """Return the findings on the HU scale of an image without a DICOM header.

    Raises
    ------
    NotCtError
        The numbers cannot be HU: MR, a picture, a normalised image.
    HuNotRecoverableError
        The numbers are a CT's stored numbers, air at 0 instead of -1000.
    """
    judged = judge_scale(ct.array, padding_hu=ct.padding_hu)
    if judged.scale is Scale.NOT_HU:
        raise NotCtError(
            "the values cannot be Hounsfield units",
            where=where,
            found=judged.found,
            wanted="air near -1000, fat near -100, muscle near 50",
            hint="give the CT, not an MR or a normalised image",
        )
    if judged.scale is Scale.STORED:
        raise HuNotRecoverableError(
            "the values were never rescaled to Hounsfield units",
            where=where,
            found=judged.found,
            wanted="air at -1000 and water at 0",
            hint="convert the DICOM series again with its RescaleSlope and RescaleIntercept",
        )
    return _findings(judged)


def check_hu_scale(ct: CTVolume) -> tuple[Finding, ...]:
    """Check the scale of a CT whose header claims HU; the claim may be wrong, so: findings.

    ``hu-scale-wrong`` (blocking) where :func:`require_hu` would refuse, ``hu-scale-unchecked``
    (warning) where the distribution does not tell.
    """
    return _findings(judge_scale(ct.array, padding_hu=ct.padding_hu))


def judge_scale(array: NDArray[Any], *, padding_hu: float | None = None) -> Judgement:
    """Judge a distribution by the rule at the top of this module.

    >>> judge_scale(np.linspace(0, 1, 1000).reshape(10, 10, 10)).scale
    <Scale.NOT_HU: 'not-hu'>
    """
    values = _sample(array, padding_hu)
    if values.size == 0:
        return Judgement(scale=Scale.NOT_HU, found="no value above -1500")
    described = _describe(values)
    if _cannot_be_hu(values):
        return Judgement(scale=Scale.NOT_HU, found=described)
    if _share(values, AIR_HU) >= AIR_SHARE and _share(values, TISSUE_HU) >= TISSUE_SHARE:
        return Judgement(scale=Scale.HU, found=described)
    if _share(values, STORED_WATER) >= STORED_SHARE or np.percentile(values, 5) > STORED_FLOOR:
        return Judgement(scale=Scale.STORED, found=f"air at 0 instead of -1000 ({described})")
    if _has_background_at_zero(values):
        return Judgement(scale=Scale.NOT_HU, found=f"a background at 0 ({described})")
    scale = Scale.HU if _is_cropped_ct(values) else Scale.UNDECIDED
    return Judgement(scale=scale, found=described)


def _cannot_be_hu(values: NDArray[Any]) -> bool:
    low, high = float(values.min()), float(values.max())
    is_grey = low >= GREY_RANGE[0] and high <= GREY_RANGE[1]
    return high - low < LEAST_SPAN or is_grey or float(np.mean(values > TOP_HU)) >= TOP_SHARE


def _has_background_at_zero(values: NDArray[Any]) -> bool:
    """Whether values end at 0 and crowd there, as those of magnitude images do."""
    ends_at_zero = float(np.mean(values < BELOW_FAT_HU)) < BELOW_FAT_SHARE
    return ends_at_zero and _share(values, (-ZERO_HALF_WIDTH, ZERO_HALF_WIDTH)) >= ZERO_SHARE


def _is_cropped_ct(values: NDArray[Any]) -> bool:
    """Whether fat and soft tissue lie where HU put them, and nothing was cut off below."""
    return (
        _share(values, FAT_HU) >= FAT_SHARE
        and _share(values, SOFT_HU) >= SOFT_SHARE
        and float(np.mean(values == values.min())) < CUT_OFF_SHARE
    )


def _findings(judged: Judgement) -> tuple[Finding, ...]:
    if judged.scale is Scale.HU:
        return ()
    if judged.scale is Scale.UNDECIDED:
        return (
            Finding(
                code="hu-scale-unchecked",
                severity=Severity.WARNING,
                message=(
                    "neither air nor fat and muscle were found where HU put them "
                    f"({judged.found}): the HU scale could not be checked"
                ),
            ),
        )
    return (
        Finding(
            code="hu-scale-wrong",
            severity=Severity.BLOCKING,
            message=f"the values cannot be Hounsfield units: {judged.found}",
        ),
    )


def _sample(array: NDArray[Any], padding_hu: float | None) -> NDArray[Any]:
    """Values on a regular sub-grid, without padding."""
    step = max(math.floor((array.size / SAMPLE_VOXELS) ** (1 / 3)), 1)
    values = np.asarray(array[::step, ::step, ::step]).ravel()
    values = values[values > PADDING_BELOW_HU]
    return values if padding_hu is None else values[values != padding_hu]


def _share(values: NDArray[Any], limits: tuple[float, float]) -> float:
    return float(np.mean((values >= limits[0]) & (values <= limits[1])))


def _describe(values: NDArray[Any]) -> str:
    low, middle, high = np.percentile(values, (1, 50, 99))
    return (
        f"values {values.min():g} to {values.max():g}, percentiles 1, 50, 99: "
        f"{low:g}, {middle:g}, {high:g}"
    )
