"""Whether the masks lie on the bone: shifted, too large or small, elsewhere, of another shape."""

from __future__ import annotations

from collections.abc import Container, Sequence
from statistics import median

import numpy as np

from osteoct.anatomy import Level
from osteoct.compartments.level import LevelCompartments
from osteoct.quality.bone_edge import EdgeFit, EdgeReader, fit_edge
from osteoct.quality.mask_sides import check_sides, middle_mm
from osteoct.quality.outline import sample_outline
from osteoct.records import Finding, Severity
from osteoct.volume import CTVolume, LabelVolume

SHIFT_LIMIT_MM = 1.8
"""Masks of clean phantoms (slices of 0.6 to 5 mm, noise to 25 HU, cores of 30 to 300 HU) lie up to
0.5 mm beside their bone's edge, those of the project's real example 0.1 mm."""

SHIFT_BLOCKS_MM = 4.0
"""From here cortex and disc lie where the core 4 mm below the surface should."""

USUAL_SIZE_MM = 0.9
"""How far outside of a right mask the largest step lies: a thin shell steps up where it is read
from within. 0.5 to 1.3 mm on clean phantoms, 1.1 on the project's real example."""

SIZE_LIMIT_MM = 1.7
"""Departure from the usual; masks that were grown or shrunk by 1 mm lie below it."""

LEAST_STEP_HU = 40.0
"""Below this there is no bone edge in reach: masks in soft tissue reach 31 HU at the best place,
right ones 207 HU and more, and 89 where the real example's bone is made fainter by two thirds."""

FIT_SHARE = 0.62
"""Share of an outline's points with a step worth the name.

Right masks have 0.72 to 1.0: on phantoms with slices of 5 mm, and on the real example with bone two
thirds fainter and 25 HU noise, too. Masks of a real spine that were mirrored, and such as were
turned upside down, have at most 0.51.
"""

LEVEL_SHARE = 0.75
"""Of the levels' median step, which one level must reach where all are moved alike; 0.87 and more
on clean phantoms and on the real example."""

SIDE_ALONE_SHARE = 0.5
"""Chosen: of an outline of which one side is wrong at least so much of the step is left."""

LEAST_POINTS = 60
"""Points on the surface of a vertebra without which nothing is read."""


def check_position(
    ct: CTVolume, vertebrae: LabelVolume, levels: Sequence[LevelCompartments]
) -> tuple[Finding, ...]:
    """Lay the masks' outlines over the CT's bone edge, all together and then each by itself.

    Parameters
    ----------
    ct, vertebrae
        Volumes whose grid ``level.box`` indexes, in canonical orientation.
    """
    read = [(level, EdgeReader.of(ct, sample_outline(level, vertebrae))) for level in levels]
    read = [(level, reader) for level, reader in read if len(reader.index) >= LEAST_POINTS]
    if not read:
        return ()
    fit = fit_edge([reader for _, reader in read])
    common = judge_fit(fit, [level for level, _ in read])
    if min(fit.step_hu / LEAST_STEP_HU, fit.fitting_share / FIT_SHARE) < 1:
        return common
    sides = {finding.level: finding for finding in check_sides(read, fit)}
    single = {finding.level: finding for finding in _check_single(read, fit, sides)}
    return (*common, *(sides | single).values())


