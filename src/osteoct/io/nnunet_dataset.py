"""Names of nnU-Net's labels: the ``dataset.json`` that lies beside its predictions.

The format is described in nnU-Net's ``documentation/dataset_format.md``: version 2 writes
``"labels": {name: number}``, version 1 wrote ``"labels": {"number": name}``. Region-based training
gives one name several numbers; such labels stand for no structure of their own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from osteoct.errors import LabelsError

FILE_NAME: Final = "dataset.json"
MOST_BYTES: Final = 64 << 20
"""Training data sets list every case in this file; a list of 100 000 fits."""


def read_dataset_names(mask: Path, *, where: str) -> Mapping[int, str] | None:
    """Return names by number from the ``dataset.json`` beside a mask.

    ``None`` means that there is no such file, or one without labels (not nnU-Net's).

    Raises
    ------
    LabelsError
        Not JSON, region-based labels, or two names for one number.
    """
    path = mask.parent / FILE_NAME
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            return None
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise _refusal(where, type(error).__name__, "a JSON file") from error
    labels = content.get("labels") if isinstance(content, dict) else None
    return parse_labels(labels, where=where) if isinstance(labels, dict) else None


def parse_labels(labels: Mapping[str, object], *, where: str) -> Mapping[int, str] | None:
    """Return names by number from either way of writing them, without the background.

    >>> parse_labels({"background": 0, "vertebrae_L1": 1}, where="m")
    {1: 'vertebrae_L1'}
    >>> parse_labels({"0": "background", "1": "vertebrae_L1"}, where="m")
    {1: 'vertebrae_L1'}
    """
    names: dict[int, str] = {}
    for key, value in labels.items():
        number, name = _pair(key, value, where=where)
        if number == 0:
            continue
        if names.setdefault(number, name) != name:
            raise _refusal(where, f"two names for label {number}", "one name per label")
    return names or None


def _pair(key: str, value: object, *, where: str) -> tuple[int, str]:
    if isinstance(value, list):
        raise _refusal(
            where, f"region-based labels ({key!r} has several numbers)", "one number per name"
        )
    if isinstance(value, str) and key.strip().isdecimal():
        return int(key), value
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value, key
    raise _refusal(where, f"{key!r}: {value!r}"[:80], "name: number, or number: name")


def _refusal(where: str, found: str, wanted: str) -> LabelsError:
    return LabelsError(
        "the nnU-Net dataset.json beside the masks cannot be used",
        where=where,
        found=found,
        wanted=wanted,
        hint="remove it, and name the scheme, if the masks are not nnU-Net's",
    )
