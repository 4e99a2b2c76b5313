"""The policy in force: the shipped one with the user's changes, asked what a finding does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from osteoct.policy.choices import ACCEPT_RISK, Choices, check_choices, expand_choice, find_risks
from osteoct.policy.entries import POLICY_NAME, hash_entries, load_entries
from osteoct.records import Finding, Severity
from osteoct.usability_records import Effect, PolicyRecord

UNLISTED: Mapping[Severity, Effect] = {
    Severity.INFO: Effect.IGNORE,
    Severity.WARNING: Effect.WARN,
    Severity.BLOCKING: Effect.EXCLUDE,
}
"""What a finding does whose code is in no policy, such as that of a segmenter from elsewhere."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What each code and severity does.

    Parameters
    ----------
    changed
        The user's changes; everything else is as shipped.
    """

    changed: Mapping[str, Mapping[Severity, Effect]]

    @property
    def accepted_risks(self) -> tuple[str, ...]:
        """Codes that do less than the shipped policy asks for safety."""
        return find_risks(self.changed)

    def judge(self, finding: Finding) -> Effect:
        """What a finding does; without a level, exclude is block."""
        entry = load_entries().get(finding.code)
        shipped = UNLISTED if entry is None else entry.effects
        chosen = self.changed.get(finding.code, {})
        effect = chosen.get(finding.severity) or shipped.get(finding.severity)
        return _spread(effect or UNLISTED[finding.severity], finding)

    def record(self) -> PolicyRecord:
        """What ``case.json`` says of the policy."""
        return PolicyRecord(
            name=POLICY_NAME,
            sha256=hash_entries(),
            changed={
                code: {severity.value: effect for severity, effect in effects.items()}
                for code, effects in self.changed.items()
            },
            accepted_risks=self.accepted_risks,
        )


def make_policy(choices: Choices | None = None) -> Policy:
    """The shipped policy with the changes of a ``[policy]`` table.

    Raises
    ------
    ValueError
        As :func:`osteoct.policy.choices.check_choices`.

    >>> make_policy({"dense-focus": "warn"}).accepted_risks
    ()
    """
    table = check_choices(choices or {})
    effects = {
        code: _differing(code, expand_choice(load_entries()[code], value))
        for code, value in table.items()
        if code != ACCEPT_RISK
    }
    return Policy(changed={code: changes for code, changes in effects.items() if changes})


def effect_of(finding: Finding) -> Effect:
    """What a finding did: as the gate noted it or, in results older than that, by its severity."""
    return finding.effect or _spread(UNLISTED[finding.severity], finding)


def _spread(effect: Effect, finding: Finding) -> Effect:
    """Without a level there is none to leave out: the whole case is meant."""
    return Effect.BLOCK if effect is Effect.EXCLUDE and finding.level is None else effect


def _differing(code: str, effects: Mapping[Severity, Effect]) -> dict[Severity, Effect]:
    """Only what is not as shipped."""
    shipped = load_entries()[code].effects
    return {severity: effect for severity, effect in effects.items() if shipped[severity] != effect}