def judge_fit(fit: EdgeFit, levels: Sequence[LevelCompartments]) -> tuple[Finding, ...]:
    """What the common fit says of all masks."""
    place = middle_mm(levels[len(levels) // 2])
    if fit.step_hu < LEAST_STEP_HU:
        return (_tell_off_bone(fit, place),)
    if fit.fitting_share < FIT_SHARE:
        return (_tell_misfit(fit, place),)
    found = []
    if fit.distance_mm >= SHIFT_LIMIT_MM:
        found.append(_tell_shift(fit, place, None))
    if abs(fit.size_mm - USUAL_SIZE_MM) >= SIZE_LIMIT_MM:
        found.append(_tell_size(fit, place))
    return tuple(found)


def _check_single(
    read: Sequence[tuple[LevelCompartments, EdgeReader]],
    fit: EdgeFit,
    known: Container[Level | None],
) -> tuple[Finding, ...]:
    """Find levels whose outline does not fit where the others' do.

    Where it is known to be one side of a level alone, nothing more is said, unless so little of the
    outline fits that it is more than a side.
    """
    usual = median(fit.level_steps_hu)
    found = []
    for number in find_lagging(fit.level_steps_hu):
        level, reader = read[number]
        own, place = fit_edge([reader]), middle_mm(level)
        if own.step_hu >= LEVEL_SHARE * usual and own.distance_mm >= SHIFT_LIMIT_MM:
            found.append(_tell_shift(own, place, level))
            continue
        step = fit.level_steps_hu[number]
        if level.level not in known or step < SIDE_ALONE_SHARE * usual:
            found.append(_tell_level_misfit(step, usual, place, level))
    return tuple(found)


def find_lagging(steps_hu: Sequence[float]) -> tuple[int, ...]:
    """Numbers of the levels whose step is much less than the median of all."""
    usual = median(steps_hu)
    return tuple(n for n, step in enumerate(steps_hu) if step < LEVEL_SHARE * usual)


def _tell_shift(
    fit: EdgeFit, place_mm: tuple[float, float, float], level: LevelCompartments | None
) -> Finding:
    """Masks beside their bone."""
    words = _say_shift(fit.shift_mm)
    whose = "all vertebrae" if level is None else str(level.level)
    return Finding(
        code="mask-shifted",
        severity=Severity.BLOCKING if fit.distance_mm >= SHIFT_BLOCKS_MM else Severity.WARNING,
        level=None if level is None else level.level,
        message=(
            f"The masks of {whose} lie {fit.distance_mm:.1f} mm beside their bone, which is "
            f"{words} of them (limit {SHIFT_LIMIT_MM:g} mm)."
        ),
        certainty=_certainty(fit.distance_mm / SHIFT_LIMIT_MM),
        place_mm=place_mm,
        evidence={
            "distance_mm": fit.distance_mm,
            "limit_mm": SHIFT_LIMIT_MM,
            "bone_right_mm": fit.shift_mm[0],
            "bone_front_mm": fit.shift_mm[1],
            "bone_up_mm": fit.shift_mm[2],
            "step_hu": fit.step_hu,
            "step_here_hu": fit.here_hu,
        },
    )


def _say_shift(shift_mm: tuple[float, float, float]) -> str:
    """A shift in words, without what is less than half of a millimetre."""
    names = (("right", "left"), ("in front", "behind"), ("above", "below"))
    told = [
        f"{abs(mm):.1f} mm {pair[0 if mm > 0 else 1]}"
        for mm, pair in zip(shift_mm, names, strict=True)
        if abs(mm) >= 0.5  # noqa: PLR2004 - half of a millimetre
    ]
    return " and ".join(told)


def _tell_size(fit: EdgeFit, place_mm: tuple[float, float, float]) -> Finding:
    """Masks too large or too small all around."""
    departure = fit.size_mm - USUAL_SIZE_MM
    word, side = ("too small", "outside") if departure > 0 else ("too large", "inside")
    return Finding(
        code="mask-size",
        severity=Severity.WARNING,
        message=(
            f"The masks are {word}: the bone's edge lies {abs(departure):.1f} mm {side} of them "
            f"all around (limit {SIZE_LIMIT_MM:g} mm)."
        ),
        certainty=_certainty(abs(departure) / SIZE_LIMIT_MM),
        place_mm=place_mm,
        evidence={
            "outside_mm": departure,
            "limit_mm": SIZE_LIMIT_MM,
            "step_hu": fit.step_hu,
            "step_here_hu": fit.here_hu,
        },
    )


def _tell_off_bone(fit: EdgeFit, place_mm: tuple[float, float, float]) -> Finding:
    """Masks that have no bone in reach."""
    return Finding(
        code="mask-off-bone",
        severity=Severity.BLOCKING,
        message=(
            f"No bone edge follows the masks, nor within 10 mm: HU step by {fit.step_hu:.0f} at "
            f"best (wanted {LEAST_STEP_HU:g}). They lie elsewhere or belong to another image, or "
            "the image's values are no HU."
        ),
        certainty=0.95,
        place_mm=place_mm,
        evidence={"step_hu": fit.step_hu, "limit_hu": LEAST_STEP_HU},
    )


def _tell_misfit(fit: EdgeFit, place_mm: tuple[float, float, float]) -> Finding:
    """Masks near bone whose outline it does not have."""
    is_far = fit.distance_mm >= SHIFT_BLOCKS_MM
    return Finding(
        code="outline-misfit",
        severity=Severity.BLOCKING if is_far else Severity.WARNING,
        message=(
            f"Only {fit.fitting_share:.0%} of the masks' outlines follow the bone's edge where "
            f"they fit best, {fit.distance_mm:.1f} mm away (wanted {FIT_SHARE:.0%}). They may be "
            "mirrored, upside down or of another image."
        ),
        certainty=0.8,
        place_mm=place_mm,
        evidence={
            "fitting_share": fit.fitting_share,
            "limit_share": FIT_SHARE,
            "step_hu": fit.step_hu,
            "distance_mm": fit.distance_mm,
        },
    )


def _tell_level_misfit(
    step_hu: float,
    usual_hu: float,
    place_mm: tuple[float, float, float],
    level: LevelCompartments,
) -> Finding:
    """One level whose outline fits worse than the others'."""
    return Finding(
        code="outline-misfit",
        severity=Severity.WARNING,
        level=level.level,
        message=(
            f"The outline of {level.level} follows the bone's edge worse than the others: HU step "
            f"by {step_hu:.0f}, {step_hu / usual_hu:.0%} of theirs (wanted {LEVEL_SHARE:.0%})."
        ),
        certainty=0.6,
        place_mm=place_mm,
        evidence={
            "step_hu": step_hu,
            "others_hu": usual_hu,
            "limit_share": LEVEL_SHARE,
        },
    )


def _certainty(times_limit: float) -> float:
    """Chosen: 0.8 at the limit, 0.95 from twice the limit on."""
    return float(np.clip(0.8 + 0.15 * (times_limit - 1), 0.5, 0.95))
