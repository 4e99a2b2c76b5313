"""References from a new object to the images that it was made from."""

from __future__ import annotations

from typing import Final

from pydicom.dataset import Dataset

from osteoct.io.dicom.source import SourceSeries
from osteoct.io.result_codes import Concept

SEGMENTATION: Final = Concept(scheme="DCM", value="113076", meaning="Segmentation")
SOURCE_IMAGE: Final = Concept(
    scheme="DCM", value="121322", meaning="Source image for image processing operation"
)


def reference_series(dataset: Dataset, source: SourceSeries) -> None:
    """Name every image of the series, which is of the same study (PS3.3 C.12.2)."""
    series = Dataset()
    series.SeriesInstanceUID = source.head.SeriesInstanceUID
    series.ReferencedInstanceSequence = [_instance(source, n) for n in range(len(source.images))]
    dataset.ReferencedSeriesSequence = [series]
    dataset.SourceImageSequence = [_source_image(source, n) for n in range(len(source.images))]


def reference_images(source: SourceSeries) -> list[Dataset]:
    """Every image of the series, as what a new object was made from."""
    return [_source_image(source, n) for n in range(len(source.images))]


def derive_from(source: SourceSeries, plane: int) -> Dataset:
    """The item of a frame's Derivation Image Sequence: the plane of the CT that it lies on."""
    image = source.planes[plane]
    reference = _source_image(source, image.image)
    if image.frame is not None:
        reference.ReferencedFrameNumber = image.frame
    # a straightened plane lies in the source's, its pixels beside the source's
    reference.SpatialLocationsPreserved = "NO" if source.is_resampled else "YES"
    derivation = Dataset()
    derivation.DerivationCodeSequence = [code_item(SEGMENTATION)]
    derivation.SourceImageSequence = [reference]
    return derivation


def code_item(concept: Concept) -> Dataset:
    """An item of a code sequence."""
    item = Dataset()
    item.CodeValue = concept.value
    item.CodingSchemeDesignator = concept.scheme
    item.CodeMeaning = concept.meaning
    return item


def _source_image(source: SourceSeries, number: int) -> Dataset:
    reference = _instance(source, number)
    reference.PurposeOfReferenceCodeSequence = [code_item(SOURCE_IMAGE)]
    return reference


def _instance(source: SourceSeries, number: int) -> Dataset:
    """Class and UID of an image of the series."""
    reference = Dataset()
    reference.ReferencedSOPClassUID = source.images[number].SOPClassUID
    reference.ReferencedSOPInstanceUID = source.images[number].SOPInstanceUID
    return reference
