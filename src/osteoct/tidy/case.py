"""Masks put in order before they are measured: what is wrong, what is repaired, what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from osteoct.anatomy import Level
from osteoct.geometry import Box
from osteoct.records import Finding
from osteoct.repair_records import Repair, RepairRule
from osteoct.tidy.column import Kind, Mixup, Reading, read_column
from osteoct.tidy.effect import loses_core, moves_hu
from osteoct.tidy.mixups import UNLIKE, Answer, answer_mixups
from osteoct.tidy.moving import Masks, Move, apply_moves, list_moves
from osteoct.tidy.owners import Owners, find_owners
from osteoct.tidy.pieces import MOST_STREWN, Piece, find_holes, find_strays
from osteoct.tidy.sampled import sample
from osteoct.tidy.words import RULES, tell_hole, tell_mixup, tell_stray
from osteoct.volume import CTVolume, LabelVolume

SWITCHED_OFF = "repairs are switched off"
CORE_LOST = "one of the levels would lose its core"


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
    reading = _read(cleared.masks)
    if reading is None or not reading.mixups:
        return _clear_strays(cleared, repair=repair, is_given=True)
    answer = answer_mixups(reading)
    if answer.owners is not None and repair:
        named = _put_names_right(cleared, reading, answer.owners)
        levels = tuple({lv for m in reading.mixups for lv in (m.name, m.owner)})
        if not loses_core(ct, cleared.masks, named.masks, levels):
            return _clear_strays(named, repair=repair, is_given=True)
        answer = Answer(owners=None, why_not=CORE_LOST)
    why_not = answer.why_not if answer.owners is None else SWITCHED_OFF
    given = _clear_strays(cleared, repair=repair, is_given=True)
    told = [m for m in reading.mixups if why_not != UNLIKE or m.kind is not Kind.ARCH]
    return _tell_refused(ct, given, told, why_not)


def _read(masks: Masks) -> Reading | None:
    """The column as its bodies show it; ``None`` without any."""
    bones = masks.bones
    return read_column(sample(masks.vertebrae, bones), bones) if bones else None


def _put_names_right(tidied: Tidied, reading: Reading, owners: Owners) -> Tidied:
    """Repair names, body by body."""
    masks = tidied.masks
    moves = list_moves(masks, reading, owners)
    return Tidied(
        masks=apply_moves(masks, moves),
        repairs=(*tidied.repairs, *_record(reading, moves, masks.vertebrae)),
        findings=_unique(
            [*tidied.findings, *(f for m in reading.mixups for f in tell_mixup(m, why_not=None))]
        ),
    )


def _tell_refused(ct: CTVolume, tidied: Tidied, mixups: Sequence[Mixup], why_not: str) -> Tidied:
    """Say what is not repaired, as it is after loose pieces of it went to their level."""
    again = _read(tidied.masks)
    left = {} if again is None else {(m.name, m.owner): m for m in again.mixups}
    is_harmful = bool(mixups) and again is not None and _is_harmful(ct, tidied.masks, again)
    findings: list[Finding] = []
    for mixup in mixups:
        rest = left.get((mixup.name, mixup.owner))
        pair = {mixup.name, mixup.owner}
        is_given = any(
            r.rule is RepairRule.GIVE_STRAY and pair == set(r.levels) for r in tidied.repairs
        )
        if rest is None and is_given:
            findings += tell_mixup(mixup, why_not=None, rule=RepairRule.GIVE_STRAY)
        else:
            findings += tell_mixup(rest or mixup, why_not=why_not, is_harmful=is_harmful)
    return replace(tidied, findings=_unique([*tidied.findings, *findings]))


def _is_harmful(ct: CTVolume, masks: Masks, reading: Reading) -> bool:
    """Whether what is mixed up moves the mean HU of its levels too much to be believed."""
    if reading.naming is None or not reading.mixups:
        return False
    moves = list_moves(masks, reading, find_owners(reading))
    levels = tuple({lv for m in reading.mixups for lv in (m.name, m.owner)})
    return moves_hu(ct, masks, apply_moves(masks, moves), levels)


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
    bones = tidied.masks.bones
    levels = {bone.label: bone.level for bone in bones if bone.level is not None}
    rule = RepairRule.GIVE_STRAY if is_given else RepairRule.REMOVE_STRAY
    pieces = [
        piece
        for bone in bones
        for piece in find_strays(labels, bone, levels)
        if piece.move is not None and (piece.move.target is not None) is is_given
    ]
    if not is_given and len({piece.level for piece in pieces}) > MOST_STREWN:
        return tidied
    findings, repairs, moves = [], [], []
    for piece in pieces:
        if piece.move is not None:
            findings.append(tell_stray(piece, rule))
            moves.append(piece.move)
            repairs.append(_make_repair(rule, _levels(piece), [piece.move], labels))
    return _with_more(tidied, findings, repairs, moves)


def _fill_holes(ct: CTVolume, tidied: Tidied, *, repair: bool) -> Tidied:
    """Fill cavities, label by label."""
    labels = tidied.masks.vertebrae
    findings, repairs, moves = [], [], []
    for hole in (h for bone in tidied.masks.bones for h in find_holes(ct, labels, bone)):
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
