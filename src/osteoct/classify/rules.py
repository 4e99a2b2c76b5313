"""Published cut-offs, read from ``rules.toml`` and validated."""

from __future__ import annotations

from collections import Counter
from functools import cache
from importlib.resources import files
from tomllib import TOMLDecodeError, loads
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from osteoct.anatomy import Level
from osteoct.errors import ConfigError
from osteoct.protocols import PROTOCOLS, Region
from osteoct.records import Phase, Record

RULES_FILE = "rules.toml"

Fraction = Annotated[float, Field(gt=0, le=1)]


class Conditions(Record):
    """How the scans behind a cut-off were made.

    ``kvp_source`` is ``stated`` where the source names the tube voltage; then a scan of unknown
    voltage cannot be judged. It is ``assumed`` where the source does not name it and the field's
    reference of 120 kVp stands in; then only a voltage known to be another one stands in the way.
    """

    kvp: Annotated[float, Field(gt=0)]
    kvp_source: Literal["stated", "assumed"]
    phase: Literal[Phase.NATIVE]


class Rule(Record):
    """One published cut-off and all that it belongs to.

    Parameters
    ----------
    tag
        ``SEEN``: value and conditions were read in the source. Nothing else becomes a rule.
    protocol, region, statistic, levels, minimum_levels
        What is compared: the unweighted mean over the levels of the region's statistic, with at
        least ``minimum_levels`` of them usable.
    below_means
        What a value below the cut-off is in the source's words; never a diagnosis.
    sensitivity, specificity, auc
        As given by the source; ``None`` where it gives none or only a bound.
    not_applicable_because
        Why the rule is listed but never applied, in place of ``protocol``.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    title: str
    citation: str
    doi: Annotated[str, Field(pattern=r"^10\.\d{4,}/\S+$")] | None = None
    tag: Literal["SEEN"]
    protocol: str | None = None
    region: Region | None = None
    statistic: Literal["mean", "median"] | None = None
    levels: tuple[Level, ...] = ()
    minimum_levels: Annotated[int, Field(ge=0)] = 0
    cutoff: Annotated[float, Field(gt=0)]
    unit: Literal["HU", "mg/cm3"]
    below_means: str
    sensitivity: Fraction | None = None
    specificity: Fraction | None = None
    auc: Fraction | None = None
    conditions: Conditions | None = None
    not_applicable_because: str | None = None
    note: str | None = None

    @model_validator(mode="after")
    def _is_applicable_or_says_why_not(self) -> Rule:
        """A rule with a protocol says everything it needs to be applied; one without says why."""
        if (self.protocol is None) == (self.not_applicable_because is None):
            msg = "a rule has a protocol, or not_applicable_because"
            raise ValueError(msg)
        if self.protocol is not None:
            _check_applicable(self, self.protocol)
        return self


def _check_applicable(rule: Rule, protocol_id: str) -> None:
    """Refuse a rule that could not be applied although it names a protocol."""
    if protocol_id not in PROTOCOLS:
        msg = f"unknown protocol {protocol_id!r}, wanted one of {', '.join(PROTOCOLS)}"
        raise ValueError(msg)
    if rule.region not in PROTOCOLS[protocol_id].regions:
        msg = f"protocol {protocol_id} does not measure region {rule.region}"
        raise ValueError(msg)
    if rule.statistic is None or rule.conditions is None or rule.unit != "HU":
        msg = "an applicable rule needs a statistic, conditions and the unit HU"
        raise ValueError(msg)
    if not 1 <= rule.minimum_levels <= len(rule.levels):
        msg = f"minimum_levels is {rule.minimum_levels}, wanted 1 to {len(rule.levels)}"
        raise ValueError(msg)


def parse_rules(text: str) -> tuple[Rule, ...]:
    """Read rules from TOML text: an array of tables named ``rule``.

    Raises
    ------
    ConfigError
        The text is not TOML, a rule is not valid, or an id occurs twice.
    """
    try:
        rules = tuple(Rule.model_validate(table) for table in loads(text)["rule"])
    except TOMLDecodeError as error:
        raise ConfigError("is not TOML", where=RULES_FILE, found=str(error)) from error
    except KeyError as error:
        raise ConfigError("holds no rules", where=RULES_FILE, wanted="[[rule]]") from error
    except ValidationError as error:
        problems = [f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors()]
        raise ConfigError("bad rule", where=RULES_FILE, found=" | ".join(problems)) from error
    repeated = [rule_id for rule_id, n in Counter(r.id for r in rules).items() if n > 1]
    if repeated:
        raise ConfigError("rule ids repeat", where=RULES_FILE, found=", ".join(repeated))
    return rules


@cache
def load_rules() -> tuple[Rule, ...]:
    """Return the shipped rules, in the order in which they are reported.

    >>> load_rules()[0].cutoff
    141.3
    """
    return parse_rules(files("osteoct.classify").joinpath(RULES_FILE).read_text(encoding="utf-8"))
