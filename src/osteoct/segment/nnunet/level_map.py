"""What the labels of a model mean, as its user says it in a small TOML file.

Tables ``[vertebrae]`` and ``[bodies]`` give a level, ``sacrum``, ``body`` (all in one label) or
``disc`` the model's number, its name in ``dataset.json``, or a list where the parts of a vertebra
have labels of their own. ``orientation``, ``mirroring`` and ``folds`` say how the model is run.
``docs/examples/level-map.toml`` is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import permutations, product
from pathlib import Path
from tomllib import TOMLDecodeError, loads
from typing import Any, Final

from osteoct.anatomy import Level, Part, Structure
from osteoct.errors import ConfigError
from osteoct.io.label_words import render_structure, structure_of_words

SACRUM, ANY_BODY, DISC = "sacrum", "body", "disc"
TRAINED_ON: Final = "RAS"
"""What TotalSegmentator's images were turned to, and nibabel's canonical orientation."""

ORIENTATIONS: Final = frozenset(
    "".join(code[a] for a in axes)
    for code in product("RL", "AP", "SI")
    for axes in permutations(range(3))
)

_PARTS: Final[Mapping[str, Mapping[str, Part]]] = {
    "vertebrae": {SACRUM: Part.SACRUM},
    "bodies": {ANY_BODY: Part.BODY, DISC: Part.DISC},
}
_OF_LEVELS: Final = {"vertebrae": Part.VERTEBRA, "bodies": Part.BODY}
_KEYS: Final = {"orientation", "mirroring", "folds", *_PARTS}

Numbers = dict[int, Structure]


@dataclass(frozen=True, kw_only=True)
class LevelMap:
    """Structures by the model's numbers.

    Parameters
    ----------
    vertebrae
        Whole vertebrae; several numbers may stand for one.
    bodies
        Bodies and discs; empty where the model does not know them.
    orientation
        Axis codes of the images that the model was trained on.
    folds
        Those to use; empty for all that are there.
    """

    vertebrae: Mapping[int, Structure]
    bodies: Mapping[int, Structure] = field(default_factory=dict)
    orientation: str = TRAINED_ON
    is_mirrored: bool = False
    folds: tuple[int | str, ...] = ()


def read_level_map(path: Path, labels: Mapping[int, str]) -> LevelMap:
    """Read a map for a model with these labels.

    Raises
    ------
    ConfigError
        Not TOML, or values that are not right: all of them are named.
    """
    try:
        content = loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError("cannot be read", where=str(path), found=error.strerror) from error
    except (TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError("is not TOML", where=str(path), found=str(error)) from error
    reading = _Reading(content, labels)
    made = reading.make()
    if reading.problems:
        found = " | ".join(reading.problems)
        raise ConfigError("bad values", where=str(path), found=found, hint=describe_labels(labels))
    return made


def map_of_names(labels: Mapping[int, str], *, where: str) -> LevelMap:
    """Return the map that a model's own label names amount to.

    Raises
    ------
    ConfigError
        They name no vertebra; the hint says how to write a map.
    """
    meant = {number: structure_of_words(name) for number, name in labels.items()}
    parts = {
        "vertebrae": (Part.VERTEBRA, Part.SACRUM),
        "bodies": (Part.BODY, Part.DISC),
    }
    of = {
        name: {n: s for n, s in meant.items() if s.part in kinds} for name, kinds in parts.items()
    }
    if not any(s.level is not None for s in of["vertebrae"].values()):
        raise ConfigError(
            "the names of the model's labels tell no vertebra",
            where=where,
            found=describe_labels(labels),
            wanted="--level-map FILE with a table [vertebrae], such as L1 = 20",
        )
    return LevelMap(vertebrae=of["vertebrae"], bodies=of["bodies"])


def describe_labels(labels: Mapping[int, str]) -> str:
    """The model's labels in one line."""
    return "its labels: " + ", ".join(f"{n} {name}" for n, name in sorted(labels.items()))


class _Reading:
    """One file on its way into a map; problems are gathered, for a user mends them at once."""

    def __init__(self, content: Mapping[str, Any], labels: Mapping[int, str]) -> None:
        self._content, self._labels = content, labels
        self._numbers = {name: number for number, name in labels.items()}
        self.problems = [f"{key}: unknown key" for key in content if key not in _KEYS]

    def make(self) -> LevelMap:
        """The map; it counts only if there were no problems."""
        vertebrae, bodies = (self._read_table(name) for name in _PARTS)
        if not any(s.level is not None for s in vertebrae.values()):
            self.problems.append("vertebrae: no level")
        return LevelMap(
            vertebrae=vertebrae,
            bodies=bodies,
            orientation=self._read_orientation(),
            is_mirrored=self._read_mirroring(),
            folds=self._read_folds(),
        )

    def _read_table(self, table: str) -> Numbers:
        content = self._content.get(table, {})
        if not isinstance(content, dict):
            self.problems.append(f"{table}: not a table")
            return {}
        made: Numbers = {}
        for key, value in content.items():
            structure = self._structure(table, key)
            for number in self._numbers_of(f"{table}.{key}", value):
                if number in made:
                    self.problems.append(f"{table}.{key}: {number} stands for {made[number].name}")
                elif structure is not None:
                    made[number] = structure
        return made

    def _structure(self, table: str, key: str) -> Structure | None:
        """What a key names; its name is one that reading a label map gives back."""
        if key in Level.__members__:
            part, level = _OF_LEVELS[table], Level[key]
            name = f"vertebrae_{key}" if table == "vertebrae" else render_structure(part, level)
            return Structure(name=name, part=part, level=level)
        if key in _PARTS[table]:
            part = _PARTS[table][key]
            names = {Part.BODY: "vertebrae_body", Part.DISC: "intervertebral_discs"}
            return Structure(name=names.get(part, key), part=part)
        wanted = ", ".join(("a level", *_PARTS[table]))
        self.problems.append(f"{table}.{key}: wanted {wanted}")
        return None

    def _numbers_of(self, where: str, value: object) -> list[int]:
        """Numbers of a value: one or several numbers or names."""
        found = []
        for one in value if isinstance(value, list) else [value]:
            number = self._numbers.get(one, one) if isinstance(one, str) else one
            if isinstance(number, int) and not isinstance(number, bool) and number in self._labels:
                found.append(number)
            else:
                self.problems.append(f"{where}: {one!r} is no label of the model")
        return found

    def _read_orientation(self) -> str:
        code = self._content.get("orientation", TRAINED_ON)
        if code not in ORIENTATIONS:
            self.problems.append(f"orientation: {code!r}, wanted such as RAS or LPS")
            return TRAINED_ON
        return str(code)

    def _read_mirroring(self) -> bool:
        value = self._content.get("mirroring", False)
        if not isinstance(value, bool):
            self.problems.append(f"mirroring: {value!r}, wanted true or false")
            return False
        return value

    def _read_folds(self) -> tuple[int | str, ...]:
        folds = self._content.get("folds", [])
        is_right = isinstance(folds, list) and all(
            one == "all" or (isinstance(one, int) and not isinstance(one, bool)) for one in folds
        )
        if not is_right:
            self.problems.append(f"folds: {folds!r}, wanted a list of numbers")
            return ()
        return tuple(folds)
