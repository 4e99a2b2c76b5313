"""Whole columns: clean ones keep their levels, one compressed body stands out, a real one too."""

from __future__ import annotations

from functools import lru_cache

import pytest

from osteoct.anatomy import LUMBAR, Level, Part
from osteoct.config import AnalysisConfig
from osteoct.io.labels import read_labels
from osteoct.io.volume import read_volume
from osteoct.phantom.acquisition import scan
from osteoct.phantom.defects import biconcave_fracture, crush_fracture, wedge_fracture
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.spine import BoneMake, lumbar_spine
from osteoct.pipeline import analyze_volumes
from osteoct.records import HeightSource, Severity

CODES = ("height-loss", "height-loss-possible")
MAKERS = {"wedge": wedge_fracture, "biconcave": biconcave_fracture, "crush": crush_fracture}


@lru_cache(maxsize=4)
def analyse(slice_mm, *, core_hu=150.0, noise=0.0, shape="", loss=0.0, level=Level.L3):
    """A lumbar spine in an abdomen, with one body that lost height if ordered."""
    phantom = lumbar_spine(BoneMake(dish_mm=1.0, other_trabecular_hu=core_hu))
    if shape:
        phantom = MAKERS[shape](phantom, level, height_loss=loss)
    shot = scan(phantom, Scanner(pixel_mm=1.0, slice_mm=slice_mm, noise_sd_hu=noise))
    return analyze_volumes(shot.ct, shot.vertebrae, bodies=shot.bodies).result


def losses(result):
    return [f for f in result.findings if f.code in CODES]


@pytest.mark.parametrize(
    ("slice_mm", "core_hu", "noise"), [(1.0, 150.0, 0.0), (3.0, 60.0, 25.0), (5.0, 150.0, 25.0)]
)
def test_a_clean_column_has_no_loss(slice_mm, core_hu, noise):
    """Seen elsewhere: four of five normal levels were flagged."""
    result = analyse(slice_mm, core_hu=core_hu, noise=noise)
    assert losses(result) == []
    assert all(lv.morphometry.grade == 0 for lv in result.levels)
    assert all(0.9 < lv.morphometry.crush_ratio < 1.1 for lv in result.levels)


@pytest.mark.parametrize("shape", MAKERS)
def test_one_compressed_body_is_named_and_left_out(shape):
    """The right level, its place, and the mean without it; the neighbours stay."""
    result = analyse(1.5, shape=shape, loss=0.45)
    (finding,) = losses(result)
    assert (finding.code, finding.level) == ("height-loss", Level.L3)
    assert finding.place_mm == pytest.approx((0, 0, 0), abs=3.0)
    assert [lv.level for lv in result.levels if not lv.usable] == [Level.L3]
    assert all(Level.L3 not in s.levels_used for s in result.summaries)
    assert result.level(Level.L3).morphometry.deformity == shape


BODY_MASKS = ("vertebrae_body", "vertebrae_pp_refined", None)


@pytest.fixture(scope="module")
def real_example(shared_data):
    """The real CT of 3 mm, with two kinds of body masks and without."""
    folder = shared_data / "ts-example"
    ct = read_volume(folder / "ct.nii.gz")
    masks = read_labels(folder / "total_vertebrae.nii.gz")
    results = {}
    for name in BODY_MASKS:
        bodies = None if name is None else read_labels(folder / f"{name}.nii.gz", part=Part.BODY)
        config = AnalysisConfig(levels=LUMBAR)
        results[name] = analyze_volumes(ct, masks, bodies=bodies, config=config).result
    return results


@pytest.mark.parametrize("bodies", BODY_MASKS)
def test_the_real_example_has_one_possible_loss(real_example, bodies):
    """L1 has a dense spot under a hollow plate: at most possible; the others have nothing."""
    result = real_example[bodies]
    found = losses(result)
    assert {f.level for f in found} <= {Level.L1}
    assert all(f.severity is Severity.WARNING for f in found)
    # the dense spot leaves L1 out by the policy; no height does
    assert all(lv.usable or lv.usability_codes == ("dense-focus",) for lv in result.levels)
    assert result.level(Level.L1).heights.source is HeightSource.MASK
    assert result.level(Level.L2).heights.source is HeightSource.CT


def test_the_real_examples_loss_at_l1_is_seen(real_example):
    """With each of the body masks; possible is not silent."""
    for result in real_example.values():
        (finding,) = losses(result)
        assert finding.code == "height-loss-possible"
        assert 20 <= finding.evidence["height_loss_percent"] <= 30
