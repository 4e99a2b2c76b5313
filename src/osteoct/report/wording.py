"""Plain words for codes, and numbers as people write them. No HTML here: the template escapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from osteoct.protocols import Protocol, Region
from osteoct.records import Effect, GridRecord, Phase, Reason, Severity, Usability, Verdict

DISCLAIMER = "Research software: cannot rule out low bone density, not a diagnosis."
"""Stands in every report, whatever was found."""

ABSENT = "–"
"""What stands in place of a number that does not exist; its reason stands beside it."""

NOT_STATED = "not stated"

REASONS: Mapping[Reason, str] = {
    Reason.LEVEL_ABSENT: "not in the masks",
    Reason.CUT_BY_BORDER: "cut by the border of the image",
    Reason.EMPTY_CORE: "no voxel lies deep enough below the surface",
    Reason.NO_BODY: "the body could not be told from the posterior elements",
    Reason.ALL_EXCLUDED: "every voxel is metal, beside metal, or padding",
    Reason.NOT_FOUND: "the shape needed was not found",
}

SEVERITIES: Mapping[Severity, str] = {
    Severity.BLOCKING: "Blocking",
    Severity.WARNING: "Warning",
    Severity.INFO: "Note",
}

USABILITIES: Mapping[Usability, str] = {
    Usability.USABLE: "usable",
    Usability.USABLE_WITH_WARNING: "usable with warning",
    Usability.NOT_USABLE: "not usable",
}

EFFECTS: Mapping[Effect, str] = {
    Effect.IGNORE: "",
    Effect.WARN: "",
    Effect.EXCLUDE: "left out of means and conclusions",
    Effect.BLOCK: "no conclusion",
}
"""What stands beside a finding that does more than warn."""

VERDICTS: Mapping[Verdict, str] = {
    Verdict.BELOW: "Below",
    Verdict.ABOVE: "Not below",
    Verdict.INDETERMINATE: "Indeterminate",
    Verdict.NOT_APPLICABLE: "Not applicable",
}

PHASES: Mapping[Phase, str] = {
    Phase.NATIVE: "native",
    Phase.ARTERIAL: "arterial",
    Phase.PORTAL_VENOUS: "portal venous",
    Phase.DELAYED: "delayed",
    Phase.CONTRAST: "contrast given, phase not told",
}

PARTIAL_VOLUME = (
    "Cortical HU on clinical CT is a partial-volume quantity: the real shell is about 0.35 mm."
)


def format_number(value: float | None, decimals: int = 1) -> str:
    """Write a number with a true minus sign; an absent one as an en dash.

    >>> format_number(-12.34), format_number(-0.04), format_number(None)
    ('−12.3', '0.0', '–')
    """
    if value is None:
        return ABSENT
    text = f"{value:.{decimals}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")


def format_voxels(grid: GridRecord) -> str:
    """Write the voxel size.

    >>> grid = GridRecord(shape=(2, 2, 2), spacing_mm=(0.9, 0.9, 1.5), axis_codes="RAS")
    >>> format_voxels(grid)
    '0.9 × 0.9 × 1.5 mm'
    """
    return " × ".join(f"{step:.3g}" for step in grid.spacing_mm) + " mm"


def explain_depth(protocol: Protocol, grid: GridRecord) -> str:
    """Say what a "cortical" number of this protocol depends on."""
    return f"depth ≤ {protocol.depth_mm:g} mm, voxels {format_voxels(grid)}"


def tell_usability(usability: Usability, codes: Sequence[str]) -> str:
    """Say how far something can be used, and why not further.

    >>> tell_usability(Usability.NOT_USABLE, ("metal", "volume-jump"))
    'not usable: metal, volume-jump'
    """
    return ": ".join(part for part in (USABILITIES[usability], ", ".join(codes)) if part)


def capitalise(text: str) -> str:
    """Begin a sentence, leaving the rest as it is (``str.capitalize`` would lower ``HU``)."""
    return text[:1].upper() + text[1:]


def describe_region(region: Region, statistic: str) -> str:
    """Name a quantity, such as ``mean trabecular HU``."""
    words = {Region.VERTEBRA: "whole-vertebra", Region.BODY: "whole-body"}
    return f"{statistic} {words.get(region, region)} HU"
