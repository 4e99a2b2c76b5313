"""osteoct: find weak bone in CT scans made for another reason.

Every public name is imported on first use, so that ``import osteoct`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from osteoct.analysis import analyze as analyze
    from osteoct.config import AnalysisConfig as AnalysisConfig
    from osteoct.export.exporting import export_case as export_case
    from osteoct.geometry import Geometry as Geometry
    from osteoct.io.dicom.series import find_series as find_series
    from osteoct.io.dicom_sr import read_structured_report as read_structured_report
    from osteoct.io.labels import read_labels as read_labels
    from osteoct.io.volume import read_volume as read_volume
    from osteoct.phantom.acquisition import scan as scan
    from osteoct.phantom.catalogue import make_phantom as make_phantom
    from osteoct.pipeline import analyze_volumes as analyze_volumes
    from osteoct.volume import CTVolume as CTVolume
    from osteoct.volume import LabelVolume as LabelVolume

__version__ = "0.1.0"

_HOME = {
    "AnalysisConfig": "osteoct.config",
    "CTVolume": "osteoct.volume",
    "Geometry": "osteoct.geometry",
    "LabelVolume": "osteoct.volume",
    "analyze": "osteoct.analysis",
    "analyze_volumes": "osteoct.pipeline",
    "export_case": "osteoct.export.exporting",
    "find_series": "osteoct.io.dicom.series",
    "make_phantom": "osteoct.phantom.catalogue",
    "read_labels": "osteoct.io.labels",
    "read_structured_report": "osteoct.io.dicom_sr",
    "read_volume": "osteoct.io.volume",
    "scan": "osteoct.phantom.acquisition",
}

__all__ = [
    "AnalysisConfig",
    "CTVolume",
    "Geometry",
    "LabelVolume",
    "__version__",
    "analyze",
    "analyze_volumes",
    "export_case",
    "find_series",
    "make_phantom",
    "read_labels",
    "read_structured_report",
    "read_volume",
    "scan",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the public names have no common type
    if name not in _HOME:
        msg = f"module 'osteoct' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
