"""A received object is judged by a few values: what else it holds is not read into memory."""

from __future__ import annotations

import tracemalloc

import pytest

from osteoct.network.node.images import read_image
from osteoct.network.node.refusals import Refusal, RefusedError

LARGE = 50_000_000


def test_a_value_as_long_as_a_film_stays_on_the_disk(make, tmp_path):
    """A modality of 50 MB is no CT, and costs no 50 MB to find out."""
    make.series(tmp_path / "s", images=1)
    file = tmp_path / "s" / "000.dcm"
    whole = file.read_bytes()
    at = whole.index(b"\x08\x00\x60\x00CS")
    head = whole[at : at + 4] + b"UT\0\0" + LARGE.to_bytes(4, "little")
    with file.open("wb") as out:
        out.write(whole[:at] + head)
        for _ in range(LARGE // 1_000_000):
            out.write(b"M" * 1_000_000)
        out.write(whole[at + 10 :])
    tracemalloc.start()
    try:
        with pytest.raises(RefusedError) as refused:
            read_image(file)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert refused.value.refusal is Refusal.DAMAGED
    assert peak < LARGE / 10
