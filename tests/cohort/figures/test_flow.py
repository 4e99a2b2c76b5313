"""The flow diagram holds every number of the flow, small ones hidden."""

from __future__ import annotations

from osteoct.cohort.figures.flow import draw_flow
from osteoct.cohort.linking.flow import FlowRow
from osteoct.cohort.report.suppression import show_flow


def words_of(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts if text.get_text()]


def test_every_count_is_drawn():
    """With its reason in words; four is hidden, and the five that would give it away."""
    rows = (
        FlowRow(side="ct", step="screened", n=40),
        FlowRow(side="ct", step="excluded", reason="no-dxa", n=4),
        FlowRow(side="ct", step="excluded", reason="outside-window", n=5),
        FlowRow(side="dxa", step="screened", n=50),
        FlowRow(side="dxa", step="excluded", reason="no-ct", n=5),
    )
    words = words_of(draw_flow(rows, ["Patients analysed: 31"], shown=show_flow(rows, 5)))
    assert words == [
        "CTs screened: 40",
        "Left out",
        "no DXA of this patient: <5",
        "CT and DXA too far apart: hidden",
        "DXA scans screened: 50",
        "Left out",
        "no CT of this patient: 5",
        "Patients analysed: 31",
    ]


def test_a_bare_table_has_no_screening():
    """Then the diagram is the patients alone."""
    words = words_of(draw_flow((), ["Patients analysed: 31"]))
    assert words == ["Patients analysed: 31"]
