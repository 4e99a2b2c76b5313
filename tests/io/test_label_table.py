"""The XML inside a mask comes from a stranger."""

from __future__ import annotations

import pytest

from osteoct.errors import LabelsError
from osteoct.io.label_table import find_label_table, parse_label_table, render_label_table

BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]>
<LabelTable><Label Key="1">&d;</Label></LabelTable>"""

OUTSIDE = b"""<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>
<LabelTable><Label Key="1">&f;</Label></LabelTable>"""


@pytest.mark.parametrize("content", [BOMB, OUTSIDE])
def test_entities_cannot_be_declared(content):
    """No expansion of the billion laughs, no reading of other files."""
    with pytest.raises(LabelsError, match="document type"):
        parse_label_table(content, where="m.nii.gz")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b'<LabelTable><Label Key="1">L1</LabelTable>', "mismatched tag"),
        (b"<LabelTable><Label>L1</Label></LabelTable>", "Key None"),
        (b'<LabelTable><Label Key="x">L1</Label></LabelTable>', "Key 'x'"),
        (
            b'<LabelTable><Label Key="1">L1</Label><Label Key="1">L2</Label></LabelTable>',
            "two names for label 1",
        ),
        (b'<LabelTable><Label Key="1">L1</Label>', "no element found"),
        (b'<LabelTable><Label Key="1">\xff</Label></LabelTable>', "invalid token"),
        (b'<LabelTable><Label Key="1">&nbsp;</Label></LabelTable>', "undefined entity"),
    ],
)
def test_a_broken_table_is_refused(content, found):
    """Half a table would leave half the levels without a name."""
    with pytest.raises(LabelsError, match=found):
        parse_label_table(content, where="m.nii.gz")


def test_padding_background_and_empty_names_are_left_out():
    """Extensions are padded with zeros and blanks; key 0 is the background."""
    content = (
        b'<LabelTable><Label Key="0">???</Label><Label Key="2"> </Label>'
        b'<Label Key="31" Red="1"><![CDATA[vertebrae_L1]]></Label></LabelTable>\n  \0\0\0'
    )
    assert parse_label_table(content, where="m") == {31: "vertebrae_L1"}


def test_other_extensions_are_passed_over():
    """AFNI, comments and DICOM extensions are not label tables."""
    table = render_label_table({5: "liver"})
    assert find_label_table([b"a comment", b"<AFNI_atr/>", table], where="m") == {5: "liver"}
    assert find_label_table([b"a comment"], where="m") is None
    assert find_label_table([b"<LabelTable></LabelTable>"], where="m") is None


def test_odd_names_survive_the_round_trip():
    """Whatever the names hold, the XML stays well-formed."""
    names = {1: "a ]]> b", 2: "<x> & 'y' \"z\"", 300: "Wirbelkörper"}
    assert parse_label_table(render_label_table(names), where="m") == names
