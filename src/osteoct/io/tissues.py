"""Reading labels of blood, organs and muscles: the other structures of a segmentation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from osteoct.anatomy import LANDMARKS, PHASE_ORGANS, TISSUES, Part, Structure
from osteoct.errors import GeometryError, LabelsError
from osteoct.geometry import Geometry
from osteoct.io.image_format import IMAGE_SUFFIXES, ImageFormat, image_format
from osteoct.io.label_sources import gather_names
from osteoct.io.label_values import labels_of
from osteoct.io.volume import read_raw_image
from osteoct.volume import LabelVolume

_MAPS: Final = (ImageFormat.NIFTI, ImageFormat.NRRD, ImageFormat.METAIMAGE)
_READ: Final = tuple(dict.fromkeys((*TISSUES, *LANDMARKS, *PHASE_ORGANS)))
_WANTED: Final = f"names such as {', '.join(TISSUES[:3])}"


def read_tissues(path: Path | str) -> LabelVolume:
    """Read tissues, bones that vertebrae are counted from and organs that tell the contrast phase.

    Which they are, :data:`osteoct.anatomy.TISSUES`, :data:`osteoct.anatomy.LANDMARKS` and
    :data:`osteoct.anatomy.PHASE_ORGANS` tell; others are left out.

    Parameters
    ----------
    path
        A label map with a table of names, as TotalSegmentator and ``osteoct segment --tissues``
        write it, or a folder with one mask per structure, named after it.

    Raises
    ------
    LabelsError
        No names, none of a tissue, or another format.
    GeometryError
        The masks of a folder lie on different grids.
    InputError
        The file cannot be read.
    """
    path, where = Path(path), str(path)
    kind = image_format(path, where=where)
    if kind is ImageFormat.FOLDER:
        return _read_folder(path, where=where)
    if kind not in _MAPS:
        raise LabelsError(
            "is no label map of tissues",
            where=where,
            found=str(kind),
            wanted="NIfTI, NRRD, MetaImage, or a folder with a mask per structure",
        )
    raw = read_raw_image(path, kind, where=where)
    names = gather_names(raw.names, path, where=where) or {}
    structures = _structures({n: name for n, name in names.items() if name in _READ})
    _check_any(structures, len(names), where=where)
    return LabelVolume(
        array=labels_of(raw, where=where),
        geometry=raw.geometry,
        structures=structures,
        findings=raw.findings,
    )


def _read_folder(folder: Path, *, where: str) -> LabelVolume:
    """Masks of single structures, joined; a voxel in two of them stays with the first."""
    files = {name: file for name in _READ if (file := _file_of(folder, name)) is not None}
    _check_any(_structures(dict(enumerate(files, 1))), 0, where=where)
    array: NDArray[Any] = np.empty(0, np.uint8)
    geometry: Geometry | None = None
    for label, (name, file) in enumerate(files.items(), 1):
        raw = read_raw_image(file, image_format(file, where=where), where=f"{where}/{name}")
        if geometry is None:
            geometry, array = raw.geometry, np.zeros(raw.geometry.shape, np.uint8)
        if not raw.geometry.is_same_grid(geometry):
            raise GeometryError(
                "masks of one folder lie on different grids",
                where=f"{where}/{name}",
                found=raw.geometry.shape,
                wanted=geometry.shape,
            )
        array[(labels_of(raw, where=f"{where}/{name}") > 0) & (array == 0)] = label
    assert geometry is not None  # noqa: S101 -- there is at least one file
    return LabelVolume(
        array=array, geometry=geometry, structures=_structures(dict(enumerate(files, 1)))
    )


def _file_of(folder: Path, name: str) -> Path | None:
    """The mask of a structure, whatever its suffix."""
    files = (folder / f"{name}{suffix}" for suffix in IMAGE_SUFFIXES)
    return next((file for file in files if file.is_file()), None)


def _structures(names: Mapping[int, str]) -> dict[int, Structure]:
    """Structures by label."""
    return {n: Structure(name=name, part=Part.OTHER) for n, name in names.items()}


def _check_any(structures: Mapping[int, Structure], named: int, *, where: str) -> None:
    """Refuse labels among which no tissue is named."""
    if any(s.name in TISSUES for s in structures.values()):
        return
    raise LabelsError(
        "names no tissue",
        where=where,
        found=f"{named} names, none of a tissue" if named else "no names",
        wanted=_WANTED,
        hint="give TotalSegmentator's label map with its table of names",
    )
