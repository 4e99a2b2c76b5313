"""What a user may choose, with the defaults of every command and function."""

from __future__ import annotations

from pathlib import Path
from tomllib import TOMLDecodeError, loads
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from osteoct.anatomy import LUMBAR, SCHEMES, Level
from osteoct.errors import ConfigError
from osteoct.policy.choices import Choices, check_choices
from osteoct.protocols import PROTOCOLS
from osteoct.records import Phase, Record


def _known_protocols(ids: tuple[str, ...]) -> tuple[str, ...]:
    for wrong in (i for i in ids if i not in PROTOCOLS):
        msg = f"unknown protocol {wrong!r}, wanted one of {', '.join(PROTOCOLS)}"
        raise ValueError(msg)
    return ids


def _known_scheme(scheme_id: str | None) -> str | None:
    if scheme_id is not None and scheme_id not in SCHEMES:
        msg = f"unknown label scheme {scheme_id!r}, wanted one of {', '.join(SCHEMES)}"
        raise ValueError(msg)
    return scheme_id


SchemeId = Annotated[str | None, AfterValidator(_known_scheme)]


class AnalysisConfig(Record):
    """Choices that change what ``analyze`` measures or concludes.

    Parameters
    ----------
    labels, body_labels
        Scheme of the masks and of the body masks where the file holds no names.
    series
        SeriesInstanceUID to take instead of the one the rules would choose. Never written out.
    with_tissues
        Whether a segmenter that makes the masks is to find vessels, organs and muscles as well, to
        check contrast, HU scale and orientation by. Off by default: it costs a second run of a
        network, and for ``best`` a further model.
    phase_opinion
        Who is asked for a second opinion on the contrast phase, from the HU of organs; nobody by
        default. A segmenter that makes the masks then finds those organs as well.
    repair
        Whether masks are repaired where that is safe; without it everything is found and nothing
        changed.
    kvp, phase
        Facts about the scan that the header does not tell and the user knows.
    policy
        Changes of the shipped policy: an effect per finding code. Codes that guard against wrong
        numbers are weakened only if they are named in ``accept-risk`` as well.
    """

    levels: tuple[Level, ...] = Field(default=LUMBAR, min_length=1)
    protocols: Annotated[tuple[str, ...], AfterValidator(_known_protocols)] = Field(
        default=tuple(PROTOCOLS), min_length=1
    )
    labels: SchemeId = None
    body_labels: SchemeId = None
    series: str | None = None
    with_tissues: bool = False
    phase_opinion: Literal["totalsegmentator"] | None = None
    repair: bool = True
    kvp: Annotated[float, Field(ge=40, le=200)] | None = None
    phase: Phase | None = None
    policy: Annotated[Choices, BeforeValidator(check_choices)] = {}


def read_config(path: Path) -> AnalysisConfig:
    """Read a TOML file whose keys are the fields of :class:`AnalysisConfig`.

    Raises
    ------
    ConfigError
        The file cannot be read, is not TOML, or holds unknown keys or bad values (all are named).
    """
    try:
        return make_config(loads(path.read_text(encoding="utf-8")), where=str(path))
    except OSError as error:
        raise ConfigError("cannot be read", where=str(path), found=error.strerror) from error
    except (TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError("is not TOML", where=str(path), found=str(error)) from error


def make_config(values: dict[str, Any], *, where: str = "configuration") -> AnalysisConfig:
    """Validate choices; every problem is named at once, each with its key."""
    try:
        return AnalysisConfig.model_validate(values)
    except ValidationError as error:
        problems = [f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors()]
        raise ConfigError("bad values", where=where, found=" | ".join(problems)) from error
