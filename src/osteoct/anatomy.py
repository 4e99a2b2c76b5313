"""Vertebral levels and every labelling scheme that names them.

Levels run from head to feet, ``C1 … C7, T1 … T13, L1 … L6, S1``. A *scheme* says which integer a
program writes for which structure. The integers are facts of those programs:

- TotalSegmentator (Apache-2.0, 2.18): ``total`` (v2), ``total_v1``, ``total_v3``,
  ``vertebrae_body``, ``vertebrae_pp`` and ``vertebrae_pp_refined``.
- VerSe 2019/2020 (Sekuboyina 2021; Löffler 2020): C1 = 1 … L6 = 25, S1 = 26, coccyx 27, T13 = 28.
- spine-segment 0.1.6: VerSe numbers per level; its ``process-body`` file has 1 = processes,
  2 = body.

Within a label table a *name* decides what an integer means; the integers alone never do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from osteoct.errors import ConfigError


class Level(StrEnum):
    """A vertebral level; the order of the members is the order along the spine, head to feet."""

    C1 = "C1"
    C2 = "C2"
    C3 = "C3"
    C4 = "C4"
    C5 = "C5"
    C6 = "C6"
    C7 = "C7"
    T1 = "T1"
    T2 = "T2"
    T3 = "T3"
    T4 = "T4"
    T5 = "T5"
    T6 = "T6"
    T7 = "T7"
    T8 = "T8"
    T9 = "T9"
    T10 = "T10"
    T11 = "T11"
    T12 = "T12"
    T13 = "T13"
    L1 = "L1"
    L2 = "L2"
    L3 = "L3"
    L4 = "L4"
    L5 = "L5"
    L6 = "L6"
    S1 = "S1"

    @property
    def order(self) -> int:
        """Position along the spine, 0 at C1, growing towards the feet."""
        return LEVEL_ORDER[self]

    @property
    def is_lumbar(self) -> bool:
        """Whether the level is L1 … L6."""
        return self.value.startswith("L")


LEVEL_ORDER: Mapping[Level, int] = {level: i for i, level in enumerate(Level)}

LUMBAR: tuple[Level, ...] = (Level.L1, Level.L2, Level.L3, Level.L4, Level.L5)
"""The five levels of the study and the default of every command."""


class Part(StrEnum):
    """What a label covers."""

    VERTEBRA = "vertebra"
    BODY = "body"
    POSTERIOR = "posterior"
    DISC = "disc"
    SACRUM = "sacrum"
    OTHER = "other"


TISSUES: tuple[str, ...] = (
    *("aorta", "inferior_vena_cava", "portal_vein_and_splenic_vein"),
    *("liver", "spleen", "kidney_left", "kidney_right"),
    *("autochthon_left", "autochthon_right", "iliopsoas_left", "iliopsoas_right"),
)
"""Blood, organs and muscles that HU are compared with, by TotalSegmentator's names."""

SACRAL_LANDMARKS: tuple[str, ...] = ("sacrum", "vertebrae_S1")
LANDMARKS: tuple[str, ...] = (
    *("rib_left_11", "rib_left_12", "rib_right_11", "rib_right_12"),
    *SACRAL_LANDMARKS,
)
"""Bones that vertebrae are counted from, likewise; no HU is taken from them."""

PHASE_ORGANS: tuple[str, ...] = (
    *("liver", "pancreas", "urinary_bladder", "gallbladder", "heart"),
    *("aorta", "inferior_vena_cava", "portal_vein_and_splenic_vein"),
    *("iliac_vena_left", "iliac_vena_right", "iliac_artery_left", "iliac_artery_right"),
    *("pulmonary_vein", "brain", "colon", "small_bowel"),
)
"""Organs that TotalSegmentator's classifier of the contrast phase looks at, likewise."""


@dataclass(frozen=True, kw_only=True)
class Structure:
    """What one label stands for; without a ``level`` where the label does not tell levels apart."""

    name: str
    part: Part
    level: Level | None = None


