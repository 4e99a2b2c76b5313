"""What went wrong in the process, in words that say what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from osteoct.errors import SegmentationError, SegmenterUnavailableError

_HINTS: Final[Mapping[str, str]] = {
    "memory": "close other programs, take --quality fast, or a machine with more memory",
    "gpu-memory": "take --device cpu or --quality fast, or a GPU that nobody else uses",
    "disk": "free some space in the temporary folder (TMPDIR) and run it again",
    "folder": "name a folder that can be written to in TMPDIR",
    "device": "take --device cpu, or install torch for this machine's GPU",
    "network": "its weights are incomplete, or this version asks for more than those tested here",
    "time": "allow it more time (--time-limit), take --quality fast, or a machine with a GPU",
}
_WHATS: Final[Mapping[str, str]] = {
    "memory": "ran out of memory",
    "gpu-memory": "ran out of GPU memory",
    "disk": "ran out of disk space",
    "folder": "has no temporary folder to work in",
    "device": "has no such device",
    "network": "tried to reach the network, which was refused",
    "time": "took longer than it may",
    "exit": "gave up",
    "failed": "failed",
}
_OF_THE_MACHINE = frozenset(_HINTS)


def failure_of(kind: str, found: str, *, title: str, where: str) -> SegmentationError:
    """Return the error for a kind of failure that the process told of.

    Parameters
    ----------
    kind
        As :func:`osteoct.segment.isolation.worker.tell_failure` sorts them, ``time`` or
        ``folder``.
    found
        What was seen, without folders of this machine.
    title, where
        What the user calls the program, and its name as a segmenter.
    """
    made = SegmenterUnavailableError if kind in _OF_THE_MACHINE else SegmentationError
    hint = _HINTS.get(kind, f"run {title} itself on this CT, or bring masks by --masks")
    return made(f"{title} {_WHATS[kind]}", where=where, found=found, hint=hint)


def failure_told(error: Mapping[str, Any], hide: str, *, title: str, where: str) -> Exception:
    """Return the error for what the process told, its private folder named by a dot."""
    text = str(error["text"]).replace(hide, "…")
    found = text if error["kind"] == "device" else f"{error['type']}: {text}"
    return failure_of(str(error["kind"]), found, title=title, where=where)
