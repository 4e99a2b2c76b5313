"""Models held in memory against the package's API, CT after CT, on stand-in weights.

    python benchmarks/segmentation_held.py [--quality best|fast] [--images 10]

Ten phantoms of different spacing go through one held process and, one by one, through the package's
own API as a batch would call it (a process for each CT). Prints per CT the seconds of both, what of
ours went into loading models, the largest memory of the held process so far, and the voxels that
differ: none may.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
STAND_INS = HERE.parent / "tests" / "segment"
sys.path.insert(0, str(STAND_INS))

import nearest_hu

from osteoct.segment.interface import Quality, SegmentOptions, held
from osteoct.segment.totalsegmentator.segmenter import (
    TotalSegmentatorApiSegmenter,
    TotalSegmentatorSegmenter,
)
from osteoct.volume import CTVolume


def make_images(count: int) -> list[CTVolume]:
    """The spine at spacings from 1.8 to 2.2 mm, slices from 2 to 3 mm."""
    steps = [n / max(1, count - 1) for n in range(count)]
    return [
        nearest_hu.scan_spine(pixel_mm=1.8 + 0.4 * step, slice_mm=2.0 + step).ct for step in steps
    ]


def compare(images: list[CTVolume], quality: Quality) -> None:
    """Run both ways in alternation and print what each CT took."""
    options = SegmentOptions(quality=quality, device="cpu")
    ours, api = TotalSegmentatorSegmenter(options), TotalSegmentatorApiSegmenter(options)
    print(f"quality {quality}, {os.cpu_count()} cores; seconds per CT")
    print("CT    held   load    API  ratio  peak MiB  voxels that differ")
    with held(ours):
        for number, ct in enumerate(images, 1):
            clock = time.perf_counter()
            mine = ours.segment(ct)
            middle = time.perf_counter()
            theirs = api.segment(ct)
            end = time.perf_counter()
            differ = int((mine.vertebrae.array != theirs.vertebrae.array).sum())
            if mine.bodies is not None and theirs.bodies is not None:
                differ += int((mine.bodies.array != theirs.bodies.array).sum())
            one, two = middle - clock, end - middle
            told = mine.provenance
            print(
                f"{number:2d} {one:7.1f} {told.seconds['load']:6.2f} {two:6.1f} {one / two:6.2f} "
                f"{told.peak_memory_mb:9.0f}  {differ}",
                flush=True,
            )


def main() -> None:
    """Make weights and images, compare, print."""
    parser = argparse.ArgumentParser(description="Held models against the package's API.")
    parser.add_argument("--quality", type=Quality, default=Quality.BEST)
    parser.add_argument("--images", type=int, default=10)
    given = parser.parse_args()
    images = make_images(given.images)
    with tempfile.TemporaryDirectory() as name:
        subprocess.run([sys.executable, STAND_INS / "standin.py", name], check=True)  # noqa: S603 -- ours
        os.environ["TOTALSEG_WEIGHTS_PATH"] = name
        compare(images, given.quality)


if __name__ == "__main__":
    main()
