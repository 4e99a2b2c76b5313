"""Groups at exactly −1.0 and −2.5, and which site decides."""

import pandas as pd
import pytest

from osteoct.cohort.statistics.choices import StatisticsChoices
from osteoct.cohort.statistics.cohort_table import prepare_table
from osteoct.cohort.statistics.tscore import assign_groups

H, P, O = "healthy", "osteopenia", "osteoporosis"  # noqa: E741 - as in the tables


@pytest.mark.parametrize(
    ("t", "who", "study"),
    [(-0.9, H, H), (-1.0, H, P), (-1.1, P, P), (-2.4, P, P), (-2.5, O, P), (-2.6, O, O)],
)
def test_definitions_differ_at_the_borders_alone(t, who, study):
    """WHO: −1.0 is healthy, −2.5 is osteoporosis; the study calls both osteopenia."""
    scores = pd.Series([t])
    assert assign_groups(scores, "who")[0] == who
    assert assign_groups(scores, "study")[0] == study


@pytest.mark.parametrize(
    ("site", "group"), [("lowest", O), ("lumbar", H), ("femoral_neck", P), ("total_hip", O)]
)
def test_which_site_decides_is_a_setting(site, group):
    """A patient in three groups by three sites is in one, the chosen one."""
    table = pd.DataFrame({"t_lumbar": [0.2], "t_femoral_neck": [-1.5], "t_total_hip": [-2.8]})
    made = prepare_table(table, StatisticsChoices(site=site)).table
    assert made["group"][0] == group


def test_lowest_of_those_known_and_unknown_without_any():
    """A missing site does not hide the others; without any there is no group and no outcome."""
    table = pd.DataFrame({"t_lumbar": [None, None], "t_total_hip": [-1.2, None]})
    made = prepare_table(table, StatisticsChoices()).table
    assert made["group"].tolist()[0] == P
    assert made["group"].isna().tolist() == [False, True]
    assert made["outcome_low_bmd"].isna().tolist() == [False, True]
