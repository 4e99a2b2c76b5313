"""Two segmenters on one CT: what they agree about, and what is found where they do not."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from osteoct.analysis import analyze
from osteoct.anatomy import LUMBAR, Level
from osteoct.cli import main
from osteoct.config import AnalysisConfig
from osteoct.errors import SegmentationError
from osteoct.io.nifti import write_ct, write_labels
from osteoct.pipeline import SecondMasks, analyze_volumes
from osteoct.protocols import BODY_CORE_4, Region
from osteoct.quality import disagreement
from osteoct.quality.disagreement import CODES, HU_LEAST, check_agreement
from osteoct.records import (
    LevelAgreement,
    OneSided,
    RegionAgreement,
    SegmenterRecord,
    Severity,
    Verdict,
)

MADE = SegmenterRecord(name="other", version="1")


def _compare(scan, vertebrae, bodies=None, **config):
    second = SecondMasks(first="masks", vertebrae=vertebrae, bodies=bodies, made_by=MADE)
    return analyze_volumes(
        scan.ct,
        scan.vertebrae,
        bodies=scan.bodies,
        second=second,
        config=AnalysisConfig(**config),
    )


def _codes(case):
    return [f.code for f in case.result.findings if f.code in CODES]


def _moved(labels, voxels, axis):
    """The labels so many voxels further along an array axis."""
    return replace(labels, array=np.roll(labels.array, voxels, axis=axis))


def _renamed(labels, steps):
    """Every vertebra under the name of the one ``steps`` below."""
    order = list(Level)
    structures = {
        n: replace(
            s, level=order[s.level.order + steps], name=f"vertebrae_{order[s.level.order + steps]}"
        )
        if s.level is not None
        else s
        for n, s in labels.structures.items()
        if s.level is None or 0 <= s.level.order + steps < len(order)
    }
    return replace(labels, structures=structures, scheme_id=None)


def test_equal_masks_agree_in_everything(coarse_spine):
    """Exactly: no rounding comes between a mask and itself."""
    case = _compare(coarse_spine, coarse_spine.vertebrae, coarse_spine.bodies)
    agreement = case.result.agreement
    assert [level.level for level in agreement.levels] == list(LUMBAR)
    for level in agreement.levels:
        assert (level.dice, level.body_dice, level.same_place_dice) == (1.0, 1.0, 1.0)
        assert level.same_place == level.level
        assert level.first_volume_cm3 == level.second_volume_cm3 > 0
        assert level.hu
        assert all(region.difference_hu == 0 for region in level.hu)
    assert _codes(case) == []


def test_nothing_else_of_the_result_moves(coarse_spine):
    """The second segmenter is looked at, never measured into the result."""
    alone = analyze_volumes(coarse_spine.ct, coarse_spine.vertebrae, bodies=coarse_spine.bodies)
    both = _compare(coarse_spine, _moved(coarse_spine.vertebrae, 1, 0))
    assert both.result.levels == alone.result.levels
    assert both.result.summaries == alone.result.summaries
    assert alone.result.agreement is None


@pytest.mark.parametrize(("voxels", "axis"), [(1, 0), (2, 1), (1, 2), (4, 0)])
def test_dice_is_that_of_the_voxels(coarse_spine, voxels, axis):
    """Twice the voxels in common over the sum, counted here on the whole arrays."""
    moved = _moved(coarse_spine.vertebrae, voxels, axis)
    agreement = _compare(coarse_spine, moved).result.agreement
    for level in agreement.levels:
        number = next(n for n, s in moved.structures.items() if s.level is level.level)
        one, two = coarse_spine.vertebrae.array == number, moved.array == number
        assert level.dice == pytest.approx(2 * (one & two).sum() / (one.sum() + two.sum()))
        assert level.body_dice is not None


def test_the_axes_of_the_second_masks_do_not_matter(coarse_spine):
    """Two programs write in two orientations."""
    moved = _moved(coarse_spine.vertebrae, 1, 1)
    turned = moved.reoriented("PIR")
    turned = replace(turned, array=np.ascontiguousarray(turned.array))
    one, two = (_compare(coarse_spine, masks).result.agreement for masks in (moved, turned))
    assert one.levels == two.levels


def test_a_column_named_one_level_off_is_blocking(coarse_spine):
    """One of them has miscounted: no name can be trusted, and so no conclusion."""
    case = _compare(coarse_spine, _renamed(coarse_spine.vertebrae, 1))
    found = [f for f in case.result.findings if f.code == "numbering-disagrees"]
    assert {f.level for f in found} == set(LUMBAR)
    assert all(f.severity is Severity.BLOCKING and f.certainty == 1.0 for f in found)
    by_level = {level.level: level for level in case.result.agreement.levels}
    assert by_level[Level.L3].same_place == "L4"
    assert by_level[Level.L3].dice == 0.0
    assert not any(level.usable for level in case.result.levels)
    concluded = {o.verdict for o in case.result.opinions}
    assert not concluded & {Verdict.BELOW, Verdict.ABOVE}


def test_a_level_that_one_of_them_lacks_has_no_dice(coarse_spine):
    """Absent is not 0: the other levels stand."""
    labels = coarse_spine.vertebrae
    number = next(n for n, s in labels.structures.items() if s.level is Level.L2)
    without = replace(labels, array=np.where(labels.array == number, 0, labels.array))
    case = _compare(coarse_spine, without, coarse_spine.bodies)
    level = next(a for a in case.result.agreement.levels if a.level is Level.L2)
    assert (level.dice, level.second_volume_cm3, level.hu) == (None, None, ())
    assert level.reason is OneSided.ONLY_FIRST
    assert _codes(case) == ["level-in-one-only"]
    turned = analyze_volumes(
        coarse_spine.ct,
        without,
        second=SecondMasks(first="masks", vertebrae=labels, made_by=MADE),
    )
    level = next(a for a in turned.result.agreement.levels if a.level is Level.L2)
    assert level.reason is OneSided.ONLY_SECOND
    assert level.first_volume_cm3 is None


def _level(**change):
    """One level in agreement, changed."""
    core = RegionAgreement(
        protocol=BODY_CORE_4.id,
        region=Region.TRABECULAR,
        first_hu=100.0,
        second_hu=100.0,
        difference_hu=0.0,
    )
    values = {
        "level": Level.L1,
        "dice": 1.0,
        "same_place": "L1",
        "same_place_dice": 1.0,
        "hu": (core,),
    }
    return LevelAgreement(**{**values, **change})


def _core(first_hu, difference_hu):
    return (
        RegionAgreement(
            protocol=BODY_CORE_4.id,
            region=Region.TRABECULAR,
            first_hu=first_hu,
            second_hu=first_hu + difference_hu,
            difference_hu=difference_hu,
        ),
    )


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({}, []),
        ({"dice": disagreement.LEAST_DICE}, []),
        ({"dice": disagreement.LEAST_DICE - 1e-9}, ["masks-disagree"]),
        ({"hu": _core(100.0, HU_LEAST)}, []),
        ({"hu": _core(100.0, -HU_LEAST - 1e-9)}, ["hu-disagrees"]),
        ({"hu": _core(250.0, 9.0)}, []),
        ({"hu": _core(250.0, 9.1)}, ["hu-disagrees"]),
        ({"hu": _core(250.0, -9.1)}, ["hu-disagrees"]),
        ({"same_place": "L2", "same_place_dice": 0.5}, []),
        ({"same_place": "L2", "same_place_dice": 0.51}, ["numbering-disagrees"]),
        ({"same_place": "sacrum", "same_place_dice": 0.9, "dice": 0.0}, ["numbering-disagrees"]),
        ({"same_place": None, "same_place_dice": None, "dice": 0.0}, ["masks-disagree"]),
        ({"dice": None, "hu": (), "reason": OneSided.ONLY_FIRST}, ["level-in-one-only"]),
    ],
)
def test_each_limit_fires_beyond_it_and_not_at_it(change, codes):
    """A gate that cannot fire, or fires on everything, is none."""
    found = check_agreement((_level(**change),), (BODY_CORE_4,), second="other")
    assert [f.code for f in found] == codes


class Twice:
    """A segmenter that answers with masks it was given, or with a failure."""

    name = "twice"

    def __init__(self, scan, error=None):
        self.scan, self.error = scan, error

    def describe(self):
        raise NotImplementedError

    def check(self):
        pass

    def segment(self, ct):  # noqa: ARG002 - the interface's signature
        if self.error is not None:
            raise self.error
        from osteoct.segment.interface import Segmentation  # noqa: PLC0415 - beside its use

        return Segmentation(vertebrae=self.scan.vertebrae, bodies=self.scan.bodies, provenance=MADE)


@pytest.fixture
def files(coarse_spine, tmp_path):
    """The spine and its masks on the disk."""
    paths = {name: tmp_path / f"{name}.nii.gz" for name in ("ct", "masks", "bodies")}
    write_ct(coarse_spine.ct, paths["ct"])
    write_labels(coarse_spine.vertebrae, paths["masks"])
    write_labels(coarse_spine.bodies, paths["bodies"])
    return paths


def test_a_second_segmenter_that_fails_costs_only_the_comparison(coarse_spine, files):
    """The first's numbers are there; that nothing confirmed them is said."""
    error = SegmentationError("no vertebrae were found", where="twice")
    result = analyze(files["ct"], files["masks"], second=Twice(coarse_spine, error), case_id="case")
    assert result.agreement is None
    assert result.is_measured
    assert "second-segmenter-failed" in [f.code for f in result.findings]


