"""Time reading an uncompressed CT series: osteoct beside SimpleITK's GDCM reader.

Usage: ``python benchmarks/dicom_reading.py [n_slices] [repeats]``

The series is made in a temporary folder with file names that do not sort by position. Both readers
run in turn in the same process, after one unmeasured round that fills the file cache, so neither
pays for the disk. Peak memory is what Linux tells of a process of its own per reader.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

SIDE = 512
SLICE_MM = 1.0


def write_series(folder: Path, n_slices: int) -> None:
    """Write ``n_slices`` CT images of noise with soft tissue's range."""
    rng = np.random.default_rng(1)
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    plane = rng.integers(0, 2500, (SIDE, SIDE), dtype=np.uint16)
    for n in range(n_slices):
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, generate_uid()
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, series
        dataset.FrameOfReferenceUID = frame
        dataset.Modality, dataset.PatientID = "CT", "benchmark"
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        dataset.SeriesNumber, dataset.InstanceNumber = 2, n + 1
        dataset.Manufacturer, dataset.ConvolutionKernel, dataset.KVP = "NONE", "B30f", 120
        dataset.ImagePositionPatient = [-200.0, -200.0, n * SLICE_MM]
        dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        dataset.PixelSpacing, dataset.SliceThickness = [0.78, 0.78], SLICE_MM
        dataset.Rows = dataset.Columns = SIDE
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
        dataset.PixelRepresentation = 0
        dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = 1, -1024, "HU"
        dataset.PixelData = np.roll(plane, n).tobytes()
        dataset.save_as(folder / f"{n * 7919 % 99991:05d}.dcm", enforce_file_format=True)


def read_with_osteoct(folder: Path) -> NDArray[np.int16]:
    """HU (column, row, slice)."""
    from osteoct.io.dicom.series import read_dicom  # noqa: PLC0415 - imported where it is timed

    return read_dicom(folder).array


def read_with_simpleitk(folder: Path) -> NDArray[np.int16]:
    """HU (column, row, slice)."""
    import SimpleITK as sitk  # noqa: N813, PLC0415 - its usual name; imported where it is timed

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    # a copy: a view does not keep its image alive
    return sitk.GetArrayFromImage(image).transpose(2, 1, 0)


READERS: dict[str, Callable[[Path], NDArray[np.int16]]] = {
    "osteoct": read_with_osteoct,
    "SimpleITK": read_with_simpleitk,
}


def seconds(read: Callable[[Path], NDArray[np.int16]], folder: Path) -> float:
    """Wall time of one reading."""
    start = time.perf_counter()
    read(folder)
    return time.perf_counter() - start


def report_peak(name: str, folder: Path, queue: multiprocessing.Queue[float]) -> None:
    """Put the peak memory of one reading, in MiB, into ``queue``."""
    READERS[name](folder)
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak_kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    queue.put(int(peak_kib) / 1024)


def peak_mib(name: str, folder: Path) -> float:
    """Peak resident memory of a fresh process that reads once."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=report_peak, args=(name, folder, queue))
    process.start()
    peak = queue.get()
    process.join()
    return peak


def main(n_slices: int, repeats: int) -> None:
    """Write, read in turn, print medians."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_series(folder, n_slices)
        arrays = [read(folder) for read in READERS.values()]
        print(f"{n_slices} slices, one core; same voxels: {np.array_equal(*arrays)}")
        del arrays
        times: dict[str, list[float]] = {reader: [] for reader in READERS}
        for _ in range(repeats):
            for reader, read in READERS.items():
                times[reader].append(seconds(read, folder))
        medians = {reader: statistics.median(values) for reader, values in times.items()}
        for reader, median in medians.items():
            spread = f"{min(times[reader]):.2f}-{max(times[reader]):.2f}"
            peak = peak_mib(reader, folder)
            print(f"{reader:10} median {median:.2f} s ({spread}), peak memory {peak:.0f} MiB")
        print(f"osteoct takes {medians['osteoct'] / medians['SimpleITK']:.2f} of SimpleITK's time")


if __name__ == "__main__":
    values = [int(value) for value in sys.argv[1:]]
    main(*(values + [600, 5][len(values) :]))
