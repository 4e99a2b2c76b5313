"""Phantom vertebrae that several tests look at."""

from __future__ import annotations

from functools import lru_cache

import pytest

from osteoct.anatomy import Level
from osteoct.phantom.acquisition import PhantomScan, scan
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.spine import single_vertebra


@lru_cache(maxsize=32)
def vertebra_scan(
    tilt_deg: float = 0.0,
    lateral_tilt_deg: float = 0.0,
    slice_mm: float = 1.5,
    pixel_mm: float = 1.0,
) -> PhantomScan:
    """One noise-free L3 with the given lean."""
    phantom = single_vertebra(level=Level.L3, tilt_deg=tilt_deg, lateral_tilt_deg=lateral_tilt_deg)
    return scan(phantom, Scanner(pixel_mm=pixel_mm, slice_mm=slice_mm))


@pytest.fixture
def make_vertebra():
    """The cached maker of phantom vertebrae."""
    return vertebra_scan
