"""The files of a case where an analysis finds them: one path each, whatever the plan names."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from osteoct.case_masks import Sources
from osteoct.run.records import Inputs
from osteoct.run.remote import download, is_remote


@contextmanager
def laid_out(inputs: Inputs, scratch: Path | None = None) -> Iterator[Sources]:
    """Yield paths for the images of a case; what was made for them is gone afterwards.

    The files of a series that lies among others become a folder of links; what lies in an object
    store is fetched.

    Raises
    ------
    UnreadableInputError
        Something of it is not there.
    """
    with tempfile.TemporaryDirectory(prefix="osteoct-in-", dir=scratch) as name:
        folder = Path(name)
        yield Sources(
            ct=_lay_out_ct(inputs.ct, folder),
            masks=_lay_out(inputs.masks, folder, "masks"),
            body_masks=_lay_out(inputs.body_masks, folder, "body-masks"),
            tissues=_lay_out(inputs.tissues, folder, "tissues"),
        )


def _lay_out(place: str | None, folder: Path, role: str) -> Path | None:
    """The path of one file or folder."""
    if place is None:
        return None
    return download(place, folder / role) if is_remote(place) else Path(place)


def _lay_out_ct(places: tuple[str, ...], folder: Path) -> Path:
    """The path of the CT: its own, or of a folder with all files of the series.

    Numbers keep the order, and two files of one name in two folders apart.
    """
    if len(places) == 1:
        only = _lay_out(places[0], folder, "ct")
        assert only is not None  # noqa: S101 - a place gives a path
        return only
    series = folder / "ct"
    series.mkdir()
    for number, place in enumerate(places):
        target = series / f"{number:06d}"
        if is_remote(place):
            download(place, target)
        else:
            target.symlink_to(Path(place).absolute())
    return series
