"""Records of what findings allow: what each one does, and how far a level or a case can be used."""

from __future__ import annotations

from enum import StrEnum

from osteoct.record import Record


class Effect(StrEnum):
    """What the policy lets a finding do, from nothing to everything."""

    IGNORE = "ignore"
    """It is told, and changes nothing."""
    WARN = "warn"
    """The number counts; whoever reads it is to read the finding."""
    EXCLUDE = "exclude"
    """The level is shown, and left out of means and conclusions."""
    BLOCK = "block"
    """Nothing is concluded about the case."""

    @property
    def order(self) -> int:
        """0 for ``ignore``, growing."""
        return tuple(Effect).index(self)


class Usability(StrEnum):
    """How far a level or a case can be used, by the policy."""

    USABLE = "usable"
    USABLE_WITH_WARNING = "usable-with-warning"
    NOT_USABLE = "not-usable"


class PolicyRecord(Record):
    """The policy that a case was judged by.

    Parameters
    ----------
    name, sha256
        The shipped policy and the SHA-256 of its file.
    changed
        What the user's configuration changed: effect by severity, by code.
    accepted_risks
        Codes that the user named in ``accept-risk``: they do less than the shipped policy asks.
    """

    name: str
    sha256: str
    changed: dict[str, dict[str, Effect]] = {}
    accepted_risks: tuple[str, ...] = ()
