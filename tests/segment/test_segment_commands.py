"""``segment``, ``segmenters`` and ``analyze`` without masks, as a user calls them."""

from __future__ import annotations

import json
from importlib.util import find_spec

import pytest
from click.testing import CliRunner

from osteoct.cli import main
from osteoct.cli.segmenter_options import choose_segmenter
from osteoct.io.nifti import write_ct
from osteoct.io.tissues import read_tissues

HAS_PACKAGE = find_spec("totalsegmentator") is not None


def call(*args):
    """Exit code, standard output, standard error."""
    result = CliRunner().invoke(main, [str(a) for a in args], prog_name="osteoct")
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def ct(coarse_spine, tmp_path_factory):
    """The coarse spine on the disk."""
    path = tmp_path_factory.mktemp("ct") / "ct.nii.gz"
    write_ct(coarse_spine.ct, path)
    return path


def test_segment_writes_what_analyze_reads(plugin, ct, tmp_path):
    """Segment then analyse equals analyse alone: the same numbers from both ways."""
    masks, bodies = tmp_path / "m.nii.gz", tmp_path / "b.nii.gz"
    code, out, said = call(*("segment", ct, "-o", masks, "--bodies", bodies, "--segmenter", plugin))
    assert (code, out) == (0, "")
    assert str(masks) in said
    two = tmp_path / "two"
    assert call("analyze", ct, "--masks", masks, "--body-masks", bodies, "-o", two)[0] == 0
    one = tmp_path / "one"
    assert call("analyze", ct, "--segmenter", plugin, "-o", one)[0] == 0
    cases = [json.loads((f / "case.json").read_text(encoding="utf-8")) for f in (one, two)]
    assert cases[0]["levels"] == cases[1]["levels"]
    assert cases[0]["levels"][0]["body_source"] == "mask"
    assert cases[0]["provenance"]["segmenter"]["name"] == plugin
    assert cases[1]["provenance"]["segmenter"] is None
    assert "[segmenter]" in (one / "run.toml").read_text(encoding="utf-8")
    assert "[segmenter]" not in (two / "run.toml").read_text(encoding="utf-8")


def test_ribs_and_sacrum_go_through_the_tissues_file(plugin, nearest_hu, coarse_spine, tmp_path):
    """Written by segment, read by analyze, counted from; the same as where both are one command."""
    assert plugin
    ct, masks, tissues = (tmp_path / f"{name}.nii.gz" for name in ("ct", "m", "t"))
    write_ct(nearest_hu.paint_tissues(coarse_spine), ct)
    by = ("--segmenter", "nearest-hu-tissues")
    assert call("segment", ct, "-o", masks, "--tissues", tissues, *by)[0] == 0
    names = {s.name for s in read_tissues(tissues).structures.values()}
    assert names == {"sacrum", "aorta", "rib_left_12"}
    one, two, without = (tmp_path / name for name in ("one", "two", "without"))
    given = ("--masks", masks, "--levels", "L1,L5")
    assert call("analyze", ct, *given, "--tissues", tissues, "-o", two)[0] == 0
    assert call("analyze", ct, *by, "--with-tissues", "--levels", "L1,L5", "-o", one)[0] == 0
    assert call("analyze", ct, *given, "-o", without)[0] == 0
    made, read, bare = (
        json.loads((f / "case.json").read_text(encoding="utf-8"))["numbering"]
        for f in (one, two, without)
    )
    assert {a["kind"]: a["named"] for a in read["anchors"]} == {"sacrum": "L5", "ribs": "T12"}
    assert made == read
    assert [a["kind"] for a in bare["anchors"]] == ["sacrum"]


def test_organs_of_the_phase_need_a_place(plugin, ct, tmp_path):
    """They are part of the tissues: without a file for those there is nothing to put them into."""
    asked = ("-o", tmp_path / "m.nii.gz", "--segmenter", plugin, "--phase-organs")
    code, _, said = call("segment", ct, *asked)
    assert code == 2
    assert "--tissues" in said


def test_segment_replaces_nothing_unasked(plugin, ct, tmp_path):
    """Found out before anything is computed."""
    masks = tmp_path / "m.nii.gz"
    masks.write_text("mine")
    code, _, said = call("segment", ct, "-o", masks, "--segmenter", plugin)
    assert code == 2
    assert "--overwrite" in said
    assert masks.read_text() == "mine"
    assert call("segment", ct, "-o", masks, "--segmenter", plugin, "--overwrite")[0] == 0
    assert masks.read_bytes()[:2] == b"\x1f\x8b"


