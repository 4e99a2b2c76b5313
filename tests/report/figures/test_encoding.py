"""Figures become data URIs that are the same each time and tell nothing of their making."""

from __future__ import annotations

from base64 import b64decode

from matplotlib.figure import Figure

from osteoct.report.figures.encoding import encode_png, encode_svg


def figure():
    drawn = Figure(figsize=(1, 1))
    drawn.add_subplot().set_title("HU")
    return drawn


def content(uri):
    return b64decode(uri.partition(",")[2])


def test_png_is_a_png():
    """The type in the URI decides what the browser does with the bytes."""
    uri = encode_png(figure())
    assert uri.startswith("data:image/png;base64,")
    assert content(uri).startswith(b"\x89PNG")


def test_svg_keeps_text_and_names_no_date():
    """Text can be searched and read aloud; equal figures give equal files."""
    uri = encode_svg(figure())
    svg = content(uri).decode()
    assert ">HU</text>" in svg
    assert "<dc:date>" not in svg
    assert uri == encode_svg(figure())
