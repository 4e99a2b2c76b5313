"""Whether HU lie where physics puts them: air, fat, muscle and, without contrast, blood.

The ranges are those of the internal calibration of Ogo and of Michalski 2020. Air and fat are found
by the peaks of the image's own values, wherever these lie; muscle and blood need labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteoct.measure.tissues import TissueHus
from osteoct.quality.hu_peaks import Peak, find_value_peaks, sample_values
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

AIR_BELOW_HU = -300.0
"""The lowest peak is air where it lies below this: nothing else of a patient but lungs does."""

AIR_HU = (-1150.0, -900.0)
"""A lowest peak in here is air, whatever its width; elsewhere a wide one is a lung."""

FAT_HU = (-220.0, 20.0)
"""Where the lowest peak is taken for fat. Fluids begin near 0, fatty muscle near 20 (chosen)."""

FAT_ALONE_HU = -20.0
ABOVE_FAT_HU = 60.0
ABOVE_FAT_SHARE = 0.1
"""A peak above -20 HU is fat only below other soft tissue, at least 60 HU higher and a tenth of the
image: muscle lies 150 HU above fat, 75 on half a scale. A bath of water is not fat (chosen)."""

AIR_TO_FAT_HU = 900.0
MOST_FACTOR_ERROR = 0.1
"""From air (-1000) to fat (-100). Inside both ranges the distance is 850 to 960 HU, 5.6 % less to
6.7 % more; beyond 10 % the scale's factor is wrong, whatever the fat (chosen). Only where
air is off as well: a patient without fat may have a lowest peak of water."""

STORED_HU = 700.0
STORED_SHARE = 0.2
"""Share of the image above 700 HU, where cortical bone begins, from which no HU is meant: a spine
fills less than that, and stored numbers put all of a patient near 1000 (chosen)."""

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

    One is a warning. Two or more block the case, and so do a distance from air to fat that no fat
    explains and an image that is bone in great part: then the scale is wrong, not the tissue.
    """
    values = sample_values(ct)
    references = _find_references(find_value_peaks(values), tissues, acquisition)
    stored = _check_stored(values)
    if stored is not None:
        return (stored,)
    if not references:
        return _say_unchecked(ct)
    wrong = [reference for reference in references if reference.is_off]
    if not wrong:
        return ()
    factor = estimate_factor(references)
    said = ", ".join(
        f"{r.name} {r.hu:.0f} HU ({RANGES_HU[r.name][0]:g} to {RANGES_HU[r.name][1]:g})"
        for r in wrong
    )
    evidence: dict[str, float | int | str | None] = {f"{r.name}_hu": r.hu for r in references}
    for r in wrong:
        low, high = RANGES_HU[r.name]
        evidence |= {f"{r.name}_low_hu": low, f"{r.name}_high_hu": high}
    if factor is not None:
        evidence |= {"factor": factor, "limit_factor_error": MOST_FACTOR_ERROR}
    is_air_off = any(r.name == "air" for r in wrong)
    is_firm = len(wrong) >= BLOCKING_COUNT or (is_air_off and is_factor_off(factor))
    return (
        Finding(
            code="hu-scale-off",
            severity=Severity.BLOCKING if is_firm else Severity.WARNING,
            message=f"HU are not where they belong: {said}.",
            certainty=0.9 if is_firm else 0.5,
            evidence=evidence,
        ),
    )


def estimate_factor(references: Sequence[Reference]) -> float | None:
    """By what HU were multiplied, from air and fat; ``None`` without both."""
    found = {reference.name: reference.hu for reference in references}
    if not {"air", "fat"} <= found.keys():
        return None
    return (found["fat"] - found["air"]) / AIR_TO_FAT_HU


def is_factor_off(factor: float | None) -> bool:
    """Whether no fat explains the distance from air to fat; the limit itself is believed."""
    return factor is not None and round(abs(factor - 1), 6) > MOST_FACTOR_ERROR


def _check_stored(values: NDArray[np.float32]) -> Finding | None:
    """Find an image that is bone in great part: numbers that were never rescaled."""
    share = float(np.mean(values > STORED_HU)) if values.size else 0.0
    if share < STORED_SHARE:
        return None
    return Finding(
        code="hu-scale-off",
        severity=Severity.BLOCKING,
        message=(
            f"{share:.0%} of the image lie above {STORED_HU:g} HU, as cortical bone does: these "
            "are not Hounsfield units, or they were moved."
        ),
        certainty=0.9,
        evidence={"share": share, "limit_share": STORED_SHARE, "limit_hu": STORED_HU},
    )


def _say_unchecked(ct: CTVolume) -> tuple[Finding, ...]:
    """Say that nothing was found to check the scale by, unless reading said so."""
    if any(finding.code in ("hu-scale-unchecked", "hu-scale-wrong") for finding in ct.findings):
        return ()
    return (
        Finding(
            code="hu-scale-unchecked",
            severity=Severity.WARNING,
            message=(
                "neither air nor fat fills enough of the image, and no muscle or vessel is "
                "labelled: the HU scale could not be checked"
            ),
        ),
    )


def find_references(
    ct: CTVolume, tissues: TissueHus, acquisition: Acquisition
) -> tuple[Reference, ...]:
    """What the image offers to check its scale by."""
    return _find_references(find_value_peaks(sample_values(ct)), tissues, acquisition)


def _find_references(
    peaks: Sequence[Peak], tissues: TissueHus, acquisition: Acquisition
) -> tuple[Reference, ...]:
    """References among the peaks and the labelled tissues."""
    found = [
        Reference(name=name, hu=hu)
        for name, hu in (("air", find_air_hu(peaks)), ("fat", find_fat_hu(peaks)))
        if hu is not None
    ]
    muscle = next((tissues.found[n] for n in MUSCLES if n in tissues.found), None)
    if muscle is not None:
        found.append(Reference(name="muscle", hu=muscle.median_hu))
    if _is_native(acquisition):
        vessels = [tissues.found[n].median_hu for n in VESSELS if n in tissues.found]
        if vessels:
            found.append(Reference(name="blood", hu=float(np.median(vessels))))
    return tuple(found)


def find_air_hu(peaks: Sequence[Peak]) -> float | None:
    """HU of the lowest peak, where it is air; ``None`` where there is none or it may be a lung."""
    lowest = min(peaks, key=lambda peak: peak.hu, default=None)
    if lowest is None or lowest.hu >= AIR_BELOW_HU:
        return None
    is_air = lowest.is_narrow or AIR_HU[0] <= lowest.hu <= AIR_HU[1]
    return lowest.hu if is_air else None


def find_fat_hu(peaks: Sequence[Peak]) -> float | None:
    """HU of the lowest peak of soft parts, where it can be fat."""
    soft = [peak for peak in peaks if peak.hu >= FAT_HU[0]]
    if not soft or soft[0].hu > FAT_HU[1]:
        return None
    fat = soft[0].hu
    has_tissue = any(
        peak.hu >= fat + ABOVE_FAT_HU and peak.share >= ABOVE_FAT_SHARE for peak in soft[1:]
    )
    return fat if fat <= FAT_ALONE_HU or has_tissue else None


def _is_native(acquisition: Acquisition) -> bool:
    """Whether blood can be taken as a reference: nobody says or shows contrast."""
    return {acquisition.phase, acquisition.phase_pixels} <= {Phase.NATIVE, None}
