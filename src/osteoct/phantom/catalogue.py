"""The phantoms that ``osteoct phantom KIND`` makes, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from osteoct.anatomy import Level
from osteoct.errors import ConfigError, OutputError
from osteoct.phantom.acquisition import PhantomScan, scan
from osteoct.phantom.defects import (
    add_island,
    biconcave_fracture,
    cement,
    crush_fracture,
    cut_field_of_view,
    leak_label,
    pedicle_screws,
    remove_level,
    sclerosis,
    swap_labels,
    wedge_fracture,
)
from osteoct.phantom.description import Phantom
from osteoct.phantom.dicom import write_dicom
from osteoct.phantom.esp import european_spine_phantom
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.spine import BoneMake, lumbar_spine
from osteoct.records import Phase

DEMO_BONE = BoneMake(
    shell_mm=1.0,
    shell_hu=700.0,
    trabecular_hu={
        Level.T12: 155.0,
        Level.L1: 150.0,
        Level.L2: 142.0,
        Level.L3: 134.0,
        Level.L4: 127.0,
        Level.L5: 120.0,
        Level.S1: 110.0,
    },
    dish_mm=1.0,
)
"""The demo patient: trabecular HU that published cut-offs cut through."""

DEMO_SCANNER = Scanner(pixel_mm=0.9, slice_mm=1.5, noise_sd_hu=12.0, axis_codes="LPS")
"""An ordinary spine reconstruction: 120 kVp, native, moderate noise."""

KINDS: Mapping[str, str] = {
    "lumbar": "a lumbar spine with low bone density, 0.9 × 0.9 × 1.5 mm, 120 kVp, native",
    "esp": "a digital European Spine Phantom (unknown dimensions assumed and listed)",
    "wedge-fracture": "the front of L2 30 % lower",
    "biconcave-fracture": "the middle of L3 30 % lower",
    "crush-fracture": "all of L4 40 % lower",
    "screw": "titanium pedicle screws with streaks in L4",
    "cement": "bone cement in L3",
    "sclerosis": "a dense region in L2",
    "contrast": "portal venous contrast",
    "kvp-100": "the tube voltage 100 kVp instead of 120",
    "thick-slices": "slices of 5 mm",
    "cut-field-of-view": "the field of view ends in L1",
    "swapped-labels": "the labels of L2 and L3 exchanged",
    "leaking-label": "the label of L3 runs into L4",
    "missing-level": "L3 missing in the masks",
    "fragmented-label": "a stray island of L2 beside the spine",
}
"""What ``osteoct phantom`` offers; unless said otherwise a variant of ``lumbar``."""

_PHANTOMS: Mapping[str, Callable[[Phantom], Phantom]] = {
    "wedge-fracture": lambda p: wedge_fracture(p, Level.L2, height_loss=0.3),
    "biconcave-fracture": lambda p: biconcave_fracture(p, Level.L3, height_loss=0.3),
    "crush-fracture": lambda p: crush_fracture(p, Level.L4, height_loss=0.4),
    "screw": lambda p: pedicle_screws(p, Level.L4),
    "cement": lambda p: cement(p, Level.L3),
    "sclerosis": lambda p: sclerosis(p, Level.L2),
    "esp": lambda _: european_spine_phantom(),
}

_SCANNERS: Mapping[str, Scanner] = {
    "contrast": replace(DEMO_SCANNER, phase=Phase.PORTAL_VENOUS),
    "kvp-100": replace(DEMO_SCANNER, kvp=100.0),
    "thick-slices": replace(DEMO_SCANNER, slice_mm=5.0),
}

_MASKS: Mapping[str, Callable[[PhantomScan], PhantomScan]] = {
    "cut-field-of-view": lambda s: cut_field_of_view(s, Level.L1),
    "swapped-labels": lambda s: swap_labels(s, Level.L2, Level.L3),
    "leaking-label": lambda s: leak_label(s, Level.L3, into=Level.L4),
    "missing-level": lambda s: remove_level(s, Level.L3),
    "fragmented-label": lambda s: add_island(s, Level.L2),
}


def make_phantom(kind: str, *, seed: int = 0) -> PhantomScan:
    """Make the phantom of a kind.

    Parameters
    ----------
    kind
        A key of :data:`KINDS`.
    seed
        Seed of the noise; everything else is the same for every seed.

    Raises
    ------
    ConfigError
        There is no such kind; the message lists them.
    """
    if kind not in KINDS:
        raise ConfigError(
            "unknown phantom", where="KIND", found=repr(kind), wanted="one of " + ", ".join(KINDS)
        )
    phantom = lumbar_spine(DEMO_BONE)
    if kind in _PHANTOMS:
        phantom = _PHANTOMS[kind](phantom)
    made = scan(phantom, replace(_SCANNERS.get(kind, DEMO_SCANNER), seed=seed))
    return _MASKS[kind](made) if kind in _MASKS else made


def write_phantom(scan: PhantomScan, folder: Path, *, dicom: bool, nifti: bool) -> None:
    """Write a scan, its masks and its truth into a folder.

    Writes ``ct-dicom/`` and ``ct.nii.gz`` as asked, ``masks.nii.gz`` (whole vertebrae),
    ``body-masks.nii.gz`` (bodies per level) and ``truth.json``.

    Raises
    ------
    OutputError
        The folder exists and is not empty.
    """
    # imported here: writing needs nibabel, making phantoms does not
    from osteoct.io.nifti import write_ct, write_labels  # noqa: PLC0415 - the reason is above

    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise OutputError("folder is not empty", where=folder.name, hint="choose an empty folder")
    if dicom:
        write_dicom(scan.ct, folder / "ct-dicom", seed=scan.scanner.seed)
    if nifti:
        write_ct(scan.ct, folder / "ct.nii.gz")
    write_labels(scan.vertebrae, folder / "masks.nii.gz")
    write_labels(scan.bodies, folder / "body-masks.nii.gz")
    truth = scan.truth.model_dump_json(by_alias=True, indent=2)
    (folder / "truth.json").write_text(truth + "\n", encoding="utf-8")