@dataclass(frozen=True, kw_only=True)
class LabelScheme:
    """The integers one program writes, and what they mean."""

    id: str
    title: str
    source: str
    structures: Mapping[int, Structure]

    @property
    def parts(self) -> frozenset[Part]:
        """The kinds of structure the scheme can hold."""
        return frozenset(s.part for s in self.structures.values())

    def structure_named(self, name: str) -> tuple[int, Structure] | None:
        """Integer and structure of a name of this scheme, or ``None``."""
        return next(((i, s) for i, s in self.structures.items() if s.name == name), None)


_NAME = re.compile(r"^vertebrae?_(?P<level>[CTL]\d{1,2}|S1)$")


def structure_of_name(name: str) -> Structure:
    """Return what a structure name of the TotalSegmentator family means.

    Unknown names are not an error: a label map may hold livers and ribs besides vertebrae.

    >>> structure_of_name("vertebrae_L1").level
    <Level.L1: 'L1'>
    >>> structure_of_name("liver").part
    <Part.OTHER: 'other'>
    """
    fixed = {
        "sacrum": Part.SACRUM,
        "vertebrae_body": Part.BODY,
        "intervertebral_discs": Part.DISC,
    }
    if name in fixed:
        return Structure(name=name, part=fixed[name])
    match = _NAME.match(name)
    if match and match["level"] in Level.__members__:
        return Structure(name=name, part=Part.VERTEBRA, level=Level[match["level"]])
    return Structure(name=name, part=Part.OTHER)


def parse_levels(text: str) -> tuple[Level, ...]:
    """Turn ``"L1-L5"`` or ``"T12,L1,L3"`` into levels, head to feet, without repeats.

    >>> [str(level) for level in parse_levels("L3,L1-L2")]
    ['L1', 'L2', 'L3']
    """
    wanted: set[Level] = set()
    for item in text.replace(" ", "").upper().split(","):
        first, _, last = item.partition("-")
        names = (first, last or first)
        unknown = [n for n in names if n not in Level.__members__]
        if unknown:
            raise ConfigError(
                "unknown level",
                where="--levels",
                found=repr(unknown[0]),
                wanted="names such as L1-L5 or T12,L1",
            )
        start, stop = (Level[n].order for n in names)
        if start > stop:
            raise ConfigError(
                "levels run from head to feet",
                where="--levels",
                found=item,
                wanted=f"{last}-{first}",
            )
        # T13 and L6 are variants that most spines lack: a range names them only as an end point.
        variants = {Level.T13, Level.L6} - {Level[first], Level[names[1]]}
        wanted.update(lv for lv in Level if start <= lv.order <= stop and lv not in variants)
    return tuple(sorted(wanted, key=lambda level: level.order))


SHORTEST_RUN = 3
"""Neighbouring levels from which a run is named by its ends."""


def name_levels(levels: Iterable[Level]) -> str:
    """Name levels shortly, three neighbours or more by their ends; nothing for no level.

    >>> name_levels([Level.L1, Level.L2, Level.L3, Level.L5])
    'L1–L3, L5'
    """
    runs: list[list[Level]] = []
    for level in sorted(levels, key=lambda level: level.order):
        if runs and level.order == runs[-1][-1].order + 1:
            runs[-1].append(level)
        else:
            runs.append([level])
    return ", ".join(f"{r[0]}–{r[-1]}" if len(r) >= SHORTEST_RUN else ", ".join(r) for r in runs)


def _levels(part: Part, ids: Mapping[str, int], prefix: str = "vertebrae_") -> dict[int, Structure]:
    """Structures of one part for a level-to-integer table."""
    return {
        i: Structure(name=f"{prefix}{level}", part=part, level=Level[level])
        for level, i in ids.items()
    }


def _run(first: int, *groups: tuple[str, int, int]) -> dict[str, int]:
    """Number groups such as ``("L", 5, 1)`` consecutively from ``first``."""
    names = [
        f"{letter}{n}"
        for letter, start, stop in groups
        for n in range(start, stop + (1 if stop >= start else -1), 1 if stop >= start else -1)
    ]
    return {name: first + i for i, name in enumerate(names)}


