"""What the process left, as volumes on the grid of the CT, and what limits their trust."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from osteoct.anatomy import Part, Structure
from osteoct.io.label_meaning import LabelMeaning, label_meaning
from osteoct.records import Finding, Severity
from osteoct.segment.interface import Quality
from osteoct.volume import CTVolume, LabelVolume

PARTS: Final = {"vertebrae": Part.VERTEBRA, "bodies": Part.BODY, "tissues": Part.OTHER}
"""What the labels of each result are."""


def read_results(told: Mapping[str, Any], folder: Path, ct: CTVolume) -> dict[str, LabelVolume]:
    """Return the labels of each result that found something, by the result's name."""
    made = {name: _read_result(name, told, folder, ct) for name in told["names"]}
    return {name: labels for name, labels in made.items() if labels is not None}


def _read_result(
    name: str, told: Mapping[str, Any], folder: Path, ct: CTVolume
) -> LabelVolume | None:
    """Labels of one result by name; ``None`` where it found nothing of its part."""
    box = told["boxes"][name]
    if box is None:
        return None
    meaning = _meaning(name, {int(n): text for n, text in told["names"][name].items()})
    labels = np.load(folder / f"{name}.npy")
    wanted = [n for n, s in meaning.structures.items() if s.part is PARTS[name]]
    if not np.isin(labels, wanted).any():
        return None
    array = np.zeros(ct.array.shape, labels.dtype)
    array[tuple(slice(start, stop) for start, stop in box)] = labels
    return LabelVolume(
        array=array,
        geometry=ct.geometry,
        structures=meaning.structures,
        scheme_id=meaning.scheme_id,
    )


def _meaning(name: str, names: Mapping[int, str]) -> LabelMeaning:
    """What the numbers of a result are; tissues have no scheme, their bones no level."""
    if PARTS[name] is Part.OTHER:
        structures = {n: Structure(name=text, part=Part.OTHER) for n, text in names.items()}
        return LabelMeaning(structures=structures, scheme_id=None)
    where = f"totalsegmentator, {name}"
    return label_meaning(names, scheme=None, part=PARTS[name], where=where)


def find_limits(quality: Quality, told: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Return what a user must know of how the masks were made."""
    findings = [_moved(fell) for fell in told["fell_back"]]
    if quality is Quality.FAST:
        findings.append(
            Finding(
                code="segmented-coarse",
                severity=Severity.WARNING,
                message="the masks were made at 3 mm (--quality fast): their surfaces are coarse",
                evidence={"spacing_mm": 3.0},
            )
        )
    return tuple(findings)


def _moved(fell: Mapping[str, str]) -> Finding:
    """A task that the GPU's memory did not hold: the same labels, later."""
    return Finding(
        code="segmented-on-cpu",
        severity=Severity.INFO,
        message=(
            f"the GPU ran out of memory: {fell['result']} and what follows were computed on the CPU"
        ),
        evidence={"result": fell["result"], "error": fell["type"]},
    )
