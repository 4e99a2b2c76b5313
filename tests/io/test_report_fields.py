"""Codes by which reports are written and read: none may stand for two things."""

from __future__ import annotations

from osteoct.anatomy import Level
from osteoct.io import report_fields as fields
from osteoct.io.result_codes import PRIVATE_SCHEME, Concept, level_concept, level_of
from osteoct.records import Heights, HuStatistics, LevelResult, Morphometry, RegionMeasure

SHORT_STRING = 16
"""Longest code value that every reader knows (PS3.5: SH)."""


def test_no_two_numbers_share_a_concept_and_a_derivation():
    """Read by concept, one would come back as the other."""
    tables = (fields.REGION, fields.STATISTICS, fields.HEIGHTS, fields.MORPHOMETRY, fields.LEVEL)
    keys = [
        (n.concept.key, n.derivation.key if n.derivation else None)
        for table in tables
        for n in table.values()
    ]
    assert len(set(keys)) == len(keys)


def test_every_number_of_a_record_is_written():
    """A field that is added to a record and forgotten here would be lost on the way."""
    assert set(HuStatistics.model_fields) == set(fields.STATISTICS)
    for record, numbers, rest in (
        (Heights, fields.HEIGHTS, fields.HEIGHT_CHOICES),
        (Morphometry, fields.MORPHOMETRY, fields.MORPHOMETRY_CHOICES),
        (RegionMeasure, fields.REGION, {*fields.REGION_CHOICES, "protocol", "region", "hu"}),
        (
            LevelResult,
            fields.LEVEL,
            {
                *fields.LEVEL_CHOICES,
                *("level", "usable", "usability_codes", "regions", "heights", "morphometry"),
                "numbering_reason",
            },
        ),
    ):
        assert set(record.model_fields) == {*numbers, *rest}


def test_private_names_fit_and_are_unique():
    """A value of more than 16 characters goes where older readers do not look."""
    values = [concept.value for concept in fields.private_concepts()]
    assert len(values) > 30
    assert len(set(values)) == len(values)
    assert max(map(len, values)) <= SHORT_STRING
    assert max(len(concept.meaning) for concept in fields.private_concepts()) <= 64


def test_every_level_has_a_concept_of_its_own():
    """Two levels under one code would be one level when read back."""
    assert {level_of(level_concept(level)) for level in Level} == set(Level)
    private = [level for level in Level if level_concept(level).scheme == PRIVATE_SCHEME]
    assert private == [Level.T13, Level.L6]
    assert level_of(Concept(scheme="DCM", value="66794005", meaning="L1 vertebra")) is None
