"""The real TotalSegmentator package on stand-in weights, from a DICOM series to the report.

The networks are stand-ins, everything around them is real: crop, resampling, patches, processes.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from osteoct.anatomy import LUMBAR
from osteoct.errors import SegmentationError, SegmenterUnavailableError
from osteoct.geometry import Geometry
from osteoct.phantom.dicom import write_dicom
from osteoct.protocols import BODY_CORE_4, Region
from osteoct.records import CaseResult, Severity
from osteoct.segment.interface import Quality, SegmentOptions
from osteoct.segment.registry import make_segmenter
from osteoct.segment.testing import check_segmenter, dice_by_level
from osteoct.segment.totalsegmentator.plan import BODIES, PLANS, SIX_MM, UNUSED_FOLDERS
from osteoct.volume import CTVolume

pytestmark = [pytest.mark.totalsegmentator, pytest.mark.slow]

HU_ERROR = 5.0
RUN_S = 400
"""A run takes a minute on two cores; a machine in use by others may take several."""


def _no_network():
    """What makes a process run where no network exists, if this machine lets us."""
    if shutil.which("unshare") is None:
        return []
    tried = subprocess.run(["unshare", "-n", "true"], check=False, capture_output=True, timeout=10)  # noqa: S607 - found above
    return ["unshare", "-n"] if tried.returncode == 0 else []


WATCH = """
import os, sys
seen = {"osteoct", "totalsegmentator", "torch"}
def watch(event, arguments):
    is_name = event in ("socket.getaddrinfo", "socket.gethostbyname")
    is_sent = event in ("socket.connect", "socket.sendto", "socket.sendmsg")
    if is_name or (is_sent and arguments[0].family != 1):
        with open(os.environ["OSTEOCT_TEST_WATCH"], "a") as log:
            log.write(event + "\\n")
    elif event == "import" and (name := arguments[0].partition(".")[0]) in seen:
        seen.discard(name)
        with open(os.environ["OSTEOCT_TEST_WATCH"] + ".seen", "a") as log:
            log.write(f"{os.getpid()} {name} ")
sys.addaudithook(watch)
"""
"""Put into every Python process of a run: writes down whoever calls another machine, and who was
watched. Family 1 is that of sockets on this machine."""


def _watched(folder):
    """Variables that have every Python process below write down its calls to the network."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(WATCH)
    path = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    return {"PYTHONPATH": path, "OSTEOCT_TEST_WATCH": str(folder / "calls.txt")}


def _environment(home, weights):
    """A home of its own; the key and our report's cache of fonts, which belong there, elsewhere."""
    return {
        **os.environ,
        "HOME": str(home),
        "OSTEOCT_KEY": "a key for tests, not for patients",
        "MPLCONFIGDIR": tempfile.gettempdir(),
        "TOTALSEG_WEIGHTS_PATH": str(weights),
    }


def _start(arguments, *, home, weights, **more):
    """Start the command where no network exists."""
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [*_no_network(), sys.executable, "-m", "osteoct", *map(str, arguments)],
        env=_environment(home, weights) | more,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def dicom(spine, tmp_path_factory):
    """The spine as a DICOM series."""
    folder = tmp_path_factory.mktemp("series") / "dicom"
    write_dicom(spine.ct, folder)
    return folder


@pytest.fixture(scope="module")
def analysed(dicom, weights, tmp_path_factory):
    """One ``osteoct analyze`` without masks and without a network; home before and after."""
    home, out = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("out") / "result"
    (home / ".profile").write_text("mine")
    trained = sorted(weights.rglob("*"))
    # a temporary folder of its own: tests beside this one have theirs in the machine's
    temporary = tmp_path_factory.mktemp("t")
    asked, watched = ("analyze", dicom, "-o", out, "--device", "cpu"), _watched(home.parent / "w")
    process = _start(asked, home=home, weights=weights, TMPDIR=str(temporary), **watched)
    _, said = process.communicate(timeout=RUN_S)
    assert process.returncode == 0, said
    assert sorted(weights.rglob("*")) == trained
    assert not any(temporary.glob("osteoct-*"))
    return CaseResult.model_validate_json((out / "case.json").read_text()), home, out


