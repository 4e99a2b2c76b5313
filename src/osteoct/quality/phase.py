"""Contrast phase from pixels: the HU of vessels and kidneys, beside what the header says.

Where the limits come from:

- Blood without contrast has −20 … 60 HU (Ogo; Michalski 2020).
- 10 to 15 s after a bolus trigger the aorta has risen by 300 to 336 HU and the portal vein by 75 to
  104; after 45 to 55 s the aorta by 117 to 125 (multidetector CT of the liver, 171 patients:
  "Optimizing Scan Delays for Bolus-Tracking Techniques of Hepatic Arterial and Portal Venous
  Phases", abstract).

Limits between those numbers are chosen, and say so below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import erf, sqrt

from osteoct.measure.tissues import TissueHu, TissueHus
from osteoct.records import Acquisition, Finding, Phase, Severity

VESSELS = ("aorta", "inferior_vena_cava", "portal_vein_and_splenic_vein")
KIDNEYS = ("kidney_left", "kidney_right")

BLOOD_HU = (-20.0, 60.0)
"""Blood without contrast."""

BLOOD_SPREAD_HU = 10.0
"""Chosen: a quarter of half that range; turns the distance from its end into a certainty."""

ENHANCED_KIDNEY_HU = 100.0
"""Chosen: far above a kidney without contrast (30 HU in tables of HU, 14 and 21 in the project's
real native CT); decides where no vessel is labelled, or where vessels have washed out."""

LEAST_CERTAINTY = 0.8
"""Chosen: below it pixels say nothing; vessels of 51.6 to 68.4 HU are then told neither way."""

BLOOD_NATIVE_HU = 40.0
"""Blood without contrast, from which enhancement counts (tables of HU; 41 to 44 HU in the three
vessels of the project's real native CT)."""

ARTERIAL_RISE_HU = 212.5
"""Middle between the aorta's rise in a portal venous (125) and an arterial scan (300)."""

ARTERIAL_RATIO = 0.6
"""Rise of the portal vein over that of the aorta below which a scan is arterial. Chosen between
0.35 (104 of 300) and about 1, where both carry the same blood."""

EVEN_HU = 15.0
"""Chosen: aorta and vena cava no farther apart than this have evened out."""

PORTAL_RISE_HU = 117.0
"""Least rise of the aorta in a portal venous scan; a lower one in even vessels is delayed."""


@dataclass(frozen=True, kw_only=True)
class PixelPhase:
    """What pixels say of contrast.

    Parameters
    ----------
    phase
        ``None`` where they do not tell.
    certainty
        0 … 1, how sure contrast or its absence is; which phase of contrast is less sure.
    evidence
        Median HU of each vessel and kidney that was looked at.
    """

    phase: Phase | None
    certainty: float
    evidence: Mapping[str, float]


def judge_phase(tissues: TissueHus) -> PixelPhase | None:
    """Judge contrast by the HU of vessels and kidneys; ``None`` where none of them is labelled."""
    vessels = [tissues.found[n] for n in VESSELS if n in tissues.found]
    kidneys = [tissues.found[n] for n in KIDNEYS if n in tissues.found]
    if not vessels and not kidneys:
        return None
    given = max(_certainty_of_contrast(vessels, BLOOD_HU[1]), _kidneys_enhanced(kidneys))
    phase: Phase | None = None
    if given >= LEAST_CERTAINTY:
        phase = _phase_of_contrast({t.name: t.median_hu for t in vessels})
    elif 1 - given >= LEAST_CERTAINTY:
        phase = Phase.NATIVE
    evidence = {f"{t.name}_hu": round(t.median_hu, 1) for t in (*vessels, *kidneys)}
    return PixelPhase(phase=phase, certainty=round(max(given, 1 - given), 3), evidence=evidence)


def note_phase(acquisition: Acquisition, judged: PixelPhase | None) -> Acquisition:
    """Add what the pixels say beside what the header says; neither replaces the other."""
    if judged is None or judged.phase is None:
        return acquisition
    return acquisition.model_copy(update={"phase_pixels": judged.phase})


def check_phase(acquisition: Acquisition, judged: PixelPhase | None) -> tuple[Finding, ...]:
    """Say what pixels tell where the header is silent, and where the two contradict each other."""
    if judged is None or judged.phase is None:
        return ()
    told = ", ".join(f"{n.removesuffix('_hu')} {hu:.0f} HU" for n, hu in judged.evidence.items())
    told = told.replace("_", " ")
    finding = _conflict(acquisition, judged, told)
    if acquisition.phase is None:
        finding = _by_pixels(judged, told)
    return () if finding is None else (finding,)


def _certainty_of_contrast(tissues: list[TissueHu], limit_hu: float) -> float:
    """How sure the brightest of some tissues lies above a limit; 0 without any."""
    if not tissues:
        return 0.0
    beyond = max(t.median_hu for t in tissues) - limit_hu
    return 0.5 * (1 + erf(beyond / BLOOD_SPREAD_HU / sqrt(2)))


def _kidneys_enhanced(kidneys: list[TissueHu]) -> float:
    """How sure the kidneys hold contrast."""
    return _certainty_of_contrast(kidneys, ENHANCED_KIDNEY_HU)


def _phase_of_contrast(hu: Mapping[str, float]) -> Phase:
    """Which phase of contrast the vessels fit; ``CONTRAST`` where they do not tell."""
    aorta, cava, portal = (hu.get(name) for name in VESSELS)
    if aorta is None or aorta <= BLOOD_HU[1]:
        return Phase.CONTRAST
    rise = aorta - BLOOD_NATIVE_HU
    if _is_arterial(rise, portal):
        return Phase.ARTERIAL
    if rise >= PORTAL_RISE_HU or (cava is not None and aorta - cava > EVEN_HU):
        return Phase.PORTAL_VENOUS if portal is not None or cava is not None else Phase.CONTRAST
    return Phase.CONTRAST if cava is None else Phase.DELAYED


def _is_arterial(rise_hu: float, portal_hu: float | None) -> bool:
    """Whether the aorta is far ahead of the portal vein or, without one, very bright."""
    if portal_hu is None:
        return rise_hu >= ARTERIAL_RISE_HU
    return (portal_hu - BLOOD_NATIVE_HU) / rise_hu < ARTERIAL_RATIO


def _conflict(acquisition: Acquisition, judged: PixelPhase, told: str) -> Finding | None:
    """Contrast in the header and none in the pixels, or the other way round."""
    phase, seen = acquisition.phase, judged.phase
    if phase is None or (phase is Phase.NATIVE) == (seen is Phase.NATIVE):
        return None
    evidence: dict[str, float | int | str | None] = dict(judged.evidence)
    evidence |= {"stated": phase.value, "pixels": str(seen), "limit_hu": BLOOD_HU[1]}
    return Finding(
        code="phase-conflict",
        severity=Severity.WARNING,
        message=(
            f"The phase is stated as {phase.value} ({acquisition.phase_evidence}), but the pixels "
            f"look {seen}: {told}; blood without contrast has at most {BLOOD_HU[1]:g} HU."
        ),
        certainty=judged.certainty,
        evidence=evidence,
    )


def _by_pixels(judged: PixelPhase, told: str) -> Finding:
    """The header is silent, the pixels are not."""
    evidence: dict[str, float | int | str | None] = dict(judged.evidence)
    evidence |= {"pixels": str(judged.phase), "limit_hu": BLOOD_HU[1]}
    is_native = judged.phase is Phase.NATIVE
    return Finding(
        code="phase-by-pixels",
        severity=Severity.INFO if is_native else Severity.WARNING,
        message=(
            f"The phase is not stated; by its pixels the scan is {judged.phase}: {told}."
            + ("" if is_native else " Contrast raises trabecular HU.")
        ),
        certainty=judged.certainty,
        evidence=evidence,
    )
