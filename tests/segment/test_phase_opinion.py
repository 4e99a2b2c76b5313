"""The second opinion on the phase, up to the package: what it is told, and what it costs to lack.

The package is a stand-in here that answers by the aorta; the process apart is real. The real one:
``totalsegmentator/test_totalsegmentator_phase.py``.
"""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
from click.testing import CliRunner

from osteoct.anatomy import LANDMARKS, PHASE_ORGANS, TISSUES, Part, Structure
from osteoct.case_masks import default_segmenter
from osteoct.cli import main
from osteoct.config import AnalysisConfig
from osteoct.errors import SegmentationError
from osteoct.geometry import Geometry
from osteoct.io.nifti import write_ct, write_labels
from osteoct.measure.organ_medians import OrganMedian
from osteoct.records import CaseResult, Phase, Severity
from osteoct.segment.interface import Quality
from osteoct.segment.phase_opinion import seek_opinion
from osteoct.segment.totalsegmentator import phase as asking
from osteoct.segment.totalsegmentator.plan import PLANS, plan_of
from osteoct.volume import CTVolume, LabelVolume

ANSWER = """
def get_ct_contrast_phase(ct_img, existing_stats=None, quiet=False, device="gpu"):
    assert existing_stats["brain"]["volume"] <= 100
    hu = existing_stats["aorta"]["intensity"]
    if hu > 900:
        raise RuntimeError("trees that are not known")
    phase = "arterial_late" if hu > 100 else "native"
    yield {"progress": 2}
    yield {"progress": 100, "result": {"pi_time": hu / 10, "phase": phase, "probability": 0.7,
           "pi_time_min": 1.0, "pi_time_max": 2.0, "stddev": 0.5}}
"""


