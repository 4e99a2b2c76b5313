"""The shipped policy is read whole or refused with every mistake named."""

from __future__ import annotations

import pytest

from osteoct.errors import ConfigError
from osteoct.policy.entries import load_entries, parse_entries
from osteoct.records import Effect, Severity

ENTRY = """
[{code}]
about = "{about}"
{severity} = "{effect}"
reason = "because"
fires = "tests/a.py::test_a"
silent = "tests/a.py::test_b"
"""


def entry(code="x", about="level", severity="warning", effect="warn") -> str:
    return ENTRY.format(code=code, about=about, severity=severity, effect=effect)


def test_an_entry_is_a_few_lines():
    """What a new finding needs."""
    assert parse_entries(entry())["x"].effects == {Severity.WARNING: Effect.WARN}


def test_every_mistake_is_named_with_its_code():
    """One run, all repairs."""
    text = entry("a", effect="stop") + entry("b", about="case", effect="exclude")
    text += "[c]\nabout = 'level'\nreason = 'x'\n"
    with pytest.raises(ConfigError) as failure:
        parse_entries(text)
    for word in ("a.warning", "b: ", "excludes no level", "c.fires", "c.silent"):
        assert word in failure.value.line


def test_an_entry_without_any_effect_is_refused():
    """It would let everything pass."""
    with pytest.raises(ConfigError, match="needs an effect"):
        parse_entries(entry().replace('warning = "warn"\n', ""))


def test_what_is_not_toml_is_refused():
    """A broken data file must not become an empty policy."""
    with pytest.raises(ConfigError, match="not TOML"):
        parse_entries("[x")


def test_blocking_never_counts_as_nothing():
    """In the shipped policy every blocking finding takes at least its level out."""
    blocking = [e.blocking for e in load_entries().values() if e.blocking is not None]
    assert len(blocking) > 10
    assert all(effect.order >= Effect.EXCLUDE.order for effect in blocking)


def test_disease_is_a_choice_and_error_is_not():
    """Foci, fractures and outliers have right numbers of ill bone; the rest guards numbers."""
    choices = {code for code, e in load_entries().items() if e.choice}
    assert choices == {
        "height-loss",
        "dense-focus",
        "lucent-focus",
        "uneven-core",
        "dense-endplate",
        "level-outlier",
    }
    assert load_entries()["cut-by-border"].is_protected(Severity.BLOCKING)
    assert not load_entries()["dense-focus"].is_protected(Severity.WARNING)
    assert not load_entries()["metal"].is_protected(Severity.WARNING)
