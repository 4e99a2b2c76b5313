"""osteoct: find weak bone in CT scans made for another reason.

Every public name is imported on first use, so that ``import osteoct`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from osteoct.config import AnalysisConfig as AnalysisConfig
    from osteoct.geometry import Geometry as Geometry
    from osteoct.volume import CTVolume as CTVolume
    from osteoct.volume import LabelVolume as LabelVolume

__version__ = "0.1.0"

_HOME = {
    "AnalysisConfig": "osteoct.config",
    "CTVolume": "osteoct.volume",
    "Geometry": "osteoct.geometry",
    "LabelVolume": "osteoct.volume",
}

__all__ = ["AnalysisConfig", "CTVolume", "Geometry", "LabelVolume", "__version__"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the public names have no common type
    if name not in _HOME:
        msg = f"module 'osteoct' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
