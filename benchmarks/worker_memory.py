"""What a case costs a worker: memory and time of each step, for CTs of growing size.

    OMP_NUM_THREADS=1 python benchmarks/worker_memory.py [100 300 600 800]

CTs of 512 x 512 pixels with eight vertebrae, as in ``benchmarks/measuring.py``, in files; each is
measured by the stage of a real batch in a process of its own. The last column is what
``osteoct.run.work.memory`` expects before it gives such a case to a worker: it must not be less.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import LEVELS, make_volumes

from osteoct.config import AnalysisConfig
from osteoct.io.nifti import write_ct, write_labels
from osteoct.run.plan.choices import make_choices, render_choices
from osteoct.run.records import Inputs, WorkItem
from osteoct.run.work.measuring import open_stage
from osteoct.run.work.memory import expected_mib

SIZES = (100, 300, 600, 800)


def main() -> int:
    """Measure every size and print a table; 1 where a case took more than was expected."""
    if len(sys.argv) > 2 and sys.argv[1] == "--one":
        sys.stdout.write(json.dumps(measure(Path(sys.argv[2]))))
        return 0
    sizes = [int(size) for size in sys.argv[1:]] or list(SIZES)
    rows = [in_process(size) for size in sizes]
    names = list(rows[0])
    sys.stdout.write("| " + " | ".join(names) + " |\n|" + "---:|" * len(names) + "\n")
    for row in rows:
        sys.stdout.write("| " + " | ".join(str(row[name]) for name in names) + " |\n")
    return 0 if all(row["peak_mib"] <= row["expected_mib"] for row in rows) else 1


def in_process(slices: int) -> dict[str, float]:
    """Write a CT of so many slices and measure it in a fresh process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ct, vertebrae, bodies = make_volumes(slices)
        write_ct(ct, folder / "ct.nii.gz")
        write_labels(vertebrae, folder / "masks.nii.gz")
        if bodies is not None:
            write_labels(bodies, folder / "bodies.nii.gz")
        del ct, vertebrae, bodies
        command = [sys.executable, __file__, "--one", name]
        ran = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - this file
    row: dict[str, float] = json.loads(ran.stdout)
    voxels = 512 * 512 * slices
    return {"slices": slices, **row, "expected_mib": round(expected_mib(voxels))}


def measure(folder: Path) -> dict[str, float]:
    """One case through the stage."""
    os.environ.setdefault("OSTEOCT_KEY", "the key of a benchmark, not of patients")
    choices = make_choices(folder, config=AnalysisConfig(levels=LEVELS))
    settings = {"store": str(folder / "store"), "choices": render_choices(choices)}
    item = WorkItem(
        case_id="case",
        key="key",
        inputs=Inputs(
            ct=(str(folder / "ct.nii.gz"),),
            masks=str(folder / "masks.nii.gz"),
            body_masks=str(folder / "bodies.nii.gz"),
        ),
        bytes_in=1,
    )
    with open_stage(settings) as stage:
        outcome = stage.process(item, stage.prepare(item))
    if outcome.failure is not None:
        sys.exit(outcome.failure.message)
    size = sum(p.stat().st_size for p in (folder / "store" / "cases").rglob("*") if p.is_file())
    steps = {f"{name}_s": round(seconds, 2) for name, seconds in outcome.seconds.items()}
    return {
        **steps,
        "result_mb": round(size / 1e6, 2),
        "ct_mb": round((folder / "ct.nii.gz").stat().st_size / 1e6, 1),
        "peak_mib": round(outcome.peak_mib or 0),
    }


if __name__ == "__main__":
    sys.exit(main())
