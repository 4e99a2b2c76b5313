"""Whether a study that arrives has come to its end: by counts where there are any, else by quiet.

DICOM has no word for the end of a study. What a sender may say is how many images there are; what
always can be seen is how long nothing more came.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from osteoct.network.node.inbox import HeldStudy


@dataclass(frozen=True, kw_only=True)
class Completeness:
    """How long to wait for more of a study.

    Parameters
    ----------
    quiet_s
        Seconds without an image after which a study that told no number is whole. Chosen: scanners
        and archives send a series in one go, and pause seconds between two.
    settle_s
        Seconds to wait where all images of the study are there.
    patience_s
        Seconds without an image after which a study that lacks some is taken as it is.
    """

    quiet_s: float = 60.0
    settle_s: float = 5.0
    patience_s: float = 1800.0


class Standing(Enum):
    """Where a study stands."""

    WAITING = "waiting"
    COMPLETE = "complete"
    GIVEN_UP = "given up"
    """It lacks images, and none came for long: what is there is analysed, and that is said."""


def standing(
    study: HeldStudy, rule: Completeness, *, now: float, listed: int | None = None
) -> Standing:
    """Judge a study by what it holds and since when nothing came.

    Parameters
    ----------
    now
        Seconds since the epoch.
    listed
        CT images of the study that an archive lists; counts more than what its images say.
    """
    quiet = now - study.last_at
    expected = study.expected if listed is None else listed
    if expected is not None and study.images >= expected:
        return Standing.COMPLETE if quiet >= rule.settle_s else Standing.WAITING
    # the number of a study counts reports and other modalities too; those of its series do not
    if study.has_whole_series and listed is None:
        return Standing.COMPLETE if quiet >= rule.quiet_s else Standing.WAITING
    if expected is None and study.has_whole_series is None:
        return Standing.COMPLETE if quiet >= rule.quiet_s else Standing.WAITING
    return Standing.GIVEN_UP if quiet >= rule.patience_s else Standing.WAITING
