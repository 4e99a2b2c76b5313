"""``osteoct protocols``, ``rules`` and ``labels``: what is built in, with sources."""

from __future__ import annotations

import click

_JSON = click.option("--json", "as_json", is_flag=True, help="Print as JSON.")


@click.command("protocols", short_help="List the measuring protocols.")
@_JSON
def protocols_command(*, as_json: bool) -> None:
    """List the measuring protocols and where they come from."""
    from osteoct.cli.printing import print_records
    from osteoct.protocols import PROTOCOLS

    rows = [
        {
            "id": p.id,
            "version": p.version,
            "title": p.title,
            "regions": [str(r) for r in p.regions],
            "depth_mm": p.depth_mm,
            "membership": p.membership.value,
            "headline": p.headline,
            "inferred": p.inferred,
            "source": p.source,
        }
        for p in PROTOCOLS.values()
    ]
    print_records(rows, as_json=as_json)


@click.command("rules", short_help="List the published cut-offs, or what findings do.")
@click.option("--policy", "is_policy", is_flag=True, help="List what each finding does instead.")
@_JSON
def rules_command(*, is_policy: bool, as_json: bool) -> None:
    """List the published cut-offs, the protocol each belongs to, and its conditions.

    With --policy: what a finding of each code does (ignore, warn, exclude the level, block the
    case), why, and the tests in which it fires and in which it does not.
    """
    from osteoct.classify.rules import load_rules
    from osteoct.cli.printing import print_records
    from osteoct.policy.entries import load_entries

    if is_policy:
        rows = [
            {"id": code, **entry.model_dump(mode="json", exclude_none=True)}
            for code, entry in load_entries().items()
        ]
    else:
        rows = [rule.model_dump(mode="json", exclude_none=True) for rule in load_rules()]
    print_records(rows, as_json=as_json)


@click.command("labels", short_help="List the label schemes of masks.")
@_JSON
def labels_command(*, as_json: bool) -> None:
    """List the label schemes that masks can be read under."""
    from osteoct.anatomy import SCHEMES
    from osteoct.cli.printing import print_records

    rows = [
        {
            "id": scheme.id,
            "title": scheme.title,
            "source": scheme.source,
            "labels": {str(i): s.name for i, s in scheme.structures.items()},
        }
        for scheme in SCHEMES.values()
    ]
    print_records(rows, as_json=as_json)
