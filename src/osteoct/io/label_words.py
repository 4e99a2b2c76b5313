"""What people call the parts of a spine in their own words: ``L1``, ``L1 vertebra``, ``Th12 body``.

Programs that let a person type the name (3D Slicer, ITK-SNAP, nnU-Net, DICOM SEG) follow no table.
A name is understood only where every word of it is: ``L1 fracture`` and ``L1 nerve root`` are not.
"""

from __future__ import annotations

import re
from typing import Final

from osteoct.anatomy import Level, Part, Structure, structure_of_name

_WORD = re.compile(r"[^\W_]+")
_LEVEL = re.compile(r"(?P<letter>c|th|t|l|s)(?P<number>\d{1,2})")
_LETTERS = {"c": "C", "th": "T", "t": "T", "l": "L", "s": "S"}

VERTEBRA_WORDS: Final = frozenset({"vertebra", "vertebrae", "vertebral"})
BODY_WORDS: Final = frozenset({"body", "bodies", "corpus"})
POSTERIOR_WORDS: Final = frozenset(
    {"posterior", "element", "elements", "arch", "process", "processes"}
)
DISC_WORDS: Final = frozenset({"disc", "discs", "disk", "disks"})
SACRUM_WORDS: Final = frozenset({"sacrum"})
_FILLERS = frozenset(
    {"of", "the", "whole", "entire", "bone", "spine", "level", "lumbar", "thoracic", "cervical"}
    | {"intervertebral", "sacral"}
)
_KNOWN = (
    VERTEBRA_WORDS | BODY_WORDS | POSTERIOR_WORDS | DISC_WORDS | SACRUM_WORDS | _FILLERS
)  # fmt: skip


def structure_of_words(name: str) -> Structure:
    """Return what a name stands for; names that are not understood are ``OTHER``, never guessed.

    >>> structure_of_words("L1 vertebra").level
    <Level.L1: 'L1'>
    >>> structure_of_words("Vertebral body of L3").part
    <Part.BODY: 'body'>
    >>> structure_of_words("L3 nerve root").part
    <Part.OTHER: 'other'>
    """
    exact = structure_of_name(name)
    if exact.part is not Part.OTHER:
        return exact
    words = _WORD.findall(name.casefold())
    levels = [level for word in words if (level := _level(word))]
    others = {word for word in words if not _level(word)}
    part = _part(others, len(levels)) if others <= _KNOWN else Part.OTHER
    has_level = part not in {Part.OTHER, Part.DISC, Part.SACRUM} and bool(levels)
    return Structure(name=name, part=part, level=levels[0] if has_level else None)


def render_structure(part: Part, level: Level | None) -> str:
    """Name a structure so that :func:`structure_of_words` understands it and no scheme claims it.

    >>> render_structure(Part.BODY, Level.L2)
    'L2 vertebral body'
    """
    words = {
        Part.VERTEBRA: "vertebra",
        Part.BODY: "vertebral body",
        Part.POSTERIOR: "posterior elements",
        Part.DISC: "intervertebral disc",
        Part.SACRUM: "sacrum",
        Part.OTHER: "other",
    }
    return f"{level} {words[part]}" if level else words[part]


def _level(word: str) -> Level | None:
    match = _LEVEL.fullmatch(word)
    if not match:
        return None
    return Level.__members__.get(f"{_LETTERS[match['letter']]}{int(match['number'])}")


def _part(words: set[str], levels: int) -> Part:
    """The part that known words name, with so many levels beside them."""
    if words & DISC_WORDS:
        return Part.DISC
    if words & SACRUM_WORDS:
        return Part.SACRUM if levels == 0 else Part.OTHER
    is_body = bool(words & BODY_WORDS)
    if levels == 0:  # "body" alone is the patient's
        return Part.BODY if is_body and words & VERTEBRA_WORDS else Part.OTHER
    if levels > 1 or (is_body and words & POSTERIOR_WORDS):
        return Part.OTHER
    if words & POSTERIOR_WORDS:
        return Part.POSTERIOR
    return Part.BODY if is_body else Part.VERTEBRA
