"""Which findings tell that a fault is there: the one table to edit when a check is added."""

from __future__ import annotations

from collections.abc import Mapping

_ORDER = ("labels-out-of-order",)
_SIZE = ("volume-jump", "implausible-volume")
_PARTS = ("fragmented-label",)
_PLACE = ("mask-shifted", "mask-off-bone", "outline-misfit", "mask-over-air")
_OUTLINE = ("mask-size", "outline-misfit")
_BODY = (
    "body-mask-disagrees",
    "body-mask-missing",
    "body-by-geometry",
    "no-body",
    "arch-cut",
)
_BORDER = ("cut-by-border",)
_FOCUS = ("dense-focus", "lucent-focus", "level-outlier", "dense-material", "dense-endplate")
_LOSS = ("height-loss-possible", "height-loss")
_SCALE = ("hu-scale-off", "hu-scale-wrong")
_NUMBER = (
    *("level-absent", "level-missing-inside", "level-spacing", "sacrum-far", "four-lumbar"),
    *("sacrum-named-vertebra", "s1-separate", "ribs-disagree", "processes-disagree"),
)

FOUND_BY: Mapping[str, tuple[str, ...]] = {
    "swap": ("labels-swapped", "level-in-two-labels", *_ORDER, *_PARTS, *_SIZE),
    "merge": ("merged-levels", "label-leak", *_SIZE, *_NUMBER, *_PARTS),
    "leak": ("label-leak", "arch-misnamed", *_SIZE, *_PARTS),
    "split": ("level-in-two-labels", *_PARTS, *_SIZE),
    "arch-of-neighbour": ("arch-misnamed", *_PARTS, *_SIZE),
    "missing-levels": _NUMBER,
    "missing-bodies": _BODY,
    "numbered-up": _NUMBER,
    "numbered-down": _NUMBER,
    "six-lumbar": (*_NUMBER[1:], "six-lumbar"),
    "four-lumbar": (*_NUMBER, "transitional-possible", *_SIZE),
    "sacrum-as-l5": (*_NUMBER[1:], "transitional-possible", *_SIZE, *_PARTS),
    "shift-right": _PLACE,
    "shift-front": _PLACE,
    "shift-up": _PLACE,
    "other-place": _PLACE,
    "mirrored": _PLACE,
    "upside-down": (*_PLACE, *_ORDER, *_BODY),
    "body-shift": _BODY,
    "body-arches": _BODY,
    "body-small": _BODY,
    "island": _PARTS,
    "hole": ("hole-in-mask",),
    "grown": (*_OUTLINE, *_SIZE),
    "shrunk": (*_OUTLINE, *_SIZE, *_PARTS),
    "eaten": (*_OUTLINE, *_SIZE, *_LOSS),
    "arch-missing": ("arch-cut", "no-body", *_OUTLINE, *_BODY[:1]),
    "into-disc": (*_OUTLINE, "body-mask-disagrees", *_SIZE),
    "coarse-masks": ("coarse-mask",),
    "cut-above": _BORDER,
    "cut-below": _BORDER,
    "cut-side": _BORDER,
    "padding": ("padding-in-mask",),
    "padding-undeclared": ("mask-over-air", "padding-in-mask"),
    "contrast-told": ("contrast",),
    "contrast-untold": ("phase-by-pixels", "phase-unknown"),
    "contrast-denied": ("phase-conflict",),
    "kvp-told": ("kvp-not-120",),
    "kvp-untold": ("kvp-unknown",),
    "kernel-told": ("kernel-sharp",),
    "kernel-untold": ("kernel-by-pixels", "noisy-image"),
    "noise": ("noisy-image",),
    "hu-factor": _SCALE,
    "hu-offset": _SCALE,
    "fat-wrong": _SCALE,
    "ct-flipped": (*_PLACE, "image-flipped"),
    "all-flipped": ("image-flipped",),
    "slice-distance": ("level-spacing", "implausible-volume"),
    "thick-slices": ("thick-slices",),
    "wedge": _LOSS,
    "biconcave": _LOSS,
    "crush": _LOSS,
    "screws": ("metal",),
    "cement": ("metal", "dense-material"),
    "sclerosis": _FOCUS,
    "lysis": _FOCUS,
    "pale-focus": ("uneven-core", *_FOCUS),
    "haemangioma": _FOCUS,
    "bone-island": _FOCUS,
    "dense-plate": _FOCUS,
    "osteophyte": ("bone-spur", *_FOCUS),
    "dense-discs": ("dense-disc", *_FOCUS),
    "other-level": ("level-outlier",),
}
"""Per fault the codes of which any one tells it; empty where no check looks for it."""
