"""What every record has in common, and why a number can be absent."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """Base of all records: frozen, no unknown fields, no NaN or infinity."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        validate_by_name=True,
        validate_by_alias=True,
    )


class Reason(StrEnum):
    """Why a number is absent."""

    LEVEL_ABSENT = "level-absent"
    """The masks hold no voxel of this level."""
    CUT_BY_BORDER = "cut-by-border"
    """The level touches the border of the image: part of it was not scanned."""
    EMPTY_CORE = "empty-core"
    """No voxel lies deep enough below the surface."""
    NO_BODY = "no-body"
    """The vertebral body could not be told from the posterior elements."""
    ALL_EXCLUDED = "all-excluded"
    """Every voxel is metal, beside metal, or padding."""
    NOT_FOUND = "not-found"
    """The shape needed (axes, end plates, an ellipse that fits) could not be found."""
