"""A finished result folder, read back: what every export starts from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from osteoct.compartments.labelmap import CompartmentLabel, parse_compartments
from osteoct.errors import LabelsError
from osteoct.io.case_file import read_case_file
from osteoct.io.output import RESULT_FILE
from osteoct.records import CaseResult
from osteoct.volume import Volume

COMPARTMENTS_FILE: Final = "compartments.nii.gz"


@dataclass(frozen=True, kw_only=True, eq=False)
class CompartmentMap:
    """What was measured, voxel by voxel, on the CT's grid, and what each label says."""

    volume: Volume
    labels: dict[int, CompartmentLabel]


@dataclass(frozen=True, kw_only=True)
class FinishedCase:
    """A result folder: its record, and the SHA-256 of ``case.json``, which names this result."""

    folder: Path
    result: CaseResult
    sha256: str

    def read_compartments(self) -> CompartmentMap:
        """Read ``compartments.nii.gz``.

        Raises
        ------
        InputError
            It is missing or damaged, or its labels have other names than osteoct gives.
        """
        from osteoct.io.nifti import read_nifti  # noqa: PLC0415 -- nibabel costs 0.2 s

        path = self.folder / COMPARTMENTS_FILE
        image = read_nifti(path, where=str(path))
        try:
            labels = parse_compartments(image.names or {})
        except LabelsError as error:
            error.where = str(path)
            error.args = (error.line,)
            raise
        volume = Volume(array=image.array, geometry=image.geometry)
        return CompartmentMap(volume=volume, labels=labels)


def read_finished_case(folder: Path) -> FinishedCase:
    """Read the result that ``osteoct analyze`` wrote into a folder.

    Raises
    ------
    UnreadableInputError
        No ``case.json`` there, or one that is damaged or of another version.
    """
    result, content = read_case_file(folder / RESULT_FILE, where=folder)
    return FinishedCase(folder=folder, result=result, sha256=hashlib.sha256(content).hexdigest())
