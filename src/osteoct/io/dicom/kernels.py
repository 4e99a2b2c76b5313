"""Reconstruction kernels, soft to sharp, by the vendors' own naming.

Used to choose between reconstructions of one scan, and to say of the one that was read what it is:
a soft kernel has less noise, and edges are not overshot. The classes follow how vendors name
kernels, not a measurement of their sharpness; a name that is not here is unknown, and called so.

========= ==================== ================================================================
vendor    name                 reading
========= ==================== ================================================================
Siemens   B30f, Br38f, I40f …  the number grows with sharpness: to 45 soft, from 50 sharp
GE        STANDARD, SOFT …     words
Philips   A, B, C … L, YA …    A to C smooth and standard; D, E, L and Y… sharp
Canon     FC01 … FC86          1 to 29 body and head, 30 to 39 bone, from 50 lung and high detail
========= ==================== ================================================================
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import IntEnum
from typing import Literal


class Sharpness(IntEnum):
    """How sharp a kernel is; the order is the order of preference."""

    SOFT = 0
    MEDIUM = 1
    UNKNOWN = 2
    SHARP = 3


SIEMENS_SOFT_TO = 45
SIEMENS_SHARP_FROM = 50
CANON_SOFT_TO = 29
CANON_BONE = range(30, 40)
CANON_SHARP_FROM = 50

_SIEMENS = re.compile(r"^(?:[BDHIJQTU][A-Z]?)(\d{2})[A-Z]?(?:[_ \-].*)?$")
_CANON = re.compile(r"^FC(\d{2})")
_WORDS = {
    "SOFT": Sharpness.SOFT,
    "STANDARD": Sharpness.SOFT,
    "STND": Sharpness.SOFT,
    "STND+": Sharpness.SOFT,
    "SMOOTH": Sharpness.SOFT,
    "BODY": Sharpness.SOFT,
    "CHEST": Sharpness.MEDIUM,
    "CHST": Sharpness.MEDIUM,
    "DETAIL": Sharpness.MEDIUM,
    "BONE": Sharpness.SHARP,
    "BONEPLUS": Sharpness.SHARP,
    "BONE+": Sharpness.SHARP,
    "LUNG": Sharpness.SHARP,
    "EDGE": Sharpness.SHARP,
    "EDGE+": Sharpness.SHARP,
    "ULTRA": Sharpness.SHARP,
}
_PHILIPS = {
    **dict.fromkeys(("A", "B", "C", "SA", "SB", "SC", "UA", "UB", "UC"), Sharpness.SOFT),
    **dict.fromkeys(("D", "E", "L", "YA", "YB", "YC", "YD", "YE"), Sharpness.SHARP),
}


def sharpness_of(kernel: Sequence[str], manufacturer: str | None = None) -> Sharpness:
    """How sharp a kernel is; of several values the first one understood decides.

    >>> sharpness_of(("Br38f", "3")).name
    'SOFT'
    >>> sharpness_of(("B",)).name
    'UNKNOWN'
    >>> sharpness_of(("YA",), "Philips").name
    'SHARP'
    """
    found = (_sharpness_of_name(k.strip().upper(), (manufacturer or "").upper()) for k in kernel)
    return next((s for s in found if s is not Sharpness.UNKNOWN), Sharpness.UNKNOWN)


def class_of(
    kernel: Sequence[str], manufacturer: str | None = None
) -> Literal["soft", "medium", "sharp"] | None:
    """The class of a kernel as records hold it; ``None`` where its name is not known.

    >>> class_of(("Br64d",), "SIEMENS")
    'sharp'
    """
    match sharpness_of(kernel, manufacturer):
        case Sharpness.SOFT:
            return "soft"
        case Sharpness.MEDIUM:
            return "medium"
        case Sharpness.SHARP:
            return "sharp"
        case _:
            return None


def _sharpness_of_name(name: str, manufacturer: str) -> Sharpness:
    """How sharp one kernel name is."""
    if "PHILIPS" in manufacturer and name in _PHILIPS:
        return _PHILIPS[name]
    word = name.removeprefix("HD").lstrip("_ ")
    if word in _WORDS:
        return _WORDS[word]
    if match := _CANON.match(name):
        return _canon(int(match[1]))
    if match := _SIEMENS.match(name):
        number = int(match[1])
        if number <= SIEMENS_SOFT_TO:
            return Sharpness.SOFT
        return Sharpness.SHARP if number >= SIEMENS_SHARP_FROM else Sharpness.MEDIUM
    return Sharpness.UNKNOWN


def _canon(number: int) -> Sharpness:
    """How sharp a Canon (Toshiba) kernel is."""
    if number in CANON_BONE or number >= CANON_SHARP_FROM:
        return Sharpness.SHARP
    return Sharpness.SOFT if number <= CANON_SOFT_TO else Sharpness.UNKNOWN
