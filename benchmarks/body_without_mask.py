"""The body found by geometry against the body from a mask.

    python benchmarks/body_without_mask.py [--example FOLDER] [--quick]

Three tables: every level of a real spine against TotalSegmentator's ``vertebrae_body``, where the
folder has ``ct.nii.gz``, ``total_vertebrae.nii.gz`` and ``vertebrae_body.nii.gz``; phantoms of all
tilts and slice distances against their true body; and the worst of each. Dice is that of the two
bodies, HU the difference of the trabecular means of ``body-core-4`` (geometry minus mask).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from osteoct.anatomy import LUMBAR, Level, Part
from osteoct.config import AnalysisConfig
from osteoct.io.labels import read_labels
from osteoct.io.volume import read_volume
from osteoct.phantom.acquisition import scan
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.spine import single_vertebra
from osteoct.pipeline import analyze_volumes
from osteoct.protocols import BODY_CORE_4, Region
from osteoct.records import LevelResult
from osteoct.volume import CTVolume, LabelVolume

EXAMPLE = Path(__file__).parents[2] / "shared" / "data" / "ts-example"
FILES = ("ct.nii.gz", "total_vertebrae.nii.gz", "vertebrae_body.nii.gz")
LEAST_DICE = 0.93
MOST_HU = 3.0
TILTS_DEG = (0.0, 10.0, 20.0, 30.0)
SLICES_MM = (1.0, 2.0, 3.0, 5.0)
PIXEL_MM = 0.8


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """The two bodies of one level; ``None`` where one of them was not found."""

    name: str
    dice: float | None
    difference_hu: float | None
    body_cm3: tuple[float, float]

    @property
    def is_good(self) -> bool:
        """Whether both targets are met."""
        return (
            self.dice is not None
            and self.difference_hu is not None
            and self.dice >= LEAST_DICE
            and abs(self.difference_hu) <= MOST_HU
        )


def compare(
    ct: CTVolume, vertebrae: LabelVolume, bodies: LabelVolume, levels: Sequence[Level], name: str
) -> Iterator[Agreement]:
    """Analyse with and without body masks; one agreement per level."""
    config = AnalysisConfig(levels=tuple(levels), protocols=(BODY_CORE_4.id,))
    by_mask = analyze_volumes(ct, vertebrae, bodies=bodies, config=config)
    by_shape = analyze_volumes(ct, vertebrae, bodies=None, config=config)
    masks = [{c.level: c for c in case.compartments} for case in (by_shape, by_mask)]
    for level in levels:
        pair = [found[level].body if level in found else None for found in masks]
        means = [_mean_hu(case.result.level(level)) for case in (by_shape, by_mask)]
        unit = masks[0][level].geometry.voxel_volume_mm3 / 1000 if level in masks[0] else 0.0
        yield Agreement(
            name=name or str(level),
            dice=_dice(*pair),
            difference_hu=None if None in means else means[0] - means[1],
            body_cm3=tuple(0.0 if b is None else float(b.sum()) * unit for b in pair),
        )


def _mean_hu(level: LevelResult | None) -> float | None:
    region = None if level is None else level.region(BODY_CORE_4.id, Region.TRABECULAR)
    return None if region is None or region.hu is None else region.hu.mean_hu


def _dice(a: np.ndarray | None, b: np.ndarray | None) -> float | None:
    if a is None or b is None:
        return None
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


def compare_example(folder: Path) -> list[Agreement]:
    """Every level of the real spine."""
    ct, vertebrae, bodies = (folder / name for name in FILES)
    return list(
        compare(
            read_volume(ct),
            read_labels(vertebrae),
            read_labels(bodies, part=Part.BODY),
            LUMBAR,
            "",
        )
    )


def compare_phantoms(slices_mm: Sequence[float]) -> list[Agreement]:
    """One vertebra at every tilt and slice distance."""
    found = []
    for tilt, slice_mm in product(TILTS_DEG, slices_mm):
        shot = scan(
            single_vertebra(level=Level.L3, tilt_deg=tilt),
            Scanner(pixel_mm=PIXEL_MM, slice_mm=slice_mm),
        )
        name = f"{tilt:g}°, {slice_mm:g} mm"
        found += compare(shot.ct, shot.vertebrae, shot.bodies, (Level.L3,), name)
    return found


def print_table(title: str, found: Sequence[Agreement]) -> bool:
    """Print one table and its worst; whether every line meets the targets."""
    print(f"\n{title}\n{'':>12} {'Dice':>6} {'HU':>7} {'cm3 by shape':>13} {'by mask':>8}")
    for line in found:
        dice = "absent" if line.dice is None else f"{line.dice:.3f}"
        hu = "absent" if line.difference_hu is None else f"{line.difference_hu:+.2f}"
        shape, mask = line.body_cm3
        print(f"{line.name:>12} {dice:>6} {hu:>7} {shape:>13.1f} {mask:>8.1f}")
    dice = min(line.dice or 0.0 for line in found)
    hu = max(
        float("inf") if line.difference_hu is None else abs(line.difference_hu) for line in found
    )
    print(f"{'worst':>12} {dice:>6.3f} {hu:>7.2f}   wanted >= {LEAST_DICE:g} and <= {MOST_HU:g} HU")
    return all(line.is_good for line in found)


def main() -> None:
    """Print the tables; the exit code is 1 where a target is missed, 2 without the real spine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--example", type=Path, default=EXAMPLE, help="folder of the real spine")
    parser.add_argument("--quick", action="store_true", help="phantoms with 1 and 5 mm only")
    options = parser.parse_args()
    missing = [name for name in FILES if not (options.example / name).is_file()]
    if missing:
        print(f"{options.example}: no {', '.join(missing)}; give the folder with --example")
        raise SystemExit(2)
    is_good = print_table("Real spine, 3 mm", compare_example(options.example))
    slices = (SLICES_MM[0], SLICES_MM[-1]) if options.quick else SLICES_MM
    is_good &= print_table("Phantoms (tilt, slices)", compare_phantoms(slices))
    raise SystemExit(0 if is_good else 1)


if __name__ == "__main__":
    main()
