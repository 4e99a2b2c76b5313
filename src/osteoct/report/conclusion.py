"""What can be concluded, in one sentence per measured quantity; the first is the headline.

Opinions about the same quantity are said together: one number, and where it lies against each
cut-off. Trabecular comes first, and within it what was decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from osteoct.anatomy import name_levels
from osteoct.classify.rules import Rule
from osteoct.policy.judging import effect_of
from osteoct.protocols import Region
from osteoct.records import CaseResult, Effect, Opinion, Verdict
from osteoct.report.wording import capitalise, describe_region, format_number

DECIDED = (Verdict.BELOW, Verdict.ABOVE)

UNDECIDED = "no published cut-off could be applied to this case"


class Tone(StrEnum):
    """How the top of the page looks: the headline's own verdict, nothing more."""

    BELOW = "below"
    ABOVE = "above"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """What is said of one quantity; ``protocol`` stands apart, since it is read second."""

    tone: Tone
    subject: str
    protocol: str = ""
    predicate: str = ""

    @property
    def text(self) -> str:
        """The whole sentence."""
        protocol = f" ({self.protocol})" if self.protocol else ""
        return f"{self.subject}{protocol}{self.predicate}"


@dataclass(frozen=True, kw_only=True)
class Conclusion:
    """The top of the page: a headline, and one sentence for each further quantity."""

    headline: Sentence
    sentences: tuple[Sentence, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Quantity:
    """The opinions that compare one and the same number."""

    rules: tuple[Rule, ...]
    opinions: tuple[Opinion, ...]

    @property
    def is_decided(self) -> bool:
        return any(o.verdict in DECIDED for o in self.opinions)

    @property
    def tone(self) -> Tone:
        verdicts = {o.verdict for o in self.opinions}
        if Verdict.BELOW in verdicts:
            return Tone.BELOW
        return Tone.ABOVE if Verdict.ABOVE in verdicts else Tone.NONE


def conclude(result: CaseResult, rules: Sequence[Rule]) -> Conclusion:
    """Say what can be concluded from a case, or why nothing can."""
    obstacle = _find_obstacle(result)
    if obstacle:
        return Conclusion(headline=_say_nothing(obstacle))
    quantities = sorted(_group_opinions(result, rules), key=_importance)
    sentences = tuple(_say(q) for q in quantities)
    if not any(q.is_decided for q in quantities):
        return Conclusion(headline=_say_nothing(UNDECIDED), sentences=sentences)
    return Conclusion(headline=sentences[0], sentences=sentences[1:])


def _group_opinions(result: CaseResult, rules: Sequence[Rule]) -> list[_Quantity]:
    """Put the opinions of applicable rules about one number together, in the rules' order."""
    known = {rule.id: rule for rule in rules if rule.protocol is not None}
    groups: dict[tuple[object, ...], list[tuple[Rule, Opinion]]] = {}
    for opinion in result.opinions:
        rule = known.get(opinion.rule)
        if rule is not None and opinion.verdict is not Verdict.NOT_APPLICABLE:
            key = (rule.protocol, rule.region, rule.statistic, rule.levels)
            groups.setdefault(key, []).append((rule, opinion))
    return [
        _Quantity(rules=tuple(r for r, _ in pairs), opinions=tuple(o for _, o in pairs))
        for pairs in groups.values()
    ]


def _importance(quantity: _Quantity) -> tuple[bool, bool]:
    """Trabecular first, decided first; the sort keeps the rules' order otherwise."""
    return quantity.rules[0].region is not Region.TRABECULAR, not quantity.is_decided


def _say(quantity: _Quantity) -> Sentence:
    """One quantity's sentence."""
    rule, opinion = quantity.rules[0], quantity.opinions[0]
    what = describe_region(rule.region or Region.TRABECULAR, rule.statistic or "mean")
    where = name_levels(opinion.levels_used if opinion.value_hu is not None else rule.levels)
    value = f" is {format_number(opinion.value_hu)} HU" if opinion.value_hu is not None else ""
    said = _join_clauses(quantity) if quantity.is_decided else _join_reasons(quantity)
    return Sentence(
        tone=quantity.tone,
        subject=f"{capitalise(what)} of {where}",
        protocol=rule.protocol or "",
        predicate=f"{value}: {said}.",
    )


def _join_clauses(quantity: _Quantity) -> str:
    """Where the value lies against each cut-off, equal beginnings said once."""
    said: list[str] = []
    lead = ""
    for rule, opinion in zip(quantity.rules, quantity.opinions, strict=True):
        if opinion.verdict is Verdict.INDETERMINATE:
            said.append(f"undecided against {rule.cutoff:g} HU (reason below)")
            lead = ""
            continue
        side = rule.below_means if opinion.verdict is Verdict.BELOW else f"not {rule.below_means}"
        start, split, end = side.partition(" for ")
        is_repeated = bool(split) and start == lead
        clause = f"{end if is_repeated else side}, {rule.cutoff:g} HU"
        if is_repeated:
            said[-1] = (
                f"{said[-1]}, {'and' if opinion.verdict is Verdict.BELOW else 'nor'} for {clause}"
            )
        else:
            said.append(clause)
        lead = start
    return "; ".join(said).replace("T < ", "T\N{NO-BREAK SPACE}<\N{NO-BREAK SPACE}")


def _join_reasons(quantity: _Quantity) -> str:
    """Why a quantity has no verdict; what two rules share is said once."""
    parts = [part for o in quantity.opinions for part in o.reason.split("; ")]
    return "undecided, " + "; ".join(dict.fromkeys(parts))


def _find_obstacle(result: CaseResult) -> str:
    """Why nothing at all can be concluded; empty where something may be."""
    blocking = [f.message.rstrip(". ") for f in result.findings if effect_of(f) is Effect.BLOCK]
    if blocking:
        return "; ".join(dict.fromkeys(blocking))
    return "" if result.is_measured else "no level could be measured"


def _say_nothing(why: str) -> Sentence:
    return Sentence(tone=Tone.NONE, subject=f"No conclusion: {why}.")
