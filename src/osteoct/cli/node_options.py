"""The options of a node that images are sent to, and of the archives that results go to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from osteoct.network.link import Link
    from osteoct.network.node.receiving import NodeSettings

_Command = TypeVar("_Command", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path)
_SECONDS = click.FloatRange(min=0)

_OPTIONS = (
    click.option("--port", type=click.IntRange(1, 65535), required=True, help="To listen on."),
    click.option(
        "--host", default="127.0.0.1", show_default=True, help="Interface; 0.0.0.0 for all."
    ),
    click.option("--ae-title", default="OSTEOCT", show_default=True, help="What it calls itself."),
    click.option("--allow", multiple=True, help="AE title that may send; may be repeated."),
    click.option("--allow-any", is_flag=True, help="Let any AE title send."),
    click.option(
        *("--quiet-time", "quiet"),
        type=_SECONDS,
        default=60.0,
        show_default=True,
        metavar="SECONDS",
        help="A study is complete so long after its last image.",
    ),
    click.option(
        *("--settle-time", "settle"),
        type=_SECONDS,
        default=5.0,
        show_default=True,
        metavar="SECONDS",
        help="The same where all images that were announced are there.",
    ),
    click.option(
        "--patience",
        type=_SECONDS,
        default=30.0,
        show_default=True,
        metavar="MINUTES",
        help="Wait so long for announced images that do not come.",
    ),
    click.option("--tls", is_flag=True, help="Encrypt DIMSE, both ways."),
    click.option("--ca", type=_FILE, help="PEM file of who vouches for the others."),
    click.option("--cert", "certificate", type=_FILE, help="PEM file of this side's certificate."),
    click.option("--cert-key", "certificate_key", type=_FILE, help="PEM file of its key."),
    click.option("--credentials", type=_FILE, help="TOML file of mode 0600, for --forward."),
    click.option(
        *("--timeout", "timeout_s"),
        type=click.FloatRange(min=0.1),
        default=60.0,
        show_default=True,
        help="Seconds to wait for an answer.",
    ),
)


def add_node_options(command: _Command) -> _Command:
    """Give a command the options of a node."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def make_forwards(options: dict[str, Any]) -> tuple[Link, ...]:
    """The archives that results go to."""
    from osteoct.network.address import parse_address
    from osteoct.network.credentials import load_credentials
    from osteoct.network.link import Link

    links = [
        Link(
            address=parse_address(address, option="--forward"),
            own_title=options["ae_title"],
            credentials=load_credentials(options["credentials"]),
            tls=options["tls"],
            timeout_s=options["timeout_s"],
            attempts=1,
        )
        for address in dict.fromkeys(options["forward"])
    ]
    return tuple(links)


def make_node(options: dict[str, Any]) -> NodeSettings:
    """How images are received."""
    from osteoct.network.node.receiving import NodeSettings

    return NodeSettings(
        port=options["port"],
        host=options["host"],
        ae_title=options["ae_title"],
        callers=frozenset(options["allow"]),
        any_caller=options["allow_any"],
    )
