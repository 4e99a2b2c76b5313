"""Names that people type, and codes beside them: understood whole, or not at all."""

from __future__ import annotations

import pytest

from osteoct.anatomy import Level, Part
from osteoct.errors import LabelsError
from osteoct.io.label_codes import LEVEL_CODES, Code, name_segment
from osteoct.io.label_words import render_structure, structure_of_words


@pytest.mark.parametrize(
    ("name", "part", "level"),
    [
        ("L1", Part.VERTEBRA, Level.L1),
        ("l1 Vertebra", Part.VERTEBRA, Level.L1),
        ("vertebra-L05", Part.VERTEBRA, Level.L5),
        ("Th12", Part.VERTEBRA, Level.T12),
        ("vertebrae_T12", Part.VERTEBRA, Level.T12),
        ("S1", Part.VERTEBRA, Level.S1),
        ("L3 body", Part.BODY, Level.L3),
        ("vertebral body (L3)", Part.BODY, Level.L3),
        ("Vertebral bodies", Part.BODY, None),
        ("L3 posterior elements", Part.POSTERIOR, Level.L3),
        ("L4-L5 intervertebral disc", Part.DISC, None),
        ("Sacrum", Part.SACRUM, None),
    ],
)
def test_words_that_are_understood(name, part, level):
    """Case, order and punctuation do not matter."""
    found = structure_of_words(name)
    assert (found.part, found.level, found.name) == (part, level, name)


@pytest.mark.parametrize(
    "name",
    ["", "body", "vertebra", "L1 fracture", "L1 nerve root", "rib L1", "left L1", "L1 L2", "L7",
     "S2", "T14", "1", "Segment_1", "L1 body process", "L1 screw", "vertebrae", "spine", "LL1"],
)  # fmt: skip
def test_names_that_are_not_understood_are_not_guessed(name):
    """A pedicle screw in L1 is no L1, and the patient's body no vertebral one."""
    found = structure_of_words(name)
    assert (found.part, found.level) == (Part.OTHER, None)


@pytest.mark.parametrize("part", [Part.VERTEBRA, Part.BODY, Part.POSTERIOR])
@pytest.mark.parametrize("level", list(Level))
def test_rendered_names_are_read_back(part, level):
    """A name made from a code means what the code meant."""
    found = structure_of_words(render_structure(part, level))
    assert (found.part, found.level) == (part, level)


def sct(value: str) -> Code:
    return Code(scheme="SCT", value=value)


def test_codes_of_the_lumbar_levels():
    """Literal values of SNOMED CT: a wrong one renames a vertebra."""
    lumbar = [66794005, 14293000, 36470004, 11994002, 49668003, 23215003, 65985001]
    assert [str(LEVEL_CODES[str(n)]) for n in lumbar] == ["L1", "L2", "L3", "L4", "L5", "T12", "S1"]
    assert len(set(LEVEL_CODES.values())) == len(LEVEL_CODES) == 25


@pytest.mark.parametrize(
    ("name", "kind", "region", "said"),
    [
        ("L1", None, None, "L1"),
        ("", "66794005", None, "L1 vertebra"),
        ("vertebrae_L1", "66794005", None, "vertebrae_L1"),
        ("L1", "3572006", None, "L1 vertebral body"),
        ("L1 body", "66794005", None, "L1 body"),
        ("x", "3572006", "66794005", "L1 vertebral body"),
        ("x", "51282000", "66794005", "L1 vertebra"),
        ("x", "51282000", None, "x"),
        ("x", "54735007", None, "sacrum"),
        ("x", "15825003", None, "x"),
    ],
)
def test_name_and_code_together(name, kind, region, said):
    """The finer one counts; what says nothing takes nothing away."""
    codes = {"kind": kind and sct(kind), "region": region and sct(region)}
    assert name_segment(name, **codes, where="s") == said


def test_codes_of_other_schemes_say_nothing():
    """66794005 is L1 in SNOMED CT alone."""
    code = Code(scheme="99LOCAL", value="66794005")
    assert name_segment("x", kind=code, region=None, where="s") == "x"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("L1", "14293000"), ("sacrum", "66794005"), ("L1 disc", "66794005"), ("L1 arch", "3572006")],
)
def test_name_against_code_is_refused(name, kind):
    """Both are told."""
    with pytest.raises(LabelsError, match=f"'{name}'"):
        name_segment(name, kind=sct(kind), region=None, where="s")
