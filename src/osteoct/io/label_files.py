"""Which file of a program's output folder holds the vertebrae, and which the bodies.

- spine-segment (documentation of 0.1.6) writes four files per case: ``*_vertebral-level.nii.gz``,
  ``*_process-body.nii.gz``, ``*_cort-trab.nii.gz`` and ``*_centroids.json``.
- VerSe (BIDS derivatives, Sekuboyina 2021) has one ``*_seg-vert_msk.nii.gz`` per case, beside
  centroids as ``*_ctd.json`` and pictures.
- Any other folder with exactly one image holds that image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from osteoct.anatomy import LabelScheme, Part, label_scheme
from osteoct.errors import LabelsError
from osteoct.io.image_format import is_image_name

SPINE_SEGMENT: Final[Mapping[Part, str]] = {
    Part.VERTEBRA: "_vertebral-level.nii.gz",
    Part.BODY: "_process-body.nii.gz",
}
"""Endings of spine-segment's files, by what they hold."""

VERSE: Final = "_seg-vert_msk.nii.gz"

_SCHEMES = {
    SPINE_SEGMENT[Part.VERTEBRA]: "spine-segment",
    SPINE_SEGMENT[Part.BODY]: "spine-segment-process-body",
}


def choose_label_file(files: Sequence[Path], *, part: Part, where: str) -> Path | None:
    """Return the one file of a folder that holds the part, ``None`` where none stands out.

    Raises
    ------
    LabelsError
        Files of several cases, or a case without the file of the part.
    """
    images = [file for file in files if is_image_name(file.name)]
    endings = (*SPINE_SEGMENT.values(), VERSE)
    if not any(file.name.endswith(endings) for file in images):
        return images[0] if len(images) == 1 else None
    is_verse = not any(file.name.endswith(tuple(SPINE_SEGMENT.values())) for file in images)
    ending = VERSE if is_verse else SPINE_SEGMENT[part]
    found = [file for file in images if file.name.endswith(ending)]
    if len(found) != 1:
        raise LabelsError(
            "the folder holds masks of several cases" if found else "the folder lacks a file",
            where=where,
            found=f"{len(found)} files *{ending}",
            wanted="one",
            hint="give the file instead of the folder",
        )
    return found[0]


def scheme_of_file_name(path: Path) -> LabelScheme | None:
    """The scheme that a file's name suggests: weak evidence, for exact endings only."""
    found = next((s for ending, s in _SCHEMES.items() if path.name.endswith(ending)), None)
    return None if found is None else label_scheme(found)
