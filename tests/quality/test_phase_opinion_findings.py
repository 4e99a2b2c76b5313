"""A second opinion on the phase against header and pixels: who contradicts whom, and how much."""

from __future__ import annotations

import pytest

from osteoct.quality.phase_opinion import LEAST_PROBABILITY, check_phase_opinion
from osteoct.records import Acquisition, Phase, PhaseOpinion, Severity


def check(said, *, header=None, pixels=None, stated=(), probability=1.0, seconds=30.0):
    opinion = PhaseOpinion(
        made_by="x",
        phase=said,
        named="x's word",
        probability=probability,
        seconds_after_injection=seconds,
    )
    return check_phase_opinion(
        Acquisition(phase=header, phase_pixels=pixels, phase_opinion=opinion, stated=stated)
    )


@pytest.mark.parametrize(
    ("said", "header", "pixels", "against"),
    [
        (Phase.NATIVE, Phase.CONTRAST, None, {"header": "contrast"}),
        (Phase.ARTERIAL, Phase.NATIVE, None, {"header": "native"}),
        (Phase.ARTERIAL, None, Phase.NATIVE, {"pixels": "native"}),
        (Phase.ARTERIAL, Phase.NATIVE, Phase.NATIVE, {"header": "native", "pixels": "native"}),
        (Phase.ARTERIAL, Phase.NATIVE, Phase.PORTAL_VENOUS, {"header": "native"}),
    ],
)
def test_contrast_or_none_is_a_warning(said, header, pixels, against):
    """It moves HU, whoever is right; the finding holds everybody's word."""
    (finding,) = check(said, header=header, pixels=pixels)
    assert (finding.code, finding.severity) == ("phase-opinion-disagrees", Severity.WARNING)
    assert {
        k: finding.evidence[k] for k in ("header", "pixels") if k in finding.evidence
    } == against
    assert "x's word, 30 s after injection" in finding.message


def test_what_the_user_stated_is_not_the_headers():
    """The message names who is contradicted."""
    (finding,) = check(Phase.ARTERIAL, header=Phase.NATIVE, stated=("phase",), seconds=None)
    assert finding.evidence["user"] == "native"
    assert "header" not in finding.message
    assert "injection" not in finding.message


@pytest.mark.parametrize(
    ("probability", "fires"),
    [(LEAST_PROBABILITY - 0.01, False), (LEAST_PROBABILITY, True), (1.0, True)],
)
def test_another_phase_of_contrast_is_a_note(probability, fires):
    """Below the limit the opinion itself does not know which phase it is."""
    found = check(Phase.PORTAL_VENOUS, header=Phase.ARTERIAL, probability=probability)
    assert [f.severity for f in found] == [Severity.INFO] * fires


@pytest.mark.parametrize("probability", [0.3, 1.0])
def test_contrast_or_none_counts_however_unsure(probability):
    """The programs' probability tells phases apart, not contrast from none."""
    (finding,) = check(Phase.PORTAL_VENOUS, header=Phase.NATIVE, probability=probability)
    assert finding.severity is Severity.WARNING
    assert finding.certainty == probability


@pytest.mark.parametrize(
    ("header", "pixels"),
    [
        (None, None),
        (Phase.ARTERIAL, None),
        (Phase.CONTRAST, Phase.ARTERIAL),
        (None, Phase.CONTRAST),
    ],
)
def test_who_agrees_or_says_nothing_is_not_contradicted(header, pixels):
    """Contrast of no stated phase agrees with every phase of it; without an opinion, nothing."""
    assert check(Phase.ARTERIAL, header=header, pixels=pixels) == ()
    assert check_phase_opinion(Acquisition(phase=header, phase_pixels=pixels)) == ()
