"""Whose each voxel is, where labels are mixed up: bodies by their names, arches by their pedicles.

A body's voxels take the name of the body. A piece of posterior elements hangs on its body by the
pedicles and takes that body's name. Where a piece hangs on two bodies, or on none that it is named
after, each of its voxels goes to the vertebra whose shape, taken from a neighbour that is in order,
it fits better.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from osteoct.anatomy import Level
from osteoct.tidy.bodies import Lump
from osteoct.tidy.column import Kind, Reading, lump_of
from osteoct.tidy.sampled import Sampled
from osteoct.volume import Mask

LEAST_CONTACT_MM2 = 40.0
"""Area over which a piece must touch a body to hang on it: a pedicle is 8 × 15 mm."""

CLEAR_SHARE = 0.85
"""Share of a piece's contact with bodies that one of them must have to be the only one."""

MOST_ROUNDS = 4
"""Rounds in which loose pieces go to what they touch; more than two were never needed."""

LAST_FARTHER = 2.5
"""Levels by which L5 counts as farther away: no other vertebra has a shape like it."""

Cells = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Owners:
    """Whose each cell is.

    Parameters
    ----------
    levels
        Order number of the level per cell, −1 where there is none; shape of the sampled array.
    """

    levels: Cells


def find_owners(reading: Reading) -> Owners:
    """Assign the cells of all levels that a mix-up concerns; all others keep their names."""
    array = reading.sampled.array
    named = np.full(int(array.max(initial=0)) + 1, -1, dtype=np.int64)
    for label, level in reading.level_of.items():
        if label < len(named):
            named[label] = level.order
    owners = named[array]
    involved = {lv for m in reading.mixups for lv in (m.name, m.owner)}
    bodies = {lv: lump for lv in involved if (lump := lump_of(reading, lv)) is not None}
    for level, lump in bodies.items():
        mine = (reading.lumps.array == lump.number) & np.isin(owners, [lv.order for lv in involved])
        owners[mine] = level.order
    _assign_posterior(owners, reading, bodies)
    _gather(owners, reading, tuple(involved))
    return Owners(levels=owners)


def _assign_posterior(owners: Cells, reading: Reading, bodies: Mapping[Level, Lump]) -> None:
    """Give every piece of the involved labels' posterior elements to its body."""
    sampled, lumps = reading.sampled, reading.lumps.array
    shapes = _Shapes(reading, frozenset(bodies))
    overlong = {(m.name, m.owner) for m in reading.mixups if m.kind is not Kind.SWAPPED}
    for level in [lv for lv in bodies if lv in reading.label_of]:
        pieces, count = ndi.label(
            (sampled.array == reading.label_of[level]) & (lumps == 0), structure=np.ones((3, 3, 3))
        )
        partners = {owner for name, owner in overlong if name is level}
        for number, box in enumerate(ndi.find_objects(pieces, count), start=1):
            piece = pieces == number
            touched = _touched(piece, box, lumps, sampled, bodies)
            total = sum(touched.values())
            main = max(touched, key=lambda lv: touched[lv], default=None)
            is_clear = main is not None and touched[main] >= CLEAR_SHARE * total
            if is_clear and main is not None and not (main is level and partners):
                owners[piece] = main.order
            elif touched or partners:
                shapes.share_out(owners, piece, {*touched, *partners, level})


def _touched(
    piece: Mask,
    box: tuple[slice, ...],
    lumps: NDArray[np.int32],
    sampled: Sampled,
    bodies: Mapping[Level, Lump],
) -> dict[Level, float]:
    """Area (mm²) over which a piece touches each body, where it is enough to hang on."""
    a, b, c = (slice(max(s.start - 1, 0), s.stop + 1) for s in box)
    areas = face_contacts(piece[a, b, c], lumps[a, b, c], sampled)
    found = {lv: areas.get(lump.number, 0.0) for lv, lump in bodies.items()}
    return {lv: area for lv, area in found.items() if area >= LEAST_CONTACT_MM2}


