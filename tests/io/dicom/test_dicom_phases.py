"""Contrast phase from words: found where told, absent where not, never free text."""

from __future__ import annotations

import pytest

from osteoct.io.dicom.phases import contrast_of
from osteoct.records import Phase


@pytest.mark.parametrize(
    ("text", "phase"),
    [
        ("Abdomen arterial 1.0", Phase.ARTERIAL),
        ("ABD LATE ARTERIAL", Phase.ARTERIAL),
        ("Abdomen_early_art", Phase.ARTERIAL),
        ("Oberbauch arteriell", Phase.ARTERIAL),
        ("temps artériel", Phase.ARTERIAL),
        ("spätarteriell", Phase.ARTERIAL),
        ("fase arteriosa", Phase.ARTERIAL),
        ("动脉期", Phase.ARTERIAL),
        ("Abdomen portal venous", Phase.PORTAL_VENOUS),
        ("Abd portalvenös 3.0", Phase.PORTAL_VENOUS),
        ("ABD_PV", Phase.PORTAL_VENOUS),
        ("temps portal", Phase.PORTAL_VENOUS),
        ("venous phase", Phase.PORTAL_VENOUS),
        ("LWS ven 1mm", Phase.PORTAL_VENOUS),
        ("門脈相", Phase.PORTAL_VENOUS),
        ("delayed 5 min", Phase.DELAYED),
        ("Spätphase", Phase.DELAYED),
        ("temps tardif", Phase.DELAYED),
        ("LWS nativ", Phase.NATIVE),
        ("NON-CONTRAST", Phase.NATIVE),
        ("Abdomen w/o contrast", Phase.NATIVE),
        ("abdomen without IV contrast", Phase.NATIVE),
        ("LWS ohne KM", Phase.NATIVE),
        ("sans injection", Phase.NATIVE),
        ("sin contraste", Phase.NATIVE),
        ("senza mdc", Phase.NATIVE),
        ("unenhanced", Phase.NATIVE),
        ("Pre-Contrast", Phase.NATIVE),
        ("平扫", Phase.NATIVE),
        ("Abd c-", Phase.NATIVE),
        ("Abdomen mit KM", Phase.CONTRAST),
        ("abdomen with contrast", Phase.CONTRAST),
        ("Abd C+", Phase.CONTRAST),
        ("post contrast", Phase.CONTRAST),
    ],
)
def test_words_of_several_languages(text, phase):
    """Technicians write short and in their own language."""
    found = contrast_of({"SeriesDescription": text}, "")
    assert found.phase is phase
    assert found.evidence == f"SeriesDescription says {phase.value}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Abdomen 1.0 Br38",
        "Lumbar spine",
        "article 5",
        "portable chest",
        "arterial + portal",
        "native and venous",
        "plain and contrast",
    ],
)
def test_silence_and_ambiguity_are_unknown(text):
    """No word, no phase: absence of contrast words is not native."""
    assert contrast_of({"SeriesDescription": text}, "").phase in (None, Phase.CONTRAST)
    if "contrast" not in text:
        assert contrast_of({"SeriesDescription": text}, "").phase is None


@pytest.mark.parametrize(
    ("agent", "phase", "kept"),
    [
        ("", None, None),
        ("UNKNOWN", None, None),
        ("NONE", Phase.NATIVE, None),
        ("no", Phase.NATIVE, None),
        ("ohne", Phase.NATIVE, None),
        ("ohne KM", Phase.NATIVE, None),
        ("APPLIED", Phase.CONTRAST, "present"),
        ("Omnipaque 350 Jane Doe", Phase.CONTRAST, "iohexol"),
        ("Ultravist", Phase.CONTRAST, "iopromide"),
        ("CE", Phase.CONTRAST, "present"),
        ("Oral Gastrografin", None, None),
        ("oral & IV Imeron 350", Phase.CONTRAST, "iomeprol"),
    ],
)
def test_agent_alone(agent, phase, kept):
    """An agent says contrast; its free text is kept only where it is a known substance."""
    found = contrast_of({"SeriesDescription": "Abdomen"}, agent)
    assert (found.phase, found.agent) == (phase, kept)
    assert "Jane" not in str(found)


def test_route_oral_is_no_vessel_contrast():
    """Contrast that was drunk enhances the bowel, not the marrow."""
    assert contrast_of({}, "Telebrix", "ORAL").phase is None


def test_contradictions_are_unknown_with_evidence():
    """Native by the description, contrast by the agent: neither may be believed."""
    found = contrast_of({"SeriesDescription": "nativ"}, "Omnipaque")
    assert found.phase is None
    assert found.evidence == "SeriesDescription says native, but ContrastBolusAgent present"
    found = contrast_of({"SeriesDescription": "portal"}, "NONE")
    assert found.phase is None


def test_the_series_speaks_before_the_protocol():
    """A protocol covers all phases, the description one."""
    texts = {"SeriesDescription": "portal", "ProtocolName": "Abdomen arterial"}
    assert contrast_of(texts, "Omnipaque").phase is Phase.PORTAL_VENOUS
