"""All faults by name."""

from __future__ import annotations

from collections.abc import Mapping

from osteoct.phantom.faults.anatomy_faults import ANATOMY_FAULTS
from osteoct.phantom.faults.fault import Fault, by_name
from osteoct.phantom.faults.image_faults import IMAGE_FAULTS
from osteoct.phantom.faults.naming_faults import NAMING_FAULTS
from osteoct.phantom.faults.outline_faults import OUTLINE_FAULTS

FAULTS: Mapping[str, Fault] = by_name(
    (*NAMING_FAULTS, *OUTLINE_FAULTS, *IMAGE_FAULTS, *ANATOMY_FAULTS)
)
"""The catalogue: names, outlines, images, patients."""
