"""Foci in a core: parts much denser or less dense than the bone around them.

A dense focus may be sclerosis, a bone island, a Schmorl node's rim or cement; a lucent one a
haemangioma, lysis, a cyst or the basivertebral vein. Which of them it is, is not said here: it is
named, placed, and how far it moves the mean is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy import ndimage as ndi

from osteoct.compartments.axes import in_frame
from osteoct.measure.core import Core, place_of, smooth_core
from osteoct.measure.tissues import MAD_TO_SD
from osteoct.records import Finding, Severity
from osteoct.volume import Mask

YOUNG_SD_HU = 42.0
"""SD of lumbar trabecular HU between women of 20 to 30 years (Hendrickson 2018)."""

DENSE_ABOVE_HU = 3 * YOUNG_SD_HU
"""How far a dense focus lies above its core's median: three SD of young adults (derived)."""

LUCENT_BELOW_HU = 2 * YOUNG_SD_HU
"""How far a lucent focus lies below it: two, since marrow of 100 HU ends near -30 HU (derived)."""

LEAST_NEIGHBOURS = 2
"""Cores that a core is compared with where most of it may be changed."""

SPREADS = 5.0
"""Chosen: and at least this many times the core's own spread, so that coarse bone is no focus."""

LEAST_VOLUME_MM3 = 100.0
"""Chosen: a ball of 5.8 mm; smaller ones hardly move the mean of a core of 5 to 15 cm³."""

LEAST_VOXELS = 3
"""Chosen: one voxel of 5 mm slices may be noise."""

SMOOTHING_MM = 1.0
"""SD of the Gaussian that takes noise off before values are compared; 25 HU become about 5."""

SHIFT_LIMIT = 0.047
"""Share of the mean that a focus may move it by before it matters: two sessions of one patient
differ by as much (10.1186/s41747-024-00483-9)."""

WHOLE_SHARE = 0.9
"""Chosen: a lucent part that is nearly all of a core is no focus in it; the level departs."""

FOREIGN_HU = 1000.0
FOREIGN_VOLUME_MM3 = 300.0
"""Chosen: a core above 1000 HU over a ball of 8 mm is filled, as with bone cement; compact bone of
an island of that size would be too, and counts as little in a mean."""

