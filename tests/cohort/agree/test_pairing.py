"""Who is compared with whom: every rule fires, is silent, and holds exactly at its limit."""

from __future__ import annotations

import pytest

from osteoct.cohort.agree.choices import AgreeChoices
from osteoct.cohort.agree.pairing import find_repeats, pair_sides
from osteoct.cohort.agree.side import Quantity, Scan, Side, Unpaired
from osteoct.errors import LinkageError

HU = Quantity(region="trabecular", unit="HU")


def scan(name, **fields):
    return Scan(shown=name, values={HU: 100.0}, **{"case": name, **fields})


def side(*scans):
    return Side(scans=scans, left=(), protocol=None, is_synthetic=False, sha256="")


def names_of(grouped):
    return [[s.shown for s in g.scans] for g in grouped.groups]


def reasons_of(grouped):
    return {one.shown: one.reason for one in grouped.left}


def test_cases_pair_by_name_whatever_their_order():
    """Two readers list the same cases; one case has no partner on either side."""
    first = side(scan("a"), scan("b"), scan("c"))
    second = side(scan("d"), scan("c"), scan("a"))
    found = pair_sides(first, second, AgreeChoices())
    assert names_of(found) == [["a", "a"], ["c", "c"]]
    assert reasons_of(found) == {"b": Unpaired.NO_PARTNER, "d": Unpaired.NO_PARTNER}
    assert {one.side for one in found.left} == {0, 1}


def test_patients_pair_by_the_fewest_days():
    """Two scanners: case names differ, so patients pair, each with one CT of a side."""
    first = side(scan("a", patient="p", day=10), scan("b", patient="p", day=30))
    second = side(scan("x", patient="p", day=28), scan("y", patient="p", day=0))
    found = pair_sides(first, second, AgreeChoices())
    assert names_of(found) == [["b", "x"]]
    assert set(reasons_of(found).values()) == {Unpaired.OTHER_SCAN_NEARER}


@pytest.mark.parametrize(("day", "pairs"), [(30, 1), (31, 0)])
def test_the_window_of_two_sides(day, pairs):
    """Thirty days are within thirty days."""
    first, second = side(scan("a", patient="p", day=0)), side(scan("x", patient="p", day=day))
    if pairs:
        assert names_of(pair_sides(first, second, AgreeChoices())) == [["a", "x"]]
    else:
        with pytest.raises(LinkageError, match="outside-window"):
            pair_sides(first, second, AgreeChoices())


def test_nobody_pairs_is_told_in_one_line():
    """How many names there were, by what they were paired, and what to do."""
    with pytest.raises(LinkageError, match=r"nobody pairs; found 1 and 2 names \(case\), 0 of"):
        pair_sides(side(scan("a")), side(scan("b"), scan("c")), AgreeChoices())


@pytest.mark.parametrize(("day", "repeats"), [(30, 1), (31, 0)])
def test_the_window_of_repeats(day, repeats):
    """As above, for CTs of one folder."""
    both = side(scan("a", patient="p", day=0), scan("b", patient="p", day=day))
    if repeats:
        assert names_of(find_repeats(both, AgreeChoices())) == [["a", "b"]]
    else:
        with pytest.raises(LinkageError, match="1 patients, 1 of them with several CTs; left out"):
            find_repeats(both, AgreeChoices())


def test_repeats_are_in_order_of_time_and_the_rest_has_its_reason():
    """One patient with three CTs near each other, one far and one of another voltage."""
    scans = [
        scan("late", patient="p", day=20, kvp=120.0),
        scan("far", patient="p", day=400, kvp=120.0),
        scan("other", patient="p", day=1, kvp=100.0),
        scan("first", patient="p", day=0, kvp=120.0),
        scan("middle", patient="p", day=9, kvp=120.0),
        scan("alone", patient="q", day=0, kvp=120.0),
        scan("undated", patient="p", kvp=120.0),
        scan("nobody"),
    ]
    found = find_repeats(side(*scans), AgreeChoices())
    assert names_of(found) == [["first", "middle", "late"]]
    assert found.groups[0].days == 20
    assert reasons_of(found) == {
        "far": Unpaired.OUTSIDE_WINDOW,
        "other": Unpaired.OTHER_CONDITIONS,
        "alone": Unpaired.NO_PARTNER,
        "undated": Unpaired.DATE_UNKNOWN,
        "nobody": Unpaired.NO_PATIENT,
    }


def test_two_phases_of_one_day_are_no_repeats_unless_asked_for():
    """The difference of a native and a contrast CT is contrast, not scatter."""
    both = side(
        scan("a", patient="p", day=0, phase="native"),
        scan("b", patient="p", day=0, phase="portal-venous"),
    )
    with pytest.raises(LinkageError, match="other-conditions"):
        find_repeats(both, AgreeChoices())
    assert len(find_repeats(both, AgreeChoices(across_conditions=True)).groups) == 1


def test_unknown_days_are_repeats_only_where_allowed():
    """A table without days holds scans of ten years as well as of one morning."""
    both = side(scan("a", patient="p"), scan("b", patient="p"))
    with pytest.raises(LinkageError, match="date-unknown"):
        find_repeats(both, AgreeChoices())
    assert len(find_repeats(both, AgreeChoices(allow_undated=True)).groups) == 1
