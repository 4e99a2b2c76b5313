"""What a user chooses of a listener."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from osteoct.errors import ConfigError
from osteoct.network.link import Link
from osteoct.network.node.completeness import Completeness
from osteoct.network.node.inbox import InboxLimits

KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "seg": ("dicom", "seg.dcm"),
    "sr": ("dicom", "sr.dcm"),
    "pdf": ("dicom-pdf", "pdf.dcm"),
    "sc": ("dicom-pdf", "page.dcm"),
}
"""What may be sent: the export format that makes it, and the file of that format."""

USUAL_KINDS: Final = ("seg", "sr")

DAY_S: Final = 86400.0


@dataclass(frozen=True, kw_only=True)
class ListenSettings:
    """How studies are taken in, and what becomes of results and images.

    Parameters
    ----------
    forwards
        Archives that every result is sent to, each by itself.
    kinds
        What is sent, names of :data:`KINDS`.
    limits
        What received images may take up.
    completeness
        When a study counts as whole.
    keep_s
        Seconds that images stay after their result was delivered; less where room is needed.
    look_s
        Seconds between two looks at what came.
    """

    forwards: tuple[Link, ...] = ()
    kinds: tuple[str, ...] = USUAL_KINDS
    limits: InboxLimits = field(default_factory=InboxLimits)
    completeness: Completeness = field(default_factory=Completeness)
    keep_s: float = DAY_S
    look_s: float = 0.5

    @property
    def formats(self) -> tuple[str, ...]:
        """Export formats that make what is sent."""
        return tuple(dict.fromkeys(KINDS[kind][0] for kind in self.kinds))

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the files that are sent."""
        return tuple(KINDS[kind][1] for kind in self.kinds)


def parse_kinds(text: str) -> tuple[str, ...]:
    """What is to be sent, from a list with commas.

    Raises
    ------
    ConfigError
        A name that is none of :data:`KINDS`, or none at all.

    >>> parse_kinds("sr, seg,sr")
    ('sr', 'seg')
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    unknown = [name for name in names if name not in KINDS]
    if unknown:
        raise ConfigError(
            "cannot be sent",
            where="--send",
            found=repr(unknown[0]),
            wanted="some of " + ",".join(KINDS),
        )
    return names
