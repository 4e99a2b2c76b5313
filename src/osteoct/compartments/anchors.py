"""What the numbering can be checked by: sacrum, ribs, transverse processes, distances."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from osteoct.anatomy import LANDMARKS, SACRAL_LANDMARKS, Level
from osteoct.compartments.boxes import label_boxes
from osteoct.compartments.column import Bone, Column, stand_column
from osteoct.compartments.contacts import contact_area_cm2, distance_to_mm
from osteoct.geometry import Box
from osteoct.volume import LabelVolume

USUAL_STEP_MM = 33.0
"""Distance of neighbours taken where no other pair shows it; 26 to 36 mm from T12 to L5 on one CT
and two expert masks."""

NEAREST_STEPS = 4
"""Pairs that a pair is compared with: vertebrae grow from the neck to the loin."""

LEAST_STEPS = 2

RIB_REACH_MM = 15.0
"""A rib's head farther from every vertebra lies outside the image, or was not labelled. On the real
example rib 12 begins 9 mm from T12, and the cut ones 45 mm and more from anything."""

HEAD_SHARE = 0.05
"""Share of a rib's voxels, the nearest to the column's middle, taken as its head."""

NARROW_SHARE = 0.62
"""Width over that of the widest vertebra below which a vertebra has no long transverse processes.
T9 to T12 have 0.48 … 0.60 in expert masks, L1 0.70 … 0.85 there and on a CT (chosen between)."""

LEAST_WIDE = 3
"""Wide vertebrae below the narrow one: fewer may not be those with the longest processes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """Distance of two vertebrae that follow each other in the masks, over the usual one."""

    upper: Bone
    lower: Bone
    ratio: float

    @property
    def distance_mm(self) -> float:
        """Distance of their centres."""
        return _distance_mm(self.upper, self.lower)


@dataclass(frozen=True, kw_only=True, eq=False)
class SacrumSight:
    """The sacrum as the lowest vertebra sees it.

    Parameters
    ----------
    lowest
        The lowest vertebra above it, by name.
    ratio
        Distance from its centre to the sacrum over the usual distance of neighbours.
    volume_ratio
        Volume of sacrum and S1 over that of the lowest vertebra.
    is_below, is_cut
        Whether it lies below, and whether the border cuts it.
    s1_contact_cm2
        Contact of a label S1 with a separate sacrum; ``None`` without both.
    """

    lowest: Bone
    ratio: float
    contact_cm2: float
    volume_ratio: float
    is_below: bool
    is_cut: bool
    s1_contact_cm2: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Sights:
    """Everything that the numbering is judged by.

    Parameters
    ----------
    ribbed
        The lowest vertebra at which a rib begins.
    narrow
        The lowest vertebra without long transverse processes, where three with them follow.
    sacral_share
        Share of the lowest vertebra that another label map calls sacrum.
    """

    column: Column
    lowest: Bone | None = None
    steps: tuple[Step, ...] = ()
    sacrum: SacrumSight | None = None
    ribbed: Bone | None = None
    narrow: Bone | None = None
    sacral_share: float = 0.0


def look_for_anchors(vertebrae: LabelVolume, landmarks: LabelVolume | None) -> Sights:
    """Look at everything that tells the names of vertebrae, apart from their labels.

    Parameters
    ----------
    vertebrae
        In canonical orientation.
    landmarks
        Ribs and sacrum by TotalSegmentator's names, on any grid of the patient space.
    """
    column = stand_column(vertebrae)
    bones = tuple(bone for bone in column.vertebrae if bone.level is not Level.S1)
    if not bones:
        return Sights(column=column)
    return Sights(
        column=column,
        lowest=bones[-1],
        steps=_measure_steps(bones),
        sacrum=_see_sacrum(vertebrae, column, bones),
        ribbed=None if landmarks is None else _find_ribbed(vertebrae, landmarks, bones),
        narrow=find_narrow(bones, vertebrae.geometry.spacing_mm[0]),
        sacral_share=0.0
        if landmarks is None
        else _share_called_sacrum(vertebrae, landmarks, bones[-1]),
    )


def choose_landmarks(vertebrae: LabelVolume, tissues: LabelVolume | None) -> LabelVolume:
    """Labels to take ribs and sacrum from: the tissues' where they name any, else the vertebrae's.

    A map of all structures given as vertebrae may hold ribs that a map of tissues does not.
    """
    if tissues is None:
        return vertebrae
    has_any = any(s.name in LANDMARKS for s in tissues.structures.values())
    return tissues if has_any else vertebrae


def steps_apart(upper: Level, lower: Level) -> int:
    """How many steps two levels lie apart by name; T13 and L6 count where they are named."""
    variants = {Level.T13, Level.L6} - {upper, lower}
    return sum(upper.order < lv.order <= lower.order and lv not in variants for lv in Level)


def _distance_mm(upper: Bone, lower: Bone) -> float:
    return float(np.linalg.norm(upper.centre_mm - lower.centre_mm))


def _named(bone: Bone) -> Level:
    assert bone.level is not None  # noqa: S101 -- the sacrum as a whole is not among them
    return bone.level


def _measure_steps(bones: tuple[Bone, ...]) -> tuple[Step, ...]:
    """Distances of whole vertebrae that follow each other, over those of the nearest other pairs.

    What is seen of a cut one may be its spinous process alone.
    """
    pairs = [(u, lo) for u, lo in pairwise(bones) if u.is_whole and lo.is_whole]
    return tuple(
        Step(upper=u, lower=lo, ratio=_distance_mm(u, lo) / usual_step_mm(bones, but=(u, lo)))
        for u, lo in pairs
    )


