"""The first command a newcomer runs: it works in an empty folder and its numbers are true."""

from __future__ import annotations

import re

import pytest

CORE_HU = 3.0
HEIGHT_MM = 1.0
"""What the front page promises of the demo."""

ROW = re.compile(r"^L[1-5]( +[+-]\d+\.\d){8}$", re.MULTILINE)


@pytest.mark.slow
def test_demo_from_an_empty_folder(spawn, tmp_path):
    """Table and errors are printed, the report exists, a second run asks before it replaces."""
    told = spawn("demo", "-o", "OUT", cwd=tmp_path)
    assert told.code == 0, told.err
    assert [p.name for p in tmp_path.iterdir()] == ["OUT"]
    assert "mean HU per protocol and region, heights in mm" in told.out
    rows = [match.group().split() for match in ROW.finditer(told.out)]
    assert [row[0] for row in rows] == ["L1", "L2", "L3", "L4", "L5"]
    for row in rows:
        core, ellipse, _, _, *heights, _ = map(float, row[1:])
        assert abs(core) <= CORE_HU
        assert abs(ellipse) <= CORE_HU
        assert max(map(abs, heights)) <= HEIGHT_MM
    assert told.said[-1] == "Report: OUT/report.html"
    assert (tmp_path / "OUT" / "report.html").stat().st_size > 10_000
    assert len(list((tmp_path / "OUT" / "phantom" / "ct-dicom").iterdir())) > 100

    again = spawn("demo", "-o", "OUT", cwd=tmp_path)
    assert again.code == 2
    assert again.out == ""
    assert "exists already" in again.said[-1]

    (tmp_path / "OUT" / "mark").write_text("of the first")
    assert spawn("demo", "-o", "OUT", "--overwrite", cwd=tmp_path).code == 0
    assert not (tmp_path / "OUT" / "mark").exists()
