"""Every failure osteoct raises on purpose, in one tree.

    OsteoctError
     ├─ InputError                 the input cannot be used as it is
     │   ├─ UnreadableInputError   missing, truncated, not the format it claims, unsafe archive
     │   ├─ IrregularGridError     missing or uneven slices, mixed sizes or orientations, 4-D, shear
     │   ├─ NotCtError             MR, RGB, a dose report: not a CT image
     │   ├─ HuNotRecoverableError  stored numbers cannot be turned into Hounsfield units
     │   ├─ MixedSeriesError       two patients or an ambiguous choice in one folder
     │   ├─ LabelsError            labels without names, or names that do not fit the scheme
     │   └─ TableError             cells of a table that cannot be right, all named at once
     ├─ GeometryError              two volumes do not meet in patient space
     ├─ SegmentationError          no vertebrae found, or the segmenter failed
     │   └─ SegmenterUnavailableError  weights, memory or device missing: the machine's fault
     │       └─ WeightsMissingError      weights that a fetch brings
     ├─ OutputError                the result cannot be written (disk full)
     │   └─ OutputExistsError      something is there already that must not be lost
     ├─ RunError                   a batch cannot go on; what is finished stays
     │   ├─ LedgerError                the ledger cannot be read, written or is of another kind
     │   └─ EngineLostError            the scheduler of the workers is gone
     ├─ NetworkError               an archive cannot be reached, refuses, or answers nonsense
     │   └─ PassingNetworkError        the same, where a later attempt may end otherwise
     ├─ ConfigError                an option, configuration key or protocol that does not exist
     ├─ DependencyError            an optional package is missing
     └─ LinkageError               tables that do not join

Bad image *quality* is never an exception: it is a ``Finding`` (see :mod:`osteoct.records`).
"""

from __future__ import annotations

from collections.abc import Sequence


class OsteoctError(Exception):
    """Base of all failures; renders as one line with the value found and the value wanted.

    Parameters
    ----------
    what
        What is wrong, in a few words.
    where
        The file (as the user named it, or relative to what the user named), tag or option.
    found, wanted
        The offending value and what would have been accepted.
    hint
        What to do about it.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        found: object = None,
        wanted: object = None,
        hint: str | None = None,
    ) -> None:
        self.what = what
        self.where = where
        self.found = found
        self.wanted = wanted
        self.hint = hint
        super().__init__(self.line)

    @property
    def line(self) -> str:
        """The whole message as one line, without line breaks whatever the values hold."""
        parts = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.found is not None:
            parts.append(f"found {self.found}")
        if self.wanted is not None:
            parts.append(f"wanted {self.wanted}")
        if self.hint:
            parts.append(self.hint)
        return " ".join("; ".join(parts).split())


class InputError(OsteoctError):
    """The input cannot be used as it is."""


class UnreadableInputError(InputError):
    """A file is missing, truncated, unsafe or not in the format it claims."""


class IrregularGridError(InputError):
    """The slices do not form one regular three-dimensional grid."""


class NotCtError(InputError):
    """The image is not a CT image."""


class HuNotRecoverableError(InputError):
    """The stored numbers cannot be turned into Hounsfield units."""


class MixedSeriesError(InputError):
    """The input holds several patients, or series between which no rule can choose."""


class LabelsError(InputError):
    """Labels carry no names, or their names do not fit a known scheme."""


class TableError(InputError):
    """Cells or columns of a table cannot be right; ``problems`` names each with its place."""

    def __init__(self, what: str, *, where: str, problems: Sequence[str], hint: str) -> None:
        self.problems = tuple(problems)
        super().__init__(what, where=where, found=" | ".join(self.problems), hint=hint)


class GeometryError(OsteoctError):
    """Two volumes do not meet in patient space."""


class SegmentationError(OsteoctError):
    """No segmentation could be made: no vertebrae, or the segmenter failed."""


class SegmenterUnavailableError(SegmentationError):
    """The machine lacks what the segmenter needs: weights, memory, disk space or a device."""


class WeightsMissingError(SegmenterUnavailableError):
    """Weights are missing or incomplete, and nothing else is: fetching them is enough."""


class OutputError(OsteoctError):
    """A result could not be written."""


class OutputExistsError(OutputError):
    """The place of a result is taken; the user has to choose another one."""


class RunError(OsteoctError):
    """A batch cannot go on; every finished case stays, and the rest can be resumed."""


class LedgerError(RunError):
    """The ledger cannot be read or written, is in use, or belongs to another store."""


class EngineLostError(RunError):
    """What holds the workers is gone: the scheduler of a cluster died or cannot be reached."""


class NetworkError(OsteoctError):
    """An archive cannot be reached, refuses what is asked, or answers what nobody understands."""


class PassingNetworkError(NetworkError):
    """A failure of the network or the archive that another attempt may not meet."""


class ConfigError(OsteoctError):
    """An option, configuration key or protocol does not exist or has a bad value."""


class DependencyError(OsteoctError):
    """An optional package is missing or too old."""


class LinkageError(OsteoctError):
    """Tables do not join."""
