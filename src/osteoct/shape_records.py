"""Records of a vertebral body's heights and of what they are compared with."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from osteoct.record import Reason, Record


class HeightSource(StrEnum):
    """Where the end plates between which heights are measured came from."""

    CT = "ct"
    """The CT's own grey values beside the mask's end plates."""
    MASK = "mask"
    """The mask alone: the CT showed no edge, or metal lies in the body."""


class Heights(Record):
    """Heights of the vertebral body in its own mid-sagittal plane, in mm.

    ``uncertainty_mm`` holds 95 % of the errors on phantoms of the same slice distance and source.
    """

    height_anterior_mm: float | None = None
    height_middle_mm: float | None = None
    height_posterior_mm: float | None = None
    source: HeightSource | None = None
    uncertainty_mm: float | None = None
    reason: Reason | None = None


class Deformity(StrEnum):
    """The ratio of heights in which a body has lost most."""

    WEDGE = "wedge"
    """Anterior over posterior."""
    BICONCAVE = "biconcave"
    """Middle over posterior."""
    CRUSH = "crush"
    """Mean of anterior and posterior over that of the neighbours."""


class Morphometry(Record):
    """Ratios of a body's heights, and the largest loss of height among them; never a diagnosis.

    Parameters
    ----------
    wedge_ratio, biconcave_ratio
        Anterior and middle over posterior height.
    crush_ratio
        Mean of anterior and posterior height over ``expected_height_mm``, the median of the same
        of the levels around it; ``None`` with fewer than two measured neighbours.
    height_loss_percent, uncertainty_percent
        The largest loss, never below 0, and what slice distance and source leave open.
    deformity, grade
        The ratio that gave the loss, and the deformity grade 0 … 3.
    """

    wedge_ratio: float | None = None
    biconcave_ratio: float | None = None
    crush_ratio: float | None = None
    expected_height_mm: float | None = None
    height_loss_percent: float | None = None
    uncertainty_percent: float | None = None
    deformity: Deformity | None = None
    grade: int | None = Field(default=None, ge=0, le=3)
    reason: Reason | None = None
