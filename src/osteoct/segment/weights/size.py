"""Sizes and times in words."""

from __future__ import annotations

from typing import Final

_UNITS: Final = (("GB", 10**9), ("MB", 10**6), ("kB", 10**3))


def in_words(size_bytes: float) -> str:
    """Return a size as people read it, in powers of ten as disks and downloads are sold.

    >>> in_words(602_447_604), in_words(1_234_000_000), in_words(990), in_words(1500)
    ('602 MB', '1.2 GB', '990 bytes', '1.5 kB')
    """
    for unit, factor in _UNITS:
        if size_bytes >= factor:
            value = size_bytes / factor
            return f"{value:.0f} {unit}" if value >= 10 else f"{value:.1f} {unit}"  # noqa: PLR2004 - two digits
    return f"{size_bytes:.0f} bytes"


def time_in_words(seconds: float) -> str:
    """Return a duration as people read it.

    >>> time_in_words(8.2), time_in_words(95), time_in_words(3725)
    ('8 s', '1 min 35 s', '1 h 02 min')
    """
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    if minutes == 0:
        return f"{rest} s"
    hours, minutes_left = divmod(minutes, 60)
    return f"{hours} h {minutes_left:02d} min" if hours else f"{minutes} min {rest:02d} s"
