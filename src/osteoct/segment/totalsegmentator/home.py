"""What the package finds in its private folder: a home that says no, and a view of the weights."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from osteoct.errors import SegmenterUnavailableError
from osteoct.segment.totalsegmentator.plan import UNUSED_FOLDERS, Model
from osteoct.segment.weights.place import HOME_VARIABLE, WEIGHTS_VARIABLE, WeightsFolder

SETTINGS: Final = {
    "totalseg_id": "osteoct",
    "send_usage_stats": False,
    "prediction_counter": 0,
    "statistics_disclaimer_shown": True,
}
"""The package's own configuration file: without it usage statistics are sent."""


def prepare_home(folder: Path, place: WeightsFolder, models: Iterable[Model]) -> dict[str, str]:
    """Fill a private folder and return the package's variables that name it.

    The view of the weights holds links to the models that are needed and empty folders for those
    that are only asked for: the user's own folder is never written to, cleaned up or added to.

    Raises
    ------
    SegmenterUnavailableError
        The file system of the temporary folder has no symbolic links.
    """
    home, view = folder / "totalsegmentator", folder / "weights"
    home.mkdir()
    view.mkdir()
    (home / "config.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
    _show_weights(view, place, models)
    return {HOME_VARIABLE: str(home), WEIGHTS_VARIABLE: str(view)}


def _show_weights(view: Path, place: WeightsFolder, models: Iterable[Model]) -> None:
    """Link the models that are needed; make empty folders for those that are only asked for."""
    for model in models:
        try:
            (view / model.folder).symlink_to(place.path / model.folder, target_is_directory=True)
        except OSError as error:
            raise SegmenterUnavailableError(
                "links to the weights cannot be made",
                where="the temporary folder",
                found=error.strerror,
                wanted="a file system with symbolic links",
                hint="name another temporary folder in TMPDIR; Windows needs its developer mode",
            ) from error
    for unused in UNUSED_FOLDERS:
        (view / unused).mkdir()
