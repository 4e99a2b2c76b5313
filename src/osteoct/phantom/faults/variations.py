"""Clean scans that differ in everything that may differ in good ones: no finding should block."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations, product
from typing import TypeVar

import numpy as np

from osteoct.anatomy import LUMBAR, Level
from osteoct.geometry import Geometry
from osteoct.phantom.acquisition import PhantomScan, scan
from osteoct.phantom.lattice import Vector
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.spine import BoneMake, lumbar_spine
from osteoct.volume import CTVolume, LabelVolume, Volume

SomeVolume = TypeVar("SomeVolume", bound=Volume)

SLICES_MM = (0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
PIXELS_MM = (0.7, 0.85, 1.0, 1.2)
NOISE_HU = (4.0, 10.0, 18.0, 25.0)
CORE_HU = (30.0, 60.0, 90.0, 120.0, 150.0, 190.0, 240.0, 300.0)
"""From very osteoporotic to very dense."""

SIZES = (0.85, 0.92, 1.0, 1.08, 1.15)
"""From a small woman to a large man: factor on every length."""

LORDOSES = (0.4, 1.0, 1.5)
LEANS_DEG = (-8.0, 0.0, 5.0)
FIELDS_MM = ((150.0, 150.0, 220.0), (200.0, 200.0, 225.0), (240.0, 240.0, 235.0))
ORIENTATIONS = tuple(
    "".join(codes)
    for order in permutations((("R", "L"), ("A", "P"), ("S", "I")))
    for codes in product(*order)
)
"""All 48."""

SMALL_FIELD_BELOW_MM = 1.0
"""Thinner slices come with the smallest field, as a spine is reconstructed; it also saves time."""

FINE_STEP_MM = 0.7


@dataclass(frozen=True, kw_only=True)
class Variation:
    """One clean scan: how the patient is made and scanned."""

    number: int
    orientation: str
    pixel_mm: float
    slice_mm: float
    field_mm: Vector
    noise_sd_hu: float
    core_hu: float
    level_steps_hu: tuple[float, ...]
    shell_mm: float
    size: float
    lordosis: float
    lateral_deg: float
    kernel: str
    has_vein: bool
    has_body_masks: bool


def vary(number: int) -> Variation:
    """The variation of a number; the same for ever.

    Each list of choices is gone through in an order of its own, so that a few hundred numbers meet
    every value of every list in many company.

    >>> vary(0) == vary(0)
    True
    """
    draw = np.random.default_rng([number, 2026])
    slice_mm = SLICES_MM[number % len(SLICES_MM)]
    core_hu = CORE_HU[int(draw.integers(len(CORE_HU)))]
    field = FIELDS_MM[0 if slice_mm < SMALL_FIELD_BELOW_MM else int(draw.integers(len(FIELDS_MM)))]
    return Variation(
        number=number,
        orientation=ORIENTATIONS[(7 * number) % len(ORIENTATIONS)],
        pixel_mm=float(draw.choice(PIXELS_MM)),
        slice_mm=slice_mm,
        field_mm=field,
        noise_sd_hu=float(draw.choice(NOISE_HU)),
        core_hu=core_hu,
        # neighbours differ by 6.6 HU between two sessions of one patient; a little more is ordinary
        level_steps_hu=tuple(float(v) for v in draw.uniform(-8, 8, size=len(LUMBAR) + 2).round(1)),
        shell_mm=float(draw.choice((0.7, 1.0, 1.4))),
        size=float(draw.choice(SIZES)),
        lordosis=float(draw.choice(LORDOSES)),
        lateral_deg=float(draw.choice(LEANS_DEG)),
        kernel=str(draw.choice(("soft", "standard"))),
        has_vein=bool(draw.integers(2)),
        has_body_masks=bool(draw.random() < 0.8),  # noqa: PLR2004 - the share with body masks
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class VariedCase:
    """The images of a variation, in its orientation."""

    ct: CTVolume
    vertebrae: LabelVolume
    bodies: LabelVolume | None


def make_variation(variation: Variation) -> VariedCase:
    """Scan a variation."""
    made = scan_variation(variation)
    size, codes = variation.size, variation.orientation
    bodies = resized(made.bodies, size).reoriented(codes) if variation.has_body_masks else None
    return VariedCase(
        ct=resized(made.ct, size).reoriented(codes),
        vertebrae=resized(made.vertebrae, size).reoriented(codes),
        bodies=bodies,
    )


def scan_variation(variation: Variation) -> PhantomScan:
    """Scan the patient of a variation at ordinary size: the grid is divided by the size."""
    levels = (Level.T12, *LUMBAR, Level.S1)
    bone = BoneMake(
        shell_mm=variation.shell_mm / variation.size,
        trabecular_hu={
            level: variation.core_hu + step
            for level, step in zip(levels, variation.level_steps_hu, strict=True)
        },
        dish_mm=1.0,
        has_vein=variation.has_vein,
    )
    phantom = lumbar_spine(bone, lordosis=variation.lordosis, lateral_deg=variation.lateral_deg)
    scanner = Scanner(
        pixel_mm=variation.pixel_mm / variation.size,
        slice_mm=variation.slice_mm / variation.size,
        kernel=variation.kernel,
        noise_sd_hu=variation.noise_sd_hu,
        field_of_view_mm=variation.field_mm,
        centre_mm=(0.0, 0.0, 0.0),
        fine_step_mm=FINE_STEP_MM,
        seed=variation.number,
    )
    return scan(phantom, scanner)


def resized(volume: SomeVolume, factor: float) -> SomeVolume:
    """The same voxels, all lengths multiplied."""
    affine = volume.geometry.affine.copy()
    affine[:3] *= factor
    return replace(volume, geometry=Geometry(shape=volume.geometry.shape, affine=affine))
