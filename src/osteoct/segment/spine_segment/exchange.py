"""What goes to the process and what comes back: a CT and labels as files on one grid.

The package turns every image to LPS by itself. The CT is handed over in LPS already, so that its
orientation cannot change the result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

import nibabel
import numpy as np
from numpy.typing import NDArray

from osteoct.anatomy import SCHEMES, Part, Structure
from osteoct.errors import GeometryError, SegmentationError
from osteoct.geometry import Geometry
from osteoct.io.label_values import count_labels, labels_of
from osteoct.io.nifti import read_nifti
from osteoct.volume import CTVolume, LabelVolume

ORIENTATION: Final = "LPS"
"""That of the package's networks."""

CT_FILE: Final = "ct.nii"
"""Not compressed: it is read once and gone."""

LEVELS, PARTS = SCHEMES["spine-segment"], SCHEMES["spine-segment-process-body"]

BODY: Final = next(n for n, s in PARTS.structures.items() if s.part is Part.BODY)

_BODIES: Final = {
    number: Structure(name=f"body_{s.level}", part=Part.BODY, level=s.level)
    for number, s in LEVELS.structures.items()
}

_AXES: Final = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Handed:
    """A CT as the process gets it.

    Parameters
    ----------
    ct
        With its axes in the order of :data:`ORIENTATION`.
    geometry
        Its grid with axes exactly perpendicular, which NIfTI makes of any.
    codes
        Orientation that the results go back to.
    """

    ct: CTVolume
    geometry: Geometry
    codes: str

    @classmethod
    def of(cls, ct: CTVolume) -> Self:
        """Turn a CT as the package wants it.

        Raises
        ------
        GeometryError
            The voxels are no boxes.
        """
        if not ct.geometry.is_orthogonal:
            raise GeometryError(
                "spine-segment needs perpendicular axes",
                found="a sheared grid (gantry tilt)",
                wanted="voxels that are boxes",
                hint="resample the CT to a grid without tilt",
            )
        turned = ct.reoriented(ORIENTATION)
        return cls(
            ct=turned,
            geometry=make_perpendicular(turned.geometry),
            codes=ct.geometry.axis_codes,
        )

    def write(self, folder: Path) -> None:
        """Write the CT into the folder of a job."""
        image = nibabel.Nifti1Image(self.ct.array, self.geometry.affine)
        image.set_qform(self.geometry.affine, code="scanner")
        image.set_sform(self.geometry.affine, code="scanner")
        image.header.set_xyzt_units(xyz="mm")
        image.to_filename(folder / CT_FILE)

    def read(
        self, folder: Path, level_file: str, part_file: str
    ) -> tuple[LabelVolume, LabelVolume | None] | None:
        """Return vertebrae and, by level, their bodies; ``None`` where no vertebra was found.

        Raises
        ------
        SegmentationError
            Labels without a meaning, or on another grid.
        """
        levels = self._read(folder / level_file, known=frozenset(LEVELS.structures))
        parts = self._read(folder / part_file, known=frozenset(PARTS.structures))
        if not levels.any():
            return None
        vertebrae = self._volume(levels, LEVELS.structures)
        bodies = np.where(parts == BODY, levels, np.zeros((), levels.dtype))
        return (
            replace(vertebrae, scheme_id=LEVELS.id),
            self._volume(bodies, _BODIES) if bodies.any() else None,
        )

    def _volume(self, array: NDArray[Any], structures: Mapping[int, Structure]) -> LabelVolume:
        """Labels on the grid of the CT, turned back."""
        labels = LabelVolume(array=array, geometry=self.ct.geometry, structures=structures)
        return labels.reoriented(self.codes)

    def _read(self, path: Path, *, known: frozenset[int]) -> NDArray[Any]:
        """Labels of one file, which lie on the grid that was handed over and have a meaning."""
        where = f"spine-segment, {path.name}"
        raw = read_nifti(path, where=where)
        if not raw.geometry.is_same_grid(self.geometry):
            raise SegmentationError(
                "labels on another grid than the CT",
                where=where,
                found=f"{raw.geometry.shape}, {raw.geometry.axis_codes}",
                wanted=f"{self.geometry.shape}, {self.geometry.axis_codes}",
            )
        labels = labels_of(raw, where=where)
        unknown = sorted(set(count_labels(labels)) - known)
        if unknown:
            raise SegmentationError(
                "a label without a meaning",
                where=where,
                found=", ".join(map(str, unknown)),
                wanted="labels of its documentation",
            )
        return labels


def make_perpendicular(geometry: Geometry) -> Geometry:
    """Return the nearest grid with perpendicular axes: same shape, spacing and centre.

    Headers round: axes that are perpendicular for :attr:`Geometry.is_orthogonal` may be off by a
    voxel at the far corner, and NIfTI as the package reads it knows rotations only.
    """
    u, _, vt = np.linalg.svd(geometry.direction)
    affine = np.eye(_AXES + 1)
    affine[:_AXES, :_AXES] = (u @ vt) * geometry.spacing_mm
    middle = (np.array(geometry.shape) - 1) / 2
    affine[:_AXES, _AXES] = geometry.to_patient(middle) - affine[:_AXES, :_AXES] @ middle
    return Geometry(shape=geometry.shape, affine=affine)
