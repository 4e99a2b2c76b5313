"""What things are made of: HU at 120 kVp without contrast, and what moves them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TissueKind(StrEnum):
    """What tube voltage and contrast do to a tissue."""

    SOFT = "soft"
    """Moved by neither."""
    TRABECULAR = "trabecular"
    """Mineral in marrow: moved by the tube voltage, and by contrast through its marrow."""
    CORTICAL = "cortical"
    """Mineral without marrow: moved by the tube voltage."""
    VESSEL = "vessel"
    """Blood: moved by contrast."""


@dataclass(frozen=True, kw_only=True)
class Tissue:
    """A homogeneous tissue.

    Parameters
    ----------
    hu
        HU at 120 kVp, native.
    """

    name: str
    hu: float
    kind: TissueKind = TissueKind.SOFT


AIR = Tissue(name="air", hu=-1000.0)
FAT = Tissue(name="fat", hu=-100.0)
MUSCLE = Tissue(name="muscle", hu=50.0)
SKIN = Tissue(name="skin", hu=30.0)
WATER = Tissue(name="water-equivalent plastic", hu=0.0)
DISC = Tissue(name="disc", hu=80.0)
THECAL_SAC = Tissue(name="thecal sac", hu=15.0)
BLOOD = Tissue(name="blood", hu=40.0, kind=TissueKind.VESSEL)
VEIN = Tissue(name="basivertebral vein", hu=20.0, kind=TissueKind.VESSEL)
TABLE = Tissue(name="table shell", hu=0.0)
FOAM = Tissue(name="table foam", hu=-900.0)
CEMENT = Tissue(name="bone cement", hu=1600.0)
METAL = Tissue(name="titanium", hu=9000.0)
"""Far beyond the scale: the image is clipped at its upper end, as a scanner's is."""