VEIN_HALF_WIDTH_MM = 8.0
VEIN_HALF_HEIGHT_MM = 6.0
"""Chosen: the basivertebral vein enters at the middle of the back wall; a lucent focus whose centre
lies in the back half and this near the middle is where the vein is expected."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Focus:
    """One connected part of a core that stands out.

    Parameters
    ----------
    mask
        The part (A, B, C) in the core's own box.
    shift_hu
        Mean of the core with the focus less the mean without; ``None`` where nothing else is left.
    """

    is_dense: bool
    mask: Mask
    volume_mm3: float
    mean_hu: float
    peak_hu: float
    shift_hu: float | None
    limit_hu: float


def check_foci(cores: Sequence[Core]) -> tuple[Finding, ...]:
    """Find the largest dense and the largest lucent focus of every core."""
    medians = {core: float(np.median(core.values_hu)) for core in cores}
    return tuple(
        _name(core, focus)
        for core in cores
        for focus in find_foci(core, base_hu=_base_of(core, medians))
    )


def _base_of(core: Core, medians_hu: Mapping[Core, float]) -> float:
    """What a core is like apart from its foci: its median or, where that departs, its neighbours'.

    A focus that fills most of a core is its median.
    """
    others = [hu for other, hu in medians_hu.items() if other is not core]
    own = medians_hu[core]
    if len(others) < LEAST_NEIGHBOURS:
        return own
    expected = float(np.median(others))
    return own if abs(own - expected) <= YOUNG_SD_HU else expected


def find_foci(core: Core, *, base_hu: float) -> tuple[Focus, ...]:
    """The largest dense and the largest lucent focus of a core, if they are large enough.

    Parameters
    ----------
    base_hu
        HU of the core apart from its foci.
    """
    smooth = smooth_core(core, SMOOTHING_MM)
    inside = core.inside
    values = smooth[inside]
    spread = float(np.median(np.abs(values - np.median(values)))) * MAD_TO_SD
    high = base_hu + max(DENSE_ABOVE_HU, SPREADS * spread)
    low = base_hu - max(LUCENT_BELOW_HU, SPREADS * spread)
    candidates = (
        _largest(core, inside & (smooth > high), limit_hu=high, dense=True),
        _largest(core, inside & (smooth < low), limit_hu=low, dense=False),
    )
    return tuple(focus for focus in candidates if focus is not None and not _is_whole(core, focus))


def _is_whole(core: Core, focus: Focus) -> bool:
    """Whether a lucent focus is (nearly) all of its core, which the check of outliers tells."""
    share = np.count_nonzero(focus.mask) / core.values_hu.size
    return bool(not focus.is_dense and share >= WHOLE_SHARE)


def _largest(core: Core, mask: Mask, *, limit_hu: float, dense: bool) -> Focus | None:
    """The largest connected part, if it is large enough."""
    if np.count_nonzero(mask) < LEAST_VOXELS:
        return None
    parts, _ = ndi.label(mask, structure=np.ones((3, 3, 3)))
    sizes = np.bincount(parts.ravel())[1:]
    volume = float(sizes.max()) * core.level.geometry.voxel_volume_mm3
    if sizes.max() < LEAST_VOXELS or volume < LEAST_VOLUME_MM3:
        return None
    part: Mask = parts == int(sizes.argmax()) + 1
    own = core.hu[core.box]
    hu, rest = own[part], own[core.inside & ~part]
    return Focus(
        is_dense=dense,
        mask=part,
        volume_mm3=volume,
        mean_hu=float(hu.mean(dtype=np.float64)),
        peak_hu=float(hu.max() if dense else hu.min()),
        shift_hu=float(core.values_hu.mean(dtype=np.float64) - rest.mean(dtype=np.float64))
        if rest.size
        else None,
        limit_hu=limit_hu,
    )


def _name(core: Core, focus: Focus) -> Finding:
    """The finding of a focus."""
    if not focus.is_dense:
        return _name_lucent(core, focus)
    return _name_foreign(core, focus) or _name_dense(core, focus)


def _name_foreign(core: Core, focus: Focus) -> Finding | None:
    """A focus denser than bone, over more than a little: a filled core."""
    volume = float(np.count_nonzero(core.values_hu > FOREIGN_HU))
    volume *= core.level.geometry.voxel_volume_mm3
    if volume < FOREIGN_VOLUME_MM3:
        return None
    return Finding(
        code="dense-material",
        severity=Severity.BLOCKING,
        level=core.level.level,
        message=(
            f"{volume / 1000:.1f} cm³ of the core of {core.level.level} lie above "
            f"{FOREIGN_HU:g} HU, as bone cement does."
        ),
        certainty=0.9,
        place_mm=place_of(focus.mask, core.geometry),
        evidence={
            "volume_mm3": volume,
            "limit_mm3": FOREIGN_VOLUME_MM3,
            "limit_hu": FOREIGN_HU,
            "peak_hu": focus.peak_hu,
        },
    )


def _name_dense(core: Core, focus: Focus) -> Finding:
    """A dense focus; a warning where it moves the mean by more than two sessions differ."""
    level = core.level.level
    return Finding(
        code="dense-focus",
        severity=Severity.WARNING if _matters(core, focus) else Severity.INFO,
        level=level,
        message=(
            f"Dense focus of {focus.volume_mm3 / 1000:.2f} cm³ in the core of {level}: "
            f"{focus.mean_hu:.0f} HU on average, {focus.peak_hu:.0f} at most; {_effect_of(focus)}."
        ),
        certainty=_certainty(focus),
        place_mm=place_of(focus.mask, core.geometry),
        evidence=_evidence_of(focus),
    )


def _name_lucent(core: Core, focus: Focus) -> Finding:
    """A lucent focus, likewise; no more than told where the basivertebral vein enters."""
    level, place = core.level.level, place_of(focus.mask, core.geometry)
    is_vein = _is_where_vein_enters(core, place)
    where = ", where the basivertebral vein enters" if is_vein else ""
    return Finding(
        code="lucent-focus",
        severity=Severity.WARNING if _matters(core, focus) and not is_vein else Severity.INFO,
        level=level,
        message=(
            f"Lucent focus of {focus.volume_mm3 / 1000:.2f} cm³ in the core of {level}{where}: "
            f"{focus.mean_hu:.0f} HU on average; {_effect_of(focus)}."
        ),
        certainty=_certainty(focus),
        place_mm=place,
        evidence=_evidence_of(focus),
    )


def _effect_of(focus: Focus) -> str:
    """What a focus does to the mean."""
    if focus.shift_hu is None:
        return "it is all of the core"
    return f"it moves the core's mean by {focus.shift_hu:+.1f} HU"


def _evidence_of(focus: Focus) -> dict[str, float | int | str | None]:
    """The values that made a focus one, and their limits."""
    return {
        "volume_mm3": focus.volume_mm3,
        "limit_mm3": LEAST_VOLUME_MM3,
        "mean_hu": focus.mean_hu,
        "limit_hu": focus.limit_hu,
        "shift_hu": focus.shift_hu,
        "limit_shift_share": SHIFT_LIMIT,
    }


def _matters(core: Core, focus: Focus) -> bool:
    """Whether a focus moves the mean by more than two sessions differ."""
    if focus.shift_hu is None:
        return True
    without = float(core.values_hu.mean(dtype=np.float64)) - focus.shift_hu
    return bool(abs(focus.shift_hu) > SHIFT_LIMIT * abs(without))


def _certainty(focus: Focus) -> float:
    """Surer the larger a focus is: even at the least volume, nine in ten at three times that."""
    share: float = LEAST_VOLUME_MM3 / focus.volume_mm3
    return round(1 - 0.5 * share * sqrt(share), 3)


def _is_where_vein_enters(core: Core, place_mm: tuple[float, float, float]) -> bool:
    """Whether a place lies in the back half of the body, near its middle."""
    axes = core.level.axes
    if axes is None:
        return False
    right, front, up = in_frame(np.array([place_mm]), axes)[0].tolist()
    is_central = abs(right) <= VEIN_HALF_WIDTH_MM and abs(up) <= VEIN_HALF_HEIGHT_MM
    return bool(is_central and front < 0)
