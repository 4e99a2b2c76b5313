"""Error of heights and of the loss of height against phantoms whose heights are known.

    python benchmarks/height_accuracy.py [--positions 1|2|4] [--markdown FILE]

One L3, whole or with an ordered loss, on slices of 0.6 to 5 mm, tilted by 0 to 30 degrees, at some
positions of the grid along the slice axis. Each scan is measured twice, with the CT and from its
mask alone. With ``--markdown`` the tables replace those between the marks in the file.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from osteoct.anatomy import Level
from osteoct.compartments.case import build_compartments
from osteoct.measure.heights import measure_heights
from osteoct.measure.morphometry import compare_heights, grade_loss
from osteoct.phantom.acquisition import scan
from osteoct.phantom.defects import biconcave_fracture, crush_fracture, wedge_fracture
from osteoct.phantom.description import Phantom
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.spine import single_vertebra
from osteoct.phantom.truth import LevelTruth
from osteoct.records import Heights, HeightSource

LEVEL = Level.L3
SLICES_MM = (0.6, 1.0, 1.5, 3.0, 5.0)
TILTS_DEG = (0.0, 10.0, 20.0, 30.0)
PHASES = (0.0, 0.5, 0.25, 0.75)
BONES = ((0.5, 100.0), (1.5, 100.0), (1.0, 40.0))
"""Shell in mm and core in HU: thin, thick, and a core darker than the discs."""
LOSSES = (0.15, 0.25, 0.45)
NOISE_HU = 25.0
FIELD_MM = (100.0, 120.0, 90.0)
MARKS = ("<!-- height_accuracy: begin -->\n", "<!-- height_accuracy: end -->\n")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """One phantom on one grid; a shape is whole, wedge, biconcave or crush."""

    shape: str
    loss: float
    shell_mm: float
    core_hu: float
    tilt_deg: float
    slice_mm: float
    phase: float
    noise_hu: float = 0.0


@dataclass(frozen=True)
class Reading:
    """What one case gave: errors in mm (anterior, middle, posterior), loss read, loss ordered."""

    case: Case
    by_ct: bool
    ct_mm: Floats
    mask_mm: Floats
    stated_mm: float
    loss_percent: float
    uncertainty_percent: float


def make_phantom(case: Case) -> Phantom:
    """The vertebra that was ordered."""
    phantom = single_vertebra(
        LEVEL, tilt_deg=case.tilt_deg, shell_mm=case.shell_mm, trabecular_hu=case.core_hu
    )
    makers = {"wedge": wedge_fracture, "biconcave": biconcave_fracture, "crush": crush_fracture}
    if case.shape == "whole":
        return phantom
    return makers[case.shape](phantom, LEVEL, height_loss=case.loss)


def read(case: Case) -> Reading:
    """Scan and measure one case."""
    scanner = Scanner(
        pixel_mm=0.7,
        slice_mm=case.slice_mm,
        offset_mm=(0.0, 0.0, case.phase * case.slice_mm),
        field_of_view_mm=FIELD_MM,
        noise_sd_hu=case.noise_hu,
        seed=int(100 * case.phase + case.tilt_deg),
    )
    shot = scan(make_phantom(case), scanner)
    (level,) = build_compartments(
        shot.ct, shot.vertebrae, shot.bodies, levels=(LEVEL,), protocols=()
    )
    truth = shot.truth.level(LEVEL)
    assert truth is not None  # noqa: S101 - the phantom has the level
    found, mask = measure_heights(level, shot.ct), measure_heights(level)
    whole = single_vertebra(LEVEL).vertebra(LEVEL).body
    neighbour = Heights(
        height_anterior_mm=whole.height_anterior_mm, height_posterior_mm=whole.height_posterior_mm
    )
    shape = compare_heights(found, (neighbour, neighbour))
    return Reading(
        case=case,
        by_ct=found.source is HeightSource.CT,
        ct_mm=as_array(found) - as_array(truth),
        mask_mm=as_array(mask) - as_array(truth),
        stated_mm=found.uncertainty_mm or np.nan,
        loss_percent=np.nan if shape.height_loss_percent is None else shape.height_loss_percent,
        uncertainty_percent=shape.uncertainty_percent or np.nan,
    )


def as_array(heights: Heights | LevelTruth) -> Floats:
    """Anterior, middle, posterior; NaN where absent."""
    names = ("height_anterior_mm", "height_middle_mm", "height_posterior_mm")
    return np.array([getattr(heights, name) or np.nan for name in names])


def list_cases(phases: Sequence[float]) -> Iterator[Case]:
    """Whole bodies of every make, and ordered losses in the ordinary one."""
    places = tuple(product(TILTS_DEG, SLICES_MM, phases))
    for (shell, core), (tilt, slice_mm, phase), noise in product(BONES, places, (0.0, NOISE_HU)):
        yield Case("whole", 0.0, shell, core, tilt, slice_mm, phase, noise)
    for shape, loss in product(("wedge", "biconcave", "crush"), LOSSES):
        for tilt, slice_mm, phase in places:
            yield Case(shape, loss, 1.0, 150.0, tilt, slice_mm, phase)


def table_heights(readings: Sequence[Reading]) -> str:
    """Errors of whole bodies per slice distance and tilt."""
    rows = []
    for slice_mm, tilt in product(SLICES_MM, TILTS_DEG):
        own = [r for r in readings if (r.case.slice_mm, r.case.tilt_deg) == (slice_mm, tilt)]
        clean = np.array([r.ct_mm for r in own if not r.case.noise_hu])
        noisy = np.array([r.ct_mm for r in own if r.case.noise_hu])
        mask = np.array([r.mask_mm for r in own])
        cells = [f"{slice_mm:g}", f"{tilt:g}", *(f"{worst(clean[:, n]):+.2f}" for n in range(3))]
        cells += [f"{worst(noisy):+.2f}", f"{worst(mask):+.2f}"]
        rows.append([*cells, f"{sum(r.by_ct for r in own)} of {len(own)}"])
    return as_markdown(
        ["slices mm", "tilt °", "anterior mm", "middle mm", "posterior mm", "25 HU noise mm",
         "mask alone mm", "edge in the CT"], rows,
    )  # fmt: skip


def table_losses(readings: Sequence[Reading]) -> str:
    """Losses read per ordered loss and slice distance, and how many have the right grade."""
    rows = []
    for shape, loss, slice_mm in product(("wedge", "biconcave", "crush"), LOSSES, SLICES_MM):
        own = [r for r in readings if r.case.shape == shape and r.case.loss == loss]
        own = [r for r in own if r.case.slice_mm == slice_mm]
        read_as = np.array([r.loss_percent for r in own])
        right = sum(grade_loss(r.loss_percent) == grade_loss(100 * loss) for r in own)
        rows.append(
            [shape, f"{100 * loss:.0f}", f"{slice_mm:g}", f"{read_as.min():.1f}",
             f"{read_as.max():.1f}", f"± {np.mean([r.uncertainty_percent for r in own]):.1f}",
             f"{right} of {len(own)}", f"{worst(np.array([r.ct_mm for r in own])):+.2f}"]
        )  # fmt: skip
    return as_markdown(
        ["shape", "ordered %", "slices mm", "least read %", "most read %", "stated points",
         "grade right", "height mm"], rows,
    )  # fmt: skip


def summarise(readings: Sequence[Reading]) -> str:
    """How many heights lie within the error stated with them."""
    within = [np.abs(r.ct_mm) <= r.stated_mm for r in readings]
    losses = [r for r in readings if r.case.shape != "whole"]
    held = [abs(r.loss_percent - 100 * r.case.loss) <= r.uncertainty_percent for r in losses]
    firm = [grade_loss(r.loss_percent) for r in readings if r.case.shape == "whole"]
    return (
        f"{np.mean(within):.1%} of {np.size(within)} heights and {np.mean(held):.1%} of "
        f"{len(held)} losses lie within the error stated with them. {sum(g > 0 for g in firm)} of "
        f"{len(firm)} whole bodies have a grade above 0."
    )


def worst(values: Floats) -> float:
    """The value farthest from zero."""
    flat = values.ravel()
    return float(flat[np.argmax(np.abs(flat))])


def as_markdown(header: list[str], rows: Iterable[list[str]]) -> str:
    """A table in Markdown."""
    lines = ["| " + " | ".join(cells) + " |" for cells in (header, ["---:"] * len(header), *rows)]
    return "\n".join(lines)


def put_between_marks(path: Path, text: str) -> None:
    """Replace what stands between the marks of a page."""
    before, rest = path.read_text(encoding="utf-8").split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    path.write_text(before + MARKS[0] + text + MARKS[1] + after, encoding="utf-8")


def main() -> None:
    """Print the tables and, if asked, put them into the docs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--positions", type=int, choices=(1, 2, 4), default=4)
    parser.add_argument("--markdown", type=Path, help="also put the tables into this page")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    cases = list(list_cases(PHASES[: options.positions]))
    with ProcessPoolExecutor(options.processes) as pool:
        readings = list(pool.map(partial(read), cases, chunksize=8))
    whole = [r for r in readings if r.case.shape == "whole"]
    text = (
        f"\n{summarise(readings)}\n\n### Whole bodies, worst error\n\n{table_heights(whole)}\n\n"
        f"### Ordered losses\n\n{table_losses(readings)}\n\n"
    )
    print(text)
    if options.markdown:
        put_between_marks(options.markdown, text)


if __name__ == "__main__":
    main()
