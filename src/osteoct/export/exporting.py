"""From a finished case to files in other programs' formats: the twin of ``osteoct export``."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, Literal

from pydantic import Field

from osteoct import __version__
from osteoct.errors import ConfigError
from osteoct.export.case_folder import FinishedCase, read_finished_case
from osteoct.export.extra import check_dicom_extra
from osteoct.export.formats import ExportFormat, ExportJob, export_format
from osteoct.export.source_series import find_source
from osteoct.io.dicom.source import SourceSeries
from osteoct.io.output import check_place, result_folder
from osteoct.io.pseudonym import case_pseudonym, load_key, patient_pseudonym
from osteoct.record import Record

EXPORT_FILE: Final = "export.json"
"""What lies beside the exported files and says what they are; marks a folder as ours."""

SERIES_FOLDER: Final = "ct"
"""Where the images lie that identifiers were taken out of."""


class ExportedFile(Record):
    """One file of an export."""

    name: str
    format: str
    sha256: str
    size_bytes: int


class ExportRecord(Record):
    """What an export holds, as written to ``export.json``; without identifiers.

    ``case_sha256`` is the SHA-256 of the ``case.json`` that was exported. Where identifiers were
    taken out it is absent, and the case is called as the patient is in the objects: the name of a
    case may be a hospital's number, and a hash would lead back to its result.
    """

    schema_id: Literal["osteoct.export/1"] = Field(default="osteoct.export/1", alias="schema")
    osteoct_version: str
    case_id: str
    case_sha256: str | None = None
    files: tuple[ExportedFile, ...]
    notes: tuple[str, ...] = ()
    """What whoever sends the files on should know."""


def export_case(
    case: Path | str,
    to: Sequence[str],
    *,
    out: Path | str,
    source: Path | str | None = None,
    series: str | None = None,
    key_file: Path | None = None,
    deflate: bool = False,
    deidentify: bool = False,
    overwrite: bool = False,
) -> ExportRecord:
    """Export a finished case; the folder ``out`` appears whole or not at all.

    Parameters
    ----------
    case
        Result folder of :func:`osteoct.analyze`.
    to
        Names of :data:`osteoct.export.formats.FORMATS`.
    source, series
        The DICOM series that the case was measured on, for formats that need it; see
        :func:`osteoct.export.source_series.find_source`.
    deflate
        Pack DICOM data sets: a segmentation shrinks to a fiftieth, and not every archive takes it.
    deidentify
        Take every identifier out of the objects (:mod:`osteoct.export.dicom.deidentify`), and
        write the series beside them, in ``ct``, likewise: their references point to that.

    Raises
    ------
    InputError, GeometryError, ConfigError, OutputError, DependencyError
        See :mod:`osteoct.errors`.
    """
    formats = [export_format(name) for name in dict.fromkeys(to)]
    _check_request(formats, source, deidentify=deidentify)
    check_place(Path(out), overwrite=overwrite, marker=EXPORT_FILE)
    finished = read_finished_case(Path(case))
    found = None
    if source is not None:
        found = find_source(finished, Path(source), series=series, key_file=key_file)
    copy_series, name = None, finished.result.case_id
    if deidentify and source is not None and found is not None:
        found, copy_series, name = _deidentify(finished, found, key_file)
    job = ExportJob(case=finished, source=found, deflate=deflate)
    contents = [(f, name, data) for f in formats for name, data in f.make(job).items()]
    record = _describe(finished, found, contents, called=name)
    with result_folder(Path(out), overwrite=overwrite, marker=EXPORT_FILE) as folder:
        for _, name, data in contents:
            (folder / name).write_bytes(data)
        if copy_series is not None and source is not None:
            copy_series(Path(source), folder / SERIES_FOLDER, series=series)
        text = record.model_dump_json(by_alias=True, indent=2) + "\n"
        (folder / EXPORT_FILE).write_text(text, encoding="utf-8", newline="")
    return record


def _deidentify(
    case: FinishedCase, source: SourceSeries, key_file: Path | None
) -> tuple[SourceSeries, Callable[..., None], str]:
    """The series without identifiers, what writes its images so, and what the case is called."""
    check_dicom_extra("export --deidentify")
    from osteoct.export.dicom.deidentify import (  # noqa: PLC0415 -- optional packages
        Deidentifier,
        deidentify_source,
        write_deidentified_series,
    )

    key = load_key(key_file)
    patient = patient_pseudonym(source.identity, key)
    by = Deidentifier(key=key, patient=patient or case_pseudonym(source.identity, case.sha256, key))
    return deidentify_source(source, by), partial(write_deidentified_series, by=by), by.patient


def _check_request(
    formats: Sequence[ExportFormat], source: Path | str | None, *, deidentify: bool
) -> None:
    """Refuse no format at all, and a series that is needed and not given."""
    if not formats:
        raise ConfigError("no format was named", where="--to")
    if deidentify and source is None:
        raise ConfigError(
            "there is nothing to take identifiers out of",
            where="--deidentify",
            found="no --source",
            hint="only DICOM objects carry the identifiers of their series",
        )
    needing = [f.name for f in formats if f.needs_source]
    if needing and source is None:
        raise ConfigError(
            "the series that the case was measured on is needed",
            where="--source",
            found="nothing",
            wanted=f"its DICOM folder, for {', '.join(needing)}",
        )


def _describe(
    case: FinishedCase,
    source: SourceSeries | None,
    contents: Sequence[tuple[ExportFormat, str, bytes]],
    *,
    called: str,
) -> ExportRecord:
    """The record of an export."""
    return ExportRecord(
        osteoct_version=__version__,
        case_id=called,
        case_sha256=case.sha256 if called == case.result.case_id else None,
        notes=() if source is None else _notes(source),
        files=tuple(
            ExportedFile(
                name=name,
                format=f.name,
                sha256=hashlib.sha256(data).hexdigest(),
                size_bytes=len(data),
            )
            for f, name, data in contents
        ),
    )


def _notes(source: SourceSeries) -> tuple[str, ...]:
    """Where the objects say something else of patient and study than the series does."""
    notes = []
    if source.made_uids:
        notes.append(
            f"the series has no {', '.join(source.made_uids)}: made anew, "
            "so that a PACS shows the objects as a study of their own"
        )
    if source.left_out:
        notes.append(
            f"the series has values of {', '.join(source.left_out)} that DICOM does not allow: "
            "left empty"
        )
    return tuple(notes)
