"""De-identification by the Basic Application Level Confidentiality Profile (DICOM PS3.15 annex E).

The actions are dicom-anonymizer's tables of PS3.15 table E.1-1 (2026c), asked at every depth of a
data set; private attributes go. UIDs are replaced under a secret key: the same UID gets the same
replacement in every object and every export of one installation, and nobody without the key finds
the way back. The patient is called by the keyed pseudonym, not by one name for everybody: a PACS
would take all patients for one.

Pixels stay as they are: text burnt into them and the shape of a face are not removed.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeAlias

from dicomanonymizer.dicomfields_selector import dicom_anonymization_database_selector
from dicomanonymizer.simpledicomanonymizer import (
    anonymize_dataset,
    delete,
    initialize_actions,
)
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag
from pydicom.uid import UID

from osteoct.errors import UnreadableInputError
from osteoct.export.dicom.references import code_item
from osteoct.io.dicom.elements import PARSE_ERRORS, quietly
from osteoct.io.dicom.series import located_stack
from osteoct.io.dicom.source import SourceSeries
from osteoct.io.result_codes import Concept

Rules: TypeAlias = dict[tuple[int, ...], Callable[[Dataset, Any], None]]

TABLE: Final = "dicomfields_2026c"
"""Edition of PS3.15 table E.1-1."""

PROFILE: Final = Concept(
    scheme="DCM", value="113100", meaning="Basic Application Confidentiality Profile"
)

DUMMY_TIMES: Final = {"DA": "19000101", "TM": "000000", "DT": "19000101000000"}
"""Where DICOM wants a time. The library's year 1 is no year to other programs."""

_UID_BYTES = 16
"""128 bits, as a UUID has."""


@dataclass(frozen=True, kw_only=True)
class Deidentifier:
    """Replaces identifiers.

    Parameters
    ----------
    key
        Secret of the installation; see :func:`osteoct.io.pseudonym.load_key`.
    patient
        What the patient is called.
    """

    key: bytes = field(repr=False)
    patient: str

    def apply(self, dataset: Dataset) -> None:
        """De-identify a data set in place, its file meta information included."""
        with quietly():
            self._apply_at_every_depth(dataset)
        dataset.PatientName = dataset.PatientID = self.patient
        dataset.PatientIdentityRemoved = "YES"
        dataset.DeidentificationMethod = f"osteoct, dicom-anonymizer, {TABLE}"
        dataset.DeidentificationMethodCodeSequence = [code_item(PROFILE)]

    def replace_uid(self, uid: str) -> UID:
        """The replacement of a UID, under the UUID root 2.25."""
        digest = hmac.new(self.key, f"uid {uid}".encode(), sha256).digest()
        return UID(f"2.25.{int.from_bytes(digest[:_UID_BYTES], 'big')}")

    def _apply_at_every_depth(self, dataset: Dataset) -> None:
        """The library looks at one level: items of sequences are data sets of their own."""
        times = {e.tag for e in dataset if e.VR in DUMMY_TIMES}
        anonymize_dataset(dataset, base_rules_gen=lambda: self._rules_for(dataset))
        _settle_times(dataset, times)
        for element in dataset:
            if element.VR == "SQ":
                for item in element.value:
                    self._apply_at_every_depth(item)

    def _rules_for(self, dataset: Dataset) -> Rules:
        """The actions for what a data set holds.

        The library's own, but for UIDs, which go by key, and optional references, which are
        deleted. A CT holds a tenth of the table's 655 tags, in hundreds of images.
        """
        tags = dicom_anonymization_database_selector(TABLE)
        held = {(tag.group, tag.element) for tag in dataset.keys() | _meta_of(dataset).keys()}
        rules: Rules = {
            tag: action
            for tag, action in _base_rules().items()
            if tag in held or (len(tag) > 2 and _is_repeated(tag, held))  # noqa: PLR2004 -- with its masks
        }
        rules |= {tag: self._replace_uids for tag in tags["U_TAGS"] if tag in held}
        rules |= {tag: delete for tag in tags["X_Z_U_STAR_TAGS"] if tag in held}
        return rules

    def _replace_uids(self, dataset: Dataset, tag: tuple[int, ...]) -> None:
        element = dataset.get((tag[0], tag[1]))
        if element is None or not element.value:
            return
        values = [element.value] if isinstance(element.value, str) else list(element.value)
        new = [self.replace_uid(str(value)) for value in values]
        element.value = new[0] if len(new) == 1 else new


def deidentify_source(source: SourceSeries, by: Deidentifier) -> SourceSeries:
    """The same series without identifiers: objects made from it have none either."""
    head, images = deepcopy(source.head), tuple(deepcopy(image) for image in source.images)
    for dataset in (head, *images):
        by.apply(dataset)
    return replace(source, head=head, images=images, is_deidentified=True)


def write_deidentified_series(
    path: Path, folder: Path, *, by: Deidentifier, series: str | None = None
) -> None:
    """Write the images of a series without identifiers, ``0001.dcm`` … in the order of slices.

    Raises
    ------
    UnreadableInputError
        An image that cannot be read whole.
    """
    folder.mkdir()
    with located_stack(path, series=series) as (stack, _):
        files = list(dict.fromkeys(s.image.path for s in stack.slices))
        for number, file in enumerate(files, start=1):
            try:
                with quietly():
                    dataset = dcmread(file)
                    by.apply(dataset)
                    dataset.save_as(folder / f"{number:04d}.dcm", enforce_file_format=True)
            except PARSE_ERRORS as error:
                raise UnreadableInputError(
                    "an image cannot be de-identified",
                    where=f"{path.name}: image {number} of {len(files)}",
                    found=type(error).__name__,
                ) from None  # pydicom's words quote header values


def _settle_times(dataset: Dataset, times: set[BaseTag]) -> None:
    """Take out the times that the library replaced, as the table says: none is better than a dummy,
    which somebody may take for a birth date.
    """
    tags = dicom_anonymization_database_selector(TABLE)
    deleted, emptied = set(tags["X_TAGS"]), {*tags["Z_TAGS"], *tags["X_Z_TAGS"]}
    touched = {tag for name in tags for tag in tags[name]}
    for tag in times & set(dataset.keys()):
        key = (tag.group, tag.element)
        if key in deleted:
            del dataset[tag]
        elif key in emptied:
            dataset[tag].value = ""
        elif key in touched:
            dataset[tag].value = DUMMY_TIMES[dataset[tag].VR]


@cache
def _base_rules() -> Rules:
    rules: Rules = initialize_actions(TABLE)
    return rules


def _meta_of(dataset: Dataset) -> Dataset:
    """File meta information; empty for the item of a sequence."""
    meta: Dataset = getattr(dataset, "file_meta", Dataset())
    return meta


def _is_repeated(tag: tuple[int, ...], held: set[tuple[int, int]]) -> bool:
    """Whether a data set holds a tag of a repeating group, such as an overlay's."""
    group, element, group_mask, element_mask = tag
    return any(
        g & group_mask == group & group_mask and e & element_mask == element & element_mask
        for g, e in held
    )
