"""Segments that may overlap (3D Slicer's layers, DICOM SEG), joined to one label map of one part.

The numbers of such segments are running counts and mean nothing: names decide, and a scheme that
the user names is looked up by name and level. Vertebrae get the integers of ``total`` (v2), others
from 201 on. Where two segments claim one voxel, it stays with the level nearer the head.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoct.anatomy import SCHEMES, LabelScheme, Level, Part, Structure
from osteoct.errors import LabelsError
from osteoct.geometry import Geometry
from osteoct.io.label_join import FIRST_FREE_LABEL, add_mask, pad_touched
from osteoct.io.label_meaning import LabelMeaning, check_one_label_each, check_part
from osteoct.io.label_words import structure_of_words
from osteoct.records import Finding
from osteoct.volume import LabelVolume

_LAST = len(Level)
_TOTAL = {(s.part, s.level): n for n, s in SCHEMES["totalsegmentator-v2"].structures.items()}


def join_segments(
    names: Mapping[int, str],
    load: Callable[[int], NDArray[np.bool_]],
    geometry: Geometry,
    *,
    scheme: LabelScheme | None,
    part: Part,
    where: str,
) -> LabelVolume:
    """Join the segments of one part; others are not loaded.

    Parameters
    ----------
    names
        Name of each segment.
    load
        Gives the mask (I, J, K) of a segment on ``geometry``.

    Raises
    ------
    LabelsError
        No segment of the part, two of one level, names that contradict the scheme, or no voxel.
    """
    structures = {n: _structure(name, scheme, where=where) for n, name in names.items()}
    check_part(LabelMeaning(structures=structures, scheme_id=None), part=part, where=where)
    kept = _select(structures, part)
    check_one_label_each(kept, where=where)
    numbers = _number(kept)
    numbered = {numbers[n]: structure for n, structure in kept.items()}
    array: NDArray[Any] = np.zeros(geometry.shape, np.min_scalar_type(max(numbered)), "F")
    findings: list[Finding] = []
    for segment, label in numbers.items():
        findings += add_mask(array, load(segment), label, numbered)
    if not any((array == n).any() for n, s in numbered.items() if s.part is part):
        raise LabelsError(
            "no vertebrae" if part is Part.VERTEBRA else "no vertebral bodies",
            where=where,
            found=f"{len(numbered)} empty segments",
            wanted="a segment with a voxel",
        )
    array, geometry = pad_touched(array, geometry)
    return LabelVolume(
        array=array, geometry=geometry, structures=numbered, findings=tuple(findings)
    )


def _structure(name: str, scheme: LabelScheme | None, *, where: str) -> Structure:
    """What a segment stands for: its words, and what a scheme says of the level they name."""
    said = structure_of_words(name)
    if scheme is None:
        return said
    named = scheme.structure_named(name)
    of_level = (s for s in scheme.structures.values() if s.level and s.level is said.level)
    meant = named[1] if named else next(of_level, None)
    if meant is None:
        return said
    if said.part not in {meant.part, Part.VERTEBRA, Part.OTHER}:
        raise LabelsError(
            f"a segment's name contradicts the scheme {scheme.id}",
            where=where,
            found=repr(name),
            wanted=f"a {meant.part}",
        )
    return Structure(name=name, part=meant.part, level=meant.level)


def _select(structures: Mapping[int, Structure], part: Part) -> dict[int, Structure]:
    """The segments of a part (with the sacrum, which tells L5 from S1), head to feet."""
    wanted = {part} if part is Part.BODY else {part, Part.SACRUM}
    kept = [(n, s) for n, s in structures.items() if s.part in wanted]
    return dict(sorted(kept, key=lambda item: item[1].level.order if item[1].level else _LAST))


def _number(structures: Mapping[int, Structure]) -> dict[int, int]:
    """The label of each segment."""
    taken: set[int] = set()
    numbers: dict[int, int] = {}
    for free, (segment, s) in enumerate(structures.items(), FIRST_FREE_LABEL):
        label = _TOTAL.get((s.part, s.level), free)
        numbers[segment] = free if label in taken else label
        taken.add(numbers[segment])
    return numbers
