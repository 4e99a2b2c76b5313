"""The summary is an unweighted mean of the levels that count."""

from __future__ import annotations

import pytest

from osteoct.anatomy import Level
from osteoct.measure.level import absent_level
from osteoct.measure.summary import summarise
from osteoct.protocols import AXIAL_ROI, Region
from osteoct.records import HuStatistics, LevelResult, RegionMeasure

PROTOCOLS = (AXIAL_ROI,)


def level(name: str, mean: float, *, voxels: int = 100, usable: bool = True) -> LevelResult:
    hu = HuStatistics(
        mean_hu=mean, median_hu=mean - 10, sd_hu=1, p05_hu=0, p25_hu=0, p75_hu=0, p95_hu=0
    )
    return LevelResult(
        level=Level[name],
        usable=usable,
        regions=(
            RegionMeasure(
                protocol=AXIAL_ROI.id,
                region=Region.TRABECULAR,
                volume_cm3=1.0,
                voxels=voxels,
                hu=hu,
            ),
        ),
    )


def test_a_level_counts_once_however_large():
    """100 and 200 HU make 150, whatever the voxel counts."""
    mean, median = summarise(
        [level("L1", 100, voxels=10), level("L2", 200, voxels=9000)], PROTOCOLS
    )
    assert (mean.statistic, mean.value_hu) == ("mean", pytest.approx(150))
    assert (median.statistic, median.value_hu) == ("median", pytest.approx(140))
    assert mean.levels_used == (Level.L1, Level.L2)


def test_unusable_and_absent_levels_do_not_count():
    """What was not used is not averaged in as 0, and the summary says what it used."""
    levels = [level("L1", 100), level("L2", 900, usable=False), absent_level(Level.L3, PROTOCOLS)]
    mean, _ = summarise(levels, PROTOCOLS)
    assert mean.value_hu == pytest.approx(100)
    assert mean.levels_used == (Level.L1,)
    assert mean.levels_asked == (Level.L1, Level.L2, Level.L3)


def test_without_a_usable_level_there_is_no_value():
    """None, not 0 and not NaN."""
    mean, _ = summarise([level("L1", 100, usable=False)], PROTOCOLS)
    assert mean.value_hu is None
    assert mean.levels_used == ()


def test_the_least_sure_names_are_said():
    """Those that others of the same mean are surer than; none where all are alike."""
    sure = {"L1": 0.75, "L2": 0.75, "L4": 0.84}
    levels = [
        level(name, 100).model_copy(update={"numbering_certainty": c}) for name, c in sure.items()
    ]
    mean, _ = summarise([*levels, level("L5", 100)], PROTOCOLS)
    assert (mean.numbering_certainty, mean.levels_less_sure) == (0.75, (Level.L1, Level.L2))
    alike, _ = summarise(levels[:2], PROTOCOLS)
    assert (alike.numbering_certainty, alike.levels_less_sure) == (0.75, ())
    unknown, _ = summarise([level("L5", 100)], PROTOCOLS)
    assert (unknown.numbering_certainty, unknown.levels_less_sure) == (None, ())
