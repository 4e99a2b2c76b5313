"""How noisy the image is, and what that leaves of the precision of a core's mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from osteoct.compartments.level import LevelCompartments
from osteoct.geometry import grown
from osteoct.measure.tissues import TissueHus
from osteoct.protocols import Region
from osteoct.records import Finding, Severity
from osteoct.volume import CTVolume

NOISE_LIMIT_HU = 30.0
"""Chosen: the numbers are shown to be right on phantoms with up to 25 HU of noise; a fifth more is
left for the error of the estimate."""

PRECISION_LIMIT_HU = 3.3
"""Standard error of a core's mean above which noise matters: half of the 4.7 % by which two
sessions of one patient differ (10.1186/s41747-024-00483-9), of 141.3 HU (derived)."""

CELL_MM3 = 1.5**3
"""Chosen: noise is alike over about the blur of a soft kernel, so voxels smaller than this are not
independent."""

HOMOGENEOUS = (
    *("liver", "spleen", "aorta", "inferior_vena_cava"),
    *("iliopsoas_left", "iliopsoas_right", "autochthon_left", "autochthon_right"),
)
"""Tissues that noise can be read from; the calmest counts, since fat and vessels only add."""

PATCH_MM = 8.0
"""Side of the patches in which SD is taken where no tissue is labelled."""

SOFT_HU = (-20.0, 120.0)
"""Mean of a patch of soft tissue, with contrast or without."""

CALM_PERCENTILE = 25.0
"""Of the patches' SDs: edges and fat raise many of them, and none is lower but by chance."""

BESIDE_MM = 40.0
"""How far beside the vertebrae patches are looked for."""

MOST_SLICES = 12
LEAST_PATCHES = 100


@dataclass(frozen=True, kw_only=True)
class Noise:
    """SD of the noise, and what it was read from."""

    sd_hu: float
    source: str


def check_noise(
    ct: CTVolume, levels: Sequence[LevelCompartments], tissues: TissueHus
) -> tuple[Finding, ...]:
    """Find noise beyond what the numbers were tested with, or that makes a mean imprecise."""
    noise = estimate_noise(ct, levels, tissues)
    if noise is None:
        return ()
    errors = {level: e for level in levels if (e := largest_error_hu(level, noise.sd_hu))}
    error = max(errors.values(), default=0.0)
    if noise.sd_hu <= NOISE_LIMIT_HU and error <= PRECISION_LIMIT_HU:
        return ()
    return (
        Finding(
            code="noisy-image",
            severity=Severity.WARNING,
            message=(
                f"Noise is about {noise.sd_hu:.0f} HU (SD in {noise.source}); it leaves the mean "
                f"of the smallest core uncertain by {error:.1f} HU."
            ),
            evidence={
                "noise_sd_hu": noise.sd_hu,
                "limit_sd_hu": NOISE_LIMIT_HU,
                "standard_error_hu": error,
                "limit_error_hu": PRECISION_LIMIT_HU,
                "source": noise.source,
            },
        ),
    )


def estimate_noise(
    ct: CTVolume, levels: Sequence[LevelCompartments], tissues: TissueHus
) -> Noise | None:
    """SD of the noise in the calmest labelled tissue or, without labels, beside the spine.

    Parameters
    ----------
    ct
        The CT whose grid the levels' boxes index, in canonical orientation.
    """
    known = [tissues.found[n] for n in HOMOGENEOUS if n in tissues.found]
    if known:
        calm = min(known, key=lambda t: t.sd_hu)
        return Noise(sd_hu=calm.sd_hu, source=calm.name.replace("_", " "))
    if not levels:
        return None
    sd = _calm_sd(ct, levels)
    return None if sd is None else Noise(sd_hu=sd, source="soft tissue beside the spine")


def largest_error_hu(level: LevelCompartments, noise_sd_hu: float) -> float | None:
    """Largest standard error of the mean, from noise alone, of a level's trabecular regions."""
    cells = [
        np.count_nonzero(mask) * min(1.0, level.geometry.voxel_volume_mm3 / CELL_MM3)
        for (_, region), mask in level.regions.items()
        if region is Region.TRABECULAR
    ]
    return noise_sd_hu / float(np.sqrt(max(min(cells), 1.0))) if cells else None


def _calm_sd(ct: CTVolume, levels: Sequence[LevelCompartments]) -> float | None:
    """Lower quartile of the SD in small patches of soft tissue around the vertebrae."""
    sizes = [max(3, round(PATCH_MM / s)) for s in ct.geometry.spacing_mm[:2]]
    found = [_patch_sds(plane, sizes) for plane in planes_beside(ct, levels)]
    sds = np.concatenate(found) if found else np.empty(0)
    return float(np.percentile(sds, CALM_PERCENTILE)) if sds.size >= LEAST_PATCHES else None


def planes_beside(ct: CTVolume, levels: Sequence[LevelCompartments]) -> list[NDArray[np.float32]]:
    """Some slices of the surroundings of the vertebrae, each (I, J) in HU."""
    low = [min(level.box[a].start for level in levels) for a in range(3)]
    high = [max(level.box[a].stop for level in levels) for a in range(3)]
    x, y, z = (slice(a, b) for a, b in zip(low, high, strict=True))
    margin = [int(BESIDE_MM / s) for s in ct.geometry.spacing_mm[:2]]
    wide = grown((x, y, z), (margin[0], margin[1], 0), ct.geometry.shape)
    chosen = np.unique(np.linspace(z.start, z.stop - 1, MOST_SLICES).astype(int))
    return [ct.hu((wide[0], wide[1], slice(k, k + 1)))[..., 0] for k in chosen.tolist()]


def _patch_sds(plane: NDArray[np.float32], sizes: list[int]) -> NDArray[np.float32]:
    """SD of every patch of soft tissue that lies whole inside a slice."""
    # shifted towards soft tissue: squares of small numbers keep their digits in float32
    centred = np.clip(np.nan_to_num(plane, nan=-1000.0), -1100, 3100) - np.float32(50)
    mean = ndi.uniform_filter(centred, sizes)
    square = ndi.uniform_filter(centred**2, sizes)
    count = sizes[0] * sizes[1]
    sd = np.sqrt(np.maximum(square - mean**2, 0) * count / (count - 1))
    a, b = (size // 2 + 1 for size in sizes)
    inner = (slice(a, -a), slice(b, -b))
    soft = (mean[inner] + 50 >= SOFT_HU[0]) & (mean[inner] + 50 <= SOFT_HU[1])
    found: NDArray[np.float32] = sd[inner][soft]
    return found
