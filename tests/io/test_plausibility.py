"""Whether numbers can be HU: each rule fires, and each has a CT in which it does not."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest

from osteoct.errors import HuNotRecoverableError, NotCtError
from osteoct.geometry import Geometry
from osteoct.io.plausibility import Scale, check_hu_scale, judge_scale, require_hu
from osteoct.io.volume import read_volume
from osteoct.records import Severity
from osteoct.volume import CTVolume

RNG = np.random.default_rng(11)


def mixed(**parts: tuple[float, float, float]) -> np.ndarray:
    """64 000 voxels; each part is (share, mean, SD)."""
    values = [RNG.normal(mean, sd, int(share * 64_000)) for share, mean, sd in parts.values()]
    flat = np.concatenate(values)
    return np.resize(flat, (40, 40, 40))


ABDOMEN = {"air": (0.4, -1000, 15), "fat": (0.2, -100, 15), "muscle": (0.3, 50, 15)}
BONE = {"bone": (0.1, 250, 120)}


def as_ct(array: np.ndarray) -> CTVolume:
    return CTVolume(
        array=array.astype(np.float32), geometry=Geometry.from_spacing(array.shape, (1, 1, 1))
    )


def test_the_real_ct_passes_and_the_real_mr_does_not(shared_data):
    """The MR has values -47 … 833, all of which are possible HU one by one."""
    assert read_volume(shared_data / "ts-example" / "ct.nii.gz").findings == ()
    with pytest.raises(NotCtError, match=r"found a background at 0 .*-47 to 833.*wanted air near"):
        read_volume(shared_data / "mr-example" / "mr.nii.gz")


def test_crops_of_the_real_ct_are_never_refused(shared_data):
    """A user crops to the spine, where there is no air: still the same HU."""
    array = np.asanyarray(nibabel.load(shared_data / "ts-example" / "ct.nii.gz").dataobj)
    mask = np.asanyarray(
        nibabel.load(shared_data / "ts-example" / "total_vertebrae.nii.gz").dataobj
    )
    centre = np.argwhere((mask >= 27) & (mask <= 31)).mean(axis=0).astype(int)
    for half in (4, 6, 8, 12, 16):
        box = tuple(slice(c - half, c + half) for c in centre)
        assert judge_scale(array[box]).scale in (Scale.HU, Scale.UNDECIDED), half
    assert judge_scale(array[tuple(slice(c - 12, c + 12) for c in centre)]).scale is Scale.HU


@pytest.mark.parametrize(
    "parts",
    [
        {**ABDOMEN, **BONE},
        {"fat": (0.2, -100, 20), "muscle": (0.6, 50, 20), **BONE},
        {"air": (0.01, -1000, 30), "muscle": (0.9, 50, 40)},
    ],
)
def test_hu_are_recognised(parts):
    """With air, cropped without air, with a trace of air and much noise."""
    ct = as_ct(mixed(**parts))
    assert require_hu(ct, where="ct.nii") == ()
    assert check_hu_scale(ct) == ()


def test_padding_is_not_taken_for_air_or_noise():
    """-2048 outside the circle says nothing of the scale."""
    array = mixed(**ABDOMEN, **BONE)
    array[:10] = -2048
    assert judge_scale(array).scale is Scale.HU
    stored = mixed(**ABDOMEN, **BONE) + 1024
    stored[:10] = -2048
    assert judge_scale(stored, padding_hu=-2048).scale is Scale.STORED


@pytest.mark.parametrize("offset", [1000, 1024])
@pytest.mark.parametrize("parts", [{**ABDOMEN, **BONE}, {"muscle": (0.9, 50, 20), **BONE}])
def test_stored_numbers_that_were_never_rescaled_are_refused(offset, parts):
    """Air at 0 instead of -1000: every vertebra would be 1000 HU too dense."""
    with pytest.raises(HuNotRecoverableError, match=r"-1000"):
        require_hu(as_ct(mixed(**parts) + offset), where="ct.nii")


@pytest.mark.parametrize(
    "array",
    [
        np.clip((mixed(**ABDOMEN, **BONE) + 1000) / 2000, 0, 1),
        np.clip((mixed(**ABDOMEN, **BONE) + 160) / 400 * 255, 0, 255),
        (mixed(**ABDOMEN, **BONE) - 50) / 500,
        np.abs(mixed(background=(0.4, 0, 4), tissue=(0.6, 300, 120))),
        mixed(one=(0.9, 20_000, 5000)),
        np.zeros((20, 20, 20)),
        np.full((20, 20, 20), -3024.0),
    ],
    ids=["0-1", "0-255", "z-score", "MR", "16-bit", "constant", "padding only"],
)
def test_numbers_that_cannot_be_hu_are_refused(array):
    """Each of these would give numbers for every vertebra without an error."""
    with pytest.raises(NotCtError, match="cannot be Hounsfield units"):
        require_hu(as_ct(array), where="ct.nii")


@pytest.mark.parametrize(
    "array",
    [
        mixed(bone=(0.9, 300, 60)),
        np.clip(mixed(**ABDOMEN, **BONE), -200, 300),
        mixed(muscle=(0.9, 55, 15), **BONE),
    ],
    ids=["bone only", "cut off by a window", "no fat, no air"],
)
def test_what_cannot_be_decided_is_told(array):
    """No refusal on a guess, and no silence either."""
    (finding,) = require_hu(as_ct(array), where="ct.nii")
    assert (finding.code, finding.severity) == ("hu-scale-unchecked", Severity.WARNING)


def test_a_header_that_claims_hu_can_be_wrong():
    """For DICOM the same judgement is a blocking finding."""
    (finding,) = check_hu_scale(as_ct(mixed(**ABDOMEN, **BONE) + 1024))
    assert (finding.code, finding.severity) == ("hu-scale-wrong", Severity.BLOCKING)
