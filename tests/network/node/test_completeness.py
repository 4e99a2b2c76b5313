"""When a study is taken for whole: too early costs a second analysis, too late a night."""

from __future__ import annotations

from pathlib import Path

import pytest

from osteoct.network.node.completeness import Completeness, Standing, standing
from osteoct.network.node.inbox import HeldStudy

RULE = Completeness(quiet_s=60, settle_s=5, patience_s=1800)
W, C, G = Standing.WAITING, Standing.COMPLETE, Standing.GIVEN_UP


@pytest.mark.parametrize(
    ("images", "expected", "whole", "listed", "quiet", "wanted"),
    [
        # nobody says how many there are
        (10, None, None, None, 59.9, W),
        (10, None, None, None, 60, C),
        # the study says it
        (10, 10, None, None, 4.9, W),
        (10, 10, None, None, 5, C),
        (11, 10, None, None, 5, C),
        (9, 10, None, None, 1799.9, W),
        (9, 10, None, None, 1800, G),
        # its series do: another may still come
        (9, None, True, None, 5, W),
        (9, None, True, None, 60, C),
        (9, None, False, None, 1799.9, W),
        (9, None, False, None, 1800, G),
        # the number of the study counts a report that never comes here
        (9, 10, True, None, 60, C),
        (9, 10, False, None, 60, W),
        # an archive knows better than what images say
        (9, None, None, 9, 5, C),
        (9, 9, True, 12, 60, W),
        (9, 10, None, 9, 5, C),
        (9, None, None, 12, 1800, G),
    ],
)
def test_standing(images, expected, whole, listed, quiet, wanted):
    """Each rule exactly at its limit, and short of it."""
    study = HeldStudy(
        name="study-1",
        folder=Path(),
        images=images,
        expected=expected,
        has_whole_series=whole,
        last_at=1000.0,
        callers=frozenset(),
        revision="a",
    )
    assert standing(study, RULE, now=1000.0 + quiet, listed=listed) is wanted
