"""What is planned, what became of it, and why: the records of a batch."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import Field

from osteoct.record import Record
from osteoct.records import Finding, Severity, Usability


class State(StrEnum):
    """Where a case stands."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """The case itself is at fault: another attempt would end the same way."""
    SET_ASIDE = "set-aside"
    """Every attempt that was allowed ended in a crash, at the time limit or out of memory."""
    REFUSED = "refused"
    """Never attempted: no CT to measure, or too large for the memory of a worker."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be done."""
        return self not in {State.PENDING, State.RUNNING}


class Cause(StrEnum):
    """The kind of a failure; what a summary counts by."""

    INPUT = "input"
    """The images cannot be used: unreadable, irregular, not a CT."""
    GEOMETRY = "geometry"
    """CT and masks do not meet."""
    SEGMENTATION = "segmentation"
    """No vertebrae, or the segmenter failed."""
    CONFIGURATION = "configuration"
    ENVIRONMENT = "environment"
    """The machine lacks something: weights, a package, a device."""
    OUTPUT = "output"
    """The result cannot be written: disk full, no permission."""
    MEMORY = "memory"
    """Out of memory, or more memory would be needed than a worker may have."""
    CRASH = "crash"
    """The worker ended without a word."""
    TIME = "time"
    """The time limit passed."""
    INTERNAL = "internal"
    """A mistake of osteoct."""

    @property
    def is_worth_repeating(self) -> bool:
        """Whether another attempt may end otherwise.

        A damaged file stays damaged; a crash, a full disk or an occupied GPU may pass.
        """
        return self in {
            Cause.ENVIRONMENT,
            Cause.OUTPUT,
            Cause.MEMORY,
            Cause.CRASH,
            Cause.TIME,
            Cause.INTERNAL,
        }


class Inputs(Record):
    """Where the images of a case lie: paths, or addresses of an object store.

    Parameters
    ----------
    ct
        One file, archive or folder; or the files of one DICOM series.
    series
        UID of the series to take where ``ct`` is a folder of several.
    """

    ct: tuple[str, ...] = Field(min_length=1)
    series: str | None = None
    masks: str | None = None
    body_masks: str | None = None
    tissues: str | None = None


class WorkItem(Record):
    """One case to measure.

    Parameters
    ----------
    case_id
        Name of the case in every table; a keyed pseudonym unless the user gave a pattern.
    key
        Hash of the inputs and of every choice that changes the result: equal keys, equal result.
    segment_key
        Hash of the CT and of every choice that changes its masks; ``None`` where masks exist.
    bytes_in
        Size of the input files.
    voxels
        Size of the CT where the plan knows it from headers, for the estimate of memory.
    findings
        What choosing the CT among others brought to light (a tie, a split series, damaged files);
        the worker sees the chosen files alone and adds these to what it finds itself.
    """

    case_id: str
    patient: str | None = None
    key: str
    segment_key: str | None = None
    inputs: Inputs
    bytes_in: int = Field(ge=0)
    voxels: int | None = Field(default=None, ge=1)
    findings: tuple[Finding, ...] = ()


class Refusal(Record):
    """Something found that is no case to measure, and why; it stays a row of every table."""

    case_id: str
    patient: str | None = None
    cause: Cause
    message: str


class Failure(Record):
    """Why an attempt did not end in a result; the message names no path and no person."""

    cause: Cause
    kind: str
    """Name of the exception's class, or what the coordinator saw."""
    message: str


class Outcome(Record):
    """What became of one attempt.

    Parameters
    ----------
    failure
        ``None`` where a result lies in the store.
    seconds
        Time of each stage: read, masks, measure, report, store …
    peak_mib
        Largest memory of the worker during the attempt; ``None`` where it cannot be known.
    findings
        Number of findings by severity.
    worst
        Code of the gravest finding.
    place
        Where the result lies below the store.
    """

    case_id: str
    key: str
    failure: Failure | None = None
    seconds: dict[str, float] = Field(default_factory=dict)
    peak_mib: float | None = None
    findings: dict[Severity, int] = Field(default_factory=dict)
    worst: str | None = None
    usability: Usability | None = None
    is_measured: bool | None = None
    place: str | None = None

    @classmethod
    def failed(cls, item: WorkItem, cause: Cause, kind: str, message: str) -> Self:
        """The outcome of an attempt that brought no result."""
        failure = Failure(cause=cause, kind=kind, message=message)
        return cls(case_id=item.case_id, key=item.key, failure=failure)
