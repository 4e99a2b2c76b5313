"""A message is one line with what was found and what was wanted."""

from __future__ import annotations

from osteoct.errors import IrregularGridError, OsteoctError


def test_the_line_holds_everything_in_order():
    """Place, problem, found, wanted, hint."""
    error = IrregularGridError(
        "uneven slices", where="ct/", found="2.0 and 4.0 mm", wanted="one distance", hint="rescan"
    )
    assert str(error) == "ct/: uneven slices; found 2.0 and 4.0 mm; wanted one distance; rescan"
    assert isinstance(error, OsteoctError)


def test_values_cannot_break_the_line():
    """A header value with line breaks stays in one line of the log."""
    assert "\n" not in OsteoctError("bad", found="a\nb\r\nc").line
