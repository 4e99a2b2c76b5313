"""Time and memory of everything between reading and writing, beside decoding the same file.

    OMP_NUM_THREADS=1 python benchmarks/measuring.py [slices] [repeats]

Makes a 512 × 512 × 600 int16 CT with eight vertebrae (0.7 × 0.7 × 0.8 mm), writes it as .nii.gz,
and then measures in alternation, in this one process: decoding the file with nibabel, reading it
with osteoct, analysing it with body masks and without. Prints medians, ratios and the peak of
memory that each allocates above what was there before.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from statistics import median

import nibabel as nib
import numpy as np

from osteoct.anatomy import SCHEMES, Level
from osteoct.config import AnalysisConfig
from osteoct.geometry import Geometry
from osteoct.io.nifti import write_ct
from osteoct.io.volume import read_volume
from osteoct.phantom.acquisition import scan
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.spine import single_vertebra
from osteoct.pipeline import analyze_volumes
from osteoct.volume import CTVolume, LabelVolume

SPACING_MM = (0.7, 0.7, 0.8)
LEVELS = tuple(Level[name] for name in ("T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5"))


def make_volumes(slices: int) -> tuple[CTVolume, LabelVolume, LabelVolume]:
    """Eight phantom vertebrae, one above the other, in noisy soft tissue and air."""
    shot = scan(
        single_vertebra(tilt_deg=12.0),
        Scanner(pixel_mm=SPACING_MM[0], slice_mm=SPACING_MM[2], noise_sd_hu=20.0),
    )
    shape = (512, 512, slices)
    rng = np.random.default_rng(0)
    x, y = np.meshgrid(np.linspace(-1, 1, 512), np.linspace(-1, 1, 512), indexing="ij")
    in_body = (x / 0.8) ** 2 + (y / 0.6) ** 2 < 1
    array = np.empty(shape, dtype=np.int16, order="F")
    for k in range(slices):
        noise = rng.normal(0, 20, (512, 512))
        array[:, :, k] = np.where(in_body, 40 + noise, -1000 + noise / 4)
    vertebrae = np.zeros(shape, dtype=np.uint8, order="F")
    bodies = np.zeros(shape, dtype=np.uint8, order="F")
    ids = {s.level: i for i, s in SCHEMES["totalsegmentator-v2"].structures.items()}
    body_ids = {s.level: i for i, s in SCHEMES["totalsegmentator-vertebrae-pp"].structures.items()}
    w, d, h = shot.ct.geometry.shape
    pitch = (slices - h) // len(LEVELS)
    for n, level in enumerate(LEVELS):
        box = (slice(190, 190 + w), slice(150, 150 + d), slice(slices - (n + 1) * pitch - h, None))
        box = (*box[:2], slice(box[2].start, box[2].start + h))
        mask = shot.vertebrae.array > 0
        array[box][mask] = shot.ct.array[mask]
        vertebrae[box][mask] = ids[level]
        bodies[box][shot.bodies.array > 0] = body_ids[level]
    grid = Geometry.from_spacing(shape, SPACING_MM)
    v2, pp = SCHEMES["totalsegmentator-v2"], SCHEMES["totalsegmentator-vertebrae-pp"]
    return (
        CTVolume(array=array, geometry=grid),
        LabelVolume(array=vertebrae, geometry=grid, structures=v2.structures, scheme_id=v2.id),
        LabelVolume(array=bodies, geometry=grid, structures=pp.structures, scheme_id=pp.id),
    )


def seconds(action: Callable[[], object]) -> float:
    """Wall time of one call."""
    gc.collect()
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def peak_above_now_mb(action: Callable[[], object]) -> float:
    """Most memory that Python and NumPy hold at once during a call, above what they held before.

    Counted by allocation, because resident memory does not show what is reused.
    """
    gc.collect()
    tracemalloc.start()
    action()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e6


def main() -> None:
    """Make the volumes, measure in alternation, print."""
    slices = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    ct, vertebrae, bodies = make_volumes(slices)
    config = AnalysisConfig(levels=LEVELS)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ct.nii.gz"
        write_ct(ct, file)
        actions: dict[str, Callable[[], object]] = {
            "decode .nii.gz with nibabel": lambda: np.asanyarray(nib.load(file).dataobj),
            "read_volume": lambda: read_volume(file),
            "analyze, body masks": lambda: analyze_volumes(
                ct, vertebrae, bodies=bodies, config=config
            ),
            "analyze, body by geometry": lambda: analyze_volumes(ct, vertebrae, config=config),
        }
        peaks = {name: peak_above_now_mb(action) for name, action in actions.items()}
        times: dict[str, list[float]] = {name: [] for name in actions}
        for _ in range(repeats):
            for name, action in actions.items():
                times[name].append(seconds(action))
        print(f"512 x 512 x {slices} int16, {len(LEVELS)} vertebrae, {repeats} repeats, medians")
        base = median(times["decode .nii.gz with nibabel"])
        for name in actions:
            middle = median(times[name])
            print(
                f"{name:<30} {middle:7.2f} s  ratio {middle / base:5.2f}  "
                f"peak +{peaks[name]:6.0f} MB"
            )


if __name__ == "__main__":
    main()
