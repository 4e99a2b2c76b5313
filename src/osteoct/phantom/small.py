"""Patients so small that a whole analysis takes a second: for tests, benchmarks and try-outs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from osteoct.anatomy import Level
from osteoct.phantom.acquisition import scan
from osteoct.phantom.catalogue import DEMO_BONE, write_phantom
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.spine import BoneMake, lumbar_spine

ONE_LEVEL: Final = Scanner(
    pixel_mm=2.0,
    slice_mm=2.5,
    noise_sd_hu=8.0,
    axis_codes="LPS",
    fine_step_mm=1.0,
    field_of_view_mm=(104.0, 110.0, 60.0),
    centre_mm=(0.0, -19.0, 0.0),
)
"""L1 alone in 52 × 55 × 24 voxels: an analysis takes half a second."""

TWO_LEVELS: Final = Scanner(
    pixel_mm=1.5,
    slice_mm=2.0,
    noise_sd_hu=8.0,
    axis_codes="LPS",
    fine_step_mm=0.75,
    field_of_view_mm=(105.0, 111.0, 90.0),
    centre_mm=(0.0, -19.0, -21.0),
)
"""L1 and L2 in 70 × 74 × 45 voxels: an analysis takes a second."""


def write_small_patient(
    folder: Path,
    scanner: Scanner = ONE_LEVEL,
    *,
    bone: BoneMake = DEMO_BONE,
    dicom: bool = False,
    nifti: bool = True,
) -> None:
    """Write CT, masks and truth of a small patient into an existing folder.

    Parameters
    ----------
    scanner
        :data:`ONE_LEVEL` or :data:`TWO_LEVELS`.
    dicom, nifti
        How the CT is written: as ``ct-dicom`` and as ``ct.nii.gz``.
    """
    levels = (Level.L1, Level.L2) if scanner is TWO_LEVELS else (Level.L1,)
    spine = lumbar_spine(bone, levels=levels, has_t12=False, has_sacrum=False)
    write_phantom(scan(spine, scanner), folder, dicom=dicom, nifti=nifti)