def face_contacts(piece: Mask, others: NDArray[np.integer], sampled: Sampled) -> dict[int, float]:
    """Area (mm²) of a piece's faces per number on their other side."""
    x, y, z = sampled.geometry.spacing_mm
    total: dict[int, float] = {}
    for axis, area in enumerate((y * z, x * z, x * y)):
        p, o = np.moveaxis(piece, axis, 0), np.moveaxis(others, axis, 0)
        for mine, theirs in ((p[1:] & ~p[:-1], o[:-1]), (p[:-1] & ~p[1:], o[1:])):
            numbers, counts = np.unique(theirs[mine], return_counts=True)
            for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
                total[int(number)] = total.get(int(number), 0.0) + count * area
    return total


class _Shapes:
    """How far cells lie outside a vertebra's posterior elements, by a neighbour's shape."""

    def __init__(self, reading: Reading, involved: frozenset[Level]) -> None:
        self._reading = reading
        levels = () if reading.naming is None else reading.naming.levels
        cut = {b.level for b in reading.bones if not b.is_whole}
        flat = {lv for lv in levels if (lump := lump_of(reading, lv)) is None or lump.is_flat}
        self._clean = [lv for lv in levels if lv not in involved | cut | flat]
        self._fields: dict[Level, NDArray[np.float64]] = {}

    def share_out(self, owners: Cells, piece: Mask, levels: set[Level]) -> None:
        """Give each cell of a piece to the level whose shape it fits best."""
        fits = [lv for lv in sorted(levels, key=lambda lv: lv.order) if self._model(lv) is not None]
        if len(fits) < len(levels) or not fits:
            return
        index = np.argwhere(piece)
        outside = np.stack([self._outside_mm(index, level) for level in fits])
        best = np.array([lv.order for lv in fits])[outside.argmin(axis=0)]
        owners[tuple(index.T)] = best

    def _model(self, level: Level) -> Level | None:
        """The nearest level in order whose shape stands for this one's."""
        if lump_of(self._reading, level) is None:
            return None
        return min(
            self._clean,
            key=lambda lv: abs(lv.order - level.order) + (LAST_FARTHER if lv is Level.L5 else 0),
            default=None,
        )

    def _outside_mm(self, index: NDArray[np.int64], level: Level) -> NDArray[np.float64]:
        """Signed distance (mm) of cells from the shape, moved from the model's body to this one."""
        model = self._model(level)
        mine, other = lump_of(self._reading, level), lump_of(self._reading, model or level)
        if model is None or mine is None or other is None:
            return np.full(len(index), np.inf)
        if model not in self._fields:
            self._fields[model] = self._field(model)
        geometry = self._reading.sampled.geometry
        points = geometry.to_patient(index) - mine.centre_mm + other.centre_mm
        found: NDArray[np.float64] = ndi.map_coordinates(
            self._fields[model], geometry.to_index(points).T, order=1, mode="nearest"
        )
        return found

    def _field(self, model: Level) -> NDArray[np.float64]:
        """Signed distance (mm) from a level's label, negative inside."""
        sampled = self._reading.sampled
        mask = sampled.array == self._reading.label_of[model]
        spacing = sampled.geometry.spacing_mm
        away = ndi.distance_transform_edt(~mask, sampling=spacing)
        inside = ndi.distance_transform_edt(mask, sampling=spacing)
        field: NDArray[np.float64] = away - inside
        return field


def _gather(owners: Cells, reading: Reading, levels: tuple[Level, ...]) -> None:
    """Give loose pieces of the levels to the one of them that they touch most."""
    orders = {lv.order for lv in levels}
    for _ in range(MOST_ROUNDS):
        is_changed = False
        for order in sorted(orders):
            pieces, count = ndi.label(owners == order, structure=np.ones((3, 3, 3)))
            if count <= 1:
                continue
            sizes = np.bincount(pieces.ravel())
            sizes[0] = 0
            for number, box in enumerate(ndi.find_objects(pieces), start=1):
                if number == int(sizes.argmax()) or box is None:
                    continue
                a, b, c = (slice(max(s.start - 1, 0), s.stop + 1) for s in box)
                piece = pieces[a, b, c] == number
                touched = face_contacts(piece, owners[a, b, c], reading.sampled)
                near = {o: area for o, area in touched.items() if o in orders and o != order}
                if near:
                    owners[a, b, c][piece] = max(near, key=lambda o: near[o])
                    is_changed = True
        if not is_changed:
            return
