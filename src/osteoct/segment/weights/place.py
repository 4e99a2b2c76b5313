"""Where each program keeps its weights."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

WEIGHTS_VARIABLE: Final = "TOTALSEG_WEIGHTS_PATH"
HOME_VARIABLE: Final = "TOTALSEG_HOME_DIR"
SPINE_SEGMENT_VARIABLE: Final = "SPINE_SEGMENT_CACHE_DIR"


@dataclass(frozen=True, kw_only=True)
class WeightsFolder:
    """Where the models lie, and what messages call the place.

    A place that the user named is called by that name; the one in the home folder by ``~``, for a
    home folder's name may be a person's.

    Parameters
    ----------
    variable
        The environment variable that names another place.
    """

    path: Path
    shown: str
    variable: str = WEIGHTS_VARIABLE


def totalsegmentator_folder(environment: Mapping[str, str] | None = None) -> WeightsFolder:
    """Return the folder TotalSegmentator would use: its variables, else the user's home."""
    given = os.environ if environment is None else environment
    below_home = Path("nnunet") / "results"
    if WEIGHTS_VARIABLE in given:
        named = given[WEIGHTS_VARIABLE]
        return WeightsFolder(path=Path(named).absolute(), shown=f"{WEIGHTS_VARIABLE}={named}")
    if HOME_VARIABLE in given:
        named = given[HOME_VARIABLE]
        return WeightsFolder(
            path=Path(named).absolute() / below_home,
            shown=f"{HOME_VARIABLE}={named}, below it {below_home.as_posix()}",
        )
    home = Path.home()
    if str(home) == "/":  # as the package has it: containers without a home
        home = Path("/tmp")  # noqa: S108 -- the package's own place
    return WeightsFolder(
        path=home / ".totalsegmentator" / below_home,
        shown=f"~/.totalsegmentator/{below_home.as_posix()}",
    )


def spine_segment_folder(environment: Mapping[str, str] | None = None) -> WeightsFolder:
    """Return the folder below which spine-segment keeps its bundles, one per version."""
    given = os.environ if environment is None else environment
    named = given.get(SPINE_SEGMENT_VARIABLE)
    if named:
        path, shown = Path(named).expanduser().absolute(), f"{SPINE_SEGMENT_VARIABLE}={named}"
    else:
        path, shown = _user_cache(given)
    return WeightsFolder(
        path=path / "models", shown=f"{shown}/models", variable=SPINE_SEGMENT_VARIABLE
    )


def _user_cache(given: Mapping[str, str]) -> tuple[Path, str]:
    """The cache folder as spine-segment 0.1.6 has it on each system, and its name."""
    if sys.platform == "darwin":
        below: tuple[str, ...] = ("Library", "Caches", "spine-segment")
    elif sys.platform == "win32":
        below = ("AppData", "Local", "spine-segment", "Cache")
        if "LOCALAPPDATA" in given:
            return Path(given["LOCALAPPDATA"]).joinpath(*below[2:]), "~/" + "/".join(below)
    else:
        below = (".cache", "spine-segment")
        if "XDG_CACHE_HOME" in given:
            named = given["XDG_CACHE_HOME"]
            return Path(named).absolute() / below[1], f"XDG_CACHE_HOME={named}/{below[1]}"
    return Path.home().joinpath(*below), "~/" + "/".join(below)