def test_levels_and_hu_are_right_from_dicom_to_report(analysed, nearest_hu):
    """The main claim: the package's labels arrive under the right names at the right place."""
    case, _, out = analysed
    for level in LUMBAR:
        found = case.level(level)
        assert found is not None
        # neighbours are 40 HU apart, or the network could not tell them: masks of a small network
        # may leave the bone's edge by a little, which is told, and none of them is at fault
        assert set(found.usability_codes) <= {"lucent-focus", "level-outlier", "outline-misfit"}
        doubts = [f for f in case.findings if f.level is level and f.code == "outline-misfit"]
        assert all(finding.severity is Severity.WARNING for finding in doubts)
        assert found.body_source == "mask"
        core = found.region(BODY_CORE_4.id, Region.TRABECULAR)
        assert core is not None
        assert core.hu is not None
        assert abs(core.hu.mean_hu - nearest_hu.LUMBAR_HU[level]) <= HU_ERROR
    assert (out / "report.html").stat().st_size > 10_000


def test_nobody_called_another_machine(analysed):
    """Not refused: never tried, by no process of the run, ours and the package's watched alike."""
    log = analysed[1].parent / "w" / "calls.txt"
    seen = log.with_name("calls.txt.seen").read_text().split()
    assert {"osteoct", "totalsegmentator", "torch"} <= set(seen)
    assert len({word for word in seen if word.isdigit()}) > 1
    assert not log.exists(), log.read_text()


def test_nothing_is_left_in_the_home_folder(analysed):
    """No configuration, no weights, no caches; the temporary folder was compared as well."""
    _, home, _ = analysed
    assert [p.name for p in home.rglob("*")] == [".profile"]


def test_the_result_tells_what_made_the_masks(analysed):
    """Name, version, device and the hash of each model, so that a number can be traced."""
    made = analysed[0].provenance.segmenter
    assert made is not None
    assert (made.name, made.quality, made.device) == ("totalsegmentator", "best", "cpu")
    assert set(made.weights) == {model.folder for model in PLANS[Quality.BEST].models}
    assert {"vertebrae", "bodies", "total"} <= set(made.seconds)
    assert 0 < made.seconds["load"] < made.seconds["total"]
    assert made.peak_memory_mb is None or made.peak_memory_mb > 100


@pytest.fixture
def environment(weights, tmp_path, monkeypatch):
    """The weights and an empty home for this process."""
    monkeypatch.setenv("TOTALSEG_WEIGHTS_PATH", str(weights))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.usefixtures("environment")
def test_fast_keeps_the_rules_and_leaves_this_process_alone(spine):
    """Environment, folder, import path, modules and standard streams are as they were."""
    segmenter = make_segmenter("totalsegmentator", SegmentOptions(quality=Quality.FAST))
    before = (dict(os.environ), Path.cwd(), list(sys.path), sys.stdout, tempfile.gettempdir())
    made = []

    class Once:
        """The segmenter, its result kept."""

        name = segmenter.name
        describe = segmenter.describe
        check = segmenter.check

        def segment(self, ct):
            made.append(segmenter.segment(ct))
            return made[-1]

    with segmenter:
        check_segmenter(Once(), spine.ct)
    after = (dict(os.environ), Path.cwd(), list(sys.path), sys.stdout, tempfile.gettempdir())
    assert after == before
    assert not {"totalsegmentator", "torch", "nnunetv2"} & set(sys.modules)
    dice = dice_by_level(spine.vertebrae, made[0].vertebrae)
    assert min(dice[level] for level in LUMBAR) > 0.8
    assert made[0].bodies is None
    assert [f.code for f in made[0].findings] == ["segmented-coarse", "weights-accepted"]


@pytest.mark.usefixtures("environment")
def test_air_is_refused():
    """No vertebrae is a failure that says so, never empty masks."""
    grid = Geometry.from_spacing((60, 60, 60), (2.0, 2.0, 2.0))
    air = CTVolume(array=np.full(grid.shape, -1000, np.int16), geometry=grid)
    with pytest.raises(SegmentationError, match="no vertebrae were found"):
        make_segmenter("totalsegmentator", SegmentOptions(device="cpu")).segment(air)


