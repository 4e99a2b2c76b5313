"""What a user chose for a whole batch; kept beside its results, so that a resumed run is equal."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from tomllib import TOMLDecodeError, loads
from typing import Final, Literal

import tomli_w
from pydantic import Field, ValidationError

from osteoct.config import AnalysisConfig
from osteoct.errors import ConfigError, OsteoctError
from osteoct.io.hashing import sha256_of
from osteoct.record import Record
from osteoct.run.plan.places import check_address
from osteoct.run.plan.templates import check_template
from osteoct.run.remote import is_remote
from osteoct.segment.interface import Quality, SegmentOptions
from osteoct.segment.registry import DEFAULT, make_segmenter

SCHEMA: Final = "osteoct.store/1"


class FingerprintKind(StrEnum):
    """How a file is told from another one; see :mod:`osteoct.run.keys`."""

    STAMP = "stamp"
    """By place, size and time of the last change (or etag): nothing is read."""
    CONTENT = "content"
    """By the hash of its bytes: every file is read, and a copy is the same work."""


class SegmenterChoice(Record):
    """What makes the masks.

    Parameters
    ----------
    version
        Of its package where the batch was planned; ``None`` where it is not installed there.
    weights
        Hash of a model of the user's own and of what its labels mean; ``None`` for the models that
        belong to the version.
    device, limit_s
        Where and how long it may compute; no part of any key.
    """

    name: str = DEFAULT
    quality: Quality = Quality.BEST
    version: str | None = None
    weights: str | None = None
    model: Path | None = None
    level_map: Path | None = None
    device: str = "auto"
    limit_s: float | None = None


class Patterns(Record):
    """How the files of a case are found from each other; see :mod:`osteoct.run.plan.templates`.

    Parameters
    ----------
    ct
        Relative to the source, with ``*``, ``?``, ``[…]`` and ``**``.
    masks, body_masks, tissues, case_id
        With fields such as ``{parent}``, filled from the path of the CT.
    """

    ct: str = Field(min_length=1)
    masks: str | None = None
    body_masks: str | None = None
    tissues: str | None = None
    case_id: str | None = None

    @property
    def by_role(self) -> dict[str, str]:
        """The patterns of masks that were given."""
        given = {"masks": self.masks, "body_masks": self.body_masks, "tissues": self.tissues}
        return {role: pattern for role, pattern in given.items() if pattern is not None}


class Choices(Record):
    """Everything that decides what a batch is.

    Parameters
    ----------
    source
        Folder, manifest or address.
    tree
        Where the UIDs of a manifest are looked up.
    patterns
        Of a source of images; ``None`` for DICOM and manifests.
    segmenter
        ``None`` where every case brings its masks.
    """

    schema_: Literal["osteoct.store/1"] = Field(default="osteoct.store/1", alias="schema")
    source: str = Field(min_length=1)
    tree: str | None = None
    patterns: Patterns | None = None
    segmenter: SegmenterChoice | None = None
    config: AnalysisConfig = Field(default_factory=AnalysisConfig)
    fingerprint: FingerprintKind = FingerprintKind.STAMP


def make_choices(
    source: str | Path,
    *,
    tree: str | Path | None = None,
    patterns: Patterns | None = None,
    segmenter: SegmenterChoice | None = None,
    config: AnalysisConfig | None = None,
    fingerprint: FingerprintKind = FingerprintKind.STAMP,
) -> Choices:
    """Put choices together; places become absolute, so that a batch resumes from any folder.

    Raises
    ------
    ConfigError
        A pattern with an unknown field, masks of bodies without masks of vertebrae, an address that
        may hold a secret, or one series for a whole batch.
    """
    config = config or AnalysisConfig()
    if config.series is not None:
        raise ConfigError(
            "one series cannot be that of every case",
            where="series",
            hint="Name the series of each case in the column series of a manifest.",
        )
    if patterns is not None:
        _check_patterns(patterns)
    return Choices(
        source=_whole(source),
        tree=None if tree is None else _whole(tree),
        patterns=patterns,
        segmenter=segmenter,
        config=config,
        fingerprint=fingerprint,
    )


def choose_segmenter(name: str, options: SegmentOptions) -> SegmenterChoice:
    """The choice of a segmenter with the version and the model that it would use here.

    Raises
    ------
    ConfigError
        There is no such segmenter.
    InputError
        The model cannot be read.
    """
    try:
        version = make_segmenter(name, options).describe().version
    except ConfigError:
        raise
    except OsteoctError:  # not installed here: the workers may have it
        version = None
    files = [path for path in (options.model, options.level_map) if path is not None]
    return SegmenterChoice(
        name=name,
        quality=options.quality,
        version=version,
        weights=" ".join(sha256_of(path) for path in files) or None,
        model=options.model,
        level_map=options.level_map,
        device=options.device,
        limit_s=options.limit_s,
    )


def render_choices(choices: Choices) -> str:
    """The choices as TOML, for ``store.toml``; what was left open is left out."""
    return tomli_w.dumps(choices.model_dump(mode="json", by_alias=True, exclude_none=True))


def read_choices(text: str, *, where: str = "store.toml") -> Choices:
    """Read what :func:`render_choices` wrote.

    Raises
    ------
    ConfigError
        It is not TOML, of another schema, or holds unknown keys or bad values (all are named).
    """
    try:
        return Choices.model_validate(loads(text))
    except TOMLDecodeError as error:
        raise ConfigError("is not TOML", where=where, found=str(error)) from error
    except ValidationError as error:
        problems = [f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors()]
        raise ConfigError(
            "bad values", where=where, found=" | ".join(problems), wanted=SCHEMA
        ) from error


def _check_patterns(patterns: Patterns) -> None:
    for option, template in (*patterns.by_role.items(), ("case_id", patterns.case_id)):
        if template is not None:
            check_template(template, where="--" + option.replace("_", "-"))
    if patterns.body_masks is not None and patterns.masks is None:
        raise ConfigError(
            "masks of bodies need masks of vertebrae", where="--body-masks", wanted="--masks"
        )


def _whole(place: str | Path) -> str:
    """An absolute path, or an address that holds no secret."""
    text = str(place)
    return check_address(text) if is_remote(text) else str(Path(text).absolute())
