"""What is known about scan and software, and what is not."""

from __future__ import annotations

from osteoct.anatomy import Level
from osteoct.protocols import PROTOCOLS
from osteoct.records import Acquisition, LevelName, Numbering, Phase, PhaseOpinion
from osteoct.report.facts import (
    describe_acquisition,
    describe_numbering,
    describe_protocols,
    describe_provenance,
)


def as_dict(facts):
    return {fact.term: fact.text for fact in facts}


def test_what_nobody_told_is_not_stated(make):
    """An empty place would read as "nothing special"."""
    facts = as_dict(describe_acquisition(make.result(acquisition=Acquisition())))
    named = ("Tube voltage", "Kernel", "Slice thickness", "Contrast phase", "Scanner")
    assert [facts[name] for name in named] == ["not stated"] * 5


def test_what_the_user_stated_is_told_apart_from_the_header(make):
    """A stated phase is a claim, not a tag."""
    scan = Acquisition(kvp=100, phase=Phase.PORTAL_VENOUS, stated=("phase",))
    facts = as_dict(describe_acquisition(make.result(acquisition=scan)))
    assert facts["Tube voltage"] == "100 kVp"
    assert facts["Contrast phase"] == "portal venous (stated by the user)"


def test_what_pixels_say_stands_beside_what_nobody_stated(make):
    """Not in its place; and a stated phase needs no pixels."""
    seen = Acquisition(phase_pixels=Phase.NATIVE)
    facts = as_dict(describe_acquisition(make.result(acquisition=seen)))
    assert facts["Contrast phase"].startswith("not stated; by its pixels: ")
    both = Acquisition(phase=Phase.PORTAL_VENOUS, phase_pixels=Phase.NATIVE)
    facts = as_dict(describe_acquisition(make.result(acquisition=both)))
    assert facts["Contrast phase"] == "portal venous"


def test_a_second_opinion_on_the_phase_is_told_with_its_time(make):
    """Beside what the header says, never in its place; the time where there is an estimate."""
    opinion = PhaseOpinion(
        made_by="x", phase=Phase.ARTERIAL, named="late", probability=0.7, seconds_after_injection=33
    )
    scan = Acquisition(phase=Phase.NATIVE, phase_opinion=opinion)
    facts = as_dict(describe_acquisition(make.result(acquisition=scan)))
    assert facts["Contrast phase"].endswith("; by x: arterial (0.7, 33 s after injection)")
    untimed = opinion.model_copy(update={"seconds_after_injection": None})
    facts = as_dict(
        describe_acquisition(make.result(acquisition=Acquisition(phase_opinion=untimed)))
    )
    assert facts["Contrast phase"] == "not stated; by x: arterial (0.7)"


def test_each_protocol_is_one_sentence_with_its_depth(make):
    """The inferred one says so."""
    facts = describe_protocols(make.result())
    assert len(facts) == len(PROTOCOLS)
    for fact, protocol in zip(facts, PROTOCOLS.values(), strict=True):
        assert fact.term.startswith(protocol.id)
        assert f"{protocol.depth_mm:g} mm" in fact.text
        assert ("Inferred" in fact.text) == protocol.inferred


def test_hashes_are_shortened_and_versions_whole(make):
    """Enough to tell files apart."""
    facts = as_dict(describe_provenance(make.result().provenance))
    assert facts["osteoct"] == "0.1.0, Python 3.11.2"
    assert facts["Input: ct"] == "NIfTI, SHA-256 ab12ab12ab12…"
    assert facts["Time"] == "read 0.5 s"


def test_names_are_told_level_by_level_where_they_differ():
    """One line where all are alike, and in results of before they were judged apart."""
    old = Numbering(certainty=0.84, reason="L5 lies on the sacrum")
    assert describe_numbering(old) == "certainty 0.84: L5 lies on the sacrum"
    near = LevelName(level=Level.L5, certainty=0.84, reason="L5 lies on the sacrum")
    far = LevelName(level=Level.L3, certainty=0.75, reason="over a gap")
    apart = Numbering(certainty=0.75, reason="over a gap", names=(far, near))
    assert describe_numbering(apart) == (
        "certainty of L5 0.84: L5 lies on the sacrum. L3 0.75: over a gap"
    )
    alike = apart.model_copy(update={"names": (near,), "certainty": 0.84, "reason": "r"})
    assert describe_numbering(alike) == "certainty 0.84: r"
