"""Batches whose masks are made: segmented once, and measured as often as is asked for."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import generate_uid

from osteoct.phantom.dicom import write_dicom

HERE = Path(__file__).parent


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own; its workers inherit the environment."""
    return subprocess.run(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", "osteoct", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        timeout=400,
        env={**os.environ, **environment},
    )


def write_studies(ct, root: Path, number: int) -> None:
    """The same CT as studies of different patients, their files in one folder."""
    for n in range(number):
        folder = root / "made" / str(n)
        write_dicom(ct, folder)
        uids = [generate_uid() for _ in range(3)]
        (root / "all").mkdir(parents=True, exist_ok=True)
        for path in sorted(folder.iterdir()):
            image = dcmread(path)
            image.PatientID, image.PatientName = f"SECRET{n}", f"Secretname^{n}"
            image.StudyInstanceUID, image.SeriesInstanceUID, image.FrameOfReferenceUID = uids
            image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
            image.save_as(root / "all" / f"{n}-{path.name}")
            path.unlink()
        folder.rmdir()
    (root / "made").rmdir()


def rows(store: Path, out: Path) -> list[dict[str, str]]:
    """The collected table."""
    assert run("collect", store, "-o", out).returncode == 0
    with out.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def masks_of(store: Path) -> dict[Path, int]:
    """When each label map was made."""
    return {path: path.stat().st_mtime_ns for path in (store / "masks").rglob("*.nii.gz")}


def test_another_protocol_measures_anew_and_segments_nothing(
    coarse_spine, plugin, nearest_hu, tmp_path
) -> None:
    """Segmenting is what costs: masks are kept under what they were made from."""
    write_studies(coarse_spine.ct, tmp_path / "archive", 2)
    path = os.pathsep.join([str(tmp_path / "site"), str(HERE), os.environ.get("PYTHONPATH", "")])
    store, config = tmp_path / "store", tmp_path / "config.toml"
    begin = ("run", tmp_path / "archive", "-o", store, "--segmenter", plugin, "--progress", "none")
    first = run(*begin, PYTHONPATH=path)
    assert first.returncode == 0, first.stderr
    before, made = rows(store, tmp_path / "first.csv"), masks_of(store)
    assert len({row["case_id"] for row in before}) == len({row["patient"] for row in before}) == 2
    assert len(made) >= 2
    config.write_text('protocols = ["body-core-4"]\n')
    second = run(*begin, "--config", config, PYTHONPATH=path)
    assert second.returncode == 0, second.stderr
    assert "2 changed" in second.stderr
    assert masks_of(store) == made
    after = rows(store, tmp_path / "second.csv")
    kept = [row for row in before if row["protocol"] == "body-core-4"]
    assert after == kept  # masks read back give the very numbers of those just made
    for text in (first.stderr, second.stderr, (tmp_path / "first.csv").read_text()):
        assert "secret" not in text.lower()
    assert nearest_hu is not None


@pytest.mark.totalsegmentator
@pytest.mark.slow
def test_totalsegmentator_in_a_batch(coarse_spine, weights, tmp_path) -> None:
    """The real package in a worker, from a DICOM tree to the table; its models stay loaded."""
    write_studies(coarse_spine.ct, tmp_path / "archive", 2)
    store = tmp_path / "store"
    ran = run(
        *("run", tmp_path / "archive", "-o", store, "--quality", "fast", "--device", "cpu"),
        *("--workers", 1, "--memory", 12000, "--progress", "none"),
        TOTALSEG_WEIGHTS_PATH=str(weights),
        HOME=str(tmp_path),
    )
    assert ran.returncode == 0, ran.stderr
    table = rows(store, tmp_path / "t.csv")
    assert {row["segmenter"] for row in table} == {"totalsegmentator"}
    assert {row["level"] for row in table if row["mean_hu"]} >= {"L2", "L3", "L4"}
