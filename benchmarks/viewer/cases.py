"""Cases for a viewer that is not ours: series, segmentation, and where each voxel has to be.

Usage::

    python benchmarks/viewer/cases.py DATA [SERIES MASKS]
    cd benchmarks/viewer && npm install && npm run build && node drive.js DATA

The phantom is written in four orientations and with thick slices; a series and its masks may be
added. ``drive.js`` loads each with the libraries that OHIF is made of, compares every voxel of
every segment with ``truth.json``, and leaves a picture beside it. Needs Node 20 and Chromium
(``CHROMIUM=PATH``).

The truth is the label map of the result, carried to the pixels of each image by that image's own
header: without the code that writes segmentations.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import nibabel
import numpy as np
from pydicom import Dataset, dcmread

from osteoct.analysis import analyze
from osteoct.anatomy import Level
from osteoct.config import AnalysisConfig
from osteoct.export.case_folder import read_finished_case
from osteoct.export.exporting import export_case
from osteoct.export.segments import list_segments
from osteoct.io.nifti import write_labels
from osteoct.phantom.acquisition import scan
from osteoct.phantom.catalogue import DEMO_BONE
from osteoct.phantom.dicom import write_dicom
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.spine import lumbar_spine

KINDS = {
    "phantom": ("LPS", 2.0),
    "phantom-flipped": ("LAS", 2.0),
    "phantom-reversed": ("RAI", 2.0),
    "phantom-sagittal": ("PIR", 2.0),
    "phantom-5-mm": ("LPS", 5.0),
}
"""Axes of the images, and distance of slices in mm."""

FIELD_OF_VIEW_MM = (104.0, 112.0, 100.0)
"""Pixels of an image are a multiple of 16, as a scanner's are: the libraries refuse segmentations
whose last byte is padded (adapters 5.14.0), as DICOM wants it (PS3.5, 8.1.1)."""


def write_phantom(name: str, folder: Path) -> None:
    """Scan L2, which the border cuts, and L3, and keep what the truth is made from."""
    codes, slice_mm = KINDS[name]
    scanner = Scanner(
        pixel_mm=1.0,
        slice_mm=slice_mm,
        noise_sd_hu=8.0,
        axis_codes="LPS",
        fine_step_mm=1.0,
        field_of_view_mm=FIELD_OF_VIEW_MM,
        centre_mm=(0.0, -19.0, -26.0),
    )
    shot = scan(lumbar_spine(DEMO_BONE), scanner)
    write_dicom(shot.ct.reoriented(codes), folder / "ct")
    write_labels(shot.vertebrae, folder / "masks.nii.gz")
    finish(folder, folder / "masks.nii.gz", (Level.L2, Level.L3))


def add_series(series: Path, masks: Path, folder: Path) -> None:
    """Copy a series, unpacked: the page reads plain pixels."""
    (folder / "ct").mkdir()
    for file in sorted(series.glob("*.dcm")):
        image = dcmread(file)
        if image.file_meta.TransferSyntaxUID.is_compressed:
            image.decompress(generate_instance_uid=False)
        image.save_as(folder / "ct" / file.name)
    finish(folder, masks, tuple(Level))


def finish(folder: Path, masks: Path, levels: tuple[Level, ...]) -> None:
    """Analyse and export, then note where each voxel of each segment has to be."""
    config = AnalysisConfig(levels=levels)
    analyze(folder / "ct", masks, out=folder / "case", config=config, case_id="viewer")
    export_case(folder / "case", ["dicom"], out=folder / "objects", source=folder / "ct")
    shutil.copy(folder / "objects" / "seg.dcm", folder)
    files = sorted((folder / "ct").glob("*.dcm"))
    (folder / "files.json").write_text(json.dumps([file.name for file in files]))
    truth = voxels_by_segment(folder / "case", [dcmread(file) for file in files])
    (folder / "truth.json").write_text(json.dumps(truth))
    print(folder.name, {name: sum(map(len, at.values())) for name, at in truth.items()})


def voxels_by_segment(case: Path, images: list[Dataset]) -> dict[str, dict[str, list[int]]]:
    """Numbers of the pixels of each segment, by UID of the image."""
    finished = read_finished_case(case)
    segments = list_segments(finished.result, finished.read_compartments())
    labels = nibabel.load(case / "compartments.nii.gz")
    codes, to_index = np.asarray(labels.dataobj).astype(int), np.linalg.inv(labels.affine)
    found: dict[str, dict[str, list[int]]] = {}
    for image in images:
        axes = np.array(image.ImageOrientationPatient, float)
        vertical, horizontal = map(float, image.PixelSpacing)
        rows, columns = np.mgrid[: image.Rows, : image.Columns][..., None]
        places = np.array(image.ImagePositionPatient, float)
        places = places + columns * horizontal * axes[:3] + rows * vertical * axes[3:]
        index = places * [-1, -1, 1] @ to_index[:3, :3].T + to_index[:3, 3]
        index = np.rint(index).astype(int)
        is_inside = ((index >= 0) & (index < codes.shape)).all(-1)
        index = np.clip(index, 0, np.array(codes.shape) - 1)
        here = np.where(is_inside, codes[tuple(np.moveaxis(index, -1, 0))], 0)
        uid = str(image.get("SOPInstanceUID") or image.file_meta.MediaStorageSOPInstanceUID)
        for segment in segments:
            pixels = np.flatnonzero(np.isin(here, list(segment.labels))).tolist()
            if pixels:
                found.setdefault(segment.name, {})[uid] = pixels
    return found


def main(data: Path, *real: str) -> None:
    """Write all cases."""
    for name in [*KINDS, *(["real"] if real else [])]:
        folder = data / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        if name in KINDS:
            write_phantom(name, folder)
        else:
            add_series(Path(real[0]), Path(real[1]), folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
