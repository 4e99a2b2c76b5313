"""A case's compartments: what is divided, what is absent, and for which reason."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from osteoct.anatomy import LUMBAR, Level
from osteoct.compartments.case import body_mask_of, build_compartments
from osteoct.compartments.labelmap import label_compartments
from osteoct.errors import GeometryError
from osteoct.protocols import AXIAL_ROI, BODY_CORE_4, PROTOCOLS, VERTEBRA_CORE_3_5, Region
from osteoct.records import Reason

ALL = tuple(PROTOCOLS.values())


def divide(shot, *, vertebrae=None, bodies=True, levels=(Level.L3,)):
    return build_compartments(
        shot.ct,
        vertebrae or shot.vertebrae,
        shot.bodies if bodies else None,
        levels=levels,
        protocols=ALL,
    )


def test_core_and_shell_make_up_their_base(make_vertebra):
    """Core and shell share no voxel and lose none."""
    (level,) = divide(make_vertebra(10, 0, 1.5))
    for protocol in (BODY_CORE_4, VERTEBRA_CORE_3_5):
        base, core, shell = (
            level.regions[protocol.id, region]
            for region in (protocol.base, Region.TRABECULAR, Region.CORTICAL)
        )
        assert np.array_equal(core | shell, base)
        assert not (core & shell).any()


def test_a_level_cut_by_the_border_is_not_divided(make_vertebra):
    """Half a vertebra has no core, no volume and no HU; it has a reason."""
    shot = make_vertebra(0, 0, 1.5)
    box = (slice(None), slice(None), slice(0, shot.ct.geometry.shape[2] // 2))
    cut = replace(
        shot,
        ct=shot.ct.cropped(box),
        vertebrae=shot.vertebrae.cropped(box),
        bodies=shot.bodies.cropped(box),
    )
    (level,) = divide(cut)
    assert not level.regions
    assert set(level.reasons.values()) == {Reason.CUT_BY_BORDER}
    assert len(level.reasons) == sum(len(p.regions) for p in ALL)


def test_an_empty_core_is_absent_and_nothing_takes_its_place(make_vertebra):
    """Seen elsewhere: an empty core fell back to the whole vertebra, still called trabecular."""
    shot = make_vertebra(0, 0, 1.5)
    thin = shot.vertebrae.array.copy()
    middle = thin.shape[2] // 2
    thin[:, :, : middle - 2] = 0
    thin[:, :, middle + 2 :] = 0
    (level,) = divide(shot, vertebrae=replace(shot.vertebrae, array=thin))
    for protocol in (BODY_CORE_4, VERTEBRA_CORE_3_5):
        for region in (Region.TRABECULAR, Region.CORTICAL):
            assert (protocol.id, region) not in level.regions
            assert level.reasons[protocol.id, region] is Reason.EMPTY_CORE


def test_without_a_body_only_the_vertebra_is_divided(make_vertebra):
    """A mask of the body alone has no canal: body protocols say why they are absent."""
    shot = make_vertebra(0, 0, 1.5)
    alone = np.where(shot.bodies.array > 0, 29, 0).astype(np.uint8)
    (level,) = divide(shot, vertebrae=replace(shot.vertebrae, array=alone), bodies=False)
    assert level.body is None
    assert level.reasons[BODY_CORE_4.id, Region.BODY] is Reason.NO_BODY
    assert level.reasons[AXIAL_ROI.id, Region.TRABECULAR] is Reason.NO_BODY
    assert (VERTEBRA_CORE_3_5.id, Region.TRABECULAR) in level.regions


def test_levels_without_a_voxel_are_left_out(make_vertebra):
    """Absence is the measuring step's to report."""
    assert [lv.level for lv in divide(make_vertebra(0, 0, 1.5), levels=LUMBAR)] == [Level.L3]


def test_other_grids_are_refused(make_vertebra):
    """Nothing is measured by array index across grids."""
    shot, other = make_vertebra(0, 0, 1.5), make_vertebra(0, 0, 3.0)
    with pytest.raises(GeometryError, match="grid"):
        divide(shot, vertebrae=other.vertebrae)


def test_a_shared_body_label_leaves_neighbours_their_bodies(make_vertebra):
    """In the vertebrae_body task all bodies are one label: another level's voxels do not count."""
    shot = make_vertebra(0, 0, 1.5)
    box = (slice(None), slice(None), slice(None))
    labels = shot.vertebrae.array.copy()
    labels[:, :, : labels.shape[2] // 2][labels[:, :, : labels.shape[2] // 2] == 29] = 28
    mask = body_mask_of(shot.body_and_discs, Level.L3, box, labels, 29)
    assert not (mask & (labels == 28)).any()
    assert mask.any()


def test_the_label_map_gives_every_region_back(make_vertebra):
    """Unions of labels are exactly the regions that were measured."""
    shot = make_vertebra(10, 0, 1.5)
    (level,) = divide(shot)
    labels = label_compartments([level], shot.ct.geometry)
    inside = labels.array[level.box]
    for (protocol, region), mask in level.regions.items():
        if region is Region.TRABECULAR:
            ids = [i for i, s in labels.structures.items() if f"{protocol} trabecular" in s.name]
            assert np.array_equal(np.isin(inside, ids), mask)
    bodies = [i for i, s in labels.structures.items() if s.name.startswith("L3 body")]
    assert np.array_equal(np.isin(inside, bodies), level.body)
    assert np.array_equal(inside > 0, level.vertebra)
    assert set(np.unique(labels.array)) - {0} == set(labels.structures)


def test_label_integers_are_the_same_in_every_case(make_vertebra):
    """A reader may rely on an integer across cases: level × 32 + bits."""
    names = {}
    for tilt in (0, 10):
        (level,) = divide(make_vertebra(tilt, 0, 1.5))
        grid = make_vertebra(tilt, 0, 1.5).ct.geometry
        for label, structure in label_compartments([level], grid).structures.items():
            assert names.setdefault(label, structure.name) == structure.name
            assert label // 32 - 1 == Level.L3.order
