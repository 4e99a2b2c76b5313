"""All that names the labels of one file: its own table and the files that lie beside it.

Two sources may repeat each other and fill each other's gaps; where they contradict each other, one
of them belongs to another mask, and nobody but the user can tell which.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from osteoct.anatomy import Level, Part
from osteoct.errors import LabelsError
from osteoct.io.itk_snap import read_label_descriptions
from osteoct.io.label_words import structure_of_words
from osteoct.io.nnunet_dataset import read_dataset_names

OWN: Final = "the table inside the file"
ITK_SNAP: Final = "the ITK-SNAP label file beside it"
NNUNET: Final = "the nnU-Net dataset.json beside it"


def gather_names(
    own: Mapping[int, str] | None, path: Path, *, where: str
) -> Mapping[int, str] | None:
    """Return the names that a file and its neighbours give its labels, ``None`` without any.

    Raises
    ------
    LabelsError
        Two sources name one label differently (both are told), or a source cannot be used.
    """
    sources = {
        OWN: own,
        ITK_SNAP: read_label_descriptions(path, where=where),
        NNUNET: read_dataset_names(path, where=where),
    }
    merged: dict[int, str] = {}
    origins: dict[int, str] = {}
    for origin, names in sources.items():
        for number, name in (names or {}).items():
            if number in merged and _meaning(merged[number]) != _meaning(name):
                raise LabelsError(
                    f"{origins[number]} and {origin} contradict each other",
                    where=where,
                    found=f"label {number} named {merged[number]!r} and {name!r}",
                    wanted="one meaning per label",
                    hint="move away the file that belongs to other masks",
                )
            merged.setdefault(number, name)
            origins.setdefault(number, origin)
    return merged or None


def _meaning(name: str) -> tuple[Part, Level | None]:
    """What is compared: livers and spleens may be called what they like."""
    structure = structure_of_words(name)
    return structure.part, structure.level
