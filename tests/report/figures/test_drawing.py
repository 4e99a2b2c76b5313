"""What is put on a picture: window, letters, names, scale bar, true proportions."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from osteoct.anatomy import Level
from osteoct.report.figures.drawing import NAME_AREA_MM, draw_section, place_letter, place_names
from osteoct.report.figures.sagittal import cut_sagittal, draw_sagittal
from osteoct.report.figures.section import SAGITTAL_LETTERS, Layer, Outline, Section
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
    assert figure.axes[0].get_xlim() == (left, right)
    assert figure.axes[0].get_ylim() == (bottom, top)


def test_window_is_the_one_that_the_page_states(spine):
    """The words and the grey values must not drift apart."""
    low, high = draw_sagittal(spine.ct, spine.compartments).axes[0].images[0].get_clim()
    assert f"W {high - low:g} / L {(high + low) / 2:g} HU" in WINDOW_WORDS


def section_of(*, left_mm, middle_mm, height_mm=60):
    """A picture of 1 mm pixels with one body: where it begins, and how far down its middle lies."""
    area = np.zeros((height_mm, 64), dtype=bool)
    area[middle_mm - 5 : middle_mm + 5, left_mm:-10] = True
    layer = Layer(level=Level.L3, areas={Outline.BODY: area})
    hu = np.zeros(area.shape, dtype=np.float32)
    return Section(hu=hu, spacing_mm=(1.0, 1.0), letters=SAGITTAL_LETTERS, layers=(layer,))


@pytest.mark.parametrize(
    ("left_mm", "middle_mm", "at_mm"),
    [
        (18, 30, 18),  # the name ends at 15 mm and lies where the letter would stand
        (19, 30, 30),  # it ends at 16 mm: clear of the letter
        (18, 23, 30),  # it ends there, but 7 mm above the letter
        (18, 24, 42),  # 6 mm above it, and 6 mm below the next place
    ],
)
def test_side_letter_and_name_never_overlap(left_mm, middle_mm, at_mm):
    """``A`` upon ``L3`` read as ``A.3``."""
    section = section_of(left_mm=left_mm, middle_mm=middle_mm)
    assert place_letter(section) == pytest.approx(at_mm)
    figure = draw_section(section)
    letter = next(t for t in figure.axes[0].texts if t.get_text() == "A")
    name = next(t for t in figure.axes[0].texts if t.get_text() == "L3")
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [text.get_window_extent(renderer) for text in (letter, name)]
    assert not boxes[0].overlaps(boxes[1])


def test_side_letter_stands_in_the_middle_where_no_place_is_free():
    """A picture too low for both keeps its letter."""
    section = section_of(left_mm=18, middle_mm=6, height_mm=12)
    assert all(abs(share * 12 - 6) < NAME_AREA_MM[1] for share in (0.2, 0.8))
    assert place_names(section) == {Level.L3: (15.0, 6.0)}
    assert place_letter(section) == 6.0
