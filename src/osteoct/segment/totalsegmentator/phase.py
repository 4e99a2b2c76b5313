"""TotalSegmentator's own opinion of the contrast phase, from the HU of organs.

The package ships five gradient-boosted trees (10.1148/ryai.230024) that estimate the seconds since
the injection from the median HU of 16 organs, 0 for an organ that is not in the image. Vessels of
the neck, which it would look for where it sees a brain, are not found here: such scans are left
without an opinion.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any, Final

from osteoct.anatomy import PHASE_ORGANS
from osteoct.errors import DependencyError, SegmentationError
from osteoct.measure.organ_medians import OrganMedian, measure_organs
from osteoct.records import Phase, PhaseOpinion
from osteoct.segment.isolation.session import Session
from osteoct.segment.totalsegmentator.home import prepare_home
from osteoct.segment.totalsegmentator.segmenter import DISTRIBUTION, check_installed
from osteoct.segment.weights.place import totalsegmentator_folder
from osteoct.volume import CTVolume, LabelVolume

WORKER: Final = "osteoct.segment.totalsegmentator.phase_worker"
WHERE: Final = "--phase-opinion totalsegmentator"
TREES: Final = ("xgboost", "xgboost-cpu")
"""Distributions of the trees' package; the second is 6 MB to fetch, the first 300 MB and more."""

MOST_BRAIN_MM3: Final = 100.0
"""More brain than this and the package asks for vessels of the neck."""

LIMIT_S: Final = 300.0
"""Longest time for an answer (chosen): five seconds on two cores, nearly all of it imports."""

HOW_TO_INSTALL: Final = "pip install 'osteoct[contrast-phase]'"

PHASES: Final[Mapping[str, Phase]] = {
    "native": Phase.NATIVE,
    "arterial_early": Phase.ARTERIAL,
    "arterial_late": Phase.ARTERIAL,
    "portal_venous": Phase.PORTAL_VENOUS,
}
"""The package's names; it calls delayed scans portal venous, with a probability of 0.3."""


def ask_phase(ct: CTVolume, organs: LabelVolume) -> PhaseOpinion:
    """Ask the package for the contrast phase of a CT.

    Parameters
    ----------
    organs
        Labels that tell of every organ of :data:`osteoct.anatomy.PHASE_ORGANS`, by name.

    Raises
    ------
    DependencyError
        The package or xgboost is missing.
    SegmentationError
        The labels do not tell of every organ, the brain is in the image, or the package failed.
    """
    check_trees()
    found = measure_organs(ct, organs, PHASE_ORGANS)
    check_organs(organs, found)
    place = totalsegmentator_folder()
    session = Session(
        WORKER,
        title="TotalSegmentator's phase classifier",
        where=WHERE,
        prepare=lambda folder: prepare_home(folder, place, ()),
    )
    with session, session.job_folder() as folder:
        told = session.run({"statistics": state_organs(found)}, folder, limit_s=LIMIT_S)
    return read_opinion(told["phase"], found)


def check_trees() -> None:
    """Raise unless package and xgboost are there."""
    check_installed(where=WHERE, hint=HOW_TO_INSTALL)
    if find_spec("xgboost") is None:
        raise DependencyError("xgboost is not installed", where=WHERE, hint=HOW_TO_INSTALL)


def check_organs(organs: LabelVolume, found: Mapping[str, OrganMedian]) -> None:
    """Refuse labels from which the answer would be another than the package's own.

    An organ that is not labelled would count as one that is not in the image: with vessels and
    liver alone a portal venous scan is called arterial.
    """
    named = {structure.name for structure in organs.structures.values()}
    missing = [name for name in PHASE_ORGANS if name not in named]
    if missing:
        raise SegmentationError(
            "the labels do not tell of every organ that the classifier asks for",
            where=WHERE,
            found=f"no {', '.join(missing)}",
            hint="let osteoct segment --tissues --phase-organs make them, or give "
            "TotalSegmentator's whole map 'total' as --tissues",
        )
    brain = found.get("brain")
    if brain is not None and brain.volume_mm3 > MOST_BRAIN_MM3:
        raise SegmentationError(
            "the brain is in the image",
            where=WHERE,
            hint="ask the package's own totalseg_get_phase: it then looks for vessels of the neck",
        )


def state_organs(found: Mapping[str, OrganMedian]) -> dict[str, dict[str, float]]:
    """Statistics of the organs in the package's own words, 0 for what is not in the image."""
    nothing = OrganMedian(volume_mm3=0.0, median_hu=0.0)
    organs = {name: found.get(name, nothing) for name in PHASE_ORGANS}
    return {n: {"volume": o.volume_mm3, "intensity": o.median_hu} for n, o in organs.items()}


def read_opinion(told: Mapping[str, Any], found: Mapping[str, OrganMedian]) -> PhaseOpinion:
    """The package's answer as a record.

    Raises
    ------
    SegmentationError
        A phase of a name that is not known here.
    """
    named = str(told["phase"])
    if named not in PHASES:
        raise SegmentationError(
            "a phase of an unknown name", where=WHERE, found=named, wanted=", ".join(PHASES)
        )
    return PhaseOpinion(
        made_by="totalsegmentator",
        packages=_packages(),
        phase=PHASES[named],
        named=named,
        probability=float(told["probability"]),
        seconds_after_injection=float(told["pi_time"]),
        earliest_s=float(told["pi_time_min"]),
        latest_s=float(told["pi_time_max"]),
        organs_hu={name: round(organ.median_hu, 1) for name, organ in found.items()},
    )


def _packages() -> dict[str, str]:
    """Versions of what answered."""
    packages = {}
    for name in (DISTRIBUTION, *TREES):
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    return packages