def call(*args):
    """Exit code, standard output, standard error."""
    result = CliRunner().invoke(main, [str(a) for a in args], prog_name="osteoct")
    return result.exit_code, result.stdout, result.stderr


def test_the_command_compares_masks_with_a_segmenter(plugin, files, tmp_path):
    """From the command line to every file of the result."""
    out = tmp_path / "out"
    masks = ("--masks", files["masks"], "--body-masks", files["bodies"])
    code, _, said = call(
        "analyze", files["ct"], *masks, "--segmenter", f"precomputed,{plugin}", "-o", out
    )
    assert code == 0, said
    case = json.loads((out / "case.json").read_text(encoding="utf-8"))
    assert (case["agreement"]["first"], case["agreement"]["second"]) == ("masks", plugin)
    assert min(level["dice"] for level in case["agreement"]["levels"]) > 0.9
    rows = list(csv.DictReader(io.StringIO((out / "agreement.csv").read_text(encoding="utf-8"))))
    assert {row["level"] for row in rows} == set(LUMBAR)
    assert float(rows[0]["dice"]) == pytest.approx(case["agreement"]["levels"][0]["dice"], abs=1e-4)
    report = (out / "report.html").read_text(encoding="utf-8")
    assert f"Two segmenters: masks and {plugin}" in report


