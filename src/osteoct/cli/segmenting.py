"""What a user sees while vertebrae are looked for: the stage, how far it is, how long it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osteoct.cli.live_line import LiveLine

if TYPE_CHECKING:
    from osteoct.segment.interface import Progress

_SAID_IN_SECONDS = 100
"""Longer times are said in minutes."""

_STAGES = {
    "start": "loading the segmenter",
    "locate": "looking for the spine",
    "vertebrae": "vertebrae",
    "bodies": "bodies and discs",
    "tissues": "tissues",
}


class SegmentingLine(LiveLine):
    """Shows the progress of a segmenter; made to be called with it."""

    def __call__(self, progress: Progress) -> None:
        """Show one step."""
        stage = "segmenting: " + _STAGES.get(progress.stage, progress.stage)
        if progress.done is None or progress.total is None:
            self.show(stage, heading=stage if progress.stage == "start" else None)
            return
        patches = "patch" if progress.total == 1 else "patches"
        heading = f"{stage}, {progress.total} network {patches}"
        self.show(f"{stage} {progress.done}/{progress.total}{_left(progress)}", heading=heading)


def _left(progress: Progress) -> str:
    """The estimate in the unit a person would use."""
    seconds = progress.seconds_left
    if seconds is None:
        return ""
    if seconds < _SAID_IN_SECONDS:
        return f", about {seconds:.0f} s left"
    return f", about {seconds / 60:.0f} min left"
