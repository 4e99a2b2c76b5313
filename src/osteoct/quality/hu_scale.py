"""Whether HU lie where physics puts them: air, fat, muscle and, without contrast, blood.

The ranges are those of the internal calibration of Ogo and of Michalski 2020. Air and fat are found
by the peaks of the image's own values; muscle and blood need labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteoct.measure.tissues import TissueHus
from osteoct.quality.phase import VESSELS
from osteoct.records import Acquisition, Finding, Phase, Severity
from osteoct.volume import CTVolume

RANGES_HU = {
    "air": (-1030.0, -980.0),
    "fat": (-130.0, -70.0),
    "muscle": (-5.0, 65.0),
    "blood": (-20.0, 60.0),
}

MUSCLES = ("iliopsoas_left", "iliopsoas_right", "autochthon_left", "autochthon_right")
"""The psoas first: with age, fat grows into the muscles of the back sooner."""

SOUGHT_HU = {"air": (-1150.0, -900.0), "fat": (-220.0, -20.0)}
"""Where the peaks of air and fat are looked for: wide enough to see a wrong scale, and ending
before the lungs."""

BIN_HU = 5.0
"""Width of a bin of the histogram whose highest bin is a peak."""

PEAK_HALF_WIDTH_HU = 25.0
LEAST_PEAK_SHARE = 0.02
"""Chosen: a peak holds at least this share of all voxels within its half width; noise and the edges
of organs do not. A field of view without air or fat has no peak, and none is made up."""

PEAK_OVER_ENDS = 2.0
"""Chosen: how far a peak stands above both ends of where it is sought; muscle's slope does not."""

SAMPLE_VOXELS = 400_000
"""Voxels looked at, on a regular sub-grid."""

BLOCKING_COUNT = 2
"""Tissues off the scale from which no HU is believed: one may be an unusual tissue, two are not."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """The HU of something whose HU are known."""

    name: str
    hu: float

    @property
    def is_off(self) -> bool:
        """Whether it lies outside its range; the ends belong to the range."""
        low, high = RANGES_HU[self.name]
        return not low <= self.hu <= high


def check_hu_ranges(
    ct: CTVolume, tissues: TissueHus, acquisition: Acquisition
) -> tuple[Finding, ...]:
    """Find references whose HU are none that they can have.

    One is a warning, two or more block the case: then the scale is wrong, not the tissue.
    """
    references = find_references(ct, tissues, acquisition)
    wrong = [reference for reference in references if reference.is_off]
    if not wrong:
        return ()
    said = ", ".join(
        f"{r.name} {r.hu:.0f} HU ({RANGES_HU[r.name][0]:g} to {RANGES_HU[r.name][1]:g})"
        for r in wrong
    )
    evidence: dict[str, float | int | str | None] = {f"{r.name}_hu": r.hu for r in references}
    for r in wrong:
        low, high = RANGES_HU[r.name]
        evidence |= {f"{r.name}_low_hu": low, f"{r.name}_high_hu": high}
    is_firm = len(wrong) >= BLOCKING_COUNT
    return (
        Finding(
            code="hu-scale-off",
            severity=Severity.BLOCKING if is_firm else Severity.WARNING,
            message=f"HU are not where they belong: {said}.",
            certainty=0.9 if is_firm else 0.5,
            evidence=evidence,
        ),
    )


def find_references(
    ct: CTVolume, tissues: TissueHus, acquisition: Acquisition
) -> tuple[Reference, ...]:
    """What the image offers to check its scale by."""
    values = _sample(ct)
    found = [
        Reference(name=name, hu=peak)
        for name in SOUGHT_HU
        if (peak := _peak(values, SOUGHT_HU[name])) is not None
    ]
    muscle = next((tissues.found[n] for n in MUSCLES if n in tissues.found), None)
    if muscle is not None:
        found.append(Reference(name="muscle", hu=muscle.median_hu))
    if _is_native(acquisition):
        vessels = [tissues.found[n].median_hu for n in VESSELS if n in tissues.found]
        if vessels:
            found.append(Reference(name="blood", hu=float(np.median(vessels))))
    return tuple(found)


def _is_native(acquisition: Acquisition) -> bool:
    """Whether blood can be taken as a reference: nobody says or shows contrast."""
    return {acquisition.phase, acquisition.phase_pixels} <= {Phase.NATIVE, None}


def _sample(ct: CTVolume) -> NDArray[np.float32]:
    """Values on a regular sub-grid, without padding."""
    step = max(int((ct.array.size / SAMPLE_VOXELS) ** (1 / 3)), 1)
    values = np.asarray(ct.array[::step, ::step, ::step]).ravel().astype(np.float32)
    values = values[np.isfinite(values)]
    return values if ct.padding_hu is None else values[values != ct.padding_hu]


def _peak(values: NDArray[np.float32], limits: tuple[float, float]) -> float | None:
    """HU of the highest bin between limits, if it is a peak; refined by the median around it."""
    counts, edges = np.histogram(values, bins=np.arange(limits[0], limits[1] + BIN_HU / 2, BIN_HU))
    if not counts.any():
        return None
    top = int(counts.argmax())
    ends = max(counts[0], counts[-1])
    middle = (edges[top] + edges[top + 1]) / 2
    near = values[np.abs(values - middle) <= PEAK_HALF_WIDTH_HU]
    if counts[top] < PEAK_OVER_ENDS * ends or near.size < LEAST_PEAK_SHARE * values.size:
        return None
    return float(np.median(near))
