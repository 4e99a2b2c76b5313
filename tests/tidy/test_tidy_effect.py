"""Harm of what is left: exactly at its limits."""

import pytest

from osteoct.tidy.effect import is_harmful


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (200.0, 205.0, False),
        (200.0, 194.9, True),
        (103.6, 100.0, False),
        (103.7, 100.0, True),
        (None, None, False),
        (None, 100.0, True),
        (100.0, None, True),
    ],
)
def test_5_hu_or_3_point_6_percent(before, after, found):
    """A mean that comes or goes is harm as well."""
    assert is_harmful(before, after) is found
