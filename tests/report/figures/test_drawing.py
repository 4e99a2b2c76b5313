"""What is put on a picture: window, letters, names, scale bar, true proportions."""

from __future__ import annotations

import pytest

from osteoct.report.figures.drawing import draw_section
from osteoct.report.figures.sagittal import cut_sagittal, draw_sagittal
from osteoct.report.pictures import WINDOW_WORDS


def texts(figure):
    return [t.get_text() for t in figure.axes[0].texts]


def test_letters_names_and_scale_are_written(spine):
    """A picture without sides or scale cannot be read."""
    written = texts(draw_sagittal(spine.ct, spine.compartments))
    assert {"A", "P", "H", "F", "L1", "L2", "L3", "L4", "L5"} <= set(written)
    assert any(text.endswith(" cm") for text in written)


def test_scale_bar_is_as_long_as_it_says(spine):
    """Axes are in millimetres, so the bar's length is its data length."""
    axes = draw_sagittal(spine.ct, spine.compartments).axes[0]
    left, right = axes.lines[0].get_xdata()
    said = next(t.get_text() for t in axes.texts if t.get_text().endswith(" cm"))
    assert right - left == pytest.approx(10 * float(said.split()[0]))


def test_proportions_are_true_at_5_mm_slices(spine):
    """One millimetre is as long downwards as sideways, on the axes and on the canvas."""
    section = cut_sagittal(spine.ct, spine.compartments)
    figure = draw_section(section)
    left, right, bottom, top = figure.axes[0].images[0].get_extent()
    rows, columns = section.hu.shape
    assert (bottom - top, right - left) == pytest.approx((rows * 5.0, columns * 2.0))
    width, height = figure.get_size_inches()
    assert height / width == pytest.approx(rows * 5.0 / (columns * 2.0))


def test_window_is_the_one_that_the_page_states(spine):
    """The words and the grey values must not drift apart."""
    low, high = draw_sagittal(spine.ct, spine.compartments).axes[0].images[0].get_clim()
    assert f"W {high - low:g} / L {(high + low) / 2:g} HU" in WINDOW_WORDS
