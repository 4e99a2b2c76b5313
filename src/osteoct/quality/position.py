"""Whether the patient lay as the header says: by the table in the image, and by turned organs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from osteoct.compartments.level import LevelCompartments
from osteoct.quality.table import Side, find_table
from osteoct.records import Acquisition, Finding, Severity
from osteoct.volume import CTVolume

BELOW: Mapping[str, Side] = {
    "S": Side.BACK,
    "P": Side.FRONT,
    "DR": Side.RIGHT,
    "DL": Side.LEFT,
}
"""What lies on the table, by the end of a PatientPosition: supine, prone, on a side."""

TURNED = {
    frozenset({"left-right", "front-back"}): "on the other side (prone for supine)",
    frozenset({"left-right", "head-feet"}): "with the other end first (feet for head)",
    frozenset({"front-back", "head-feet"}): "with the other end first, and on the other side",
}
"""Two flips at once turn an image and mirror nothing: so it lies where the patient was registered
in another position. One flip, or three, would be a mirror image."""


def check_position(
    ct: CTVolume,
    levels: Sequence[LevelCompartments],
    acquisition: Acquisition,
    flips: Sequence[Finding],
) -> tuple[Finding, ...]:
    """Find a patient who did not lie as the header says.

    Parameters
    ----------
    ct
        In canonical orientation.
    flips
        Findings ``image-flipped`` of the same image.
    """
    found = (_check_table(ct, levels, acquisition), _check_turned(acquisition, flips))
    return tuple(finding for finding in found if finding is not None)


def _check_table(
    ct: CTVolume, levels: Sequence[LevelCompartments], acquisition: Acquisition
) -> Finding | None:
    """Find a table on another side than PatientPosition says."""
    position = acquisition.patient_position
    expected = None if position is None else BELOW.get(position[2:])
    if expected is None:
        return None
    side = find_table(ct, levels)
    if side is None or side is expected:
        return None
    return Finding(
        code="patient-position",
        severity=Severity.WARNING,
        message=(
            f"The header says {position}, so the table should lie at the patient's {expected}; in "
            f"the image it lies at the {side}: position or axes of the image are wrong."
        ),
        certainty=0.8,
        evidence={"position": position, "expected_side": expected, "table_side": side},
    )


def _check_turned(acquisition: Acquisition, flips: Sequence[Finding]) -> Finding | None:
    """Find an image that is turned, not mirrored: registered in another position."""
    axes = [str(f.evidence.get("axis")) for f in flips if f.code == "image-flipped"]
    how = TURNED.get(frozenset(axes))
    if how is None:
        return None
    said = acquisition.patient_position
    told = "" if said is None else f" The header says {said}."
    return Finding(
        code="patient-position",
        severity=Severity.WARNING,
        message=(
            f"Two axes are flipped at once ({' and '.join(axes)}): the image is turned, not "
            f"mirrored, as where the patient was registered {how}.{told}"
        ),
        certainty=0.8,
        evidence={"axes": ", ".join(axes), "position": said},
    )
