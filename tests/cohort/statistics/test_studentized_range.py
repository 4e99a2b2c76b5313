"""The studentized range against scipy, which is slow but right, also where R has no answer."""

import pytest
from scipy import stats

from osteoct.cohort.statistics.studentized_range import exceed_range, find_range


@pytest.mark.parametrize(
    ("q", "k", "df"), [(3.5, 3, 2.537), (3, 3, 1.25), (4, 2, 1.1), (1, 3, 60), (8, 3, 30)]
)
def test_chance_is_scipys(q, k, df):
    """Few degrees of freedom are where R's ptukey is off."""
    assert exceed_range(q, k, df) == pytest.approx(
        stats.studentized_range.sf(q, k, df), rel=1e-7, abs=1e-9
    )


@pytest.mark.parametrize(("k", "df"), [(3, 1.05), (3, 200.0)])
def test_quantile_inverts_the_chance(k, df):
    """A quantile is what its chance says."""
    assert exceed_range(find_range(0.05, k, df), k, df) == pytest.approx(0.05, abs=1e-9)


def test_quantile_beyond_reach_is_absent():
    """With a fiftieth of a degree of freedom no finite number of use exists."""
    assert find_range(0.05, 3, 0.02) is None
