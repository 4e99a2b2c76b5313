"""A fault: what is done at three strengths, which levels it concerns, and what must be found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from osteoct.anatomy import LUMBAR, Level
from osteoct.errors import ConfigError
from osteoct.phantom.acquisition import scan
from osteoct.phantom.description import Phantom
from osteoct.phantom.faults.subject import Subject, has_sacrum, subject_of
from osteoct.phantom.organs import label_organs, with_organs
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.spine import BoneMake, lumbar_spine

Made = TypeVar("Made", Subject, Phantom)


class Strength(StrEnum):
    """How strong a fault is."""

    WEAK = "weak"
    MIDDLE = "middle"
    STRONG = "strong"

    @property
    def order(self) -> int:
        """0 for weak, growing."""
        return tuple(Strength).index(self)


@dataclass(frozen=True, kw_only=True)
class Degree:
    """A fault at one strength: up to three changes, made one after the other.

    Parameters
    ----------
    text
        The strength in words, such as ``3 mm``.
    anatomy, scanner
        Changes before the scan: only a phantom can have them.
    images
        Change of CT and masks: a real case can have it too.
    """

    text: str
    anatomy: Callable[[Phantom], Phantom] | None = None
    scanner: Callable[[Scanner], Scanner] | None = None
    images: Callable[[Subject], Subject] | None = None

    @property
    def needs_phantom(self) -> bool:
        """Whether only a phantom can have the fault."""
        return self.anatomy is not None or self.scanner is not None


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault at three strengths.

    Parameters
    ----------
    levels
        Levels on which a finding about it stands; a finding about the case is always right.
    blocking_from
        The least strength at which nothing may be concluded; ``None`` where a warning will do.
    needs_bodies, needs_tissues
        Whether it can be made only where there are body masks per level, or labelled organs.
    needs_levels, needs_sacrum
        Vertebrae, or a sacrum, that the masks must hold: without them it would be another fault.
    """

    name: str
    title: str
    degrees: tuple[Degree, Degree, Degree]
    levels: tuple[Level, ...] = LUMBAR
    blocking_from: Strength | None = None
    needs_bodies: bool = False
    needs_tissues: bool = False
    needs_levels: tuple[Level, ...] = ()
    needs_sacrum: bool = False

    def degree(self, strength: Strength) -> Degree:
        """The fault at one strength."""
        return self.degrees[strength.order]

    def is_blocking(self, strength: Strength) -> bool:
        """Whether a finding of this strength must block."""
        return self.blocking_from is not None and strength.order >= self.blocking_from.order

    def fits(self, subject: Subject) -> bool:
        """Whether the fault can be made on a case that is no phantom."""
        if any(degree.needs_phantom for degree in self.degrees):
            return False
        if self.needs_sacrum and not has_sacrum(subject):
            return False
        if not set(self.needs_levels) <= set(subject.levels):
            return False
        if self.needs_tissues and subject.tissues is None:
            return False
        return not self.needs_bodies or subject.bodies is not None


def on_images(
    make: Callable[[Subject, float], Subject], *values: float, unit: str = ""
) -> tuple[Degree, Degree, Degree]:
    """Three degrees of one change of CT and masks."""
    weak, middle, strong = (Degree(text=_tell(v, unit), images=_bound(make, v)) for v in values)
    return weak, middle, strong


def on_anatomy(
    make: Callable[[Phantom, float], Phantom], *values: float, unit: str = ""
) -> tuple[Degree, Degree, Degree]:
    """Three degrees of one change of a phantom."""
    weak, middle, strong = (Degree(text=_tell(v, unit), anatomy=_bound(make, v)) for v in values)
    return weak, middle, strong


def _bound(make: Callable[[Made, float], Made], value: float) -> Callable[[Made], Made]:
    """A change with its strength fixed."""
    return lambda made: make(made, value)


def _tell(value: float, unit: str) -> str:
    """A strength in words."""
    return f"{value:.0%}" if unit == "%" else f"{value:g} {unit}".strip()


CLEAN_BONE = BoneMake(
    shell_mm=1.0,
    shell_hu=700.0,
    trabecular_hu={
        Level.T12: 158.0,
        Level.L1: 155.0,
        Level.L2: 150.0,
        Level.L3: 144.0,
        Level.L4: 140.0,
        Level.L5: 138.0,
    },
    dish_mm=1.0,
)
"""Bone of the clean phantom: levels differ little."""

CLEAN_SCANNER = Scanner(
    pixel_mm=1.0, slice_mm=1.5, kernel="soft", fine_step_mm=0.5, noise_sd_hu=12.0, seed=11
)
"""Coarse enough to be quick, fine enough for 1 mm shells to show."""

CLEAN_FIELD_MM = (250.0, 250.0, 240.0)
CLEAN_CENTRE_MM = (7.0, 5.0, -4.0)
"""The spine does not lie in the middle of the image: a mirrored one is then elsewhere."""


def clean_phantom() -> Phantom:
    """The phantom on which every fault is made."""
    phantom = with_organs(lumbar_spine(CLEAN_BONE))
    return replace(phantom, field_mm=CLEAN_FIELD_MM, field_centre_mm=CLEAN_CENTRE_MM)


def make_clean() -> Subject:
    """Scan the phantom without a fault."""
    return _scanned(clean_phantom(), CLEAN_SCANNER)


def make_faulty(fault: Fault, strength: Strength, clean: Subject | None = None) -> Subject:
    """Make a fault, on a case or, without one, on the phantom.

    Raises
    ------
    ConfigError
        The fault needs a phantom and a case was given.

    >>> from osteoct.phantom.faults.catalogue import FAULTS
    >>> FAULTS["swap"].degree(Strength.STRONG).text
    '100%'
    """
    degree = fault.degree(strength)
    if degree.needs_phantom:
        if clean is not None:
            raise ConfigError("the fault needs a phantom", where=fault.name)
        phantom, scanner = clean_phantom(), CLEAN_SCANNER
        phantom = phantom if degree.anatomy is None else degree.anatomy(phantom)
        scanner = scanner if degree.scanner is None else degree.scanner(scanner)
        clean = _scanned(phantom, scanner)
    clean = make_clean() if clean is None else clean
    return clean if degree.images is None else degree.images(clean)


def _scanned(phantom: Phantom, scanner: Scanner) -> Subject:
    """Scan a phantom with organs."""
    made = scan(phantom, scanner)
    return subject_of(made, label_organs(made))


def by_name(faults: Sequence[Fault]) -> dict[str, Fault]:
    """Faults by name; two of one name are a mistake."""
    named = {fault.name: fault for fault in faults}
    if len(named) != len(faults):
        raise ConfigError("two faults of one name", found=len(faults) - len(named))
    return named
