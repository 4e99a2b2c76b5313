"""Dense and lucent foci: every limit from both sides, in cores that are known to the voxel."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.anatomy import Level, Part
from osteoct.config import AnalysisConfig
from osteoct.io.labels import read_labels
from osteoct.io.volume import read_volume
from osteoct.phantom.acquisition import scan
from osteoct.phantom.defects import cement, sclerosis
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.spine import BoneMake, lumbar_spine
from osteoct.pipeline import analyze_volumes
from osteoct.quality import foci
from osteoct.quality.foci import (
    DENSE_ABOVE_HU,
    FOREIGN_HU,
    FOREIGN_VOLUME_MM3,
    LEAST_VOLUME_MM3,
    LEAST_VOXELS,
    LUCENT_BELOW_HU,
    SHIFT_LIMIT,
    SPREADS,
    check_foci,
    find_foci,
)
from osteoct.quality.outliers import check_outliers
from osteoct.records import Severity

CODES = ("dense-focus", "lucent-focus", "dense-material")


@pytest.fixture
def _sharp(monkeypatch):
    """Without smoothing a focus is exactly the voxels that were set."""
    monkeypatch.setattr(foci, "SMOOTHING_MM", 1e-6)


def core_with(focus_hu, voxels=200, base=100.0):
    """A core of 16³ voxels with a focus of so many, in one piece."""
    hu = np.full((16, 16, 16), base)
    flat = np.zeros((10, 10, 10), dtype=bool).reshape(-1)
    flat[:voxels] = True
    hu[2:12, 2:12, 2:12][flat.reshape(10, 10, 10)] = focus_hu
    return hu


@pytest.mark.usefixtures("_sharp")
@pytest.mark.parametrize(
    ("hu", "code"),
    [
        (100.0, None),
        (100.0 + DENSE_ABOVE_HU, None),
        (100.0 + DENSE_ABOVE_HU + 0.5, "dense-focus"),
        (100.0 - LUCENT_BELOW_HU, None),
        (100.0 - LUCENT_BELOW_HU - 0.5, "lucent-focus"),
    ],
)
def test_contrast_of_a_focus(block_core, hu, code):
    """Exactly at the limit it is bone like the rest."""
    found = check_foci([block_core(core_with(hu))])
    assert [f.code for f in found] == ([] if code is None else [code])


@pytest.mark.usefixtures("_sharp")
@pytest.mark.parametrize(
    ("voxels", "fires"), [(LEAST_VOLUME_MM3, True), (LEAST_VOLUME_MM3 - 1, False)]
)
def test_least_volume(block_core, voxels, fires):
    """1 mm³ per voxel: the limit itself counts."""
    found = find_foci(block_core(core_with(500.0, int(voxels))), base_hu=100.0)
    assert [round(f.volume_mm3) for f in found] == ([100] if fires else [])


@pytest.mark.usefixtures("_sharp")
@pytest.mark.parametrize(("voxels", "fires"), [(LEAST_VOXELS, True), (LEAST_VOXELS - 1, False)])
def test_least_voxels(block_core, voxels, fires):
    """Large voxels alone make no volume: of 5 mm slices it takes three."""
    core = block_core(core_with(500.0, voxels), spacing=(3.0, 3.0, 5.0))
    assert bool(find_foci(core, base_hu=100.0)) is fires


@pytest.mark.usefixtures("_sharp")
def test_coarse_bone_has_no_focus(block_core):
    """Where bone itself spreads by 60 HU, a focus must stand out from that."""
    rng = np.random.default_rng(3)
    base = rng.normal(250, 60, (16, 16, 16))
    for above, fires in ((SPREADS * 60 - 60, False), (SPREADS * 60 + 60, True)):
        hu = base.copy()
        hu[3:9, 3:9, 3:9] = 250 + above
        assert bool(find_foci(block_core(hu), base_hu=250.0)) is fires


@pytest.mark.usefixtures("_sharp")
@pytest.mark.parametrize(("extra", "severity"), [(-1.0, Severity.INFO), (1.0, Severity.WARNING)])
def test_a_focus_warns_where_it_moves_the_mean(block_core, extra, severity):
    """At 4.7 % of the mean without it: n voxels of h among N of 100 move it by n·(h−100)/N."""
    share = 120 / 16**3
    hu = 100 + SHIFT_LIMIT * 100 / share + extra
    (finding,) = check_foci([block_core(core_with(hu, 120))])
    assert finding.severity is severity
    assert finding.evidence["shift_hu"] == pytest.approx(share * (hu - 100), rel=1e-4)


@pytest.mark.usefixtures("_sharp")
@pytest.mark.parametrize(
    ("hu", "voxels", "code"),
    [
        (FOREIGN_HU + 1, FOREIGN_VOLUME_MM3, "dense-material"),
        (FOREIGN_HU + 1, FOREIGN_VOLUME_MM3 - 1, "dense-focus"),
        (FOREIGN_HU, FOREIGN_VOLUME_MM3, "dense-focus"),
    ],
)
def test_a_filled_core_blocks(block_core, hu, voxels, code):
    """Cement, by density and volume; both limits."""
    (finding,) = check_foci([block_core(core_with(hu, int(voxels)))])
    assert finding.code == code
    assert (finding.severity is Severity.BLOCKING) == (code == "dense-material")


@pytest.mark.parametrize("spacing", [(0.6, 0.6, 0.6), (0.9, 0.9, 5.0), (3.0, 3.0, 3.0)])
@pytest.mark.parametrize("codes", ["RAS", "LPS", "PIR"])
def test_place_and_volume_in_any_grid(block_core, spacing, codes):
    """A block of 12 mm at a known place is found there, with noise, whatever grid and axes."""
    shape = [round(30 / s) for s in spacing]
    hu = np.random.default_rng(5).normal(120, 15, shape)
    parts = [slice(round(3 / s), round(15 / s)) for s in spacing]
    hu[tuple(parts)] = 500
    core = block_core(hu, spacing=spacing, codes=codes)
    (finding,) = check_foci([core])
    count = np.prod([p.stop - p.start for p in parts])
    assert finding.evidence["volume_mm3"] == pytest.approx(count * np.prod(spacing), rel=0.25)
    margin = np.array([np.ceil(4 / s) for s in spacing])
    centre = (np.array([(p.start + p.stop - 1) / 2 for p in parts]) + margin) * spacing
    assert finding.place_mm == pytest.approx(tuple(centre), abs=2.5)


def test_a_lucent_focus_where_the_vein_enters_is_only_told(block_core):
    """Behind and in the middle it is the basivertebral vein; in front it is not."""
    for parts, severity in (
        ((slice(8, 16), slice(1, 9), slice(8, 16)), Severity.INFO),
        ((slice(8, 16), slice(15, 23), slice(8, 16)), Severity.WARNING),
    ):
        hu = np.full((24, 24, 24), 150.0)
        hu[parts] = -120
        (finding,) = check_foci([block_core(hu)])
        assert (finding.code, finding.severity) == ("lucent-focus", severity)
        assert ("vein" in finding.message) == (severity is Severity.INFO)


def test_noise_and_shell_are_no_focus(block_core):
    """Thirty cores of 25 HU noise inside a shell of 600: none."""
    rng = np.random.default_rng(7)
    cores = [block_core(rng.normal(90, 25, (20, 20, 16))) for _ in range(30)]
    assert check_foci(cores) == ()


def phantom_findings(phantom, slice_mm=1.5):
    scanner = Scanner(pixel_mm=1.2, slice_mm=slice_mm, noise_sd_hu=15.0, fine_step_mm=0.7)
    shot = scan(phantom, scanner)
    config = AnalysisConfig(levels=tuple(v.level for v in phantom.vertebrae))
    result = analyze_volumes(shot.ct, shot.vertebrae, bodies=shot.bodies, config=config).result
    return [f for f in result.findings if f.code in CODES]


@pytest.mark.parametrize("slice_mm", [1.5, 5.0])
def test_cement_and_sclerosis_of_the_phantoms(slice_mm):
    """The ordered defect is found at its place, at 5 mm too, where it fills most of the core."""
    levels = (Level.L2, Level.L3, Level.L4)
    sound = lumbar_spine(BoneMake(), levels=levels, has_sacrum=False, has_t12=False)
    assert phantom_findings(sound, slice_mm) == []
    (dense,) = phantom_findings(sclerosis(sound, Level.L3), slice_mm)
    assert (dense.code, dense.level) == ("dense-focus", Level.L3)
    assert dense.severity is Severity.WARNING
    vertebra = sound.vertebra(Level.L3)
    front = vertebra.body.section.middle_mm + 4.0
    centre = vertebra.frame.to_patient(np.array([3.0, front, 2.0]))
    assert np.linalg.norm(np.array(dense.place_mm) - centre) < 4
    (filled,) = phantom_findings(cement(sound, Level.L3), slice_mm)
    assert (filled.code, filled.severity) == ("dense-material", Severity.BLOCKING)


def test_the_vein_of_the_phantom_does_not_warn():
    """A basivertebral vein channel in every body: told at most."""
    bone = BoneMake(shell_mm=1.0, has_vein=True)
    phantom = lumbar_spine(bone, levels=(Level.L3,), has_sacrum=False, has_t12=False)
    found = phantom_findings(phantom)
    assert {f.severity for f in found} <= {Severity.INFO}


def test_the_dense_spot_of_the_real_example_is_named(shared_data):
    """At the upper end plate of L1, 771 HU, and nowhere else; nothing blocks."""
    folder = shared_data / "ts-example"
    bodies = read_labels(folder / "vertebrae_pp_refined.nii.gz", part=Part.BODY)
    result = analyze_volumes(
        read_volume(folder / "ct.nii.gz"),
        read_labels(folder / "total_vertebrae.nii.gz"),
        bodies=bodies,
    ).result
    (finding,) = [f for f in result.findings if f.code in CODES]
    assert (finding.code, finding.level) == ("dense-focus", Level.L1)
    assert "771 at most" in finding.message
    assert not [f for f in result.findings if f.severity is Severity.BLOCKING]


@pytest.mark.usefixtures("_sharp")
@pytest.mark.parametrize(("others", "fires"), [(123.9, True), (124.0, False)])
def test_a_core_that_is_mostly_changed_is_compared_with_its_neighbours(block_core, others, fires):
    """Two thirds of a core at 250 HU: its own median would hide them; the limit is 126 above."""
    hu = np.full((12, 12, 12), 90.0)
    hu[:8] = 250.0
    near = [block_core(np.full((12, 12, 12), others), level=lv) for lv in (Level.L2, Level.L4)]
    found = check_foci([block_core(hu), *near])
    assert any(f.code == "dense-focus" for f in found) is fires


@pytest.mark.usefixtures("_sharp")
@pytest.mark.parametrize(("rows", "codes"), [(8, ["lucent-focus"]), (9, []), (10, [])])
def test_a_lucent_core_as_a_whole_is_no_focus(block_core, rows, codes):
    """From nine tenths on it is the level that departs, and that check says so alone."""
    hu = np.full((10, 10, 10), 150.0)
    hu[:rows] = 40.0
    even = np.full((10, 10, 10), 150.0)
    levels = (Level.L1, Level.L2, Level.L4, Level.L5)
    others = [block_core(even, level=level) for level in levels]
    cores = [*others, block_core(hu, level=Level.L3)]
    assert [f.code for f in check_foci(cores) if f.level is Level.L3] == codes
    assert [f.level for f in check_outliers(cores)] == [Level.L3]
