"""Segmenters by name: the entry points of the group ``osteoct.segmenters``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from osteoct.errors import ConfigError, DependencyError, OsteoctError
from osteoct.segment.interface import Segmenter, SegmenterState, SegmentOptions

GROUP: Final = "osteoct.segmenters"
"""A package that brings a segmenter names it in this group."""

DEFAULT: Final = "totalsegmentator"
"""The segmenter of the study and of every command without ``--segmenter``."""


def find_segmenters() -> Mapping[str, EntryPoint]:
    """Return the registered segmenters by name, nothing imported; the default comes first.

    Of two packages that claim one name the first found keeps it, osteoct's own before all others.
    """
    found = sorted(
        entry_points(group=GROUP), key=lambda e: (not e.value.startswith("osteoct."), e.name)
    )
    by_name: dict[str, EntryPoint] = {}
    for entry in sorted(found, key=lambda e: e.name != DEFAULT):
        by_name.setdefault(entry.name, entry)
    return by_name


def make_segmenter(name: str, options: SegmentOptions | None = None) -> Segmenter:
    """Import and make the segmenter of a name.

    Raises
    ------
    ConfigError
        There is none of that name; the message lists the names.
    DependencyError
        The package that brings it cannot be imported, or brings something else.
    """
    found = find_segmenters()
    if name not in found:
        raise ConfigError(
            "unknown segmenter",
            where="--segmenter",
            found=repr(name),
            wanted="one of " + ", ".join(found),
        )
    made = _load(found[name])(options or SegmentOptions())
    if not isinstance(made, Segmenter):
        raise DependencyError(
            "is not a segmenter",
            where=found[name].value,
            found=type(made).__name__,
            wanted="an object with name, describe, check and segment",
        )
    return made


def describe_segmenters() -> tuple[SegmenterState, ...]:
    """Say of each registered segmenter what is there; a broken one is listed as not installed."""
    return tuple(_describe(name) for name in find_segmenters())


def _describe(name: str) -> SegmenterState:
    try:
        return make_segmenter(name).describe()
    except OsteoctError as error:
        return SegmenterState(
            name=name,
            title="cannot be used",
            licence="unknown",
            is_installed=False,
            hint=error.line,
        )


def _load(entry: EntryPoint) -> Callable[[SegmentOptions], object]:
    try:
        factory: Callable[[SegmentOptions], object] = entry.load()
    except (ImportError, AttributeError) as error:
        raise DependencyError(
            "segmenter cannot be imported",
            where=entry.value,
            found=type(error).__name__,
            wanted=f"the package that registers {entry.name!r}",
            hint="install it again, or uninstall it",
        ) from error
    return factory
