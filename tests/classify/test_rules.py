"""The shipped cut-offs are those of their sources, and a bad rule cannot get in."""

import pytest

from osteoct.classify.rules import load_rules, parse_rules
from osteoct.errors import ConfigError
from osteoct.protocols import Region

GOOD = """
[[rule]]
id = "a-rule"
title = "t"
citation = "c"
tag = "SEEN"
protocol = "axial-roi"
region = "trabecular"
statistic = "mean"
levels = ["L1"]
minimum_levels = 1
cutoff = 100
unit = "HU"
below_means = "below it"
conditions = { kvp = 120, kvp_source = "stated", phase = "native" }
"""


def test_study_rules_come_first_with_the_published_values():
    """The four Youden cut-offs are what the project exists for: a typing error must show."""
    first = [(r.protocol, r.region, r.cutoff, len(r.levels)) for r in load_rules()[:4]]
    assert first == [
        ("vertebra-core-3.5", Region.TRABECULAR, 141.3, 5),
        ("vertebra-core-3.5", Region.CORTICAL, 254.2, 5),
        ("vertebra-core-3.5", Region.TRABECULAR, 132.3, 5),
        ("vertebra-core-3.5", Region.CORTICAL, 249.0, 5),
    ]


def test_pickhardt_rules_follow():
    """160 and 110 HU hold at L1, in the axial region of interest, at 120 kVp and nowhere else."""
    rules = load_rules()[4:6]
    assert [r.cutoff for r in rules] == [160, 110]
    for rule in rules:
        assert (rule.protocol, rule.levels) == ("axial-roi", ("L1",))
        assert rule.conditions is not None
        assert (rule.conditions.kvp, rule.conditions.kvp_source) == (120, "stated")


def test_every_rule_was_read_in_its_source():
    """Values from memory or from programs alone (135 and 90.25 HU) may not become rules."""
    rules = load_rules()
    assert {r.tag for r in rules} == {"SEEN"}
    assert not {135.0, 90.25} & {r.cutoff for r in rules}


def test_rules_without_a_protocol_say_why():
    """A listed but never applied cut-off must not look like a forgotten one."""
    unapplied = {r.id: r.not_applicable_because for r in load_rules() if r.protocol is None}
    assert set(unapplied) == {
        "insights-2023-l1-169",
        "insights-2023-l1-104",
        "comp2comp-300",
        "qct-guideline-80",
        "qct-guideline-120",
        "pedicle-screw-116",
    }
    assert all(unapplied.values())


def test_density_rules_carry_their_own_unit():
    """80 mg/cm³ read as 80 HU would be applied to the wrong quantity."""
    units = {r.id: r.unit for r in load_rules()}
    assert {i for i, unit in units.items() if unit == "mg/cm3"} == {
        "qct-guideline-80",
        "qct-guideline-120",
    }


def test_no_rule_makes_a_diagnosis():
    """The words speak of a source's cut-off; 'has osteoporosis' would be a diagnosis."""
    for rule in load_rules():
        assert rule.below_means.startswith(("below ", "not above "))
        assert "patient" not in rule.below_means


def test_good_rule_is_read():
    """The text the refusals below start from is itself accepted."""
    (rule,) = parse_rules(GOOD)
    assert rule.id == "a-rule"


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('tag = "SEEN"', 'tag = "RECALLED"', "tag"),
        ('protocol = "axial-roi"', 'protocol = "body-core-9"', "body-core-9"),
        ('protocol = "axial-roi"', "", "not_applicable_because"),
        ('region = "trabecular"', 'region = "cortical"', "does not measure region cortical"),
        ('statistic = "mean"', "", "needs a statistic"),
        ('unit = "HU"', 'unit = "mg/cm3"', "unit HU"),
        ("minimum_levels = 1", "minimum_levels = 2", "wanted 1 to 1"),
        ("minimum_levels = 1", "", "minimum_levels is 0"),
        ("cutoff = 100", "cutoff = 0", "cutoff"),
        ("cutoff = 100", 'cutoff = 100\ntypo = "x"', "typo"),
        ("kvp = 120, ", "", "kvp"),
        ('phase = "native"', 'phase = "arterial"', "phase"),
    ],
)
def test_bad_rule_is_refused(old, new, named):
    """Each way to write a rule that would be applied wrongly is named, not accepted."""
    assert old in GOOD
    with pytest.raises(ConfigError, match=r"rules\.toml: bad rule") as caught:
        parse_rules(GOOD.replace(old, new, 1))
    assert named in caught.value.line


def test_repeated_id_is_refused():
    """Two rules of one id would make an opinion ambiguous."""
    with pytest.raises(ConfigError, match="found a-rule"):
        parse_rules(GOOD + GOOD)


@pytest.mark.parametrize(("text", "said"), [("[[rule", "is not TOML"), ("a = 1", "no rules")])
def test_other_text_is_refused(text, said):
    """A damaged file is one readable line, not a traceback of the parser."""
    with pytest.raises(ConfigError, match=said):
        parse_rules(text)
