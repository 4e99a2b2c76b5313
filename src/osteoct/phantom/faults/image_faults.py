"""Faults of the image, its header and what it shows, at three strengths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from osteoct.anatomy import Level
from osteoct.phantom.faults.fault import Degree, Fault, Strength, on_images
from osteoct.phantom.faults.images import (
    add_noise,
    change_voltage,
    give_contrast,
    lift_fat,
    scale_hu,
    sharpen,
)
from osteoct.phantom.faults.subject import Subject
from osteoct.phantom.faults.views import (
    cut_above,
    cut_below,
    cut_right,
    flip_ct,
    flip_everything,
    pad_side,
    stretch,
)
from osteoct.phantom.scanner import Scanner
from osteoct.records import Phase

L1, L3, L5 = Level.L1, Level.L3, Level.L5
MIDDLE, STRONG = Strength.MIDDLE, Strength.STRONG


def _voltages(*, is_told: bool) -> tuple[Degree, Degree, Degree]:
    """140, 100 and 80 kVp."""
    return on_images(
        lambda s, v: change_voltage(s, v, is_told=is_told), 140.0, 100.0, 80.0, unit="kVp"
    )


def _contrasts(*phases: Phase | None) -> tuple[Degree, Degree, Degree]:
    """Blood raised by 15, 60 and 150 HU under what the header tells."""
    weak, middle, strong = (
        Degree(
            text=f"blood +{hu:g} HU",
            images=partial(give_contrast, blood_hu=hu, phase=phase),
        )
        for hu, phase in zip((15.0, 60.0, 150.0), phases, strict=True)
    )
    return weak, middle, strong


def _axes(flip: Callable[[Subject, int], Subject]) -> tuple[Degree, Degree, Degree]:
    """Left-right, front-back, head-feet."""
    return (
        Degree(text="left-right", images=lambda s: flip(s, 0)),
        Degree(text="front-back", images=lambda s: flip(s, 1)),
        Degree(text="head-feet", images=lambda s: flip(s, 2)),
    )


def _thick(scanner: Scanner, slice_mm: float) -> Scanner:
    """Slices as thick as they lie apart."""
    return replace(scanner, slice_mm=slice_mm)


IMAGE_FAULTS: tuple[Fault, ...] = (
    Fault(
        name="cut-above",
        title="the field of view ends in L1, by share missing",
        degrees=on_images(lambda s, v: cut_above(s, L1, share=v), 0.05, 0.2, 0.5, unit="%"),
        levels=(L1,),
        blocking_from=MIDDLE,
    ),
    Fault(
        name="cut-below",
        title="the field of view ends in L5, by share missing",
        degrees=on_images(lambda s, v: cut_below(s, L5, share=v), 0.05, 0.2, 0.5, unit="%"),
        levels=(L5,),
        blocking_from=MIDDLE,
    ),
    Fault(
        name="cut-side",
        title="the field of view cuts L3's right side, by share of its width",
        degrees=on_images(lambda s, v: cut_right(s, L3, share=v), 0.05, 0.2, 0.4, unit="%"),
        blocking_from=MIDDLE,
    ),
    Fault(
        name="padding",
        title="declared padding over L3's right side, by share of its voxels",
        degrees=on_images(
            lambda s, v: pad_side(s, L3, share=v, is_declared=True), 0.01, 0.05, 0.2, unit="%"
        ),
        blocking_from=MIDDLE,
    ),
    Fault(
        name="padding-undeclared",
        title="the same without a declared value: air",
        degrees=on_images(
            lambda s, v: pad_side(s, L3, share=v, is_declared=False), 0.01, 0.05, 0.2, unit="%"
        ),
        blocking_from=STRONG,
    ),
    Fault(
        name="contrast-told",
        title="contrast that the header tells",
        degrees=_contrasts(Phase.CONTRAST, Phase.PORTAL_VENOUS, Phase.ARTERIAL),
        levels=(),
    ),
    Fault(
        name="contrast-untold",
        title="contrast, header silent",
        degrees=_contrasts(None, None, None),
        levels=(),
        needs_tissues=True,
    ),
    Fault(
        name="contrast-denied",
        title="contrast, header says native",
        degrees=_contrasts(Phase.NATIVE, Phase.NATIVE, Phase.NATIVE),
        levels=(),
        needs_tissues=True,
    ),
    Fault(
        name="kvp-told",
        title="another tube voltage that the header tells",
        degrees=_voltages(is_told=True),
        levels=(),
    ),
    Fault(
        name="kvp-untold",
        title="another tube voltage, header silent",
        degrees=_voltages(is_told=False),
        levels=(),
    ),
    Fault(
        name="kernel-told",
        title="a bone kernel that the header tells, by edge gain",
        degrees=on_images(lambda s, v: sharpen(s, v, kernel="BONE"), 0.3, 0.8, 2.0),
        levels=(),
    ),
    Fault(
        name="kernel-untold",
        title="a bone kernel under a soft kernel's name, by edge gain",
        degrees=on_images(lambda s, v: sharpen(s, v, kernel=None), 0.5, 1.5, 4.0),
    ),
    Fault(
        name="noise",
        title="noise of 12 HU times a factor",
        degrees=on_images(add_noise, 2.0, 4.0, 8.0, unit="×"),
    ),
    Fault(
        name="hu-factor",
        title="HU multiplied by a factor",
        degrees=on_images(scale_hu, 0.95, 0.8, 0.5, unit="×"),
        levels=(),
        blocking_from=STRONG,
    ),
    Fault(
        name="hu-offset",
        title="HU moved by an offset",
        degrees=on_images(lambda s, v: scale_hu(s, 1.0, v), 20.0, 100.0, 1024.0, unit="HU"),
        levels=(),
        blocking_from=STRONG,
    ),
    Fault(
        name="fat-wrong",
        title="fat moved towards water",
        degrees=on_images(lift_fat, 25.0, 60.0, 90.0, unit="HU"),
        levels=(),
    ),
    Fault(
        name="ct-flipped",
        title="the image flipped under its masks",
        degrees=_axes(flip_ct),
        blocking_from=STRONG,
    ),
    Fault(
        name="all-flipped",
        title="image, masks and organs flipped: the header says the wrong side",
        degrees=_axes(flip_everything),
        needs_tissues=True,
        blocking_from=MIDDLE,
    ),
    Fault(
        name="slice-distance",
        title="the header's slice distance wrong by a factor",
        degrees=on_images(stretch, 1.2, 1.5, 2.0, unit="×"),
    ),
    Fault(
        name="thick-slices",
        title="thick slices",
        degrees=(
            Degree(text="3 mm", scanner=lambda s: _thick(s, 3.0)),
            Degree(text="5 mm", scanner=lambda s: _thick(s, 5.0)),
            Degree(text="7 mm", scanner=lambda s: _thick(s, 7.0)),
        ),
        levels=(),
    ),
)
"""What goes wrong with images."""
