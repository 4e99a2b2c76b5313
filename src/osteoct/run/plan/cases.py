"""One case from the places of its images; a missing one is a refusal of that case alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from osteoct.errors import OsteoctError
from osteoct.io.byte_stream import ByteStream
from osteoct.run.keys import keyed
from osteoct.run.plan.fingerprints import Fingerprinter
from osteoct.run.plan.interface import Entry, Found
from osteoct.run.plan.places import Place, Tree
from osteoct.run.records import Cause, Inputs, Refusal
from osteoct.run.work.failures import failure_of

_NIFTI: Final = (".nii", ".nii.gz")


class CaseMaker:
    """Looks up the images of a case.

    Parameters
    ----------
    secret
        Key of pseudonyms.
    """

    def __init__(self, tree: Tree, prints: Fingerprinter, secret: bytes) -> None:
        self._tree = tree
        self._prints = prints
        self._secret = secret

    def make(
        self, case_id: str, ct: Place, masks: Mapping[str, str], *, series: str | None = None
    ) -> Entry:
        """The case of a CT and the masks that belong to it.

        Parameters
        ----------
        masks
            Addresses by role, as the fields of :class:`~osteoct.run.records.Inputs` are called.
        """
        try:
            mark, size = self._prints.of(ct)
        except OSError as error:
            return _unreadable(case_id, error)
        found = Found(
            case_id=case_id,
            inputs=Inputs(ct=(ct.address,), series=series),
            fingerprints={"ct": mark if series is None else keyed(self._secret, mark, series)},
            bytes_in=size,
            voxels=self._voxels_of(ct),
        )
        return self.add_masks(found, masks)

    def add_masks(self, entry: Entry, masks: Mapping[str, str]) -> Entry:
        """A case with its masks; a refusal stays one."""
        if isinstance(entry, Refusal) or not masks:
            return entry
        places = {role: self._tree.look(address) for role, address in masks.items()}
        absent = [role for role, place in places.items() if place is None]
        if absent:
            words = " and ".join(role.replace("_", " ") for role in absent)
            return _refused(entry.case_id, f"{words} not there", entry.patient)
        there = {role: place for role, place in places.items() if place is not None}
        try:
            prints = {role: self._prints.of(place) for role, place in there.items()}
        except OSError as error:
            return _unreadable(entry.case_id, error)
        marks = {role: mark for role, (mark, _) in prints.items()}
        given = {role: place.address for role, place in there.items()}
        return entry.model_copy(
            update={
                "inputs": entry.inputs.model_copy(update=given),
                "fingerprints": {**entry.fingerprints, **marks},
                "bytes_in": entry.bytes_in + sum(size for _, size in prints.values()),
            }
        )

    def _voxels_of(self, ct: Place) -> int | None:
        """From the header of a NIfTI file of this machine; what is wrong the worker tells."""
        if self._tree.is_remote or "://" in ct.address or not ct.address.lower().endswith(_NIFTI):
            return None
        from osteoct.io.nifti_header import read_header  # noqa: PLC0415 -- nibabel costs 0.2 s

        try:
            with self._tree.open(ct.address) as file:
                header = read_header(ByteStream(file, where=""), where="")
        except (OsteoctError, OSError):
            return None
        columns, rows, slices = header.geometry.shape
        return columns * rows * slices or None


def missing_ct(case_id: str) -> Refusal:
    """The refusal of a case whose CT is not there."""
    return _refused(case_id, "CT not there")


def _refused(case_id: str, message: str, patient: str | None = None) -> Refusal:
    return Refusal(case_id=case_id, patient=patient, cause=Cause.INPUT, message=message)


def _unreadable(case_id: str, error: OSError) -> Refusal:
    failure = failure_of(error)
    return Refusal(case_id=case_id, cause=failure.cause, message=failure.message)
