"""A phantom whose bones each have their own HU, and a segmenter that knows them.

The segmenter follows the same rule as the stand-in networks of ``standin.py``, without a network.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from scipy import ndimage

from osteoct.anatomy import SCHEMES, Level, Part, Structure
from osteoct.errors import SegmentationError
from osteoct.phantom.acquisition import scan
from osteoct.phantom.description import Inclusion, Phantom
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.shapes import Placed
from osteoct.phantom.spine import BoneMake, lumbar_spine
from osteoct.phantom.tissue import Tissue
from osteoct.records import SegmenterRecord
from osteoct.segment.interface import Progress, Segmentation, SegmenterState
from osteoct.volume import CTVolume, LabelVolume

BONES = ("T12", "L1", "L2", "L3", "L4", "L5", "sacrum")
STEP_HU, HALF_HU = 40.0, 8.0
BONE_HU = {name: 250.0 + STEP_HU * n for n, name in enumerate(BONES)}
BODY_HU = {name: hu - HALF_HU for name, hu in BONE_HU.items()}
ARCH_HU = {name: hu + HALF_HU for name, hu in BONE_HU.items()}
NOISE_HU, LARGEST_OF_NOISE_HU = 1.0, 2.5
"""What the largest of some hundred voxels lies above the truth."""
DISC_HU, SOFT_HU, FLOOR_HU = 110.0, 50.0, 150.0

AORTA_HU = BONE_HU["sacrum"] + STEP_HU
"""A vessel for those who paint one; no bone comes near it."""

RIB_HU = AORTA_HU + STEP_HU
"""And ribs."""

FIELD_MM, CENTRE_MM = (130.0, 150.0, 215.0), (0.0, -28.0, -4.0)
"""L1 to L5 whole, T12 and the sacrum in part."""


def make_spine() -> Phantom:
    """A lumbar spine without shells: bodies of one HU each, posterior elements of another."""
    spine = lumbar_spine(BoneMake(dish_mm=1.0))
    vertebrae = []
    for vertebra in spine.vertebrae:
        arch = Tissue(name="bone", hu=ARCH_HU[vertebra.level])
        body = Inclusion(
            shape=Placed(primitive=vertebra.body),
            tissue=Tissue(name="bone", hu=BODY_HU[vertebra.level]),
            inside_core=False,
        )
        vertebrae.append(replace(vertebra, core=arch, shell=arch, inclusions=(body,)))
    sacral = Tissue(name="bone", hu=ARCH_HU["sacrum"])
    return replace(
        spine,
        vertebrae=tuple(vertebrae),
        sacrum=replace(spine.sacrum, core=sacral, shell=sacral),
        disc_tissue=Tissue(name="disc", hu=DISC_HU),
    )


def scan_spine(*, pixel_mm: float, slice_mm: float):
    """A scan of it."""
    scanner = Scanner(
        pixel_mm=pixel_mm,
        slice_mm=slice_mm,
        noise_sd_hu=NOISE_HU,
        axis_codes="LPS",
        fine_step_mm=0.5,
        field_of_view_mm=FIELD_MM,
        centre_mm=CENTRE_MM,
    )
    return scan(make_spine(), scanner)


class NearestHuSegmenter:
    """Each bone voxel gets the level whose HU is nearest to the largest HU around it."""

    name = "nearest-hu"

    def __init__(self, options=None):
        self.options = options

    def describe(self):
        return SegmenterState(
            name=self.name, title="for tests", licence="Apache-2.0", is_installed=True, version="1"
        )

    def check(self):
        pass

    def segment(self, ct: CTVolume) -> Segmentation:
        clock = time.perf_counter()
        if self.options is not None and self.options.progress is not None:
            self.options.progress(Progress(stage="vertebrae", done=1, total=2, seconds_left=3.0))
        hu = ct.hu()
        bone = ndimage.maximum_filter(hu, 3)
        is_bone = (hu >= FLOOR_HU) & (bone >= FLOOR_HU)
        if not is_bone.any():
            raise SegmentationError("no vertebrae were found", where=self.name)
        bone -= LARGEST_OF_NOISE_HU
        rank = np.rint((bone - BONE_HU["T12"]) / STEP_HU)
        rank = np.clip(rank, 0, len(BONES) - 1).astype(int)
        is_arch = bone > np.array(list(BONE_HU.values()))[rank]
        scheme = SCHEMES["totalsegmentator-v2"]
        numbers = [
            n
            for name in BONES
            for n, s in scheme.structures.items()
            if name in (s.name, s.level) and s.part in (Part.VERTEBRA, Part.SACRUM)
        ]
        labels = np.where(is_bone, np.array(numbers)[rank], 0).astype(np.uint8)
        bodies = (is_bone & ~is_arch & (labels != numbers[-1])).astype(np.uint8)
        return Segmentation(
            vertebrae=_labels(ct, labels, scheme),
            bodies=_labels(ct, bodies, SCHEMES["totalsegmentator-vertebrae-body"]),
            provenance=SegmenterRecord(
                name=self.name, version="1", seconds={"total": time.perf_counter() - clock}
            ),
        )


class TissueHuSegmenter(NearestHuSegmenter):
    """Knows what :func:`paint_tissues` paints, and the sacrum, as tissues."""

    name = "nearest-hu-tissues"

    def segment(self, ct):
        hu = ct.hu()
        painted = hu > AORTA_HU - STEP_HU / 2
        plain = ct.array.copy()
        plain[painted] = SOFT_HU
        made = super().segment(replace(ct, array=plain))
        sacrum = next(n for n, s in made.vertebrae.structures.items() if s.part is Part.SACRUM)
        tissues = np.zeros(hu.shape, np.uint8)
        tissues[made.vertebrae.array == sacrum] = 1
        tissues[painted] = 2
        tissues[hu > RIB_HU - STEP_HU / 2] = 3
        names = {1: "sacrum", 2: "aorta", 3: "rib_left_12"}
        structures = {n: Structure(name=name, part=Part.OTHER) for n, name in names.items()}
        return replace(
            made, tissues=LabelVolume(array=tissues, geometry=ct.geometry, structures=structures)
        )


def paint_tissues(shot):
    """The scan with a vessel before the spine and a rib on either side of the cut T12.

    The ribs begin 6 mm beside the vertebra and lead outwards.
    """
    ct, masks = shot.ct.reoriented("RAS"), shot.vertebrae.reoriented("RAS")
    array = np.ascontiguousarray(ct.array)
    spacing = ct.geometry.spacing_mm
    x, y = np.indices(array.shape[:2])
    inside = (x - array.shape[0] // 2) ** 2 + (y - array.shape[1] + 8) ** 2 <= 6**2
    array[inside] = AORTA_HU
    number = next(n for n, s in masks.structures.items() if s.level is Level.T12)
    where = np.argwhere(masks.array == number)
    low, high = where[:, 0].min(), where[:, 0].max() + 1
    gap, thick = (max(2, round(mm / spacing[0])) for mm in (6.0, 8.0))
    middle_y = round(float(where[:, 1].mean()))
    middle_z = round(float(where[:, 2].mean()))
    part = (slice(middle_y, middle_y + thick), slice(middle_z - thick // 2, middle_z + thick // 2))
    array[high + gap : high + gap + 3 * thick, *part] = RIB_HU
    array[max(0, low - gap - 3 * thick) : low - gap, *part] = RIB_HU
    return replace(ct, array=array)


def _labels(ct, array, scheme):
    return LabelVolume(
        array=array, geometry=ct.geometry, structures=scheme.structures, scheme_id=scheme.id
    )


LUMBAR_HU = {level: BODY_HU[level] for level in (Level.L1, Level.L2, Level.L3, Level.L4, Level.L5)}
"""Trabecular HU of the bodies, true by construction."""