def test_the_masks_may_be_the_second(plugin, files, tmp_path):
    """Then the numbers are the segmenter's."""
    out = tmp_path / "out"
    code, _, said = call(
        *("analyze", files["ct"], "--masks", files["masks"]),
        *("--segmenter", f"{plugin},precomputed", "-o", out),
    )
    assert code == 0, said
    case = json.loads((out / "case.json").read_text(encoding="utf-8"))
    assert (case["agreement"]["first"], case["agreement"]["second"]) == (plugin, "precomputed")
    assert case["provenance"]["segmenter"]["name"] == plugin


@pytest.mark.parametrize(
    ("names", "masks", "says"),
    [
        ("a,b,c", False, "one segmenter, or two different ones"),
        ("{plugin},{plugin}", False, "one segmenter, or two different ones"),
        ("{plugin},", False, "one segmenter, or two different ones"),
        ("{plugin},nothing", False, "unknown segmenter"),
        ("{plugin},totalsegmentator", True, "precomputed,{plugin} compares"),
        ("{plugin},precomputed", False, "needs masks"),
    ],
)
def test_what_cannot_be_compared_is_refused_at_once(plugin, files, tmp_path, names, masks, says):
    """Nothing is computed, nothing is written."""
    given = ("--masks", files["masks"]) if masks else ()
    asked = names.format(plugin=plugin)
    out = tmp_path / "out"
    code, _, said = call("analyze", files["ct"], *given, "--segmenter", asked, "-o", out)
    assert code == 2
    assert says.format(plugin=plugin) in said
    assert not out.exists()


def test_without_a_second_segmenter_there_is_no_comparison(plugin, files, tmp_path):
    """No empty table, no section that says nothing."""
    out = tmp_path / "out"
    assert call("analyze", files["ct"], "--segmenter", plugin, "-o", out)[0] == 0
    assert not (out / "agreement.csv").exists()
    assert "Two segmenters" not in (out / "report.html").read_text(encoding="utf-8")
