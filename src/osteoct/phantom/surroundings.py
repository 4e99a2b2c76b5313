"""What lies around a spine: an abdomen on a table, the same in every slice."""

from __future__ import annotations

from osteoct.phantom.description import Column
from osteoct.phantom.tissue import AIR, BLOOD, FAT, FOAM, MUSCLE, SKIN, TABLE, WATER, Tissue


def _column(x: float, y: float, a: float, b: float, tissue: Tissue) -> Column:
    """A column by its centre and half sizes in mm."""
    return Column(centre_mm=(x, y), semi_mm=(a, b), tissue=tissue)


EVERYWHERE = 2000.0
"""Half size of a column that fills any field of view."""

_TABLE = (
    _column(0.0, -148.0, 230.0, 52.0, TABLE),
    _column(0.0, -148.0, 227.0, 49.0, FOAM),
)

ABDOMEN: tuple[Column, ...] = (
    _column(0.0, 0.0, EVERYWHERE, EVERYWHERE, AIR),
    *_TABLE,
    _column(0.0, 14.0, 158.0, 106.0, SKIN),
    _column(0.0, 14.0, 156.0, 104.0, FAT),
    _column(0.0, 16.0, 138.0, 88.0, MUSCLE),
    _column(0.0, 34.0, 128.0, 62.0, FAT),
    _column(0.0, -12.0, 62.0, 44.0, MUSCLE),
    _column(-40.0, -46.0, 36.0, 26.0, MUSCLE),
    _column(40.0, -46.0, 36.0, 26.0, MUSCLE),
    _column(0.0, -40.0, 56.0, 32.0, MUSCLE),
    _column(-8.0, 42.0, 9.0, 9.0, BLOOD),
    _column(16.0, 41.0, 11.0, 8.0, BLOOD),
    _column(-70.0, 52.0, 20.0, 15.0, MUSCLE),
    _column(62.0, 60.0, 24.0, 14.0, MUSCLE),
    _column(-20.0, 76.0, 26.0, 11.0, MUSCLE),
)
"""A table, skin, fat, muscles around the spine, aorta (left), vena cava (right), some bowel."""

WATER_BATH: tuple[Column, ...] = (
    _column(0.0, 0.0, EVERYWHERE, EVERYWHERE, AIR),
    _column(0.0, -10.0, 140.0, 90.0, WATER),
)
"""The body of a test phantom: water-equivalent plastic in air."""
