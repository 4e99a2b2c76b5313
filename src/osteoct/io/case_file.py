"""``case.json`` read back."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from osteoct.errors import UnreadableInputError
from osteoct.io.output import RESULT_FILE
from osteoct.records import CaseResult


def read_case_file(path: Path, *, where: Path | None = None) -> tuple[CaseResult, bytes]:
    """Return the result that a file holds, and the file's content.

    Parameters
    ----------
    where
        What messages call it, such as the folder that the user named.

    Raises
    ------
    UnreadableInputError
        It is not there, damaged or of another version.
    """
    try:
        content = path.read_bytes()
        return CaseResult.model_validate_json(content), content
    except OSError as error:
        raise UnreadableInputError(
            "holds no result",
            where=str(where or path),
            found=error.strerror,
            wanted=f"a folder of osteoct analyze, with {RESULT_FILE}",
        ) from error
    except ValidationError as error:
        raise UnreadableInputError(
            "is damaged or of another version",
            where=str(path),
            found=f"{error.error_count()} fields that do not fit",
            wanted="a result of osteoct",
        ) from error
