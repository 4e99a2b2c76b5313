"""What a user may change of the policy, and what takes an explicit word."""

from __future__ import annotations

import pytest

from osteoct.anatomy import Level
from osteoct.config import make_config, read_config
from osteoct.errors import ConfigError
from osteoct.policy.judging import make_policy
from osteoct.records import Effect, Finding, Severity


def judge(choices, code: str, severity: Severity, level: Level | None = Level.L1) -> Effect:
    found = Finding(code=code, severity=severity, level=level, message="x")
    return make_policy(choices).judge(found)


def test_one_word_is_for_all_but_notes():
    """``dense-focus = "block"`` means foci that matter, not every note of one."""
    assert judge({"dense-focus": "block"}, "dense-focus", Severity.WARNING) is Effect.BLOCK
    assert judge({"dense-focus": "block"}, "dense-focus", Severity.INFO) is Effect.IGNORE


def test_one_word_is_for_notes_where_there_is_nothing_else():
    """Else ``kvp-unknown = "block"`` would do nothing."""
    assert judge({"kvp-unknown": "block"}, "kvp-unknown", Severity.INFO, None) is Effect.BLOCK


def test_a_table_sets_single_severities():
    """The others stay as shipped."""
    choices = {"level-outlier": {"blocking": "warn"}}
    assert judge(choices, "level-outlier", Severity.BLOCKING) is Effect.WARN
    assert judge({"dense-focus": {"info": "warn"}}, "dense-focus", Severity.WARNING) is (
        Effect.EXCLUDE
    )


def test_all_mistakes_are_named_at_once():
    """Codes, severities, effects, effects that a case cannot have, risks."""
    bad = {
        "dense": "warn",
        "contrast": "exclude",
        "height-loss": {"info": "warn"},
        "kvp-unknown": 3,
        "metal": "warn",
        "accept-risk": ["nothing"],
    }
    with pytest.raises(ConfigError) as failure:
        make_config({"policy": bad, "kvp": 1})
    for word in ("'dense'", "contrast", "height-loss.info", "kvp-unknown", "metal", "'nothing'"):
        assert word in failure.value.line
    assert "kvp: " in failure.value.line


@pytest.mark.parametrize("wrong", ["warn", 3, ["metal"]])
def test_what_is_no_table_is_refused(wrong):
    """``policy = "warn"`` is not a policy."""
    with pytest.raises(ConfigError, match="policy"):
        make_config({"policy": wrong})


@pytest.mark.parametrize("risks", [True, "metal", {"metal": 1}])
def test_accepted_risks_are_a_list(risks):
    """A bare ``true`` would accept everything."""
    with pytest.raises(ConfigError, match="wanted a list"):
        make_config({"policy": {"accept-risk": risks}})


def test_a_guard_comes_down_only_with_its_name():
    """One code accepted does not accept another; more than shipped needs nobody's word."""
    with pytest.raises(ConfigError, match="cut-by-border: weaker"):
        make_config({"policy": {"cut-by-border": "warn", "accept-risk": ["metal"]}})
    accepted = {"cut-by-border": "warn", "accept-risk": ["cut-by-border"]}
    assert make_policy(make_config({"policy": accepted}).policy).accepted_risks == (
        "cut-by-border",
    )
    assert make_policy({"cut-by-border": "block"}).accepted_risks == ()


def test_a_word_as_shipped_is_no_change():
    """The record tells differences only."""
    assert make_policy({"metal": "exclude"}).record().changed == {
        "metal": {"warning": Effect.EXCLUDE}
    }
    assert make_policy({"height-loss": "exclude"}).record().changed == {}


def test_the_table_is_read_from_the_file(tmp_path):
    """As the how-to shows it."""
    file = tmp_path / "osteoct.toml"
    file.write_text('kvp = 120\n[policy]\ndense-focus = "warn"\n')
    assert read_config(file).policy == {"dense-focus": "warn"}
