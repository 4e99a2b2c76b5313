"""What a user changes of the policy: the ``[policy]`` table of the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from osteoct.policy.entries import PolicyEntry, load_entries
from osteoct.records import Severity
from osteoct.usability_records import Effect

ACCEPT_RISK: Final = "accept-risk"
"""Key beside the codes: those that may do less than the shipped policy asks for safety."""

Choices: TypeAlias = dict[str, str | dict[str, str] | tuple[str, ...]]
"""As written: an effect per code, or one per severity of a code; and ``accept-risk``."""


def check_choices(raw: object) -> Choices:
    """Check a ``[policy]`` table and return it as it was written.

    Raises
    ------
    ValueError
        Unknown codes, severities or effects, or a weakening that needs ``accept-risk``; every
        problem is named.
    """
    if not isinstance(raw, Mapping):
        msg = f"found {type(raw).__name__}, wanted a table of codes"
        raise ValueError(msg)  # noqa: TRY004 - pydantic turns ValueError into its own failure
    table = {str(key): value for key, value in raw.items()}
    accepted = table.pop(ACCEPT_RISK, ())
    problems = _check_accepted(accepted)
    effects: dict[str, dict[Severity, Effect]] = {}
    for code, value in table.items():
        found = _check_code(code, value)
        problems += found
        if not found:
            effects[code] = expand_choice(load_entries()[code], value)
    problems += _check_risks(effects, accepted if isinstance(accepted, list | tuple) else ())
    if problems:
        raise ValueError("; ".join(problems))
    return {**table, **({ACCEPT_RISK: tuple(accepted)} if accepted else {})}


def expand_choice(entry: PolicyEntry, value: Any) -> dict[Severity, Effect]:  # noqa: ANN401 - as TOML gives it
    """Effect per severity that a choice sets.

    A single effect is for everything graver than a note; for notes only where the code is never
    graver.

    >>> expand_choice(load_entries()["dense-focus"], "warn")
    {<Severity.WARNING: 'warning'>: <Effect.WARN: 'warn'>}
    """
    if isinstance(value, Mapping):
        return {Severity(severity): Effect(effect) for severity, effect in value.items()}
    graver = [severity for severity in entry.effects if severity is not Severity.INFO]
    return dict.fromkeys(graver or entry.effects, Effect(value))


def _check_accepted(accepted: object) -> list[str]:
    if not isinstance(accepted, list | tuple):
        return [f"{ACCEPT_RISK}: wanted a list of codes"]
    return [
        f"{ACCEPT_RISK}: unknown code {code!r}" for code in accepted if code not in load_entries()
    ]


def _check_code(code: str, value: object) -> list[str]:
    """What is wrong with one line of the table."""
    entry = load_entries().get(code)
    if entry is None:
        return [f"unknown code {code!r} (osteoct rules --policy lists them)"]
    told = dict(value) if isinstance(value, Mapping) else {None: value}
    problems = []
    for severity, effect in told.items():
        where = code if severity is None else f"{code}.{severity}"
        if severity is not None and severity not in entry.effects:
            problems.append(f"{where}: wanted one of {', '.join(entry.effects)}")
        wanted = [e for e in Effect if entry.about == "level" or e is not Effect.EXCLUDE]
        if effect not in wanted:
            problems.append(f"{where}: found {effect!r}, wanted one of {', '.join(wanted)}")
    return problems


def _check_risks(
    effects: Mapping[str, Mapping[Severity, Effect]], accepted: list[Any] | tuple[Any, ...]
) -> list[str]:
    """Weakenings that nobody accepted."""
    problems = []
    for code in find_risks(effects):
        if code not in accepted:
            shipped = "/".join(dict.fromkeys(load_entries()[code].effects.values()))
            problems.append(
                f"{code}: weaker than {shipped}, which guards against wrong numbers; "
                f"to take that risk, add it to {ACCEPT_RISK}"
            )
    return problems


def find_risks(effects: Mapping[str, Mapping[Severity, Effect]]) -> tuple[str, ...]:
    """Codes whose protected effects are weakened."""
    return tuple(
        code
        for code, by_severity in effects.items()
        if any(
            load_entries()[code].is_protected(severity)
            and effect.order < load_entries()[code].effects[severity].order
            for severity, effect in by_severity.items()
        )
    )
