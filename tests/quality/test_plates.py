"""Dense bone below one end plate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from osteoct.anatomy import Level
from osteoct.quality.plates import DEPARTURE_LIMIT_HU, check_plates, measure_plates

LEVELS = (Level.L2, Level.L3, Level.L4)


def body(block_core, level, *, below_top=0.0, spacing=(1.0, 1.0, 1.0), codes="RAS"):
    """A body of 100 HU all through, with so much more in the 8 mm below its upper end plate."""
    core = block_core(
        np.full([round(30 / s) for s in spacing], 100.0), level=level, spacing=spacing
    )
    hu = np.full(core.hu.shape, 100.0, np.float32)
    hu[:, :, -round(8 / spacing[2]) :] += below_top
    core = replace(core, hu=hu)
    step = core.level.geometry.reorientation_to(codes)
    turned = replace(
        core.level,
        geometry=step.apply_to_geometry(core.level.geometry),
        vertebra=step.apply_to_array(core.level.vertebra),
        body=step.apply_to_array(core.level.body),
        excluded=step.apply_to_array(core.level.excluded),
    )
    return replace(
        core, level=turned, hu=step.apply_to_array(hu), mask=step.apply_to_array(core.mask)
    )


@pytest.mark.parametrize(
    ("more", "fires"), [(0.0, False), (DEPARTURE_LIMIT_HU, False), (DEPARTURE_LIMIT_HU + 1, True)]
)
@pytest.mark.parametrize("codes", ["RAS", "PIR"])
@pytest.mark.parametrize("spacing", [(0.8, 0.8, 0.8), (1.0, 1.0, 2.0)])
def test_limit(block_core, more, fires, codes, spacing):
    """Exactly at the limit it is an end plate like the others."""
    cores = [body(block_core, lv, spacing=spacing, codes=codes) for lv in (LEVELS[0], LEVELS[2])]
    cores.append(body(block_core, LEVELS[1], below_top=more, spacing=spacing, codes=codes))
    found = check_plates(cores)
    assert [(f.level, f.evidence["side"]) for f in found] == (
        [(Level.L3, "upper")] if fires else []
    )
    if fires:
        height = cores[-1].level.geometry.corners_mm()[:, 2].max()
        assert height - 8 < found[0].place_mm[2] < height


def test_a_lone_body_has_nothing_to_compare(block_core):
    """Two end plates of one body do not say which is unusual."""
    assert check_plates([body(block_core, Level.L3, below_top=400.0)]) == ()


def test_bodies_beside_metal_or_without_axes_are_left_out(block_core):
    """Streaks are no bone; without axes there is no end plate."""
    core = body(block_core, Level.L3)
    assert len(measure_plates(core)) == 2
    excluded = np.zeros_like(core.level.excluded)
    excluded[5, 5, 5] = True
    for change in ({"axes": None}, {"excluded": excluded}):
        assert measure_plates(replace(core, level=replace(core.level, **change))) == ()
