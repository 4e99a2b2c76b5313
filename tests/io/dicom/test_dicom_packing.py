"""A header kept aside is the header that was read."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, Sequence
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from osteoct.io.dicom.acquisition import acquisition_of
from osteoct.io.dicom.discovery import scan_path, slices_in
from osteoct.io.dicom.headers import read_header, read_header_from
from osteoct.io.dicom.packing import pack_header, unpack_header


def facts(image):
    """All that any rule may ask of a header, but where the pixels begin."""
    layout = image.layout
    return (
        acquisition_of(image),
        image.identifiers,
        (image.sop_class, image.modality, image.image_type, image.encoding),
        (image.series_number, image.instance_number),
        (layout.rows, layout.columns, layout.frames, layout.samples, layout.bits_stored),
        (layout.is_signed, layout.photometric, layout.transfer_syntax),
        [
            (
                *(s.position, s.orientation, s.pixel_spacing, s.slope, s.intercept),
                *(s.rescale_type, s.padding, s.padding_limit),
                *(s.frame, s.frame_of_reference, s.phase_keys),
            )
            for s in slices_in(image)
        ],
    )


def there_and_back(path):
    """A file's header, and the same after it was packed."""
    read = read_header(path, "a")
    return read, unpack_header(pack_header(read), path=path, where="a")


def with_everything(ds, _n):
    """Values of every kind that the rules ask for, an undefined-length sequence among them."""
    ds.PatientName, ds.PatientBirthDate, ds.StudyDate = "Doe^Jané", "19400102", "20200102"
    ds.SpecificCharacterSet, ds.SeriesDescription = "ISO_IR 192", "Abdomen nativ ü"
    ds.PixelPaddingValue, ds.ConvolutionKernel, ds.KVP = -2000, ["Br38f", "3"], 120
    agent = Dataset()
    agent.CodeMeaning = "Iodine"
    ds.ContrastBolusAgentSequence = Sequence([agent])
    ds["ContrastBolusAgentSequence"].is_undefined_length = True


@pytest.mark.parametrize("syntax", [None, ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_every_fact_survives(ct, tmp_path, syntax):
    """The choice of a series must not depend on whether its headers were kept aside."""

    def change(ds, n):
        with_everything(ds, n)
        if syntax is not None:
            ds.file_meta.TransferSyntaxUID = syntax
            if syntax == ExplicitVRBigEndian:
                ds["PixelData"].VR = "OW"
                ds.PixelData = np.frombuffer(ds.PixelData, "<i2").astype(">i2").tobytes()

    folder = ct(n=1).write(tmp_path, change)
    read, back = there_and_back(folder / "000.dcm")
    assert read.elements.items(0x00180012)
    assert facts(back) == facts(read)


def test_a_header_is_small(ct, tmp_path):
    """A million of them must fit on any disk."""
    folder = ct(n=1).write(tmp_path, with_everything)
    assert len(pack_header(read_header(folder / "000.dcm", "a"))) < 1000


def test_open_files_are_read_like_paths(ct, tmp_path):
    """What lies in an archive or an object store has no path."""
    path = ct(n=1).write(tmp_path) / "000.dcm"
    from_bytes = read_header_from(BytesIO(path.read_bytes()), Path("a"), "a")
    assert facts(from_bytes) == facts(read_header(path, "a"))


def test_real_headers_survive(shared_data):
    """Scanners write what no phantom does."""
    scan = scan_path(shared_data / "ts-dicom")
    assert scan.slices
    for s in scan.slices:
        back = unpack_header(pack_header(s.image), path=s.image.path, where=s.image.where)
        assert facts(back) == facts(s.image)
