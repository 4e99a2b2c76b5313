"""Whether files are a whole result of the work they are said to be of."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from osteoct.errors import ConfigError, OutputError, UnreadableInputError
from osteoct.io.output import RESULT_FILE
from osteoct.io.pseudonym import check_case_id
from osteoct.records import CaseResult
from osteoct.run.store.interface import MASKS_FILE, WORK_FILE, WorkRecord


def seal_result(folder: Path, case_id: str, key: str) -> None:
    """Write which work a result is of, once its numbers are known to be readable.

    Raises
    ------
    OutputError
        The folder holds no result, a damaged one, or that of another case.
    OSError
        It cannot be written.
    """
    check_name(case_id)
    try:
        result = parse_result((folder / RESULT_FILE).read_bytes(), case_id)
    except FileNotFoundError as error:
        raise OutputError("is no whole result", where=case_id, wanted=RESULT_FILE) from error
    except UnreadableInputError as error:
        raise OutputError("is no whole result", where=case_id, found=error.what) from error
    if result.case_id != case_id:
        raise OutputError("is the result of another case", where=case_id, found=result.case_id)
    record = WorkRecord(case_id=case_id, key=key)
    text = record.model_dump_json(by_alias=True) + "\n"
    (folder / WORK_FILE).write_text(text, encoding="utf-8")


def check_masks(folder: Path, segment_key: str) -> None:
    """Refuse masks without the record of what made them.

    Raises
    ------
    OutputError
        As said.
    """
    check_name(segment_key)
    if not (folder / MASKS_FILE).is_file():
        raise OutputError("are no whole masks", where=segment_key, wanted=MASKS_FILE)


def check_name(name: str) -> str:
    """Return a name once it is known to be safe as that of a folder.

    Raises
    ------
    OutputError
        It is not.
    """
    try:
        return check_case_id(name)
    except ConfigError as error:
        raise OutputError(error.what, where="store", found=error.found) from error


def parse_result(content: bytes, case_id: str) -> CaseResult:
    """Return the numbers of a ``case.json``.

    Raises
    ------
    UnreadableInputError
        It is damaged, or of a newer osteoct.
    """
    try:
        return CaseResult.model_validate_json(content)
    except ValidationError as error:
        raise UnreadableInputError(
            "its result is damaged or of another version of osteoct",
            where=case_id,
            found=f"{error.error_count()} problems in {RESULT_FILE}",
            hint="measure it anew: --only ID",
        ) from error


def parse_key(content: bytes) -> str | None:
    """Return the key of a ``work.json``, or ``None`` where it is damaged."""
    try:
        return WorkRecord.model_validate_json(content).key
    except ValidationError:
        return None
