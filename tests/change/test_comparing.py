"""Which change is beyond, which is within, and which is not judged at all."""

from __future__ import annotations

import pytest

from osteoct.anatomy import Level
from osteoct.change.comparing import LEAST_MEAN_HU, compare_examinations
from osteoct.change.examination import Examination
from osteoct.change.limits import load_limits
from osteoct.errors import ConfigError, InputError
from osteoct.protocols import Region
from osteoct.records import (
    ChangeVerdict,
    HuStatistics,
    LevelResult,
    Phase,
    Quantity,
    Reason,
    RegionMeasure,
)

PROTOCOL = "body-core-4"
BEYOND, WITHIN = ChangeVerdict.BEYOND, ChangeVerdict.WITHIN
NOT_COMPARABLE, NO_LIMIT = ChangeVerdict.NOT_COMPARABLE, ChangeVerdict.NO_LIMIT


def measure(hu, region=Region.TRABECULAR):
    """A region of a given mean, or one that was not measured."""
    if hu is None:
        return RegionMeasure(protocol=PROTOCOL, region=region, reason=Reason.EMPTY_CORE)
    rest = dict.fromkeys(("median_hu", "p05_hu", "p25_hu", "p75_hu", "p95_hu"), hu)
    return RegionMeasure(
        protocol=PROTOCOL,
        region=region,
        volume_cm3=10.0,
        voxels=100,
        hu=HuStatistics(mean_hu=hu, sd_hu=1.0, **rest),
    )


def examination(*, left_out=(), regions=(Region.TRABECULAR,), levels=None, **changes):
    """An examination whose levels have these trabecular means."""
    means = {Level.L1: 100.0} if levels is None else levels
    given = {
        "case_id": "later",
        "patient": "p-1",
        "study_date": "2026-01-02",
        "kvp": 120.0,
        "phase": Phase.NATIVE,
        "scanner": "ACME One",
        "kernel": ("B30",),
        "levels": tuple(
            LevelResult(
                level=level,
                usable=level not in left_out and hu is not None,
                usability_codes=("height-loss",) if level in left_out else (),
                regions=tuple(measure(hu, region) for region in regions),
            )
            for level, hu in means.items()
        ),
    }
    return Examination(**(given | changes))


def before(**changes):
    """The same, of two years earlier."""
    return examination(**({"case_id": "earlier", "study_date": "2024-01-02"} | changes))


def row_of(change, level=Level.L1, quantity=Quantity.MEAN_HU):
    """The trabecular row of a level."""
    return change.row(level, Region.TRABECULAR, PROTOCOL, quantity)


def levels(hu):
    """One level."""
    return {Level.L1: hu}


@pytest.mark.parametrize(
    ("scanner", "kernel", "percent"),
    [
        ("ACME One", ("B30",), 13.0),
        ("acme one", ("B30",), 13.0),
        ("ACME Two", ("B30",), 13.6),
        (None, ("B30",), 13.6),
        ("ACME One", ("B70",), (13.0**2 + 3.6**2) ** 0.5),
        ("ACME One", (), (13.0**2 + 3.6**2) ** 0.5),
        ("ACME Two", ("B70",), (13.6**2 + 3.6**2) ** 0.5),
    ],
)
def test_limit_by_what_differs(scanner, kernel, percent):
    """What is not known is taken for other: the larger limit."""
    change = compare_examinations(before(scanner=scanner, kernel=kernel), examination())
    row = row_of(change)
    assert row.limit_percent == pytest.approx(percent)
    assert row.limit == pytest.approx(percent)  # of 100 HU
    assert change.days == 731


def test_published_limits_are_277_times_the_variation():
    """To the digit that the notes give."""
    limits = load_limits()
    for cause in (limits.session, limits.scanner, limits.kernel, limits.phase):
        assert round(2.77 * cause.rmscv_percent, 1) == cause.lsc_percent


@pytest.mark.parametrize(("sign", "word"), [(1, "higher"), (-1, "lower")])
def test_exactly_at_the_limit_is_within(sign, word):
    """13 % of the mean of both: 93.5 and 106.5 HU; a hair more is beyond."""
    old, new = (93.5, 106.5) if sign > 0 else (106.5, 93.5)
    at = row_of(compare_examinations(before(levels=levels(old)), examination(levels=levels(new))))
    assert (at.verdict, at.difference, at.limit) == (WITHIN, sign * 13.0, pytest.approx(13.0))
    more = examination(levels=levels(new + sign * 0.01))
    over = row_of(compare_examinations(before(levels=levels(old)), more))
    assert over.verdict is BEYOND
    assert word in over.reason
    assert over.difference_percent == pytest.approx(sign * 13.0, abs=0.02)


