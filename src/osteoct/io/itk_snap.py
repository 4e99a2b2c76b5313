"""ITK-SNAP label description files: a text table ``IDX R G B A VIS MSH "LABEL"``.

The format is described in the comment block that ITK-SNAP writes at the head of each such file
(*Segmentation > Save label descriptions*). The file lies beside the mask: it has the mask's name
with the ending ``.txt`` or ``.label``, or it is the only such file in the folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from osteoct.errors import LabelsError
from osteoct.io.image_format import IMAGE_SUFFIXES

SUFFIXES: Final = (".txt", ".label")
MARKER: Final = "itk-snap label description file"
MOST_BYTES: Final = 1 << 20
"""A table of 10 000 labels; what is larger is no label file."""

_NUMBER = r"\d+(?:\.\d*)?"
_LINE = re.compile(
    rf'\s*(?P<index>\d+)(?:\s+{_NUMBER}){{4}}(?:\s+[01]){{2}}\s+"(?P<name>[^"]*)"\s*'
)
_PLACEHOLDER = re.compile(r"(?:Label \d+|Clear Label)?")
"""Names that ITK-SNAP gives by itself: they say nothing."""


def read_label_descriptions(mask: Path, *, where: str) -> Mapping[int, str] | None:
    """Return names by number from the label file beside a mask, ``None`` without one.

    Raises
    ------
    LabelsError
        The file calls itself a label description and is not one, or names a number twice.
    """
    text = _own_text(mask) or _only_text(mask.parent)
    return None if text is None else parse_label_descriptions(text, where=where)


def parse_label_descriptions(text: str, *, where: str) -> Mapping[int, str] | None:
    """Return names by number; background and names that ITK-SNAP made up are left out.

    >>> parse_label_descriptions('31 255 0 0 1 1 1 "L1"', where="m")
    {31: 'L1'}
    """
    names: dict[int, str] = {}
    seen: set[int] = set()
    for line in _lines(text):
        match = _LINE.fullmatch(line)
        number = int(match["index"]) if match else -1
        if match is None or number in seen:
            raise LabelsError(
                "the ITK-SNAP label file beside the masks cannot be used",
                where=where,
                found=repr(line.strip()[:60]) if match is None else f"label {number} twice",
                wanted='lines such as 31 255 0 0 1 1 1 "L1"',
            )
        seen.add(number)
        name = match["name"].strip()
        if number and not _PLACEHOLDER.fullmatch(name):
            names[number] = name
    return names or None


def _own_text(mask: Path) -> str | None:
    """The label file that has the mask's name."""
    name = mask.name.lower()
    suffix = max((s for s in IMAGE_SUFFIXES if name.endswith(s)), key=len, default="")
    stem = mask.name[: len(mask.name) - len(suffix)]
    texts = (_label_text(mask.with_name(stem + ending)) for ending in SUFFIXES)
    return next((text for text in texts if text is not None), None)


def _only_text(folder: Path) -> str | None:
    """The one label file of a folder; where there are several, none is the mask's."""
    files = [f for f in sorted(folder.glob("*")) if f.suffix.lower() in SUFFIXES]
    texts = [text for file in files if (text := _label_text(file)) is not None]
    return texts[0] if len(texts) == 1 else None


def _label_text(path: Path) -> str | None:
    """The text of a file that is a label description by its head or by every line."""
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            return None
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    lines = _lines(text)
    is_table = bool(lines) and all(_LINE.fullmatch(line) for line in lines)
    return text if is_table or MARKER in text[:MOST_BYTES].lower() else None


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
