"""Synthetic cohorts: the study's moments, nothing impossible, and no patient's name."""

from __future__ import annotations

import pandas as pd
import pytest

from osteoct.cohort.columns import COHORT_COLUMNS, REGIONS, SITES
from osteoct.cohort.simulate.assumptions import ASSUMED, CORE_SHARE, PUBLISHED
from osteoct.cohort.simulate.drawing import draw_cohort
from osteoct.errors import ConfigError


@pytest.fixture(scope="module")
def many():
    """So many that their moments are those of the drawing: SE of r about 0.002."""
    return draw_cohort(200_000, seed=5)


def test_moments_are_the_published_ones(many):
    """Correlations, group means, ages, BMI and sexes of the abstract."""
    for site in SITES:
        r = many["total_hu"].corr(many[f"t_{site}"])
        assert r == pytest.approx(PUBLISHED.r[site], abs=0.015), site
    means = many.groupby("group")[[f"{region}_hu" for region in REGIONS]].mean()
    for group, wanted in (
        ("healthy", PUBLISHED.healthy_hu),
        ("osteopenia", PUBLISHED.osteopenia_hu),
    ):
        for region in REGIONS:
            assert means.loc[group, f"{region}_hu"] == pytest.approx(wanted[region], abs=1.0)
    assert many["age"].mean() == pytest.approx(PUBLISHED.age_mean, abs=0.2)
    assert many["age"].std() == pytest.approx(PUBLISHED.age_sd, abs=0.2)
    assert many["bmi"].mean() == pytest.approx(PUBLISHED.bmi_mean, abs=0.1)
    assert many["bmi"].std() == pytest.approx(PUBLISHED.bmi_sd, abs=0.15)
    assert (many["sex"] == "F").mean() == pytest.approx(PUBLISHED.female_share, abs=0.01)


def test_group_means_of_t_scores_are_those_kept(many):
    """They are computed from the other assumptions; a changed one must change them."""
    columns = [f"t_{site}" for site in SITES]
    means = many.groupby("group")[columns].mean()
    for group, wanted in zip(means.index, ASSUMED.t_group_means, strict=True):
        assert means.loc[group].tolist() == pytest.approx(list(wanted), abs=0.02)


def test_groups_follow_the_lowest_t_score(many):
    """The study's definition: −1.0 and −2.5 themselves are osteopenia."""
    lowest = many[[f"t_{site}" for site in SITES]].min(axis=1)
    assert (many["group"].eq("healthy") == lowest.gt(-1.0)).all()
    assert (many["outcome_osteoporosis"].eq(1) == lowest.lt(-2.5)).all()
    assert (many["outcome_low_bmd"].eq(1) == ~many["group"].eq("healthy")).all()


def test_columns_hang_together():
    """Level means are the patient's; total is made of core and shell; names say SYNTHETIC."""
    table = draw_cohort(50, seed=1)
    assert tuple(table.columns) == COHORT_COLUMNS
    for region in REGIONS:
        levels = table[[f"{region}_hu_l{n}" for n in range(1, 6)]].mean(axis=1)
        assert levels.tolist() == pytest.approx(table[f"{region}_hu"].tolist(), abs=0.002)
    mixed = CORE_SHARE * table["trabecular_hu"] + (1 - CORE_SHARE) * table["cortical_hu"]
    assert mixed.tolist() == pytest.approx(table["total_hu"].tolist(), abs=0.002)
    assert table["patient"].str.startswith("SYNTHETIC-").all()
    assert table["patient"].is_unique
    assert table["age"].between(20, 100).all()
    assert table["days_between"].abs().le(365).all()


def test_a_seed_is_a_cohort():
    """The same seed draws the same patients, another seed others."""
    pd.testing.assert_frame_equal(draw_cohort(20, seed=1), draw_cohort(20, seed=1))
    assert not draw_cohort(20, seed=1).equals(draw_cohort(20, seed=2))


def test_nobody_cannot_be_drawn():
    """The limit itself is 1."""
    assert len(draw_cohort(1)) == 1
    with pytest.raises(ConfigError):
        draw_cohort(0)
