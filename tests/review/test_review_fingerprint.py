"""A decision holds for what was looked at: the same numbers and doubts, the same fingerprint."""

from __future__ import annotations

import pytest

from osteoct.anatomy import Level
from osteoct.records import Severity
from osteoct.review.fingerprint import fingerprint_of


def test_versions_times_and_words_do_not_count(make):
    """An update that changes no number must not send a reviewer through hundreds of cases."""
    finding = make.finding()
    before = make.result(findings=[finding])
    later = make.provenance(version="9.9.9", started="2031-01-01T00:00:00Z")
    reworded = finding.model_copy(update={"message": "in other words"})
    after = make.result(findings=[reworded], provenance=later)
    assert fingerprint_of(before) == fingerprint_of(after)


def test_the_order_of_findings_does_not_count(make):
    """Checks may run in another order."""
    one, other = make.finding("contrast"), make.finding("noise-high", level=Level.L1)
    assert fingerprint_of(make.result(findings=[one, other])) == fingerprint_of(
        make.result(findings=[other, one])
    )


def test_last_digits_do_not_count(make):
    """Another machine adds in another order; half a thousandth is the limit."""
    results = [
        make.result(levels=[make.level(mean_hu=value)]) for value in (150.0, 150.0004, 150.0006)
    ]
    first, same, other = map(fingerprint_of, results)
    assert first == same
    assert first != other


def test_the_fingerprint_survives_the_file(make):
    """What the sheet shows is read from the disk, what a re-run compares is not."""
    result = make.result(findings=[make.finding()])
    read = type(result).model_validate_json(result.model_dump_json(by_alias=True))
    assert fingerprint_of(read) == fingerprint_of(result)


CHANGES = {
    "number": lambda m: m.result(levels=[m.level(mean_hu=151.0)]),
    "voxels": lambda m: m.result(levels=[m.level(voxels=1001)]),
    "usable": lambda m: m.result(levels=[m.level(usable=False)]),
    "level": lambda m: m.result(levels=[m.level(Level.L2)]),
    "one level more": lambda m: m.result(levels=[m.level(), m.level(Level.L2)]),
    "finding": lambda m: m.result(findings=[m.finding()]),
    "code": lambda m: m.result(findings=[m.finding("noise-high")]),
    "severity": lambda m: m.result(findings=[m.finding(severity=Severity.BLOCKING)]),
    "level of a finding": lambda m: m.result(findings=[m.finding(level=Level.L1)]),
    "case": lambda m: m.result("case-2"),
}


def test_every_change_gives_another(make):
    """Nor do two changes give the same."""
    prints = [fingerprint_of(make.result()), *(fingerprint_of(c(make)) for c in CHANGES.values())]
    assert len(set(prints)) == len(CHANGES) + 1
    assert all(len(one) == 64 for one in prints)


@pytest.mark.parametrize("zero", [-0.0, -0.0001])
def test_a_zero_has_no_sign(make, zero):
    """Minus nothing is nothing."""
    plain, signed = (make.result(levels=[make.level(mean_hu=v)]) for v in (0.0, zero))
    assert fingerprint_of(plain) == fingerprint_of(signed)
