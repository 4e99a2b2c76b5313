"""The tasks of one CT: boxes, what is left out, and what happens where a GPU's memory ends.

The engine here is a function of the image, so that every box has a closed form. No GPU is needed:
what it would say when its memory ends is said by the engine.
"""

from __future__ import annotations

import nibabel
import numpy as np
import pytest

from osteoct.segment.interface import Quality
from osteoct.segment.totalsegmentator import tasks
from osteoct.segment.totalsegmentator.memory import Coarse, OwnWayError
from osteoct.segment.totalsegmentator.results import find_limits
from osteoct.segment.totalsegmentator.tasks import TaskRun, box_of, enlarge, shift

TASKS = (
    {"result": "vertebrae", "within": None},
    {"result": "bodies", "within": "vertebrae"},
)
AFFINE = np.diag([2.0, 1.0, 4.0, 1.0])


class Above:
    """Labels voxels above 100; remembers what it saw and where."""

    def __init__(self, *, fails_on=(), error=None):
        self.seen, self.fails_on, self.error, self.forgotten = [], fails_on, error, []

    def run(self, image, task, device):
        self.seen.append((task["result"], image.shape, device))
        if device in self.fails_on:
            raise self.error
        return (np.asarray(image.dataobj) > 100).astype(np.uint8), {"1": task["result"]}

    def forget_image(self):
        self.forgotten.append("image")

    def forget_models(self):
        self.forgotten.append("models")


def _run(tmp_path, engine, *, array=None, device="cpu", may_fall_back=False):
    if array is None:
        array = np.zeros((40, 50, 30), np.int16)
        array[20:25, 30:32, 10:20] = 200
    np.save(tmp_path / "ct.npy", array)
    job = {
        "ct": "ct.npy",
        "affine": AFFINE.tolist(),
        "margin_mm": 20.0,
        "may_fall_back": may_fall_back,
        "tasks": TASKS,
    }
    begun = []
    run = TaskRun(job, tmp_path, device=device, engine=engine, begin=begun.append)
    return run.do_all(), begun


def test_bodies_are_looked_for_around_the_vertebrae(tmp_path):
    """20 mm on each side, cut at the image: 10, 20 and 5 voxels here."""
    engine = Above()
    told, begun = _run(tmp_path, engine)
    assert begun == ["vertebrae", "bodies"]
    shapes = [shape for _, shape, _ in engine.seen]
    assert shapes == [(40, 50, 30), (5 + 20, 2 + 20 + 18, 10 + 10)]
    assert told["boxes"]["vertebrae"] == told["boxes"]["bodies"] == [[20, 25], [30, 32], [10, 20]]
    assert np.load(tmp_path / "bodies.npy").shape == (5, 2, 10)
    assert np.load(tmp_path / "bodies.npy").all()
    assert engine.forgotten == ["image"]


def test_nothing_found_ends_it(tmp_path):
    """There is no box to look for bodies in."""
    engine = Above()
    told, begun = _run(tmp_path, engine, array=np.zeros((10, 10, 10), np.int16))
    assert begun == ["vertebrae"]
    assert told["boxes"] == {"vertebrae": None}


def test_a_gpu_whose_memory_ends_hands_over_to_the_cpu(tmp_path):
    """Where the user let us choose; what follows stays there, and it is told."""
    engine = Above(fails_on=("gpu:0",), error=RuntimeError("CUDA out of memory. Tried 2 GiB"))
    told, _ = _run(tmp_path, engine, device="gpu:0", may_fall_back=True)
    assert [device for _, _, device in engine.seen] == ["gpu:0", "cpu", "cpu"]
    assert told["device"] == "cpu"
    assert "models" in engine.forgotten
    codes = [f.code for f in find_limits(Quality.BEST, told)]
    assert codes == ["segmented-on-cpu"]


@pytest.mark.parametrize(
    ("device", "may_fall_back", "error"),
    [
        ("gpu:0", False, RuntimeError("CUDA out of memory")),
        ("gpu:0", True, RuntimeError("something else")),
        ("cpu", True, RuntimeError("CUDA out of memory")),
    ],
)
def test_nothing_moves_unless_it_is_allowed(tmp_path, device, may_fall_back, error):
    """A named GPU, another failure, or no GPU: it fails as it is."""
    engine = Above(fails_on=("gpu:0", "cpu"), error=error)
    with pytest.raises(RuntimeError, match=str(error)):
        _run(tmp_path, engine, device=device, may_fall_back=may_fall_back)
    assert len(engine.seen) == 1
    assert engine.forgotten == ["image"]


def test_an_image_that_the_package_would_split_goes_by_the_package(tmp_path, monkeypatch):
    """The engine in memory has no seams to imitate."""
    package = Above()
    monkeypatch.setattr(tasks, "ApiEngine", lambda: package)
    engine = Above(fails_on=("cpu",), error=OwnWayError())
    told, _ = _run(tmp_path, engine)
    assert [result for result, _, _ in package.seen] == ["vertebrae", "bodies"]
    assert told["boxes"]["vertebrae"] == [[20, 25], [30, 32], [10, 20]]


def test_boxes_in_closed_form():
    """One voxel off is one voxel of a vertebra."""
    labels = np.zeros((6, 7, 8), np.uint8)
    assert box_of(labels) is None
    labels[2, 3, 4] = labels[4, 3, 7] = 1
    box = box_of(labels)
    assert box == (slice(2, 5), slice(3, 4), slice(4, 8))
    image = nibabel.Nifti1Image(labels, np.diag([1.0, 2.0, 3.0, 1.0]))
    assert enlarge(box, image, 2.0) == (slice(0, 6), slice(2, 5), slice(3, 8))
    assert shift(box, (slice(None), slice(5, 9), slice(1, 2))) == (
        slice(2, 5),
        slice(8, 9),
        slice(5, 9),
    )


@pytest.mark.parametrize("codes", ["RAS", "LPS", "PIR", "SAL", "IRP"])
def test_coarse_labels_find_their_place_in_any_orientation(codes):
    """The box from coarse labels is that of the labels themselves, brought to the image."""
    turn = nibabel.orientations.axcodes2ornt(tuple(codes))
    fine = nibabel.Nifti1Image(np.zeros((24, 33, 17), np.uint8), np.diag([1.0, 1.0, 2.0, 1.0]))
    image = fine.as_reoriented(
        nibabel.orientations.ornt_transform(
            nibabel.orientations.axcodes2ornt(("R", "A", "S")), turn
        )
    )
    labels = np.zeros((8, 11, 9), np.uint8)
    labels[2:4, 5:6, 3:7] = 3
    labels[0, 0, 0] = 5
    coarse = Coarse(labels=labels, shape=image.shape, affine=image.affine)
    full = coarse.on_image()
    assert full.shape == image.shape
    assert coarse.box_of([3], np.zeros(3, int)) == box_of(full == 3)
    assert coarse.box_of([3, 5], np.zeros(3, int)) == box_of(full)
    assert coarse.box_of([9], np.zeros(3, int)) is None
    grown = coarse.box_of([3], np.array([1, 2, 300]))
    inner = box_of(full == 3)
    assert grown[0] == slice(max(0, inner[0].start - 1), min(image.shape[0], inner[0].stop + 1))
    assert grown[2] == slice(0, image.shape[2])