@pytest.mark.usefixtures("environment")
def test_a_gpu_that_is_not_there_is_an_error(spine):
    """The package would go to the CPU without a word."""
    with pytest.raises(SegmenterUnavailableError, match="no such device"):
        make_segmenter("totalsegmentator", SegmentOptions(device="gpu:99")).segment(spine.ct)


@pytest.mark.usefixtures("environment")
def test_damaged_weights_that_look_whole_are_a_clear_failure(spine, weights, tmp_path, monkeypatch):
    """A checkpoint altered in place: the package's own failure, in one line, naming no path."""
    copy = tmp_path / "weights"
    shutil.copytree(weights, copy)
    (copy / SIX_MM.trained / "plans.json").write_text("{}")
    monkeypatch.setenv("TOTALSEG_WEIGHTS_PATH", str(copy))
    with pytest.raises(SegmentationError) as caught:
        make_segmenter("totalsegmentator", SegmentOptions(device="cpu")).segment(spine.ct)
    assert "TotalSegmentator failed" in caught.value.line
    assert str(tmp_path) not in caught.value.line
    assert tempfile.gettempdir() not in caught.value.line


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_leaves_nothing(dicom, weights, tmp_path, number):
    """Ctrl-C ends within seconds; a killed run cleans up as well, for the worker sees it."""
    temporary = tmp_path / "t"
    temporary.mkdir()
    home, out = tmp_path / "home", tmp_path / "out"
    home.mkdir()
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", "osteoct", "analyze", dicom, "-o", out, "--device", "cpu"],
        env={**_environment(home, weights), "TMPDIR": str(temporary)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _wait(lambda: any(temporary.glob("osteoct-*/tmp/*/image.nii")), RUN_S)
    process.send_signal(number)
    assert process.wait(10) == (130 if number == signal.SIGINT else -signal.SIGKILL)
    _wait(lambda: not any(temporary.iterdir()), 10)
    assert not any(home.iterdir())
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith((".out", "out"))] == []


def _wait(is_so, seconds):
    """Wait for something to become so."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_torchs_own_words_for_memory_are_known():
    """A memory that no machine has, asked of torch itself; the GPU's by torch's own class.

    In a process of its own, for this one must not import torch.
    """
    code = (
        "import torch; from osteoct.segment.isolation.worker import kind_of\n"
        "try: torch.empty(2**50)\n"
        "except RuntimeError as error: print(kind_of(error))\n"
        "print(kind_of(torch.cuda.OutOfMemoryError('CUDA out of memory. Tried to allocate 2 GiB')))"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.split() == ["memory", "gpu-memory"]


def test_missing_weights_end_with_exit_code_4(dicom, tmp_path):
    """Where fetching is forbidden no connection is tried: the check comes first."""
    process = _start(
        ("analyze", dicom, "-o", tmp_path / "out", "--offline"),
        home=tmp_path,
        weights=tmp_path / "none",
    )
    _, said = process.communicate(timeout=60)
    assert process.returncode == 4
    assert len(said.splitlines()) == 1
    assert f"{BODIES.folder} missing" in said


def test_the_plan_names_what_the_package_names():
    """Folders, trainers and classes are copied into the plan; a new version may move them.

    In a process of its own, for this one must not import the package.
    """
    code = (
        "import json; from totalsegmentator import map_tasks_config as c, map_to_binary as m; "
        "t = c.TASK_CONFIGS; print(json.dumps({"
        "'folders': {i: v.get('foldername') for i, v in c.TASK_ID_WEIGHTS_CONFIGS.items()}, "
        "'total': t['total']['sub_modes'], 'body': t['vertebrae_body'], "
        "'classes': list(m.class_map['total'].values())}))"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120
    )
    package = json.loads(done.stdout)
    models = {m.id: m for plan in PLANS.values() for m in plan.models}
    for number, model in models.items():
        assert package["folders"][str(number)] == model.folder
    total = package["total"]
    assert models[292].trainer == total["default"]["trainer"]
    assert models[297].trainer == total["fast"]["trainer"]
    assert models[298].trainer == total["fastest"]["trainer"]
    assert models[305].trainer == package["body"]["trainer"]
    parts = set(total["default"]["task_id"]) - {292}
    assert {package["folders"][str(n)] for n in parts} == set(UNUSED_FOLDERS)
    for plan in PLANS.values():
        assert set(plan.tasks[0].structures) <= set(package["classes"])
