"""Patterns of paths: ``*/ct.nii.gz`` finds, ``{parent}/seg.nii.gz`` follows from what was found.

Fields are looked up in a table of seven words and nothing else is evaluated: a pattern comes from a
file or a command line, and Python's own format would let it reach into any object.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

from osteoct.errors import ConfigError
from osteoct.io.image_format import IMAGE_SUFFIXES
from osteoct.run.plan.places import Place, parent_of

FIELDS: Final = (
    *("path", "parent", "name", "stem"),
    *("parent.name", "parent.parent.name", "relative"),
)

_FIELD = re.compile(r"\{([^{}]*)\}")


def check_template(template: str, *, where: str) -> None:
    """Refuse a template with an unknown field.

    Raises
    ------
    ConfigError
        An unknown field or a brace without its partner.
    """
    unknown = [name for name in _FIELD.findall(template) if name not in FIELDS]
    if unknown or set("{}") & set(_FIELD.sub("", template)):
        raise ConfigError(
            "unknown field in a pattern",
            where=where,
            found="{" + unknown[0] + "}" if unknown else "a brace without its partner",
            wanted="one of " + ", ".join("{" + name + "}" for name in FIELDS),
        )


def fields_of(place: Place) -> dict[str, str]:
    """What each field stands for, by the place of a CT.

    >>> ct = Place(address="/scans/a/ct.nii.gz", relative="a/ct.nii.gz", size=1, stamp="")
    >>> fields_of(ct)["parent.name"], fields_of(ct)["stem"]
    ('a', 'ct')
    """
    parts = ["", "", *place.address.replace("\\", "/").split("/")]
    name = parts[-1]
    values = (place.address, parent_of(place.address), name, stem_of(name))
    return dict(zip(FIELDS, (*values, parts[-2], parts[-3], place.relative), strict=True))


def fill(template: str, fields: Mapping[str, str]) -> str:
    """A template with its fields filled.

    >>> fill("{parent.name}-{stem}", {"parent.name": "a", "stem": "ct"})
    'a-ct'
    """
    return _FIELD.sub(lambda match: fields[match.group(1)], template)


def stem_of(name: str) -> str:
    """A file name without the suffix of an image, or else without its last suffix.

    >>> stem_of("ct.nii.gz"), stem_of("a.b.nrrd"), stem_of("series")
    ('ct', 'a.b', 'series')
    """
    suffixes = [s for s in IMAGE_SUFFIXES if name.lower().endswith(s)]
    if suffixes:
        return name[: -len(max(suffixes, key=len))]
    return name.rpartition(".")[0] or name


class Glob:
    """A pattern of relative paths: ``*``, ``?`` and ``[…]`` within a name, ``**`` for any folders.

    >>> Glob("*/ct.nii.gz").matches("a/ct.nii.gz"), Glob("**/ct.nii.gz").matches("ct.nii.gz")
    (True, True)
    >>> Glob("*/ct.nii.gz").may_lie_below("a/b")
    False
    """

    def __init__(self, pattern: str) -> None:
        self._parts = [part for part in pattern.split("/") if part not in {"", "."}]
        if not self._parts or ".." in self._parts or pattern.startswith("/") or "{" in pattern:
            raise ConfigError(
                "is no pattern below the source",
                where="--ct",
                found=repr(pattern),
                wanted="a relative pattern such as '*/ct.nii.gz'",
            )

    def matches(self, relative: str) -> bool:
        """Whether a path fits the whole pattern."""
        return _fits(relative.split("/"), self._parts, is_whole=True)

    def may_lie_below(self, folder: str) -> bool:
        """Whether anything inside a folder can fit."""
        return _fits(folder.split("/"), self._parts, is_whole=False)


def _fits(names: Sequence[str], parts: Sequence[str], *, is_whole: bool) -> bool:
    """Whether names fit parts: all of them, or so far that something is left for what follows."""
    if not names:
        rest = [part for part in parts if part != "**"]
        return not rest if is_whole else bool(parts)
    if not parts:
        return False
    if parts[0] == "**":
        return _fits(names, parts[1:], is_whole=is_whole) or _fits(
            names[1:], parts, is_whole=is_whole
        )
    return fnmatchcase(names[0], parts[0]) and _fits(names[1:], parts[1:], is_whole=is_whole)