def test_own_limit_takes_the_place_of_the_published_one():
    """In HU, exactly at it within."""
    for new, verdict in ((115.0, WITHIN), (115.1, BEYOND)):
        change = compare_examinations(before(), examination(levels=levels(new)), own_limit_hu=15.0)
        assert (row_of(change).verdict, row_of(change).limit) == (verdict, 15.0)
        assert change.limit_from == "given by the user, in HU"
    with pytest.raises(ConfigError, match="is no limit"):
        compare_examinations(before(), examination(), own_limit_hu=0.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kvp": 100.0}, "tube voltages differ: 100 and 120 kVp"),
        ({"kvp": None}, "the tube voltage of the earlier scan is not known"),
        ({"phase": Phase.PORTAL_VENOUS}, "contrast phases differ: portal-venous and native"),
        ({"phase": None}, "the contrast phase of the earlier scan is not known"),
    ],
)
def test_unlike_scans_are_shown_and_not_judged(changes, words):
    """A shift of all HU is no variation that a limit covers, however large the change."""
    row = row_of(compare_examinations(before(levels=levels(200.0), **changes), examination()))
    assert (row.verdict, row.reason) == (NOT_COMPARABLE, words)
    assert (row.earlier, row.later, row.difference) == (200.0, 100.0, -100.0)
    assert row.limit is None


def test_a_voltage_rounded_by_the_header_is_the_same():
    """120 and 120.5 kV are one setting, 121 is another."""
    for kvp, verdict in ((120.5, WITHIN), (121.0, NOT_COMPARABLE)):
        assert row_of(compare_examinations(before(kvp=kvp), examination())).verdict is verdict


def test_percentages_of_nothing():
    """Exactly at the least mean there is a verdict, below it none."""
    for hu, verdict in ((LEAST_MEAN_HU, WITHIN), (LEAST_MEAN_HU - 0.1, NOT_COMPARABLE)):
        pair = before(levels=levels(hu)), examination(levels=levels(hu))
        assert row_of(compare_examinations(*pair)).verdict is verdict
    row = row_of(compare_examinations(before(levels=levels(-10.0)), examination()))
    assert row.difference == 110.0
    row = row_of(compare_examinations(before(levels=levels(-50.0)), examination(levels=levels(-4))))
    assert row.difference_percent is None


def test_levels_that_do_not_count_are_shown_with_their_reason():
    """Left out, not measured, not there: never a verdict, never a zero."""
    two = {Level.L1: 100.0, Level.L2: 90.0}
    row = row_of(
        compare_examinations(before(levels=two, left_out=(Level.L1,)), examination(levels=two))
    )
    assert (row.verdict, row.reason) == (
        NOT_COMPARABLE,
        "left out in the earlier scan (height-loss)",
    )
    assert row.difference == 0.0
    missing = compare_examinations(before(levels=two), examination(levels=two | {Level.L1: None}))
    row = row_of(missing)
    assert row.reason == "not measured in the later scan (empty-core)"
    assert (row.earlier, row.later, row.difference) == (100.0, None, None)
    assert row_of(missing, quantity=Quantity.VOLUME).verdict is NOT_COMPARABLE
    alone = compare_examinations(before(), examination(levels=two))
    assert row_of(alone, Level.L2) is None


def test_means_are_over_levels_that_count_in_both():
    """A level of one of them would shift its mean."""
    old = before(levels={Level.L1: 100.0, Level.L2: 80.0, Level.L3: 60.0})
    new = examination(
        levels={Level.L1: 90.0, Level.L2: 70.0, Level.L3: 55.0, Level.L4: 10.0},
        left_out=(Level.L2,),
    )
    row = row_of(compare_examinations(old, new), None)
    assert row.levels == (Level.L1, Level.L3)
    assert (row.earlier, row.later) == (80.0, 72.5)
    none = compare_examinations(before(levels=levels(None)), examination())
    assert row_of(none, None) is None


def test_nothing_but_trabecular_hu_has_a_published_limit():
    """Shell, body and volumes are shown."""
    regions = (Region.BODY, Region.TRABECULAR, Region.CORTICAL)
    change = compare_examinations(before(regions=regions), examination(regions=regions))
    judged = {(r.region, r.quantity) for r in change.rows if r.verdict in (BEYOND, WITHIN)}
    assert judged == {(Region.TRABECULAR, Quantity.MEAN_HU)}
    assert {r.verdict for r in change.rows} == {WITHIN, NO_LIMIT}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"patient": "p-2"}, "different patients"),
        ({"patient": None}, "not known whether both"),
        ({"case_id": "later"}, "the same case"),
        ({"study_date": "2026-01-03"}, "the earlier examination is the later one"),
    ],
)
def test_what_is_refused(changes, words):
    """Two people, one case, the wrong order."""
    with pytest.raises(InputError, match=words):
        compare_examinations(before(**changes), examination())


def test_the_word_of_the_user():
    """Whose the scans are, where nothing says it; which is earlier, where a date lacks."""
    change = compare_examinations(
        before(patient=None, study_date=None), examination(), same_patient=True
    )
    assert change.days is None
    assert any("user's word" in note for note in change.notes)
    with pytest.raises(InputError, match="different patients"):
        compare_examinations(before(patient="p-2"), examination(), same_patient=True)
