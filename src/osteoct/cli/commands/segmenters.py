"""``osteoct segmenters``: what can find vertebrae on this machine."""

from __future__ import annotations

import click


@click.command("segmenters", short_help="List the segmenters and what they lack.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def segmenters_command(*, as_json: bool) -> None:
    """List the segmenters: installed, version, device, weights, licence, and what to do.

    Nothing is downloaded and no model is loaded.
    """
    from osteoct.cli.printing import print_records
    from osteoct.segment.registry import describe_segmenters

    rows = []
    for state in describe_segmenters():
        told = state.model_dump(mode="json", exclude={"name"})
        kept = {key: v for key, v in told.items() if as_json or v not in (None, {})}
        rows.append({"id": state.name, **kept})
    print_records(rows, as_json=as_json)
