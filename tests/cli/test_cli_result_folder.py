"""What lies in OUT: the promised files, telling the same numbers, checked without osteoct."""

from __future__ import annotations

import csv
import json
import tomllib

import nibabel as nib
import numpy as np
import pytest
from jsonschema import Draft202012Validator
from nibabel.orientations import aff2axcodes

import osteoct
from osteoct.config import AnalysisConfig
from osteoct.schemas.case import load_case_schema

FILES = {
    *("case.json", "levels.csv", "heights.csv", "findings.csv", "report.html"),
    *("compartments.nii.gz", "run.toml", "pictures"),
}
LEVEL_COLUMNS = (
    "case_id,level,protocol,region,volume_cm3,voxels,mean_hu,median_hu,sd_hu,p05_hu,p25_hu,"
    "p75_hu,p95_hu,reason,numbering_certainty,masks_used,usability,usability_codes,numbering_reason"
)
NUMBERS = LEVEL_COLUMNS.split(",")[4:13]
ROUNDED = 5.1e-4
"""HU are written with three decimals, volumes with four."""


@pytest.fixture
def case(analysed):
    """The case as written."""
    return json.loads((analysed[1] / "case.json").read_text(encoding="utf-8"))


@pytest.fixture
def rows(analysed):
    """The rows of levels.csv."""
    with (analysed[1] / "levels.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_folder_holds_exactly_the_promised_files(analysed):
    """Nothing less, and nothing left over from making them."""
    assert {p.name for p in analysed[1].iterdir()} == FILES
    assert {p.name for p in analysed[1].parent.iterdir()} == {"result"}


def test_json_on_stdout_is_the_case(analysed, case):
    """Standard output is data: one document, the same as the file, valid under the schema."""
    printed = json.loads(analysed[0].out)
    assert printed == case
    Draft202012Validator(load_case_schema()).validate(printed)


def test_words_are_few_and_on_stderr(analysed):
    """First what can be concluded, then doubts, last the report's place."""
    said = analysed[0].said
    assert said[0] == "No conclusion: no published cut-off could be applied to this case."
    assert said[1].startswith("Mean trabecular HU of L1 (axial-roi) is ")
    assert "whether this is L1 is not sure enough" in said[1]
    assert said[-1] == f"Report: {analysed[1] / 'report.html'}"
    assert said[-2].startswith("Research software")
    is_doubt = [line.startswith(("warning: ", "blocking: ")) for line in said]
    assert any(is_doubt)
    assert is_doubt.index(True) <= 4
    assert len(said) <= 14


def test_library_is_the_commands_twin(patient, case):
    """The same call from Python gives the same result, times aside."""
    result = osteoct.analyze(
        patient.dicom,
        patient.masks,
        body_masks=patient.bodies,
        config=AnalysisConfig(levels=("L1", "L2", "L3")),
    )
    again = result.model_dump(mode="json", by_alias=True)
    for one in (again, case):
        for key in ("started_utc", "seconds"):
            one["provenance"].pop(key)
    assert again == case


def test_levels_csv_agrees_with_the_case(analysed, case, rows):
    """Two files, one truth; an absent number is an empty cell beside its reason."""
    head = (analysed[1] / "levels.csv").read_text(encoding="utf-8").splitlines()[0]
    assert head == LEVEL_COLUMNS
    regions = [
        (case["case_id"], level["level"], region)
        for level in case["levels"]
        for region in level["regions"]
    ]
    assert len(regions) == len(rows) == 3 * 7
    for row, (case_id, level, region) in zip(rows, regions, strict=True):
        told = (case_id, level, region["protocol"], region["region"], region["reason"] or "")
        assert told == tuple(row[k] for k in ("case_id", "level", "protocol", "region", "reason"))
        flat = {**region, **(region["hu"] or {})}
        for name in NUMBERS:
            value = flat.get(name)
            assert (value is None) == (row[name] == ""), name
            assert value is None or float(row[name]) == pytest.approx(value, abs=ROUNDED)
        assert (row["mean_hu"] == "") == (row["reason"] != "")


def test_findings_csv_agrees_with_the_case(analysed, case):
    """One row per finding."""
    with (analysed[1] / "findings.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    assert reader.fieldnames == ["code", "severity", "level", "message", "effect"]
    told = [{k: f[k] or "" for k in reader.fieldnames} for f in case["findings"]]
    assert rows == told
    assert any(row["level"] == "L3" for row in rows)


def test_run_file_names_no_path(analysed, patient):
    """What was asked for and what made it, by content and version."""
    text = (analysed[1] / "run.toml").read_text(encoding="utf-8")
    run = tomllib.loads(text)
    assert run["configuration"]["levels"] == ["L1", "L2", "L3"]
    assert [i["role"] for i in run["inputs"]] == ["ct", "masks", "body-masks"]
    assert patient.folder.name not in text


def _compartments(folder):
    """Label map, and what each label's regions are, from the file alone."""
    image = nib.load(folder / "compartments.nii.gz")
    table = "".join(e.get_content().decode() for e in image.header.extensions)
    names = {}
    for part in table.split("<Label ")[1:]:
        key = int(part.split('Key="')[1].split('"')[0])
        names[key] = part.split(">", 1)[1].split("</Label>")[0].removeprefix("<![CDATA[")
    return image, {k: n.removesuffix("]]>") for k, n in names.items()}


def _labels_of(names, level, protocol, region):
    """Labels whose union is a region: the label table's own words, read as the docs say."""
    core = f"{protocol} trabecular"
    base = {n: t for n, t in names.items() if t.startswith(f"{level} ")}
    if protocol != "vertebra-core-3.5":
        base = {n: t for n, t in base.items() if t.startswith(f"{level} body:")}
    if region == "trabecular":
        base = {n: t for n, t in base.items() if core in t}
    if region == "cortical":
        base = {n: t for n, t in base.items() if core not in t}
    return [n for n, t in base.items() if "excluded" not in t]


def _check_numbers(folder, ct_file, rows):
    """Recompute voxels, volume and mean HU from two NIfTI files with nibabel and numpy alone."""
    image, names = _compartments(folder)
    ct = nib.load(ct_file)
    to_ct = nib.orientations.ornt_transform(
        nib.io_orientation(image.affine), nib.io_orientation(ct.affine)
    )
    image = image.as_reoriented(to_ct)
    np.testing.assert_allclose(image.affine, ct.affine, atol=1e-4)
    labels, hu = np.asarray(image.dataobj), np.asarray(ct.dataobj, dtype=float)
    voxel_cm3 = abs(np.linalg.det(ct.affine[:3, :3])) / 1000
    checked = 0
    for row in rows:
        if row["mean_hu"] == "":
            continue
        wanted = _labels_of(names, row["level"], row["protocol"], row["region"])
        inside = np.isin(labels, wanted)
        assert inside.sum() == int(row["voxels"]), row
        assert float(row["mean_hu"]) == pytest.approx(hu[inside].mean(), abs=ROUNDED)
        assert float(row["volume_cm3"]) == pytest.approx(inside.sum() * voxel_cm3, abs=ROUNDED)
        checked += 1
    assert checked == 2 * 7


def test_numbers_follow_from_compartments_and_ct(analysed, patient, rows):
    """An independent check of every number that is a count or a mean."""
    _check_numbers(analysed[1], patient.ct, rows)


@pytest.mark.parametrize("codes", ["LPS", "PIR", "RAS"])
def test_compartments_lie_on_the_cts_own_grid(codes, patient, analyze, rows, tmp_path):
    """Overlaid in any viewer without resampling, however the CT is stored; same numbers."""
    image = nib.load(patient.ct)
    turn = nib.orientations.ornt_transform(
        nib.io_orientation(image.affine), nib.orientations.axcodes2ornt(codes)
    )
    nib.save(image.as_reoriented(turn), tmp_path / "ct.nii.gz")
    assert analyze(tmp_path / "ct.nii.gz", "--body-masks", patient.bodies).code == 0
    made = nib.load(tmp_path / "result" / "compartments.nii.gz")
    stored = nib.load(tmp_path / "ct.nii.gz")
    assert made.shape == stored.shape
    assert aff2axcodes(made.affine) == tuple(codes)
    np.testing.assert_allclose(made.affine, stored.affine, atol=1e-4)
    with (tmp_path / "result" / "levels.csv").open(encoding="utf-8", newline="") as file:
        again = list(csv.DictReader(file))
    _check_numbers(tmp_path / "result", tmp_path / "ct.nii.gz", again)
    present = [row for row in rows if row["level"] != "L3"]
    assert [r["mean_hu"] for r in again] == [r["mean_hu"] for r in present]
