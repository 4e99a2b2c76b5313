"""Masks put in order before they are measured: what is wrong, what is repaired, what is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from osteoct.anatomy import Level
from osteoct.compartments.column import Bone, stand_column
from osteoct.geometry import Box
from osteoct.records import Finding
from osteoct.repair_records import Repair, RepairRule
from osteoct.tidy.column import Mixup, Reading, read_column
from osteoct.tidy.mixups import answer_mixups
from osteoct.tidy.moving import Masks, Move, apply_moves, list_moves
from osteoct.tidy.pieces import Piece, find_holes, find_strays
from osteoct.tidy.sampled import sample
from osteoct.tidy.words import RULES, tell_hole, tell_mixup, tell_stray
from osteoct.volume import CTVolume, LabelVolume

SWITCHED_OFF = "repairs are switched off"


@dataclass(frozen=True, kw_only=True, eq=False)
class Tidied:
    """Masks after repair, and what was found.

    Parameters
    ----------
    masks
        The very volumes that came in where nothing was repaired.
    findings
        What was wrong, repaired or not; a finding stays when its cause is repaired.
    """

    masks: Masks
    repairs: tuple[Repair, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def is_repaired(self) -> bool:
        """Whether anything was changed."""
        return bool(self.repairs)

    @property
    def levels(self) -> tuple[Level, ...]:
        """Levels whose masks were changed."""
        return tuple(dict.fromkeys(lv for repair in self.repairs for lv in repair.levels))


def tidy_masks(
    ct: CTVolume, vertebrae: LabelVolume, bodies: LabelVolume | None = None, *, repair: bool = True
) -> Tidied:
    """Find misnamed, loose and missing pieces of masks and repair what leaves no doubt.

    Parameters
    ----------
    ct, vertebrae, bodies
        Volumes on one grid, in any orientation; none of them is changed.
    repair
        Without it everything is found and nothing changed.
    """
    masks = Masks(vertebrae=vertebrae, bodies=bodies)
    filled = _fill_holes(ct, Tidied(masks=masks), repair=repair)
    cleared = _clear_strays(filled, repair=repair, is_given=False)
    named = _put_names_right(cleared, repair=repair)
    return _clear_strays(named, repair=repair, is_given=True)


def _bones(vertebrae: LabelVolume) -> tuple[Bone, ...]:
    """The vertebrae of a column; the sacrum's first body hangs on the sacrum and is none."""
    column = stand_column(vertebrae)
    return tuple(bone for bone in column.vertebrae if bone.level is not Level.S1)


def _put_names_right(tidied: Tidied, *, repair: bool) -> Tidied:
    """Repair names, body by body."""
    masks = tidied.masks
    bones = _bones(masks.vertebrae)
    if not bones:
        return tidied
    reading = read_column(sample(masks.vertebrae, bones), bones)
    if not reading.mixups:
        return tidied
    answer = answer_mixups(reading)
    if answer.owners is None or not repair:
        why_not = answer.why_not if answer.owners is None else SWITCHED_OFF
        findings = [f for m in reading.mixups for f in tell_mixup(m, why_not=why_not)]
        return replace(tidied, findings=_unique([*tidied.findings, *findings]))
    moves = list_moves(masks, reading, answer.owners)
    return Tidied(
        masks=apply_moves(masks, moves),
        repairs=(*tidied.repairs, *_record(reading, moves, masks.vertebrae)),
        findings=_unique(
            [*tidied.findings, *(f for m in reading.mixups for f in tell_mixup(m, why_not=None))]
        ),
    )


def _record(reading: Reading, moves: list[Move], labels: LabelVolume) -> tuple[Repair, ...]:
    """One repair per pair of levels that were mixed up."""
    pairs: dict[frozenset[Level], list[Mixup]] = {}
    for mixup in reading.mixups:
        pairs.setdefault(frozenset((mixup.name, mixup.owner)), []).append(mixup)
    repairs = []
    for pair, mixups in pairs.items():
        mine = [m for m in moves if m.source in pair and m.target in pair]
        mine = mine or [m for m in moves if m.source in pair or m.target in pair]
        repairs.append(_make_repair(RULES[mixups[0].kind], tuple(pair), mine, labels))
    return tuple(repairs)


def _make_repair(
    rule: RepairRule, levels: tuple[Level, ...], moves: list[Move], labels: LabelVolume
) -> Repair:
    """The record of some moves."""
    voxels = sum(move.voxels for move in moves)
    points = [_index(move.box) + np.argwhere(move.where) for move in moves]
    middle = np.concatenate(points).mean(axis=0) if points else np.zeros(3)
    x, y, z = (float(v) for v in labels.geometry.to_patient(middle))
    return Repair(
        rule=rule,
        levels=tuple(sorted(levels, key=lambda lv: lv.order)),
        voxels=voxels,
        volume_cm3=voxels * labels.geometry.voxel_volume_mm3 / 1000,
        place_mm=(x, y, z),
    )


def _index(box: Box) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Where a box begins."""
    return np.array([s.start for s in box])


def _clear_strays(tidied: Tidied, *, repair: bool, is_given: bool) -> Tidied:
    """Take loose pieces off the labels: those that touch another level, or those that do not.

    What is refused is left to the check of fragments.
    """
    if not repair:
        return tidied
    labels = tidied.masks.vertebrae
    bones = _bones(labels)
    levels = {bone.label: bone.level for bone in bones if bone.level is not None}
    rule = RepairRule.GIVE_STRAY if is_given else RepairRule.REMOVE_STRAY
    findings, repairs, moves = [], [], []
    for piece in (p for bone in bones for p in find_strays(labels, bone, levels)):
        if piece.move is not None and (piece.move.target is not None) is is_given:
            findings.append(tell_stray(piece, rule))
            moves.append(piece.move)
            repairs.append(_make_repair(rule, _levels(piece), [piece.move], labels))
    return _with_more(tidied, findings, repairs, moves)


def _fill_holes(ct: CTVolume, tidied: Tidied, *, repair: bool) -> Tidied:
    """Fill cavities, label by label."""
    labels = tidied.masks.vertebrae
    findings, repairs, moves = [], [], []
    for hole in (h for bone in _bones(labels) for h in find_holes(ct, labels, bone)):
        why_not = hole.why_not or (None if repair else SWITCHED_OFF)
        findings.append(tell_hole(hole, why_not))
        if why_not is None and hole.move is not None:
            moves.append(hole.move)
            repairs.append(_make_repair(RepairRule.FILL_HOLE, _levels(hole), [hole.move], labels))
    return _with_more(tidied, findings, repairs, moves)


def _with_more(
    tidied: Tidied, findings: list[Finding], repairs: list[Repair], moves: list[Move]
) -> Tidied:
    """What was done so far, and more of it."""
    return Tidied(
        masks=apply_moves(tidied.masks, moves) if moves else tidied.masks,
        repairs=(*tidied.repairs, *repairs),
        findings=_unique([*tidied.findings, *findings]),
    )


def _levels(piece: Piece) -> tuple[Level, ...]:
    """The levels that a repair of a piece concerns."""
    target = None if piece.move is None else piece.move.target
    return tuple({piece.level, target or piece.level})


def _unique(findings: list[Finding]) -> tuple[Finding, ...]:
    """Findings of one code, level and text once."""
    return tuple({(f.code, f.level, f.message): f for f in findings}.values())
