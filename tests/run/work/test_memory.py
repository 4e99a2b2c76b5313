"""Memory is estimated on the safe side, and measured."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from osteoct.run.work.memory import expected_mib, peak_mib, reset_peak


def test_the_estimate_is_above_what_was_measured() -> None:
    """Peaks of ``benchmarks/worker_memory.py``, by slices of 512 x 512."""
    for slices, measured in ((100, 323), (300, 559), (600, 879), (800, 1087)):
        assert expected_mib(512 * 512 * slices) > measured


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can begin to measure anew")
def test_a_peak_is_seen_and_forgotten() -> None:
    """Each case has its own peak, not that of the largest before it."""
    reset_peak()
    before = peak_mib()
    eaten = np.ones(64 * 1024 * 1024 // 8)
    assert peak_mib() - before == pytest.approx(64, abs=8)
    del eaten
    reset_peak()
    assert peak_mib() < before + 16
