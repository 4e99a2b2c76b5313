"""Where an earlier examination is read from: a case, or a structured report from an archive."""

from __future__ import annotations

from pathlib import Path

from osteoct.change.examination import Examination, examination_of, examination_of_report
from osteoct.errors import InputError, UnreadableInputError
from osteoct.io.case_file import read_case_file
from osteoct.io.dicom.elements import PARSE_ERRORS, quietly
from osteoct.io.dicom.headers import read_header
from osteoct.io.dicom.patients import patient_key
from osteoct.io.dicom_sr import ReportedResults, read_structured_report
from osteoct.io.identity import SourceIdentity
from osteoct.io.output import RESULT_FILE
from osteoct.io.pseudonym import load_key, patient_pseudonym

_WANTED = f"a folder with {RESULT_FILE}, that file, or a structured report of osteoct export"


def read_earlier(place: Path, *, key_file: Path | None = None) -> Examination:
    """Read an examination from a case folder, its ``case.json``, or a structured report of osteoct.

    A folder of DICOM objects, as fetched from an archive, may hold one such report.

    Parameters
    ----------
    key_file
        Key for pseudonyms: the patient of a report is compared by pseudonym, as that of a case is.

    Raises
    ------
    UnreadableInputError
        There is none, or more than one.
    """
    if not place.exists():
        raise UnreadableInputError("does not exist", where=str(place), wanted=_WANTED)
    if place.is_file():
        if place.suffix.lower() == ".json":
            return examination_of(read_case_file(place)[0])
        return _of_report(place, read_structured_report(place), key_file)
    if (place / RESULT_FILE).is_file():
        return examination_of(read_case_file(place / RESULT_FILE, where=place)[0])
    return _of_report(*_only_report(place), key_file)


def _only_report(folder: Path) -> tuple[Path, ReportedResults]:
    """The one report of osteoct below a folder."""
    found = []
    for file in sorted(p for p in folder.rglob("*") if p.is_file()):
        try:
            found.append((file, read_structured_report(file)))
        except InputError:
            continue
    if len(found) != 1:
        raise UnreadableInputError(
            "holds no earlier result" if not found else "holds more than one earlier result",
            where=str(folder),
            found=f"{len(found)} structured reports of osteoct",
            wanted=_WANTED,
        )
    return found[0]


def _of_report(path: Path, report: ReportedResults, key_file: Path | None) -> Examination:
    return examination_of_report(report, patient=_patient_of(path, key_file))


def _patient_of(path: Path, key_file: Path | None) -> str | None:
    """Pseudonym of the patient that a DICOM object names."""
    try:
        with quietly():
            header = read_header(path, "")
    except PARSE_ERRORS:
        return None
    if header is None:
        return None
    identity = SourceIdentity(patient_key=patient_key(header.identifiers))
    return patient_pseudonym(identity, load_key(key_file))
