"""The options of a node that images are sent to, and of the archives that results go to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from osteoct.network.link import Link
    from osteoct.network.node.inbox import InboxLimits
    from osteoct.network.node.receiving import NodeSettings

_Command = TypeVar("_Command", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path)
_LEAST_0 = click.FloatRange(min=0)
_GIB = 2**30

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
        type=_LEAST_0,
        default=60.0,
        show_default=True,
        metavar="SECONDS",
        help="A study is complete so long after its last image.",
    ),
    click.option(
        *("--settle-time", "settle"),
        type=_LEAST_0,
        default=5.0,
        show_default=True,
        metavar="SECONDS",
        help="The same where all images that were announced are there.",
    ),
    click.option(
        "--patience",
        type=_LEAST_0,
        default=30.0,
        show_default=True,
        metavar="MINUTES",
        help="Wait so long for announced images that do not come.",
    ),
    click.option(
        *("--free-disk", "free_gib"),
        type=_LEAST_0,
        default=5.0,
        show_default=True,
        metavar="GIB",
        help="Refuse images for now where less would be left.",
    ),
    click.option(
        *("--most-studies", "most_studies"),
        type=click.IntRange(min=1),
        default=200,
        show_default=True,
        help="Studies whose images are held at once; further ones are refused for now.",
    ),
    click.option(
        *("--connections", "connections"),
        type=click.IntRange(min=1),
        default=16,
        show_default=True,
        help="Senders served at once.",
    ),
    click.option(
        *("--cert", "certificate"), type=_FILE, help="PEM file of its certificate; then TLS alone."
    ),
    click.option("--cert-key", "certificate_key", type=_FILE, help="PEM file of its key."),
    click.option("--ca", type=_FILE, help="PEM file of who vouches for senders, who must show it."),
    click.option("--forward-tls", is_flag=True, help="Encrypt DIMSE to --forward as well."),
    click.option("--forward-ca", type=_FILE, help="PEM file of who vouches for --forward."),
    click.option("--credentials", type=_FILE, help="TOML file of mode 0600, for --forward."),
    click.option(
        *("--timeout", "timeout_s"),
        type=click.FloatRange(min=0.1),
        default=30.0,
        show_default=True,
        help="Seconds to wait for a sender or an archive.",
    ),
)


def add_node_options(command: _Command) -> _Command:
    """Give a command the options of a node."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def make_forwards(options: dict[str, Any]) -> tuple[Link, ...]:
    """The archives that results go to, each spoken to with the node's own certificate."""
    from osteoct.network.address import parse_address
    from osteoct.network.credentials import load_credentials
    from osteoct.network.link import Link

    links = []
    for address in dict.fromkeys(options["forward"]):
        plain = Link(
            address=parse_address(address, option="--forward"),
            own_title=options["ae_title"],
            credentials=load_credentials(options["credentials"]),
            tls=options["forward_tls"],
            timeout_s=options["timeout_s"],
            attempts=1,
        )
        names = {
            "ca": options["forward_ca"],
            "certificate": options["certificate"],
            "certificate_key": options["certificate_key"],
        }
        links.append(replace(plain, **names) if plain.is_encrypted else plain)
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
        most_associations=options["connections"],
        timeout_s=options["timeout_s"],
        certificate=options["certificate"],
        certificate_key=options["certificate_key"],
        ca=options["ca"],
    )


def make_limits(options: dict[str, Any]) -> InboxLimits:
    """What received images may take up."""
    from osteoct.network.node.inbox import InboxLimits

    return InboxLimits(
        free_bytes=int(options["free_gib"] * _GIB), most_studies=options["most_studies"]
    )
