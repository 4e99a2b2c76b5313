"""The series that a case was measured on: found again, and no other taken for it.

A segmentation put beside another series would lie in the wrong patient. The content hash of the
input tells the series; where the files were copied, packed or compressed anew it is the keyed
pseudonym of series and patient, if the case was named by it. The grid has to agree in any case.
"""

from __future__ import annotations

from pathlib import Path

from osteoct.errors import GeometryError, InputError, NotCtError
from osteoct.export.case_folder import FinishedCase
from osteoct.io.dicom.source import SourceSeries, read_source
from osteoct.io.file_names import hidden_file_names
from osteoct.io.hashing import sha256_of
from osteoct.io.pseudonym import case_pseudonym, load_key
from osteoct.records import CaseResult
from osteoct.volume import describe_grid


def find_source(
    case: FinishedCase, path: Path, *, series: str | None = None, key_file: Path | None = None
) -> SourceSeries:
    """Read the headers of the case's series.

    Parameters
    ----------
    path
        What the case was analysed from: DICOM folder or file, or a zip of either.
    series
        SeriesInstanceUID that was chosen then, where it was.
    key_file
        Key of the pseudonym that the case was named by; asked only where the files are others.

    Raises
    ------
    InputError
        The case was not measured on DICOM, or ``path`` is another series.
    GeometryError
        It is the series by name, and its grid is another.
    """
    ct = next((i for i in case.result.provenance.inputs if i.role == "ct"), None)
    if ct is None or "DICOM" not in ct.kind:
        raise NotCtError(
            "the case was not measured on a DICOM series",
            where=str(case.folder),
            found="no record of its input" if ct is None else ct.kind,
            wanted="a case of a DICOM series",
            hint="an image without patient, study and series has no place in a PACS",
        )
    with hidden_file_names(path, where=str(path)):
        source = read_source(path, series=series)
    content = sha256_of(path)
    if content != ct.sha256 and not _is_named_after(case.result, source, content, key_file):
        raise InputError(
            "is not the series that the case was measured on",
            where=str(path),
            found=f"SHA-256 {content[:16]}…",
            wanted=f"{ct.sha256[:16]}…, {ct.kind}",
            hint="give the folder, file or zip that was analysed, with nothing added or removed",
        )
    _check_grid(case, source, path)
    return source


def _is_named_after(
    result: CaseResult, source: SourceSeries, content: str, key_file: Path | None
) -> bool:
    """Whether the case's keyed pseudonym is that of the series and its patient."""
    if source.identity.series_key is None or not result.case_id.startswith("c-"):
        return False
    return result.case_id == case_pseudonym(source.identity, content, load_key(key_file))


def _check_grid(case: FinishedCase, source: SourceSeries, path: Path) -> None:
    """Refuse a series of another grid: another reconstruction, or with slices missing."""
    measured, found = case.result.grid, describe_grid(source.geometry)
    if measured.shape != found.shape or measured.axis_codes != found.axis_codes:
        raise GeometryError(
            "has another grid than the case was measured on",
            where=str(path),
            found=f"{found.shape} {found.axis_codes}",
            wanted=f"{measured.shape} {measured.axis_codes}",
            hint="--series names one of several",
        )
