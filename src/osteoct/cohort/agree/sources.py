"""What is compared with what: from the words of a command to one side or two."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from osteoct.cohort.agree.choices import AgreeChoices
from osteoct.cohort.agree.results import read_side
from osteoct.cohort.agree.side import Side
from osteoct.cohort.folder import MARKER
from osteoct.errors import ConfigError
from osteoct.protocols import protocol as find_protocol

TWO: Final = 2


def make_agree_choices(
    first: Path, second: Path | None, options: Mapping[str, Any]
) -> AgreeChoices:
    """Choices of a comparison from the options of the command; absent ones are ``None``.

    Raises
    ------
    ConfigError
        Options that do not fit each other or the inputs.
    """
    protocols = _read_two(options.get("protocols"), "--protocols")
    one = options.get("protocol")
    _check_fit(first, second, protocols, is_repeats=bool(options.get("repeats")), protocol=one)
    for name in (one, *(protocols or ())):
        if name is not None:
            find_protocol(name)
    labels = _read_two(options.get("names"), "--names")
    if labels is None and protocols is not None:
        labels = protocols
    given: dict[str, Any] = {
        "by": options.get("by"),
        "window_days": options.get("window_days"),
        "protocols": protocols or (one, one),
        "labels": labels,
        "png": not options.get("no_png"),
        "pdf": not options.get("no_pdf"),
        "excel": not options.get("no_excel"),
    }
    for name in ("across_conditions", "allow_undated", "keep_blocked", "allow_small_cells"):
        given[name] = bool(options.get(name))
    try:
        return AgreeChoices.model_validate({n: v for n, v in given.items() if v is not None})
    except ValidationError as error:
        problems = [f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors()]
        raise ConfigError("bad values", where="options", found=" | ".join(problems)) from error


def _read_two(text: str | None, option: str) -> tuple[str, str] | None:
    """Two words with a comma between them."""
    if text is None:
        return None
    words = [word.strip() for word in text.split(",")]
    if len(words) != TWO or not all(words) or words[0] == words[1]:
        raise ConfigError("needs two different names", where=option, found=text, wanted="A,B")
    return words[0], words[1]


def _check_fit(
    first: Path,
    second: Path | None,
    protocols: tuple[str, str] | None,
    *,
    is_repeats: bool,
    protocol: str | None,
) -> None:
    """Refuse what would compare something with itself, or two things by one rule too many."""
    where = "osteoct cohort agree"
    if is_repeats and (second is not None or protocols is not None):
        raise ConfigError(
            "--repeats takes one input and one protocol",
            where=where,
            found="a second input" if second is not None else "--protocols",
        )
    if protocols is not None and protocol is not None:
        raise ConfigError("--protocol and --protocols exclude each other", where=where)
    if second is None and not is_repeats and protocols is None:
        raise ConfigError(
            "one input alone is compared with nothing",
            where=where,
            wanted="a second input, --repeats, or --protocols P,Q",
        )
    if second is not None and protocols is None and first.resolve() == second.resolve():
        raise ConfigError("both inputs are the same", where=where, found=str(first))
    is_results = first.is_dir() and not (first / MARKER).is_file()
    if second is None and protocols is not None and first.exists() and not is_results:
        raise ConfigError(
            "a table holds one protocol",
            where="--protocols",
            found=str(first),
            wanted="a folder of results",
        )


def read_sides(
    first: Path, second: Path | None, choices: AgreeChoices, *, is_repeats: bool
) -> tuple[Side, ...]:
    """Read one side for repeats, else two.

    Raises
    ------
    ConfigError
        The two were measured under different protocols, and nobody asked for that.
    """
    p, q = choices.protocols
    if is_repeats:
        return (read_side(first, 0, choices, protocol=p, repeats=True),)
    sides = (
        read_side(first, 0, choices, protocol=p),
        read_side(first if second is None else second, 1, choices, protocol=q),
    )
    found = [side.protocol for side in sides]
    if p == q and None not in found and found[0] != found[1]:
        raise ConfigError(
            "the two were measured under different protocols",
            where="osteoct cohort agree",
            found=" and ".join(str(name) for name in found),
            hint=f"say --protocols {found[0]},{found[1]} if it is these that you compare",
        )
    return sides
