"""A lock that the operating system gives back when a process ends, however it ends."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import Final

_NO_LOCKS: Final = (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK)

if os.name == "nt":  # pragma: no cover - not the system of the tests

    def try_lock(handle: int) -> bool:
        """Lock an open file for this process; ``False`` where another one holds it."""
        import msvcrt  # noqa: PLC0415 - exists on this system only

        with suppress(OSError):
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
            return True
        return False

else:

    def try_lock(handle: int) -> bool:
        """Lock an open file for this process; ``False`` where another one holds it."""
        import fcntl  # noqa: PLC0415 - exists on this system only

        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            # a file system that knows no locks, as on clusters, must not forbid the work
            return error.errno in _NO_LOCKS
        return True
