"""The flow diagram holds every number of the flow, small ones hidden."""

from __future__ import annotations

from functools import partial

from osteoct.cohort.figures.flow import draw_flow
from osteoct.cohort.linking.flow import FlowRow
from osteoct.cohort.report.suppression import show_count


def words_of(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_every_count_is_drawn():
    """With its reason in words; four is hidden, five is not."""
    rows = (
        FlowRow(side="ct", step="screened", n=40),
        FlowRow(side="ct", step="excluded", reason="no-dxa", n=4),
        FlowRow(side="ct", step="excluded", reason="outside-window", n=5),
        FlowRow(side="dxa", step="screened", n=50),
    )
    words = words_of(draw_flow(rows, ["Patients analysed: 31"], show=partial(show_count, least=5)))
    assert words == [
        "CTs screened: 40",
        "Left out",
        "no DXA of this patient: <5",
        "CT and DXA too far apart: 5",
        "DXA scans screened: 50",
        "Patients analysed: 31",
    ]


def test_a_bare_table_has_no_screening():
    """Then the diagram is the patients alone."""
    words = words_of(draw_flow((), ["Patients analysed: 31"]))
    assert words == ["Patients analysed: 31"]
