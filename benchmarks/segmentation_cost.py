"""What segmenting costs: ours at both qualities beside the package's plain ``total``, on one CT.

    python benchmarks/segmentation_cost.py [--only plain,best,fast] [--shape X Y Z] [--device cpu]

Networks of full size with random weights (see ``full_size.py``) carry the cost of the trained ones;
hand-set ones beside them find the phantom's bones, so that boxes are cut as they would be. Prints
network patches by step, seconds and peak memory of each run, and the ratios to plain ``total``. The
plain run takes a quarter of an hour on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "segment"))

import nearest_hu
import numpy as np

from osteoct.geometry import Geometry
from osteoct.segment.interface import Quality, SegmentOptions
from osteoct.segment.isolation.session import Session
from osteoct.segment.totalsegmentator.home import SETTINGS
from osteoct.segment.totalsegmentator.plan import MARGIN_MM
from osteoct.segment.totalsegmentator.segmenter import WORKER, TotalSegmentatorSegmenter
from osteoct.volume import CTVolume

SPACING_MM = (1.0, 1.0, 1.5)
SHAPE = (400, 400, 200)
SOFT_HU, AIR_HU = 40, -1000


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one way cost."""

    name: str
    seconds: float
    peak_mb: float
    patches: dict[str, int]

    @property
    def evaluated(self) -> int:
        """Network patches of all steps."""
        return sum(self.patches.values())


def make_ct(shape: tuple[int, int, int]) -> CTVolume:
    """The lumbar spine with a trunk of soft tissue and air around it."""
    spine = nearest_hu.scan_spine(pixel_mm=SPACING_MM[0], slice_mm=SPACING_MM[2]).ct
    spine = spine.reoriented("RAS")
    array = np.full(shape, AIR_HU, np.int16)
    x, y = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape[:2]), indexing="ij")
    array[(x / 0.9) ** 2 + (y / 0.7) ** 2 < 1] = SOFT_HU
    low = [(n - m) // 2 for n, m in zip(shape, spine.array.shape, strict=True)]
    place = tuple(slice(s, s + m) for s, m in zip(low, spine.array.shape, strict=True))
    array[place] = np.where(spine.array > SOFT_HU, spine.array, array[place])
    return CTVolume(array=array, geometry=Geometry.from_spacing(shape, SPACING_MM))


def run_ours(quality: Quality, ct: CTVolume, device: str) -> Run:
    """One CT as ``osteoct segment`` does it."""
    clock = time.perf_counter()
    segmenter = TotalSegmentatorSegmenter(SegmentOptions(quality=quality, device=device))
    told = segmenter.segment(ct).provenance
    return Run(
        name=f"osteoct --quality {quality}",
        seconds=time.perf_counter() - clock,
        peak_mb=told.peak_memory_mb or float("nan"),
        patches=told.patches,
    )


def run_plain(ct: CTVolume, device: str, weights: Path) -> Run:
    """``TotalSegmentator -i ct -o out --ml``: task total, all five models on the whole image."""
    clock = time.perf_counter()
    task = {"result": "total", "task": "total", "is_fast": False, "structures": (), "within": None}
    with (
        Session(
            WORKER, title="plain", where="plain", prepare=lambda f: _plain_home(f, weights)
        ) as session,
        session.job_folder() as folder,
    ):
        np.save(folder / "ct.npy", ct.array)
        told = session.run(_plain_job(ct, device, task), folder)
    return Run(
        name="TotalSegmentator total",
        seconds=time.perf_counter() - clock,
        peak_mb=told["peak_memory_mb"],
        patches=told["patches"],
    )


def _plain_job(ct: CTVolume, device: str, task: dict[str, Any]) -> dict[str, Any]:
    return {
        "ct": "ct.npy",
        "affine": ct.geometry.affine.tolist(),
        "device": device,
        "may_fall_back": False,
        "engine": "api",
        "margin_mm": MARGIN_MM,
        "tasks": [task],
    }


def _plain_home(folder: Path, weights: Path) -> dict[str, str]:
    """A home without usage statistics, and the weights as they lie."""
    home = folder / "totalsegmentator"
    home.mkdir()
    (home / "config.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
    return {"TOTALSEG_HOME_DIR": str(home), "TOTALSEG_WEIGHTS_PATH": str(weights)}


def make_weights(folder: Path) -> None:
    """Write the networks, in a process that may import torch."""
    subprocess.run([sys.executable, HERE / "full_size.py", folder], check=True)  # noqa: S603 -- ours


def print_table(runs: list[Run], shape: tuple[int, ...]) -> None:
    """One line per run; ratios where the plain run is among them."""
    size = " x ".join(map(str, shape))
    print(f"{size} voxels of {SPACING_MM} mm, {os.cpu_count()} cores, networks of full size")
    plain = next((run for run in runs if run.name.startswith("Total")), None)
    for run in runs:
        ratio = "" if plain is None else f" = {run.evaluated / plain.evaluated:5.1%} of plain"
        times = "" if plain is None else f" = {run.seconds / plain.seconds:5.1%}"
        steps = ", ".join(f"{step} {n}" for step, n in run.patches.items())
        print(f"{run.name:<24} {run.evaluated:4d} patches{ratio} ({steps})")
        print(
            f"{'':<24} {run.seconds:6.0f} s{times}, peak {run.peak_mb / 1024:.1f} GiB", flush=True
        )


def main() -> None:
    """Make networks and CT, run each way, print."""
    parser = argparse.ArgumentParser(description="What segmenting costs.")
    parser.add_argument("--only", default="plain,best,fast")
    parser.add_argument("--shape", type=int, nargs=3, default=SHAPE)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    ct = make_ct(tuple(given.shape))
    with tempfile.TemporaryDirectory() as name:
        weights = Path(name)
        make_weights(weights)
        os.environ["TOTALSEG_WEIGHTS_PATH"] = name
        os.environ["PYTHONPATH"] = os.pathsep.join(
            [str(HERE), str(HERE.parent / "tests" / "segment")]
        )
        runs = []
        for way in given.only.split(","):
            runs.append(
                run_plain(ct, given.device, weights)
                if way == "plain"
                else run_ours(Quality(way), ct, given.device)
            )
            print_table(runs[-1:], ct.array.shape)
    print_table(runs, ct.array.shape)


if __name__ == "__main__":
    main()
