"""Options of the commands that speak with an archive."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

import click

if TYPE_CHECKING:
    from osteoct.network.link import Link

F = TypeVar("F", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path)


class LinkChoices(TypedDict):
    """The options' values, as click hands them over."""

    own_title: str
    tls: bool
    ca: Path | None
    certificate: Path | None
    certificate_key: Path | None
    credentials: Path | None
    timeout_s: float
    attempts: int


_OPTIONS = (
    click.option(
        *("--ae-title", "own_title"), default="OSTEOCT", help="What this side calls itself."
    ),
    click.option("--tls", is_flag=True, help="Encrypt DIMSE; https:// is encrypted anyway."),
    click.option("--ca", type=_FILE, help="PEM file of who vouches for the archive."),
    click.option("--cert", "certificate", type=_FILE, help="PEM file of this side's certificate."),
    click.option("--cert-key", "certificate_key", type=_FILE, help="PEM file of its key."),
    click.option("--credentials", type=_FILE, help="TOML file of mode 0600, for a user or token."),
    click.option(
        *("--timeout", "timeout_s"),
        type=click.FloatRange(min=0.1),
        default=60.0,
        help="Seconds to wait for an answer.",
    ),
    click.option(
        "--attempts",
        type=click.IntRange(min=1),
        default=5,
        help="Attempts in a row without progress.",
    ),
)


def link_options(command: F) -> F:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def make_link(address: str, choices: LinkChoices, *, option: str) -> Link:
    """The archive of an address, and the way to it."""
    from osteoct.network.address import parse_address
    from osteoct.network.credentials import load_credentials
    from osteoct.network.link import Link

    return Link(
        address=parse_address(address, option=option),
        own_title=choices["own_title"],
        credentials=load_credentials(choices["credentials"]),
        tls=choices["tls"],
        ca=choices["ca"],
        certificate=choices["certificate"],
        certificate_key=choices["certificate_key"],
        timeout_s=choices["timeout_s"],
        attempts=choices["attempts"],
    )
