"""The models of TotalSegmentator that a plan needs, looked for before the package is called.

The package itself would download what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable

from osteoct.segment.totalsegmentator.plan import Model
from osteoct.segment.weights.catalogue import WeightsNeed, find_downloads
from osteoct.segment.weights.place import WeightsFolder, totalsegmentator_folder
from osteoct.segment.weights.trust import check_unaltered

CHECKPOINT = "fold_0/checkpoint_final.pth"


def weights_needed(models: Iterable[Model], place: WeightsFolder | None = None) -> WeightsNeed:
    """Return the downloads that bring models, and the folder they belong in."""
    folders = [model.folder for model in models]
    return WeightsNeed(
        place=place or totalsegmentator_folder(),
        downloads=find_downloads("totalsegmentator", folders),
    )


def hash_weights(need: WeightsNeed, models: Iterable[Model]) -> dict[str, str]:
    """Return the SHA-256 of each model's checkpoint, by the model's folder.

    Raises
    ------
    SegmenterUnavailableError
        A file was altered; see :mod:`osteoct.segment.weights.trust`.
    """
    hashes = check_unaltered(need)
    return {
        model.folder: hashes[model.folder][f"{model.trained}/{CHECKPOINT}".partition("/")[2]]
        for model in models
    }
