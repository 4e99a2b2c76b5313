"""The headline says what the opinions say, and nothing where they say nothing."""

from __future__ import annotations

from osteoct.anatomy import LUMBAR, Level
from osteoct.classify.rules import load_rules
from osteoct.records import Reason, Severity, Verdict
from osteoct.report.conclusion import Tone, conclude

LOW, OSTEOPOROSIS = "study-2026-trabecular-low", "study-2026-trabecular-osteoporosis"
CORTICAL, L1 = "study-2026-cortical-low", "pickhardt-2013-l1-160"


def headline(result):
    return conclude(result, load_rules()).headline


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_below_names_value_levels_and_cutoff(make):
    """The sentence a surgeon reads first."""
    opinion = make.opinion(LOW, Verdict.BELOW, value_hu=128.04, levels_used=LUMBAR)
    said = headline(make.result(opinions=[opinion]))
    assert said.tone is Tone.BELOW
    assert plain(said.text) == (
        "Mean trabecular HU of L1–L5 (vertebra-core-3.5) is 128.0 HU: "
        "below the study's cut-off for low BMD (T < −1.0), 141.3 HU."
    )


def test_two_cutoffs_of_one_number_are_said_together(make):
    """Once the number, twice the cut-off."""
    opinions = [
        make.opinion(LOW, Verdict.ABOVE, value_hu=160.0),
        make.opinion(OSTEOPOROSIS, Verdict.ABOVE, value_hu=160.0, cutoff=132.3),
    ]
    said = headline(make.result(opinions=opinions))
    assert said.tone is Tone.ABOVE
    assert plain(said.text).endswith(
        "not below the study's cut-off for low BMD (T < −1.0), 141.3 HU, "
        "nor for osteoporosis (T < −2.5), 132.3 HU."
    )


def test_below_one_and_above_the_other_keeps_both(make):
    """Osteopenia's range: sharing words must not turn "not below" into "below"."""
    opinions = [
        make.opinion(LOW, Verdict.BELOW, value_hu=125.0, cutoff=141.3),
        make.opinion(OSTEOPOROSIS, Verdict.ABOVE, value_hu=125.0, cutoff=132.3),
    ]
    said = plain(headline(make.result(opinions=opinions)).text)
    assert ": below the study's cut-off for low BMD (T < −1.0), 141.3 HU; " in said
    assert said.endswith("; not below the study's cut-off for osteoporosis (T < −2.5), 132.3 HU.")


def test_undecided_part_is_said(make):
    """A grey zone around one cut-off must not hide behind the verdict on the other."""
    opinions = [
        make.opinion(LOW, Verdict.BELOW, value_hu=130.0),
        make.opinion(OSTEOPOROSIS, Verdict.INDETERMINATE, value_hu=130.0, cutoff=132.3),
    ]
    assert "undecided against 132.3 HU" in headline(make.result(opinions=opinions)).text


def test_trabecular_and_decided_come_first(make):
    """The order of the rules is kept otherwise."""
    opinions = [
        make.opinion(CORTICAL, Verdict.BELOW, value_hu=240.0),
        make.opinion(LOW, Verdict.INDETERMINATE),
        make.opinion(L1, Verdict.BELOW, value_hu=120.0, levels_used=[Level.L1], cutoff=160),
    ]
    conclusion = conclude(make.result(opinions=opinions), load_rules())
    sentences = (conclusion.headline, *conclusion.sentences)
    assert [s.subject.split(" HU")[0] for s in sentences] == [
        "Mean trabecular",
        "Mean trabecular",
        "Mean cortical",
    ]
    assert "of L1" in conclusion.headline.subject
    assert conclusion.sentences[0].tone is Tone.NONE


def test_nothing_decided_is_no_conclusion_with_reasons(make):
    """Indeterminate is not "fine"."""
    opinions = [make.opinion(LOW, Verdict.INDETERMINATE, reason="needs 5 levels, found 3")]
    conclusion = conclude(make.result(opinions=opinions), load_rules())
    assert conclusion.headline.tone is Tone.NONE
    assert conclusion.headline.text.startswith("No conclusion:")
    assert "needs 5 levels, found 3" in conclusion.sentences[0].text


def test_reasons_shared_by_two_rules_are_said_once(make):
    """Two rules about one number give the same kVp sentence, and each a grey zone of its own."""
    opinions = [
        make.opinion(LOW, Verdict.INDETERMINATE, value_hu=140.0, reason="kVp is 100; near 141.3"),
        make.opinion(OSTEOPOROSIS, Verdict.INDETERMINATE, value_hu=140.0, reason="kVp is 100"),
    ]
    said = conclude(make.result(opinions=opinions), load_rules()).sentences[0].text
    assert said.endswith("is 140.0 HU: undecided, kVp is 100; near 141.3.")


def test_blocked_case_says_why(make):
    """A blocking finding about the case overrides whatever an opinion holds."""
    finding = make.finding("labels", Severity.BLOCKING, "The labels are out of order.")
    opinion = make.opinion(LOW, Verdict.BELOW, value_hu=120.0)
    said = headline(make.result(findings=[finding], opinions=[opinion]))
    assert said.tone is Tone.NONE
    assert said.text == "No conclusion: The labels are out of order."


def test_nothing_measured_is_no_conclusion(make):
    """An empty case is not a healthy one."""
    levels = [make.without_numbers(r, Reason.LEVEL_ABSENT) for r in make.levels()]
    assert headline(make.result(levels)).text == "No conclusion: no level could be measured."


def test_no_opinions_is_no_conclusion(make):
    """Protocols without a cut-off give numbers and no verdict."""
    assert headline(make.result()).tone is Tone.NONE


def test_rules_that_never_apply_are_left_to_the_table(make):
    """They would fill the top of every report."""
    opinions = [make.opinion("qct-guideline-80", Verdict.NOT_APPLICABLE)]
    assert conclude(make.result(opinions=opinions), load_rules()).sentences == ()
