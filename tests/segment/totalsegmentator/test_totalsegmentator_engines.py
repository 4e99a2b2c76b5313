"""Models held in memory against the package's own API: the same labels, voxel for voxel.

Both run for real on stand-in weights; phantoms differ in spacing, orientation and field of view.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy import ndimage

from osteoct.anatomy import PHASE_ORGANS, Level, Part
from osteoct.compartments.anchors import look_for_anchors
from osteoct.geometry import Geometry
from osteoct.quality.numbering import find_anchors
from osteoct.records import AnchorKind
from osteoct.segment.interface import Quality, SegmentOptions, held
from osteoct.segment.registry import make_segmenter
from osteoct.volume import CTVolume

pytestmark = [pytest.mark.totalsegmentator, pytest.mark.slow]


@dataclass(frozen=True)
class View:
    """How the spine is looked at: spacing, axes, and the share of each axis that was scanned."""

    pixel_mm: float
    slice_mm: float
    axis_codes: str
    field: tuple[tuple[float, float], ...] = ((0, 1), (0, 1), (0, 1))
    turned_deg: float = 0.0


VIEWS = {
    "isotropic": View(2.0, 2.0, "LPS"),
    "thick slices, other axes": View(1.6, 5.0, "PIR"),
    "cut at the side and below": View(1.7, 2.5, "RAS", ((0.25, 1), (0, 0.9), (0.3, 0.8))),
    "the model's own grid": View(1.5, 1.5, "LPS", ((0, 1), (0, 1), (0.4, 0.9))),
    "oblique": View(2.2, 3.0, "SRP", turned_deg=7.0),
}
LONE_SLICE = View(2.0, 2.0, "LPS", ((0, 1), (0, 1), (0.5, 0.51)))
"""Thinner than half a voxel of the 6 mm model."""


def _look(nearest_hu, view):
    """Scan the spine so; an oblique image keeps its voxels, its axes lie elsewhere."""
    ct = nearest_hu.scan_spine(pixel_mm=view.pixel_mm, slice_mm=view.slice_mm).ct
    ct = ct.reoriented(view.axis_codes)
    array = np.ascontiguousarray(ct.array)
    box = tuple(
        slice(int(low * n), int(high * n))
        for (low, high), n in zip(view.field, array.shape, strict=True)
    )
    affine = ct.geometry.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [part.start for part in box]
    turn = np.radians(view.turned_deg)
    rotation = np.array(
        [[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]]
    )
    affine[:3] = rotation @ affine[:3]
    cut = np.ascontiguousarray(array[box])
    return CTVolume(array=cut, geometry=Geometry(affine=affine, shape=cut.shape))


@pytest.fixture(scope="module")
def environment(weights, tmp_path_factory):
    """The stand-in weights and an empty home, for as long as processes are held."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOTALSEG_WEIGHTS_PATH", str(weights))
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        yield patch


@pytest.fixture(scope="module")
def both(environment, nearest_hu):  # noqa: ARG001 - sets the environment
    """The two engines of each quality, each in a process that stays."""
    made = {}
    with pytest.MonkeyPatch.context():
        for quality in Quality:
            options = SegmentOptions(quality=quality, device="cpu")
            for name in ("totalsegmentator", "totalsegmentator-api"):
                made[name, quality] = make_segmenter(name, options)
        stack = [held(segmenter) for segmenter in made.values()]
        for context in stack:
            context.__enter__()
        yield made
        for context in stack:
            context.__exit__(None, None, None)


@pytest.fixture(autouse=True)
def _weights_again(weights, monkeypatch):
    """Undo what the folder's own fixture says for every test."""
    monkeypatch.setenv("TOTALSEG_WEIGHTS_PATH", str(weights))


def _differing(one, two):
    if one is None or two is None:
        assert one is two
        return 0
    assert dict(one.structures) == dict(two.structures)
    return int((one.array != two.array).sum())


@pytest.mark.parametrize(
    ("view", "quality"),
    [*((view, Quality.BEST) for view in VIEWS), ("isotropic", Quality.FAST)],
)
def test_not_one_voxel_differs(both, nearest_hu, view, quality):
    """The reference is what was published about; the fast way must not be another segmenter."""
    ct = _look(nearest_hu, VIEWS[view])
    reference = both["totalsegmentator-api", quality].segment(ct)
    ours = both["totalsegmentator", quality].segment(ct)
    assert (ours.provenance.engine, reference.provenance.engine) == ("memory", "api")
    assert (reference.vertebrae.array > 0).any()
    assert _differing(ours.vertebrae, reference.vertebrae) == 0
    assert _differing(ours.bodies, reference.bodies) == 0
    assert sum(ours.provenance.patches.values()) == sum(reference.provenance.patches.values()) > 0


def test_a_lone_slice_is_no_exception(both, nearest_hu):
    """At 6 mm nothing of it is left: what the package makes of that is its own affair."""
    ct = _look(nearest_hu, LONE_SLICE)
    assert ct.array.shape[2] == 1
    made = [both[n, Quality.FAST].segment(ct) for n in ("totalsegmentator", "totalsegmentator-api")]
    assert _differing(made[0].vertebrae, made[1].vertebrae) == 0


def test_ten_images_load_each_model_once_and_memory_stays(both, nearest_hu):
    """A worker that grows by a little per CT dies in the night."""
    ct = _look(nearest_hu, VIEWS["isotropic"])
    segmenter = both["totalsegmentator", Quality.FAST]
    made = [segmenter.segment(ct) for _ in range(10)]
    assert all(_differing(made[0].vertebrae, m.vertebrae) == 0 for m in made)
    peaks = [m.provenance.peak_memory_mb for m in made]
    assert peaks[0] is None or peaks[9] <= peaks[1] * 1.03
    loads = [m.provenance.seconds["load"] for m in made]
    assert loads[1:] == [0.0] * 9


def test_tissues_are_found_where_asked(environment, nearest_hu):  # noqa: ARG001 - sets the environment
    """A vessel, the last ribs and the sacrum, known to the coarse stand-ins by their HU."""
    ct = nearest_hu.paint_tissues(nearest_hu.scan_spine(pixel_mm=2.0, slice_mm=2.0))
    options = SegmentOptions(
        quality=Quality.FAST, device="cpu", with_tissues=True, with_phase_organs=True
    )
    segmenter = make_segmenter("totalsegmentator", options)
    made = segmenter.segment(ct)
    tissues, array = made.tissues, ct.array
    assert tissues is not None
    assert all(s.part is Part.OTHER for s in tissues.structures.values())
    numbers = {s.name: n for n, s in tissues.structures.items()}
    assert set(PHASE_ORGANS) <= set(numbers)  # looked for, and not there
    found, truth = tissues.array == numbers["aorta"], array == nearest_hu.AORTA_HU
    assert 2 * (found & truth).sum() / (found.sum() + truth.sum()) > 0.8
    for bone in ("rib_left_12", "sacrum"):
        assert (tissues.array == numbers[bone]).any()
    anchors = find_anchors(look_for_anchors(made.vertebrae, tissues))
    assert {a.kind: a.named for a in anchors}[AnchorKind.RIBS] is Level.T12
    core = ndimage.binary_erosion(found, iterations=2)
    assert abs(array[core].mean() - nearest_hu.AORTA_HU) < 1
    assert (made.vertebrae.array > 0).any()
