"""Cells, notes and the row of means."""

from __future__ import annotations

from osteoct.anatomy import LUMBAR, Level
from osteoct.records import BodySource, LevelName, Numbering, Reason, Severity, Usability
from osteoct.report.level_table import make_level_table
from osteoct.report.wording import REASONS


def test_cell_stands_in_the_column_it_was_measured_for(make):
    """Two columns swapped would show right numbers under wrong names."""
    result = make.result()
    table = make_level_table(result)
    for row, level in zip(table.rows, result.levels, strict=True):
        for column, cell in zip(table.columns, row.cells, strict=True):
            if column.protocol is None:
                expected = getattr(level.heights, f"height_{column.title}_mm")
            elif column.statistic == "volume":
                expected = level.region(column.protocol, column.region).volume_cm3
            else:
                hu = level.region(column.protocol, column.region).hu
                expected = getattr(hu, f"{column.statistic}_hu")
                assert column.title.endswith(column.statistic)
                assert column.title.startswith(column.region)
                assert column.group.startswith(column.protocol)
            assert cell.text == f"{expected:.1f}"


def test_means_are_the_records_summaries(make):
    """Mean and median summaries of one region are different numbers."""
    result = make.result()
    table = make_level_table(result)
    for column, cell in zip(table.columns, table.summary_cells, strict=True):
        key = (column.protocol, column.region, column.statistic)
        own = [s for s in result.summaries if (s.protocol, s.region, s.statistic) == key]
        assert cell.text == (f"{own[0].value_hu:.1f}" if own else "")


def test_shells_name_depth_and_voxels_over_their_numbers(make):
    """Every cortical column, and no other."""
    for column in make_level_table(make.result()).columns:
        is_shell = column.region == "cortical"
        assert bool(column.note) == is_shell
        assert ("voxels 2 × 2 × 5 mm" in column.note) == is_shell


def test_only_the_protocols_of_the_case_have_columns(make):
    """A column of dashes for what nobody asked would look like a failure."""
    table = make_level_table(make.result(protocols=("body-core-4",)))
    assert {c.protocol for c in table.columns} == {"body-core-4", None}
    assert table.columns[0].title == "body"


def test_absent_level_is_one_reason(make):
    """Eleven dashes with one reason are one sentence."""
    levels = make.levels()
    levels[2] = make.without_numbers(levels[2], Reason.LEVEL_ABSENT)
    row = make_level_table(make.result(levels)).rows[2]
    assert row.absent == REASONS[Reason.LEVEL_ABSENT]
    assert {cell.text for cell in row.cells} == {"–"}


def test_partly_absent_level_names_column_and_reason(make):
    """A dash alone would leave the reader guessing."""
    levels = make.levels()
    levels[1] = make.without_numbers(levels[1], Reason.EMPTY_CORE, "axial-roi")
    row = make_level_table(make.result(levels)).rows[1]
    assert row.absent == ""
    assert row.notes == (f"No axial-roi trabecular mean: {REASONS[Reason.EMPTY_CORE]}",)


def test_blocked_level_is_marked_and_says_so(make):
    """The row is marked in words, not by colour alone."""
    levels = make.levels()
    levels[3] = levels[3].model_copy(update={"usable": False})
    finding = make.finding("metal", Severity.BLOCKING, "Metal in L4", Level.L4)
    table = make_level_table(make.result(levels, findings=[finding]))
    words = [row.usability_words for row in table.rows]
    assert words == ["usable", "usable", "usable", "not usable", "usable"]
    assert table.rows[3].notes == ("Not counted in the means", "Blocking: metal")
    assert table.common_levels == "L1–L3, L5 (4 of 5)"


def test_a_levels_usability_and_its_codes_are_said(make):
    """What the gate noted, in the row itself."""
    levels = make.levels()
    levels[0] = levels[0].model_copy(update={"usability": Usability.USABLE_WITH_WARNING})
    levels[1] = levels[1].model_copy(
        update={
            "usable": False,
            "usability": Usability.NOT_USABLE,
            "usability_codes": ("dense-focus",),
        }
    )
    first, second, *_ = make_level_table(make.result(levels)).rows
    assert first.usability_words == "usable with warning"
    assert second.notes == ("Not counted in the means (dense-focus)",)


def test_body_from_geometry_and_exclusions_are_noted(make):
    """Both change what the numbers stand for."""
    levels = make.levels()
    first = levels[0].regions[0].model_copy(update={"excluded_voxels": 17})
    levels[0] = levels[0].model_copy(
        update={
            "body_source": BodySource.GEOMETRY,
            "body_certainty": 0.74,
            "regions": (first, *levels[0].regions[1:]),
        }
    )
    notes = make_level_table(make.result(levels)).rows[0].notes
    assert "Body found by geometry, certainty 0.74" in notes
    assert "17 voxels left out (metal, streaks or padding)" in notes


def test_no_usable_level_is_no_mean(make):
    """Missing is never zero."""
    levels = [r.model_copy(update={"usable": False}) for r in make.levels()]
    table = make_level_table(make.result(levels))
    shown = {cell.text for cell in table.summary_cells}
    assert shown == {"–", ""}
    assert table.common_levels == "none (0 of 5)"


def test_a_name_less_sure_than_others_is_told_in_its_row_and_under_the_mean(make):
    """A gap makes the far side less sure: the mean says over which names it was taken."""
    sure = (0.753, 0.753, 0.837, 0.837, 0.837)
    names = tuple(
        LevelName(level=lv, certainty=c, reason="") for lv, c in zip(LUMBAR, sure, strict=True)
    )
    levels = [
        level.model_copy(update={"numbering_certainty": c})
        for level, c in zip(make.levels(), sure, strict=True)
    ]
    case = make.result(levels)
    update = {"levels_less_sure": (Level.L1, Level.L2), "numbering_certainty": 0.753}
    case = case.model_copy(
        update={
            "numbering": Numbering(certainty=0.753, reason="", levels_seen=LUMBAR, names=names),
            "summaries": tuple(s.model_copy(update=update) for s in case.summaries),
        }
    )
    table = make_level_table(case)
    assert table.rows[0].notes == ("Name less sure than others (0.75)",)
    assert table.rows[2].notes == ()
    assert table.common_levels == "L1–L5 (5 of 5); the name of L1, L2 is less sure (0.75)"
    alike = case.model_copy(update={"numbering": None})
    assert make_level_table(alike).rows[0].notes == ()