def install(site, monkeypatch, *names):
    """Stand-in packages, for this process and those it starts."""
    files = {
        "totalsegmentator": "totalsegmentator/bin/totalseg_get_phase.py",
        "torch": "torch/__init__.py",
        "xgboost": "xgboost/__init__.py",
    }
    for name in names:
        path = site / files[name]
        path.parent.mkdir(parents=True)
        path.write_text(ANSWER if name == "totalsegmentator" else "")
    for package in (site / "totalsegmentator", site / "totalsegmentator" / "bin"):
        if package.is_dir():
            (package / "__init__.py").touch()
    for name, number in (("TotalSegmentator", "2.18.0"), ("xgboost_cpu", "3.2.0")):
        info = site / f"{name}-{number}.dist-info"
        info.mkdir()
        text = f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {number}\n"
        (info / "METADATA").write_text(text)
    monkeypatch.syspath_prepend(site)
    paths = (str(site), os.environ.get("PYTHONPATH"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Everything is installed."""
    site = tmp_path / "site"
    site.mkdir()
    install(site, monkeypatch, "totalsegmentator", "torch", "xgboost")


def organs(aorta_hu=300, *, names=PHASE_ORGANS, seen=("aorta", "liver")):
    """A CT of blocks and their labels; the others are looked for and not in the image."""
    array = np.zeros((20, 8, 8), np.uint8)
    structures = {n: Structure(name=name, part=Part.OTHER) for n, name in enumerate(names, 1)}
    hu = np.zeros(array.shape, np.int16)
    for place, name in enumerate(seen):
        block = slice(5 * place, 5 * place + 4)
        array[block] = list(names).index(name) + 1
        hu[block] = {"aorta": aorta_hu}.get(name, 60)
    grid = Geometry.from_spacing(array.shape, (3.0, 3.0, 3.0))
    labels = LabelVolume(array=array, geometry=grid, structures=structures)
    return CTVolume(array=hu, geometry=grid), labels


def test_an_opinion_is_no_finding(package):  # noqa: ARG001 - installs
    """Phase, time and versions come back; what the package was told is kept beside them."""
    made, finding = seek_opinion("totalsegmentator", *organs(300))
    assert finding is None
    assert (made.phase, made.named, made.probability) == (Phase.ARTERIAL, "arterial_late", 0.7)
    assert (made.seconds_after_injection, made.earliest_s, made.latest_s) == (30.0, 1.0, 2.0)
    assert made.packages["TotalSegmentator"] == "2.18.0"
    assert made.packages["xgboost-cpu"] == "3.2.0"
    assert made.organs_hu == {"aorta": 300.0, "liver": 60.0}


@pytest.mark.parametrize("lacking", ["totalsegmentator", "xgboost"])
def test_what_is_missing_costs_the_opinion_alone(tmp_path, monkeypatch, lacking):
    """One line that says what to install."""
    real = asking.find_spec
    monkeypatch.setattr(asking, "find_spec", lambda name: None if name == lacking else real(name))
    if lacking == "totalsegmentator":
        monkeypatch.setattr("osteoct.segment.totalsegmentator.segmenter.find_spec", lambda _: None)
    else:
        install(tmp_path, monkeypatch, "totalsegmentator", "torch")
    made, finding = seek_opinion("totalsegmentator", *organs())
    assert made is None
    assert (finding.code, finding.severity) == ("phase-opinion-missing", Severity.WARNING)
    assert "pip install 'osteoct[contrast-phase]'" in finding.message
    assert "\n" not in finding.message


def test_a_package_that_fails_costs_the_opinion_alone(package):  # noqa: ARG001 - installs
    """Trees of another version may not be read."""
    made, finding = seek_opinion("totalsegmentator", *organs(1000))
    assert made is None
    assert "trees that are not known" in finding.message


def test_organs_that_nobody_looked_for_are_not_absent(package):  # noqa: ARG001 - installs
    """With vessels and liver alone the real classifier calls a portal venous scan arterial."""
    ct, labels = organs(names=[n for n in PHASE_ORGANS if n not in ("colon", "heart")])
    _, finding = seek_opinion("totalsegmentator", ct, labels)
    assert "no heart, colon" in finding.message
    assert "--phase-organs" in finding.message
    assert seek_opinion("totalsegmentator", ct, None)[1].code == "phase-opinion-missing"


@pytest.mark.parametrize(("more", "refused"), [(0.0, False), (1.0, True)])
def test_a_brain_is_refused(more, refused):
    """The package would look for vessels of the neck, with a model that is not here."""
    found = {"brain": OrganMedian(volume_mm3=asking.MOST_BRAIN_MM3 + more, median_hu=35)}
    _, labels = organs()
    if not refused:
        asking.check_organs(labels, found)
        return
    with pytest.raises(SegmentationError, match="the brain is in the image"):
        asking.check_organs(labels, found)


def test_a_phase_of_another_name_is_refused():
    """A later package may know more."""
    told = {"phase": "delayed", "probability": 1, "pi_time": 1, "pi_time_min": 1, "pi_time_max": 1}
    with pytest.raises(SegmentationError, match="delayed"):
        asking.read_opinion(told, {})


def test_statistics_are_in_the_packages_words():
    """Every organ it asks for, 0 where it is not in the image."""
    told = asking.state_organs({"aorta": OrganMedian(volume_mm3=5.0, median_hu=300.0)})
    assert set(told) == set(PHASE_ORGANS)
    assert told["aorta"] == {"volume": 5.0, "intensity": 300.0}
    assert told["colon"] == {"volume": 0.0, "intensity": 0.0}


@pytest.mark.parametrize("quality", list(Quality))
def test_organs_and_bones_cost_no_further_model(quality):
    """Those of the phase are found only where asked: they make the box of the network larger."""
    plain, more = plan_of(quality, with_tissues=True), plan_of(quality, with_phase_organs=True)
    assert plain.models == more.models
    assert plan_of(quality) is PLANS[quality]
    kept = {s for s in LANDMARKS if s != "vertebrae_S1"} | set(TISSUES)
    assert set(plain.tasks[-1].structures) == kept
    assert set(more.tasks[-1].structures) == kept | set(PHASE_ORGANS)


@pytest.mark.parametrize("asked", [None, "totalsegmentator"])
def test_thedefault_segmenter_finds_the_organs_where_an_opinion_is_wanted(asked):
    """Off by default."""
    made = default_segmenter(AnalysisConfig(phase_opinion=asked))
    assert made._options.with_phase_organs is (asked is not None)
    assert AnalysisConfig().phase_opinion is None


@pytest.fixture
def files(coarse_spine, tmp_path):
    """The spine, its masks, and organs that lie beside it."""
    ct = coarse_spine.ct
    structures = {
        n: Structure(name=name, part=Part.OTHER) for n, name in enumerate(PHASE_ORGANS, 1)
    }
    array = np.zeros(ct.array.shape, np.uint8)
    aorta = PHASE_ORGANS.index("aorta") + 1
    array[:4] = aorta
    hu = ct.array.copy()
    hu[:4] = 300
    labels = LabelVolume(array=array, geometry=ct.geometry, structures=structures)
    paths = {name: tmp_path / f"{name}.nii.gz" for name in ("ct", "masks", "organs")}
    write_ct(CTVolume(array=hu, geometry=ct.geometry), paths["ct"])
    write_labels(coarse_spine.vertebrae, paths["masks"])
    write_labels(labels, paths["organs"])
    return paths


def analysed(files, *options):
    out = files["ct"].parent / "out"
    asked = ("analyze", files["ct"], "--masks", files["masks"], "--levels", "L3", "-o", out)
    done = CliRunner().invoke(main, [str(a) for a in (*asked, *options)], prog_name="osteoct")
    assert done.exit_code == 0, done.stderr
    text = (out / "case.json").read_text(encoding="utf-8")
    assert json.loads((out / "case.json").read_text())["schema"] == "osteoct.case/1"
    return CaseResult.model_validate_json(text), done.stderr, out


def test_from_the_command_to_the_result(package, files):  # noqa: ARG001 - installs
    """Asked, recorded, held against what the user stated, and shown."""
    asked = ("--tissues", files["organs"], "--phase-opinion", "totalsegmentator")
    case, _, out = analysed(files, *asked, "--phase", "native")
    assert case.acquisition.phase is Phase.NATIVE
    assert case.acquisition.phase_opinion.phase is Phase.ARTERIAL
    found = {f.code: f for f in case.findings}
    assert found["phase-opinion-disagrees"].severity is Severity.WARNING
    assert "phase-opinion-missing" not in found
    assert "phase" in case.provenance.seconds
    assert "by totalsegmentator: arterial" in (out / "report.html").read_text(encoding="utf-8")


def test_the_command_goes_on_without_one(files):
    """Masks alone hold no organs: the analysis is there, and one line says what is not."""
    case, said, _ = analysed(files, "--phase-opinion", "totalsegmentator")
    assert case.acquisition.phase_opinion is None
    assert [f.code for f in case.findings].count("phase-opinion-missing") == 1
    assert said.count("There is no second opinion on the contrast phase") == 1
