"""Hiding the names of files below the path a user named.

DICOM files are often named by UID and folders by patient. The user typed the path, so a message may
repeat it; what lies below it is called ``file 3 of 40``, counted in the order of the names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from osteoct.errors import OsteoctError


@contextmanager
def hidden_file_names(path: Path, *, where: str) -> Iterator[None]:
    """Let failures pass with every file below ``path`` called by its number.

    Parameters
    ----------
    path
        What is read: a file or folder.
    where
        ``path`` as the user named it; a failure that names no place gets it.
    """
    try:
        yield
    except OsteoctError as error:
        numbers = number_files(path)
        place = "" if error.where in (None, path.name) else hide_names(str(error.where), numbers)
        error.where = f"{where}: {place}" if place and numbers else where
        if isinstance(error.found, str):
            # a file called 3 must not turn "3 patients" into "file 3 of 40 patients"
            named = {name: n for name, n in numbers.items() if not name.isdigit()}
            error.found = hide_names(error.found, named)
        error.args = (error.line,)
        raise


def number_files(path: Path) -> dict[str, str]:
    """What files below a folder are called, by their path relative to it; empty for a file."""
    if not path.is_dir():
        return {}
    names = sorted(p.relative_to(path) for p in path.rglob("*") if not p.is_dir())
    return {str(name): f"file {n} of {len(names)}" for n, name in enumerate(names, start=1)}


def hide_names(text: str, numbers: Mapping[str, str]) -> str:
    """The text with file names replaced, longest first; parts of words and numbers stay.

    >>> hide_names("a/Anna.dcm: unlike Anna.dcm.", {"a/Anna.dcm": "file 1 of 2",
    ...     "Anna.dcm": "file 2 of 2"})
    'file 1 of 2: unlike file 2 of 2.'
    """
    known = [name for name in sorted(numbers, key=len, reverse=True) if name in text]
    if not known:
        return text
    any_name = "|".join(re.escape(name) for name in known)
    return re.sub(rf"(?<![\w/])(?:{any_name})(?![\w/])", lambda m: numbers[m.group()], text)