@pytest.mark.parametrize("name", ["m.nii", "m.txt", "no-folder/m.nii.gz"])
def test_segment_refuses_places_it_cannot_write(plugin, ct, tmp_path, name):
    """A name that promises another format would be read as that format."""
    code, _, said = call("segment", ct, "-o", tmp_path / name, "--segmenter", plugin)
    assert code in (2, 3)
    assert name in said
    assert not (tmp_path / name).exists()


def test_a_failure_leaves_no_file(plugin, ct, tmp_path):
    """All label maps or none: here the second cannot be written, as its folder is a file's."""
    masks, bodies = tmp_path / "m.nii.gz", tmp_path / "b.nii.gz"
    bodies.mkdir()
    code, _, _ = call("segment", ct, "-o", masks, "--bodies", bodies, "--segmenter", plugin)
    assert code == 2
    assert not masks.exists()


def test_what_a_segmenter_does_not_make_is_said(plugin, ct, tmp_path):
    """Not an empty label map, which would read as: there is no aorta."""
    asked = ("--tissues", tmp_path / "t.nii.gz", "--segmenter", plugin)
    code, _, said = call("segment", ct, "-o", tmp_path / "m.nii.gz", *asked)
    assert code == 3
    assert "no masks of tissues were made" in said
    assert not list(tmp_path.glob("*.nii.gz"))


def test_masks_and_a_segmenter_exclude_each_other(plugin, ct, tmp_path):
    """One of the two would be ignored in silence."""
    for extra in (("--segmenter", plugin), ("--device", "cpu"), ("--quality", "fast")):
        code, _, said = call("analyze", ct, "--masks", ct, *extra, "-o", tmp_path / "out")
        assert code == 2
        assert "--masks" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["analyze", "segment"])
def test_unusable_choices_are_usage_errors(ct, tmp_path, command):
    """Unknown names, and masks of bodies without masks of vertebrae."""
    out = tmp_path / "out.nii.gz"
    for extra in (("--segmenter", "nobody"), ("--device", "tpu"), ("--segmenter", "precomputed")):
        assert call(command, ct, "-o", out, *extra)[0] == 2
    if command == "analyze":
        assert call(command, ct, "-o", out, "--body-masks", ct)[0] == 2
    assert not out.exists()


def test_a_time_limit_reaches_the_segmenter_in_seconds(plugin, ct, tmp_path):
    """Minutes on the command line; none is no limit, and nothing is no time to work in."""
    asked = dict.fromkeys(("segmenter", "device", "quality", "model", "level_map", "time_limit"))
    asked["segmenter"] = plugin
    assert choose_segmenter(asked).options.limit_s is None
    assert choose_segmenter({**asked, "time_limit": 1.5}).options.limit_s == 90.0
    out = tmp_path / "out.nii.gz"
    assert call("segment", ct, "-o", out, "--segmenter", plugin, "--time-limit", "0")[0] == 2
    assert call("segment", ct, "-o", out, "--segmenter", plugin, "--time-limit", "1")[0] == 0


@pytest.mark.skipif(HAS_PACKAGE, reason="TotalSegmentator is installed here")
@pytest.mark.parametrize("command", ["analyze", "segment"])
def test_without_the_package_the_message_says_how_to_get_it(ct, tmp_path, command):
    """The default's first contact with a new user: exit code 4, before the CT is read."""
    code, _, said = call(command, ct, "-o", tmp_path / "out.nii.gz")
    assert code == 4
    assert "pip install 'osteoct[totalsegmentator]'" in said
    assert "torch==" in said
    assert not (tmp_path / "out.nii.gz").exists()


def test_segmenters_are_listed_with_what_they_lack(plugin):
    """For people, and for programs."""
    code, out, _ = call("segmenters", "--json")
    assert code == 0
    rows = {row["id"]: row for row in json.loads(out)}
    assert rows["totalsegmentator"]["is_installed"] is HAS_PACKAGE
    assert "missing" in rows["totalsegmentator"]["weights"]["best"]
    assert rows["totalsegmentator"]["licence"].startswith("Apache-2.0")
    assert rows["totalsegmentator"]["hint"]
    assert rows["precomputed"]["is_installed"]
    assert rows[plugin]["version"] == "1"
    code, out, _ = call("segmenters")
    assert code == 0
    assert "totalsegmentator" in out
