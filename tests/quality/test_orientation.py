"""Flips: organs and muscles vote."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.geometry import Geometry
from osteoct.io.labels import read_labels
from osteoct.io.volume import read_volume
from osteoct.measure.tissues import TissueHu, TissueHus
from osteoct.pipeline import analyze_volumes
from osteoct.quality.orientation import LEAST_OFFSET_MM, Votes, check_orientation, count_votes
from osteoct.records import Severity
from osteoct.volume import CTVolume, LabelVolume


def places(**at):
    return {name: np.array(place, dtype=float) for name, place in at.items()}


def tissues(**at) -> TissueHus:
    return TissueHus(
        found={
            n: TissueHu(name=n, points=99, median_hu=40, sd_hu=10, centre_mm=place)
            for n, place in at.items()
        }
    )


@pytest.mark.parametrize(
    ("offset", "votes"),
    [
        (LEAST_OFFSET_MM, Votes(right=1)),
        (LEAST_OFFSET_MM - 0.1, Votes()),
        (-LEAST_OFFSET_MM, Votes(wrong=1)),
    ],
)
def test_a_vote_needs_a_distance(offset, votes):
    """Nearer than that, two structures abstain."""
    assert count_votes("left-right", places(liver=(offset, 0, 0), spine=(0, 0, 0))) == votes


@pytest.mark.parametrize(
    ("right", "wrong", "flipped"),
    [(0, 1, False), (0, 2, True), (1, 1, False), (1, 2, True), (2, 1, False)],
)
def test_the_majority_decides(right, wrong, flipped):
    """One structure alone does not; as many for as against does not either."""
    assert Votes(right=right, wrong=wrong).is_flipped is flipped


NORMAL = {
    "liver": (70, 20, 60),
    "spleen": (-80, 0, 60),
    "aorta": (-10, 30, 0),
    "inferior_vena_cava": (20, 30, 0),
    "autochthon_left": (-30, -50, 0),
    "autochthon_right": (30, -50, 0),
    "iliopsoas_left": (-40, 0, -80),
    "iliopsoas_right": (40, 0, -80),
}


@pytest.mark.parametrize(
    ("axis", "name", "severity"),
    [
        (0, "left-right", Severity.WARNING),
        (1, "front-back", Severity.BLOCKING),
        (2, "head-feet", Severity.BLOCKING),
    ],
)
def test_each_flip(axis, name, severity):
    """The axis that is flipped is named, and no other."""
    assert check_orientation([], tissues(**NORMAL)) == ()
    flipped = {
        n: tuple(-v if a == axis else v for a, v in enumerate(place)) for n, place in NORMAL.items()
    }
    (finding,) = check_orientation([], tissues(**flipped))
    assert (finding.evidence["axis"], finding.severity) == (name, severity)


def mirrored(volume, axis):
    """The same array, told to lie the other way round along one axis of patient space."""
    affine = volume.geometry.affine.copy()
    affine[axis] *= -1
    geometry = Geometry(shape=volume.geometry.shape, affine=affine)
    kept = {k: v for k, v in vars(volume).items() if k not in {"array", "geometry"}}
    return type(volume)(array=volume.array, geometry=geometry, **kept)


@pytest.mark.parametrize(("axis", "name"), [(0, "left-right"), (1, "front-back"), (2, "head-feet")])
def test_the_real_example_flipped(shared_data, axis, name):
    """A header whose axis is wrong, of image and labels alike: what a bad converter writes."""
    folder = shared_data / "ts-example"
    ct = read_volume(folder / "ct.nii.gz")
    labels = read_labels(folder / "total_fast.nii.gz")
    assert isinstance(ct, CTVolume)
    assert isinstance(labels, LabelVolume)
    sound = analyze_volumes(ct, labels).result
    assert "image-flipped" not in [f.code for f in sound.findings]
    result = analyze_volumes(mirrored(ct, axis), mirrored(labels, axis)).result
    found = [f.evidence["axis"] for f in result.findings if f.code == "image-flipped"]
    assert found == [name]
