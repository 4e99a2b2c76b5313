"""How much memory a case takes: an estimate before, and a measurement after."""

from __future__ import annotations

import resource
import sys
from pathlib import Path
from typing import Final

_MIB: Final = 1024 * 1024

BASE_MIB: Final = 260
"""A worker that has imported everything and read nothing."""

MIB_PER_MEGAVOXEL: Final = 9.5
"""CT, masks and what is computed on the whole image, per million voxels: twice the 4.2 that
``benchmarks/worker_memory.py`` shows for 512 x 512 pixels and 100 to 800 slices: an image that is
no whole numbers takes twice the memory, and masks on another grid are brought onto that of the CT.
"""

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


def expected_mib(voxels: int) -> float:
    """Estimate the peak memory of a worker that measures a CT of so many voxels, in MiB.

    A segmenter works in a process of its own and is not counted.
    """
    return BASE_MIB + MIB_PER_MEGAVOXEL * voxels / 1e6


def reset_peak() -> None:
    """Begin to measure the peak anew, where the system can (Linux)."""
    try:
        _CLEAR.write_text(_RESET_PEAK, encoding="ascii")
    except OSError:
        return


def peak_mib() -> float:
    """Largest memory of this process since :func:`reset_peak`, or else since its start, in MiB."""
    try:
        lines = _STATUS.read_text(encoding="ascii").splitlines()
        high = next(line for line in lines if line.startswith("VmHWM:"))
        return int(high.split()[1]) / 1024
    except (OSError, StopIteration, ValueError, IndexError):
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return used / _MIB if sys.platform == "darwin" else used / 1024
