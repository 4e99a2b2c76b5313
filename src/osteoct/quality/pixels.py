"""Findings about how the scan was made that the pixels tell, in one call."""

from __future__ import annotations

from collections.abc import Sequence

from osteoct.compartments.level import LevelCompartments
from osteoct.measure.core import core_of_level
from osteoct.measure.tissues import TissueHus
from osteoct.quality.discs import check_discs
from osteoct.quality.evenness import check_evenness
from osteoct.quality.field_of_view import check_field_of_view
from osteoct.quality.foci import check_foci
from osteoct.quality.hu_scale import check_hu_ranges
from osteoct.quality.noise import check_noise
from osteoct.quality.orientation import check_orientation
from osteoct.quality.outliers import check_outliers
from osteoct.quality.phase import check_phase, judge_phase
from osteoct.quality.plates import check_plates
from osteoct.quality.position import check_position
from osteoct.quality.sharpness import check_sharpness
from osteoct.quality.spurs import check_spurs
from osteoct.records import Acquisition, Finding
from osteoct.volume import CTVolume


def check_pixels(
    ct: CTVolume,
    levels: Sequence[LevelCompartments],
    tissues: TissueHus,
    acquisition: Acquisition,
) -> tuple[Finding, ...]:
    """Check phase, HU scale, noise, sharpness, field of view, orientation and position.

    Parameters
    ----------
    ct
        The CT whose grid the levels' boxes index, in canonical orientation.
    """
    flips = check_orientation(levels, tissues)
    return (
        *check_phase(acquisition, judge_phase(tissues)),
        *check_hu_ranges(ct, tissues, acquisition),
        *check_noise(ct, levels, tissues),
        *check_sharpness(ct, levels, acquisition),
        *check_field_of_view(ct, levels),
        *flips,
        *check_position(ct, levels, acquisition, flips),
    )


def check_bone(
    ct: CTVolume, levels: Sequence[LevelCompartments], acquisition: Acquisition
) -> tuple[Finding, ...]:
    """Check cores and end plates for what departs from the bone around them, and what lies beside.

    Parameters
    ----------
    ct
        The CT whose grid the levels' boxes index, in canonical orientation.
    """
    cores = [core for level in levels if (core := core_of_level(ct, level)) is not None]
    foci = check_foci(cores)
    return (
        *foci,
        *check_evenness(cores, foci),
        *check_outliers(cores),
        *check_plates(cores),
        *check_discs(ct, levels),
        *check_spurs(ct, levels, acquisition),
    )
