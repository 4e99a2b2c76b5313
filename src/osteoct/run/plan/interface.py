"""What a source of cases is: a stream of what was found, whatever it was found in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol, TypeAlias

from osteoct.record import Record
from osteoct.records import Finding
from osteoct.run.records import Inputs, Refusal


class Found(Record):
    """A case with images, before it is known what is to be done with them.

    Parameters
    ----------
    fingerprints
        Of its images, by role: the names of the fields of :class:`~osteoct.run.records.Inputs`.
    """

    case_id: str
    patient: str | None = None
    inputs: Inputs
    fingerprints: dict[str, str]
    bytes_in: int
    voxels: int | None = None
    findings: tuple[Finding, ...] = ()


Entry: TypeAlias = Found | Refusal


class Source(Protocol):
    """Where cases come from. Each case id comes once; memory does not grow with their number."""

    @property
    def left_out(self) -> Mapping[str, int]:
        """Number of files that belong to no case, by reason; whole when the stream has ended."""
        ...

    def entries(self) -> Iterator[Entry]:
        """Every case, and everything that looks like one and cannot be measured.

        Raises
        ------
        TableError
            Rows of a manifest that cannot be right; all of them are named.
        """
        ...