def usual_step_mm(bones: tuple[Bone, ...], *, but: tuple[Bone, Bone] | Bone) -> float:
    """Usual distance near a pair, or near the lowest vertebra, from neighbours by name."""
    known = [
        (u, _distance_mm(u, lo))
        for u, lo in pairwise(bones)
        if u.is_whole and lo.is_whole and (u, lo) != but
        if steps_apart(_named(u), _named(lo)) == 1
    ]
    here = but[0] if isinstance(but, tuple) else but
    near = sorted(known, key=lambda pair: abs(_named(pair[0]).order - _named(here).order))
    found = [mm for _, mm in near[:NEAREST_STEPS]]
    return median(found) if len(found) >= LEAST_STEPS else USUAL_STEP_MM


def _see_sacrum(labels: LabelVolume, column: Column, bones: tuple[Bone, ...]) -> SacrumSight | None:
    """The sacrum, its first segment included, from the lowest vertebra."""
    s1 = column.bone(Level.S1)
    parts = [bone for bone in (column.sacrum, s1) if bone is not None]
    if not parts:
        return None
    lowest, numbers = bones[-1], [bone.label for bone in parts]
    box = _joined([bone.box for bone in parts])
    mask = np.isin(labels.array[box], numbers)
    away = distance_to_mm(lowest.centre_mm, mask, labels.geometry.cropped(box))
    sacrum = column.sacrum
    return SacrumSight(
        lowest=lowest,
        ratio=away / usual_step_mm(bones, but=lowest),
        contact_cm2=contact_area_cm2(labels, lowest.label, numbers, lowest.box),
        volume_ratio=sum(bone.volume_cm3 for bone in parts) / lowest.volume_cm3,
        is_below=min(float(bone.centre_mm[2]) for bone in parts) < float(lowest.centre_mm[2]),
        is_cut=not all(bone.is_whole for bone in parts),
        s1_contact_cm2=None
        if s1 is None or sacrum is None
        else contact_area_cm2(labels, s1.label, [sacrum.label], s1.box),
    )


def _joined(boxes: list[Box]) -> Box:
    """The tightest box around boxes."""
    a, b, c = (
        slice(min(box[i].start for box in boxes), max(box[i].stop for box in boxes))
        for i in range(3)
    )
    return a, b, c


def find_narrow(bones: tuple[Bone, ...], pixel_mm: float) -> Bone | None:
    """The lowest whole vertebra without long transverse processes, three with them below it."""
    whole = [bone for bone in bones if bone.is_whole]
    widths = [(bone.box[0].stop - bone.box[0].start) * pixel_mm for bone in whole]
    limit = NARROW_SHARE * max(widths, default=0.0)
    narrow = [n for n, width in enumerate(widths) if width < limit]
    if not narrow or len(whole) - 1 - narrow[-1] < LEAST_WIDE:
        return None
    last = whole[narrow[-1]]
    follower = whole[narrow[-1] + 1]
    return last if bones.index(follower) == bones.index(last) + 1 else None


def _find_ribbed(
    vertebrae: LabelVolume, landmarks: LabelVolume, bones: tuple[Bone, ...]
) -> Bone | None:
    """The lowest vertebra nearest to a rib's head."""
    boxes = label_boxes(landmarks)
    ribs = [n for n, s in landmarks.structures.items() if s.name.startswith("rib_") and n in boxes]
    if not ribs:
        return None
    points, owners = _points_of(vertebrae, bones)
    tree, middle = cKDTree(points), float(np.median(points[:, 0]))
    found = []
    for rib in ribs:
        head = _head_of(landmarks, rib, boxes[rib], middle)
        found_mm, found_at = tree.query(head)
        away, nearest = np.asarray(found_mm), np.asarray(found_at)
        if away.min() <= RIB_REACH_MM:
            found.append(int(owners[nearest[away.argmin()]]))
    return bones[max(found)] if found else None


def _points_of(
    labels: LabelVolume, bones: tuple[Bone, ...]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Voxels of vertebrae on a grid of about 2 mm in patient space, and whose they are."""
    steps = [max(1, round(2.0 / s)) for s in labels.geometry.spacing_mm]
    points, owners = [], []
    for n, bone in enumerate(bones):
        part = labels.array[bone.box][:: steps[0], :: steps[1], :: steps[2]] == bone.label
        index = np.argwhere(part) * np.array(steps) + np.array([s.start for s in bone.box])
        points.append(labels.geometry.to_patient(index))
        owners.append(np.full(len(index), n))
    return np.concatenate(points), np.concatenate(owners)


def _head_of(labels: LabelVolume, rib: int, box: Box, middle_mm: float) -> NDArray[np.float64]:
    """Points of a rib nearest to the middle of the column."""
    index = np.argwhere(labels.array[box] == rib) + np.array([s.start for s in box])
    points = labels.geometry.to_patient(index)
    count = max(3, round(HEAD_SHARE * len(points)))
    return points[np.argsort(abs(points[:, 0] - middle_mm), kind="stable")[:count]]


def _share_called_sacrum(vertebrae: LabelVolume, landmarks: LabelVolume, lowest: Bone) -> float:
    """Share of a vertebra that another label map calls sacrum or S1."""
    numbers = [n for n, s in landmarks.structures.items() if s.name in SACRAL_LANDMARKS]
    if not numbers:
        return 0.0
    index = np.argwhere(vertebrae.array[lowest.box] == lowest.label)
    points = vertebrae.geometry.to_patient(index + np.array([s.start for s in lowest.box]))
    there = np.rint(landmarks.geometry.to_index(points)).astype(np.intp)
    within = ((there >= 0) & (there < np.array(landmarks.geometry.shape))).all(axis=1)
    found = np.isin(landmarks.array[tuple(there[within].T)], numbers)
    return float(np.count_nonzero(found)) / len(index)
