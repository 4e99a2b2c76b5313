"""From whatever went wrong with a case to a failure that can be counted and shown to anyone."""

from __future__ import annotations

import errno
from typing import Final

from osteoct.errors import (
    ConfigError,
    DependencyError,
    GeometryError,
    InputError,
    OsteoctError,
    OutputError,
    SegmentationError,
    SegmenterUnavailableError,
)
from osteoct.run.records import Cause, Failure

NO_SPACE: Final = (errno.ENOSPC, errno.EDQUOT)

_CAUSES: tuple[tuple[type[BaseException], Cause], ...] = (
    (SegmenterUnavailableError, Cause.ENVIRONMENT),
    (SegmentationError, Cause.SEGMENTATION),
    (GeometryError, Cause.GEOMETRY),
    (InputError, Cause.INPUT),
    (OutputError, Cause.OUTPUT),
    (ConfigError, Cause.CONFIGURATION),
    (DependencyError, Cause.ENVIRONMENT),
    (MemoryError, Cause.MEMORY),
)
"""The first class that fits decides: a more special one stands before a more general one."""


def failure_of(error: BaseException) -> Failure:
    """Return the failure for an error raised while a case was worked on.

    A message of our own keeps what was found and wanted, and loses the place: a path may hold a
    name. The text of any other error may hold anything, so only its class is told.

    >>> failure_of(InputError("is empty", where="/scans/Doe^Jane/ct.nii", found="0 bytes")).message
    'is empty; found 0 bytes'
    >>> failure_of(ValueError("Doe^Jane")).message
    'ValueError, a mistake in osteoct'
    """
    if isinstance(error, OsteoctError):
        placeless = OsteoctError(
            error.what, found=error.found, wanted=error.wanted, hint=error.hint
        )
        return Failure(cause=_cause_of(error), kind=type(error).__name__, message=placeless.line)
    if isinstance(error, MemoryError):
        return Failure(cause=Cause.MEMORY, kind="MemoryError", message="out of memory")
    if isinstance(error, OSError):
        return _of_system(error)
    kind = type(error).__name__
    return Failure(cause=Cause.INTERNAL, kind=kind, message=f"{kind}, a mistake in osteoct")


def _cause_of(error: OsteoctError) -> Cause:
    """The cause by the class of the error."""
    return next((cause for kind, cause in _CAUSES if isinstance(error, kind)), Cause.INTERNAL)


def _of_system(error: OSError) -> Failure:
    """The system refused: a full disk is the output's fault, anything else the machine's."""
    cause = Cause.OUTPUT if error.errno in NO_SPACE else Cause.ENVIRONMENT
    return Failure(
        cause=cause, kind=type(error).__name__, message=error.strerror or "input/output error"
    )
