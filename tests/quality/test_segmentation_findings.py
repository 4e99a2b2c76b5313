"""Findings about masks: each with a case in which it fires and one in which it does not."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.anatomy import Level
from osteoct.compartments.level import LevelCompartments
from osteoct.geometry import Geometry
from osteoct.quality.reference_sizes import SOURCE, volume_range_cm3
from osteoct.quality.segmentation import (
    LEAST_BODY_CERTAINTY,
    NEIGHBOUR_RATIO,
    VOLUME_RANGE_CM3,
    check_body,
    check_fragments,
    check_neighbours,
    check_order,
    check_presence,
    check_segmentation,
    check_volume,
)
from osteoct.records import BodySource, Reason, Severity

SIDE_MM = 40.0


def block(name: str, *, volume_cm3: float = 64.0, z_mm: float = 0.0, **fields) -> LevelCompartments:
    """A level that is a full box of a given volume, its lower corner at a given height."""
    voxel_mm = (volume_cm3 * 1000) ** (1 / 3) / 20
    geometry = Geometry.from_spacing((20, 20, 20), (voxel_mm,) * 3, (0.0, 0.0, z_mm))
    mask = np.ones((20, 20, 20), dtype=bool)
    return LevelCompartments(
        **{
            "level": Level[name],
            "box": (slice(0, 20),) * 3,
            "geometry": geometry,
            "vertebra": mask,
            "body": mask,
            "body_source": BodySource.MASK,
            "body_certainty": 1.0,
            "excluded": np.zeros_like(mask),
            **fields,
        }
    )


CUT = {("body-core-4", "body"): Reason.CUT_BY_BORDER}


def column(*names: str) -> list[LevelCompartments]:
    """Levels one below the other in the order given."""
    return [block(name, z_mm=-SIDE_MM * n) for n, name in enumerate(names)]


def codes(findings) -> list[str]:
    return [f.code for f in findings]


def test_a_sound_column_has_no_finding():
    """Five whole levels in order."""
    levels = column("L1", "L2", "L3", "L4", "L5")
    assert check_segmentation([lv.level for lv in levels], levels) == ()


def test_absent_level():
    """A level asked for and not there is named."""
    assert check_presence(Level.L2, {}).level is Level.L2
    assert check_presence(Level.L2, {Level.L2: block("L2")}) is None


def test_cut_level_is_not_accused_twice():
    """A cut level is not also called too small or without a body."""
    cut = block("L1", volume_cm3=5.0, reasons=CUT, body=None)
    assert check_volume(cut) is None
    assert check_body(cut) is None


@pytest.mark.parametrize(
    ("stray_voxels", "severity"), [(0, None), (50, None), (120, "warning"), (1200, "blocking")]
)
def test_fragments(stray_voxels, severity):
    """One per cent outside the largest part is doubted, ten per cent is not believed."""
    mask = np.zeros((30, 30, 30), dtype=bool)
    mask[:20, :20, :20] = True
    stray = np.zeros((30, 30), dtype=bool)
    stray.flat[:stray_voxels] = True
    mask[:, :, 25] |= stray[:30]
    mask[:, :, 26] |= stray[:30] & (stray_voxels > 900)
    if stray_voxels > 900:
        mask[:10, :, 27] = True
    found = check_fragments(
        block("L1", vertebra=mask, geometry=Geometry.from_spacing(mask.shape, (1, 1, 1)))
    )
    assert (found and found.severity) == severity


@pytest.mark.parametrize("limit", VOLUME_RANGE_CM3)
def test_volume_at_its_limits(limit):
    """The range ends at its values; other regions of the spine have other sizes."""
    outward = 0.99 if limit == VOLUME_RANGE_CM3[0] else 1.01
    assert check_volume(block("L3", volume_cm3=limit / outward)).severity is Severity.WARNING
    assert check_volume(block("L3", volume_cm3=limit * outward)).severity is Severity.BLOCKING
    assert check_volume(block("T5", volume_cm3=limit * outward)) is None


@pytest.mark.parametrize("name", ["L1", "L2", "L3", "L4", "L5"])
def test_an_unusual_volume_is_a_warning(name):
    """Outside the range of the sample, on either side; L6 has no range there."""
    usual = volume_range_cm3(Level[name])
    for limit, outward in ((usual.low, 0.999), (usual.high, 1.001)):
        assert check_volume(block(name, volume_cm3=limit / outward)) is None
        found = check_volume(block(name, volume_cm3=limit * outward))
        assert (found.code, found.severity) == ("implausible-volume", Severity.WARNING)
        assert found.evidence["source"] == SOURCE
        assert check_volume(block("L6", volume_cm3=limit * outward)) is None


def test_volume_jump_between_neighbours():
    """A merged label is larger than its neighbour; only neighbours are compared."""
    small, large = block("L2", volume_cm3=40), block("L3", volume_cm3=40 * NEIGHBOUR_RATIO * 1.01)
    (finding,) = check_neighbours([small, large])
    assert (finding.code, finding.level) == ("volume-jump", Level.L3)
    assert check_neighbours([small, block("L3", volume_cm3=40 * NEIGHBOUR_RATIO * 0.99)]) == ()
    assert check_neighbours([small, block("L4", volume_cm3=100)]) == ()


def test_body_findings():
    """Absent, estimated, and at odds with the vertebra."""
    assert check_body(block("L1", body=None)).code == "no-body"
    estimated = block("L1", body_source=BodySource.GEOMETRY, body_certainty=0.8)
    assert check_body(estimated).severity is Severity.INFO
    assert check_body(block("L1", body_certainty=LEAST_BODY_CERTAINTY)) is None
    doubtful = check_body(block("L1", body_certainty=LEAST_BODY_CERTAINTY - 0.01))
    assert doubtful.code == "body-mask-disagrees"


def test_swapped_labels_block_the_case():
    """Two exchanged labels: no name can be trusted."""
    finding = check_order(column("L1", "L3", "L2", "L4"))
    assert (finding.code, finding.severity, finding.level) == (
        "labels-out-of-order",
        Severity.BLOCKING,
        None,
    )
    assert check_order(column("L1", "L2", "L4")) is None
