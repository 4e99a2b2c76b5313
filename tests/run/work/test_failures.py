"""A failure is told without a path, a name, or the text of an error that is not ours."""

from __future__ import annotations

import errno
import os

import pytest

from osteoct.errors import (
    ConfigError,
    DependencyError,
    GeometryError,
    NotCtError,
    OutputError,
    SegmentationError,
    SegmenterUnavailableError,
)
from osteoct.run.records import Cause
from osteoct.run.work.failures import failure_of

TELLING = "/archive/Doe^Jane/ct.nii.gz"


@pytest.mark.parametrize(
    ("error", "cause", "is_repeated"),
    [
        (NotCtError("is no CT", where=TELLING), Cause.INPUT, False),
        (GeometryError("do not meet", where=TELLING), Cause.GEOMETRY, False),
        (SegmentationError("no vertebrae", where=TELLING), Cause.SEGMENTATION, False),
        (SegmenterUnavailableError("no memory", where=TELLING), Cause.ENVIRONMENT, True),
        (DependencyError("no package", where=TELLING), Cause.ENVIRONMENT, True),
        (ConfigError("no such protocol", where=TELLING), Cause.CONFIGURATION, False),
        (OutputError("disk full", where=TELLING), Cause.OUTPUT, True),
        (MemoryError(TELLING), Cause.MEMORY, True),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), TELLING), Cause.OUTPUT, True),
        (OSError(errno.EIO, os.strerror(errno.EIO), TELLING), Cause.ENVIRONMENT, True),
        (ValueError(TELLING), Cause.INTERNAL, True),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_cause_and_silence(error, cause, is_repeated) -> None:
    """The cause decides whether another attempt makes sense."""
    failure = failure_of(error)
    assert failure.cause is cause
    assert failure.cause.is_worth_repeating is is_repeated
    assert "Doe" not in failure.model_dump_json()
    assert failure.message