_SACRUM = "sacrum"
_HEADWARDS = (("L", 5, 1), ("T", 12, 1), ("C", 7, 1))
_FEETWARDS = (("C", 1, 7), ("T", 1, 12), ("L", 1, 5))

_TS_V2 = {
    25: Structure(name=_SACRUM, part=Part.SACRUM),
    26: Structure(name="vertebrae_S1", part=Part.VERTEBRA, level=Level.S1),
    **_levels(Part.VERTEBRA, _run(27, *_HEADWARDS)),
}
_TS_V3 = {**_TS_V2, 26: Structure(name="vertebrae_L6", part=Part.VERTEBRA, level=Level.L6)}
_TS_V1 = {
    **_levels(Part.VERTEBRA, _run(18, *_HEADWARDS)),
    92: Structure(name=_SACRUM, part=Part.SACRUM),
}
_VERSE_IDS = {**_run(1, *_FEETWARDS), "L6": 25, "S1": 26, "T13": 28}

SCHEMES: Mapping[str, LabelScheme] = {
    scheme.id: scheme
    for scheme in (
        LabelScheme(
            id="totalsegmentator-v2",
            title="TotalSegmentator v2, task total",
            source="TotalSegmentator 2.18 class map 'total'",
            structures=_TS_V2,
        ),
        LabelScheme(
            id="totalsegmentator-v3",
            title="TotalSegmentator, task total_v3 (L6 instead of S1)",
            source="TotalSegmentator 2.18 class map 'total_v3'",
            structures=_TS_V3,
        ),
        LabelScheme(
            id="totalsegmentator-v1",
            title="TotalSegmentator v1, task total",
            source="TotalSegmentator 2.18 class map 'total_v1'",
            structures=_TS_V1,
        ),
        LabelScheme(
            id="totalsegmentator-vertebrae-body",
            title="TotalSegmentator, task vertebrae_body (all bodies in one label, discs)",
            source="TotalSegmentator 2.18 class map 'vertebrae_body'",
            structures={
                1: Structure(name="vertebrae_body", part=Part.BODY),
                2: Structure(name="intervertebral_discs", part=Part.DISC),
            },
        ),
        LabelScheme(
            id="totalsegmentator-vertebrae-pp",
            title="TotalSegmentator, tasks vertebrae_pp, vertebrae_pp_refined (bodies per level)",
            source="TotalSegmentator 2.18 class maps 'vertebrae_pp', 'vertebrae_pp_refined'",
            structures=_levels(Part.BODY, _run(1, *_FEETWARDS)),
        ),
        LabelScheme(
            id="verse",
            title="VerSe 2019/2020 vertebra labels",
            source="Sekuboyina 2021, Löffler 2020",
            structures=_levels(Part.VERTEBRA, _VERSE_IDS, prefix=""),
        ),
        LabelScheme(
            id="spine-segment",
            title="spine-segment, *_vertebral-level file",
            source="spine-segment 0.1.6 documentation (VerSe level numbers)",
            structures=_levels(Part.VERTEBRA, _VERSE_IDS, prefix=""),
        ),
        LabelScheme(
            id="spine-segment-process-body",
            title="spine-segment, *_process-body file",
            source="spine-segment 0.1.6 documentation",
            structures={
                1: Structure(name="process", part=Part.POSTERIOR),
                2: Structure(name="body", part=Part.BODY),
            },
        ),
    )
}
"""All schemes that ``--labels`` accepts, by id."""


def label_scheme(scheme_id: str) -> LabelScheme:
    """Return a scheme by id; an unknown id is an error that lists the known ones."""
    if scheme_id not in SCHEMES:
        raise ConfigError(
            "unknown label scheme",
            where="--labels",
            found=repr(scheme_id),
            wanted="one of " + ", ".join(SCHEMES),
        )
    return SCHEMES[scheme_id]
