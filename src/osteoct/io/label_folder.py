"""A folder of one mask per structure, as TotalSegmentator writes it, joined to one label map.

Labels get the integers of ``total`` (v2) where it has them, others from 201 on. Where two masks
claim one voxel, it stays with the level nearer the head; the finding ``masks-overlap`` counts them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoct.anatomy import SCHEMES, LabelScheme, Part, Structure, structure_of_name
from osteoct.errors import GeometryError, LabelsError
from osteoct.geometry import Geometry
from osteoct.io.image_format import IMAGE_SUFFIXES, image_format, is_image_name
from osteoct.io.label_join import FIRST_FREE_LABEL, add_mask
from osteoct.io.label_values import count_labels, labels_of
from osteoct.io.volume import read_raw_image
from osteoct.records import Finding
from osteoct.volume import LabelVolume

_TOTAL = SCHEMES["totalsegmentator-v2"]
_TOTAL_WITH_L6 = SCHEMES["totalsegmentator-v3"]
_BODIES = SCHEMES["totalsegmentator-vertebrae-body"]
_SUFFIXES = sorted(IMAGE_SUFFIXES, key=len, reverse=True)


def read_label_folder(
    files: Sequence[Path],
    *,
    where: str,
    scheme: LabelScheme | None,
    part: Part,
    is_optional: bool = False,
) -> LabelVolume | None:
    """Join the masks of one part; files of other structures are not opened.

    Parameters
    ----------
    files
        Files of the folder; ``vertebrae_L1.nii.gz`` is the mask of L1. Any number above 0 marks it.
    scheme
        Needed only for bodies per level, whose files are named like those of whole vertebrae.
    is_optional
        Give ``None`` instead of a failure where no file is named like a structure of the spine.

    Raises
    ------
    LabelsError
        No mask of the part, a mask of several labels, or only empty masks.
    GeometryError
        The masks lie on different grids.
    InputError
        A mask cannot be read.
    """
    masks = _masks_of(files, scheme)
    if not masks and is_optional:
        return None
    structures = _select(masks, part, where=where)
    numbered_by = _scheme_of(structures, scheme)
    numbered = _number(structures, numbered_by)
    array, geometry, findings = _join(numbered, masks, where=where)
    if not any(numbered[n].part is part for n in count_labels(array)):
        raise LabelsError(
            "no vertebrae" if part is Part.VERTEBRA else "no vertebral bodies",
            where=where,
            found=f"{len(numbered)} empty masks",
            wanted="a mask with a voxel above 0",
        )
    return LabelVolume(
        array=array,
        geometry=geometry,
        structures=numbered,
        scheme_id=numbered_by.id if numbered_by else None,
        findings=findings,
    )


def _masks_of(files: Sequence[Path], scheme: LabelScheme | None) -> dict[Structure, Path]:
    """Files by structure of the spine; one structure in two files is settled in :func:`_join`."""
    masks: dict[Structure, Path] = {}
    for file in files:
        if not is_image_name(file.name):
            continue
        name = next(file.name[: -len(s)] for s in _SUFFIXES if file.name.lower().endswith(s))
        named = scheme.structure_named(name) if scheme else None
        structure = named[1] if named else structure_of_name(name)
        if structure.part is Part.OTHER:
            continue
        if structure in masks:
            raise LabelsError(
                "two masks of one structure",
                where=file.name,
                found=masks[structure].name,
                wanted="one file per structure",
            )
        masks[structure] = file
    return masks


def _select(masks: Mapping[Structure, Path], part: Part, *, where: str) -> list[Structure]:
    """The structures of a part (with the sacrum, which tells L5 from S1), head to feet."""
    other = Part.BODY if part is Part.VERTEBRA else Part.VERTEBRA
    if not any(s.part is part for s in masks):
        has_other = any(s.part is other for s in masks)
        option = "--body-masks" if other is Part.BODY else "--masks"
        hint = f"pass this folder as {option}"
        if part is Part.BODY:
            hint += ", or, if these are bodies, name totalsegmentator-vertebrae-pp as --body-labels"
        raise LabelsError(
            "no mask of a vertebra" if part is Part.VERTEBRA else "no mask of a vertebral body",
            where=where,
            found=", ".join(sorted(s.name for s in masks)[:5]) if masks else "no mask of the spine",
            wanted="files such as vertebrae_L1.nii.gz"
            if part is Part.VERTEBRA
            else "vertebrae_body.nii.gz",
            hint=hint if has_other else None,
        )
    kept = [s for s in masks if s.part is part or (s.part is Part.SACRUM and part is not Part.BODY)]
    return sorted(kept, key=lambda s: (s.level is None, s.level.order if s.level else 0))


def _scheme_of(structures: Sequence[Structure], scheme: LabelScheme | None) -> LabelScheme | None:
    """The scheme the structures are numbered by: the user's, else the first that has them all."""
    candidates = (scheme,) if scheme else (_TOTAL, _TOTAL_WITH_L6, _BODIES)
    wanted = set(structures)
    return next((c for c in candidates if wanted <= set(c.structures.values())), None)


def _number(structures: Sequence[Structure], scheme: LabelScheme | None) -> dict[int, Structure]:
    """Structures by label, head to feet."""
    known = {s: n for n, s in (scheme or _TOTAL).structures.items()}
    return {known.get(s, free): s for free, s in enumerate(structures, FIRST_FREE_LABEL)}


def _join(
    numbered: Mapping[int, Structure], masks: Mapping[Structure, Path], *, where: str
) -> tuple[NDArray[Any], Geometry, tuple[Finding, ...]]:
    """One label map of all masks, one file in memory at a time."""
    array: NDArray[Any] | None = None
    geometry: Geometry | None = None
    findings: list[Finding] = []
    for label, structure in numbered.items():
        mask, grid = _read_mask(masks[structure], where=where)
        if array is None or geometry is None:
            array, geometry = np.zeros(grid.shape, np.min_scalar_type(max(numbered)), "F"), grid
        if not grid.is_same_grid(geometry):
            raise GeometryError(
                "masks of one folder lie on different grids",
                where=f"{where}/{masks[structure].name}",
                found=_grid_line(grid),
                wanted=_grid_line(geometry),
            )
        findings += add_mask(array, mask, label, numbered)
    assert array is not None  # noqa: S101 -- there is at least one structure
    assert geometry is not None  # noqa: S101 -- same
    return array, geometry, tuple(findings)


def _read_mask(path: Path, *, where: str) -> tuple[NDArray[np.bool_], Geometry]:
    shown = f"{where}/{path.name}"
    raw = read_raw_image(path, image_format(path, where=shown), where=shown)
    labels = labels_of(raw, where=shown)
    present = count_labels(labels)
    if len(present) > 1:
        raise LabelsError(
            "a mask of one structure holds several labels",
            where=shown,
            found=", ".join(map(str, sorted(present)[:10])),
            wanted="0 and one number above it",
        )
    return labels > 0, raw.geometry


def _grid_line(grid: Geometry) -> str:
    spacing = " x ".join(f"{s:.3g}" for s in grid.spacing_mm)
    return f"{' x '.join(map(str, grid.shape))} voxels of {spacing} mm, {grid.axis_codes}"
