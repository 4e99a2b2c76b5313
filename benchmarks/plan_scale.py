"""Seconds and peak memory of planning, from a thousand to a hundred thousand files or rows.

    PYTHONPATH=src python benchmarks/plan_scale.py [--most 100000]

Each row is a process of its own, so that its peak is its own. The DICOM files are headers with 32
bytes of pixels, fifty to a study; the manifest names files that exist.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from osteoct.run.plan.choices import SegmenterChoice, make_choices
from osteoct.run.plan.opening import open_source
from osteoct.run.plan.planning import plan
from osteoct.run.records import Refusal
from osteoct.run.work.memory import peak_mib

SLICES = 50
SIZES = (1_000, 10_000, 100_000, 1_000_000)
SECRET = b"a key for a benchmark and nothing else"
MARKS = (b"1.2.3.1000000", b"1.2.4.1000000", b"1.2.5.1000000", b"P000000", b"0100000.0")
"""Placeholders of study, series, instance, patient and position, as long as what replaces them."""


def template() -> bytes:
    """A small CT slice whose identifiers and position can be replaced in place."""
    study, series, instance, patient, position = (mark.decode() for mark in MARKS)
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, instance
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = study, series, "1.2.3.4"
    ds.Modality, ds.ImageType = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.PatientID, ds.PatientName, ds.PatientBirthDate = patient, "Phantom^Spine", "19400101"
    ds.Manufacturer, ds.ConvolutionKernel, ds.KVP = "SIEMENS", "Br38f", 120
    ds.SeriesDescription, ds.StudyDate, ds.SliceThickness = "Abdomen", "20200102", 1
    ds.ImagePositionPatient = [0, 0, position]
    ds.ImageOrientationPatient, ds.PixelSpacing = [1, 0, 0, 0, 1, 0], [1, 1]
    ds.Rows, ds.Columns, ds.SamplesPerPixel = 4, 4, 1
    ds.PhotometricInterpretation, ds.PixelRepresentation = "MONOCHROME2", 1
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, 16, 15
    ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = 1, -1024, "HU"
    ds.PixelData = bytes(32)
    buffer = BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def make_tree(root: Path, count: int) -> None:
    """Headers of ``count`` slices, one folder per study."""
    slice_ = template()
    for number in range(count):
        study, place = divmod(number, SLICES)
        values = (
            b"1.2.3.%07d" % (1000000 + study),
            b"1.2.4.%07d" % (1000000 + study),
            b"1.2.5.%07d" % (1000000 + number),
            b"P%06d" % study,
            b"%07d.0" % (100000 + place),
        )
        data = slice_
        for mark, value in zip(MARKS, values, strict=True):
            data = data.replace(mark, value)
        folder = root / f"{study % 100:02d}" / f"{study:06d}"
        if place == 0:
            folder.mkdir(parents=True)
        (folder / f"{place:04d}").write_bytes(data)


def make_manifest(root: Path, count: int) -> Path:
    """A table of ``count`` rows; a hundred files stand for the images."""
    for number in range(100):
        (root / f"{number:03d}.nii.gz").write_bytes(b"no image")
    path = root / "cases.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("ct,case_id\n")
        file.writelines(f"{n % 100:03d}.nii.gz,case-{n:06d}\n" for n in range(count))
    return path


def measure(source: str) -> dict[str, float]:
    """Plan a source in this process."""
    choices = make_choices(source, segmenter=SegmenterChoice(version="0"))
    clock = time.perf_counter()
    cpu = time.process_time()
    items = refused = 0
    for entry in plan(open_source(choices, secret=SECRET), choices, secret=SECRET):
        refused += isinstance(entry, Refusal)
        items += 1
    return {
        "seconds": time.perf_counter() - clock,
        "cpu": time.process_time() - cpu,
        "peak": peak_mib(),
        "items": items,
        "refused": refused,
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=100_000)
    parser.add_argument("--source", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.source is not None:
        print(json.dumps(measure(chosen.source)))
        return
    print("| source | files or rows | cases | seconds | CPU ms each | peak MiB |")
    print("|---|---|---|---|---|---|")
    for kind in ("DICOM tree", "manifest"):
        for count in (n for n in SIZES if n <= chosen.most):
            with tempfile.TemporaryDirectory(prefix="osteoct-scale-") as name:
                root = Path(name)
                if kind == "manifest":
                    source = make_manifest(root, count)
                else:
                    source = root
                    make_tree(root, count)
                command = [sys.executable, __file__, "--source", str(source)]
                done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - this file
            seen = json.loads(done.stdout)
            each = 1000 * seen["cpu"] / count
            print(
                f"| {kind} | {count} | {seen['items']} ({seen['refused']} refused) "
                f"| {seen['seconds']:.1f} | {each:.2f} | {seen['peak']:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
