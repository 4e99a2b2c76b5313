"""What was fetched, imported or accepted on this machine: a file beside the weights."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, Literal

from pydantic import Field, ValidationError

from osteoct.errors import SegmenterUnavailableError
from osteoct.io.output import write_text
from osteoct.records import Record
from osteoct.segment.weights.place import WeightsFolder
from osteoct.segment.weights.writing import writing

LEDGER_FILE: Final = "osteoct-weights.json"


class FileRecord(Record):
    """A file of a model."""

    sha256: str
    size_bytes: int


class ModelRecord(Record):
    """A model as it was when it came.

    Parameters
    ----------
    origin
        ``fetch``, ``bundle``, or ``found``: put there by another program.
    url, archive_sha256, archive_bytes
        Of the archive; ``None`` for a model that was found.
    recorded_utc
        When.
    is_accepted
        Whether the user accepted it though other hashes were known or recorded.
    files
        Every file, relative to the model's folder.
    """

    origin: Literal["fetch", "bundle", "found"]
    url: str | None = None
    archive_sha256: str | None = None
    archive_bytes: int | None = None
    recorded_utc: str = Field(default_factory=lambda: datetime.now(UTC).isoformat("T", "seconds"))
    is_accepted: bool = False
    files: dict[str, FileRecord]


class Ledger(Record):
    """The records of one folder of weights, by the model's folder."""

    schema_id: Literal["osteoct.weights/1"] = Field(default="osteoct.weights/1", alias="schema")
    models: dict[str, ModelRecord] = Field(default_factory=dict)


def read_ledger(place: WeightsFolder) -> Ledger:
    """Return the records of a folder; empty ones where none were made.

    Raises
    ------
    SegmenterUnavailableError
        The file is damaged or of a newer osteoct: without it an altered model would pass unseen.
    """
    try:
        return Ledger.model_validate_json((place.path / LEDGER_FILE).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return Ledger()
    except (OSError, ValidationError) as error:
        raise SegmenterUnavailableError(
            f"{LEDGER_FILE}, the record of the weights, cannot be read",
            where=place.shown,
            found=type(error).__name__,
            wanted="a file of schema osteoct.weights/1",
            hint="delete it and run osteoct weights fetch, which records what it finds anew",
        ) from None


def write_record(place: WeightsFolder, folder: str, record: ModelRecord) -> None:
    """Add a model's record, or replace it; the caller holds the lock of the folder.

    Raises
    ------
    SegmenterUnavailableError
        The folder cannot be written, or the disk is full.
    """
    ledger = read_ledger(place)
    updated = ledger.model_copy(update={"models": {**ledger.models, folder: record}})
    with writing(place):
        write_text(
            place.path / LEDGER_FILE, updated.model_dump_json(by_alias=True, indent=2) + "\n"
        )
