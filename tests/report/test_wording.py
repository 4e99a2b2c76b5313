"""Numbers and names as people write them."""

from __future__ import annotations

import pytest

from osteoct.anatomy import Level, name_levels
from osteoct.protocols import PROTOCOLS
from osteoct.records import GridRecord, Phase, Reason, Severity, Verdict
from osteoct.report.wording import (
    PHASES,
    REASONS,
    SEVERITIES,
    VERDICTS,
    explain_depth,
    format_number,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [(128.44, "128.4"), (-12.36, "−12.4"), (-0.04, "0.0"), (0.0, "0.0"), (None, "–")],
)
def test_numbers(value, text):
    """A measured zero is a number, an absent one is a dash; minus zero is nothing anyone reads."""
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("levels", "text"),
    [
        ("L1 L2 L3 L4 L5", "L1–L5"),
        ("L1 L2 L4", "L1, L2, L4"),
        ("T12 L1", "T12, L1"),
        ("T11 T12 L1 L2", "T11, T12, L1, L2"),
        ("L5 L4 L3", "L3–L5"),
        ("", ""),
    ],
)
def test_levels(levels, text):
    """T13 lies between T12 and L1 in the order of names, so a run never silently spans it."""
    assert name_levels([Level[name] for name in levels.split()]) == text


def test_every_code_has_words():
    """A code added to a record without words would break a page on the day it first occurs."""
    for words, codes in (
        (REASONS, Reason),
        (SEVERITIES, Severity),
        (VERDICTS, Verdict),
        (PHASES, Phase),
    ):
        assert set(words) == set(codes)


def test_depth_names_millimetres_and_voxels():
    """Cortical HU mean nothing without both."""
    grid = GridRecord(shape=(2, 2, 2), spacing_mm=(0.9, 0.9, 1.5), axis_codes="RAS")
    text = explain_depth(PROTOCOLS["vertebra-core-3.5"], grid)
    assert text == "depth ≤ 3.5 mm, voxels 0.9 × 0.9 × 1.5 mm"
