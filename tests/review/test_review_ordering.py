"""The worst case stands first, and the order is always the same."""

from __future__ import annotations

from osteoct.anatomy import Level
from osteoct.records import Effect, Usability
from osteoct.review.folders import ReviewedCase
from osteoct.review.ordering import order_cases, usability_of_case


def names(results, tmp_path):
    """Case ids as ordered."""
    cases = [ReviewedCase(folder=tmp_path, result=result) for result in results]
    return [case.result.case_id for case in order_cases(cases)]


def test_worst_first(make, tmp_path):
    """Usability, then what is left out, then warnings; certainty weighs; names decide the rest."""

    def find(effect, certainty=None):
        return make.finding(effect=effect, certainty=certainty, level=Level.L1)

    exclude, warn, warned = Effect.EXCLUDE, Effect.WARN, Usability.USABLE_WITH_WARNING
    wanted = [
        make.result("z", usability=Usability.NOT_USABLE),
        make.result("y", usability=warned, findings=[find(exclude, 0.6)] * 2),
        make.result("x", usability=warned, findings=[find(exclude)]),
        make.result("w", usability=warned, findings=[find(exclude, 0.9), find(warn)]),
        make.result("v", usability=warned, findings=[find(warn)] * 2),
        make.result("u", usability=warned, findings=[find(warn)]),
        make.result("a", usability=Usability.USABLE),
        make.result("b", usability=Usability.USABLE),
    ]
    expected = [result.case_id for result in wanted]
    for first in range(len(wanted)):
        turned = [*wanted[first:], *wanted[:first]]
        assert names(turned, tmp_path) == names(turned[::-1], tmp_path) == expected


def test_usability_of_older_results(make):
    """They carry none: levels and findings tell."""
    unusable = make.result(levels=[make.level(usable=False)])
    assert usability_of_case(unusable) is Usability.NOT_USABLE
    assert usability_of_case(make.result(levels=[])) is Usability.NOT_USABLE
    assert usability_of_case(make.result()) is Usability.USABLE
    warned = make.result(findings=[make.finding()])
    assert usability_of_case(warned) is Usability.USABLE_WITH_WARNING
    told = make.result(findings=[make.finding()], usability=Usability.USABLE)
    assert usability_of_case(told) is Usability.USABLE
