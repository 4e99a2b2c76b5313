"""Images found by patterns of their paths: NIfTI, NRRD, MetaImage, zips, or folders of DICOM."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from osteoct.errors import ConfigError
from osteoct.io.pseudonym import check_case_id, found_pseudonym
from osteoct.run.plan.cases import CaseMaker
from osteoct.run.plan.choices import Patterns
from osteoct.run.plan.fingerprints import Fingerprinter
from osteoct.run.plan.interface import Entry
from osteoct.run.plan.places import CANNOT_WALK, Descend, OnError, Place, Tree
from osteoct.run.plan.spool import Row, Spool
from osteoct.run.plan.templates import Glob, fields_of, fill
from osteoct.run.plan.waiting import entries_once, waiting_row
from osteoct.run.records import Cause, Refusal

OTHER_FILES = "other files"


class PatternSource:
    """The images of a tree whose paths fit a pattern, each with its masks.

    Parameters
    ----------
    secret
        Key of pseudonyms.
    scratch
        Folder for the temporary table.
    """

    def __init__(
        self,
        tree: Tree,
        patterns: Patterns,
        prints: Fingerprinter,
        secret: bytes,
        *,
        scratch: Path | None = None,
    ) -> None:
        self._tree = tree
        self._patterns = patterns
        self._glob = Glob(patterns.ct)
        self._prints = prints
        self._secret = secret
        self._scratch = scratch
        self._left_out: Counter[str] = Counter()

    @property
    def left_out(self) -> Mapping[str, int]:
        """Number of files that fit no pattern, of those that were looked at."""
        return self._left_out

    def entries(self) -> Iterator[Entry]:
        """One case per image that fits; two with one name are refused both."""
        self._left_out.clear()
        with Spool(self._scratch) as waiting:
            if self._tree.is_remote:
                with Spool(self._scratch) as listing:
                    self._collect(ListedTree(self._tree, listing), waiting)
            else:
                self._collect(self._tree, waiting)
            yield from entries_once(waiting)

    def _collect(self, tree: Tree, waiting: Spool) -> None:
        """Put every case into the table."""
        maker = CaseMaker(tree, self._prints, self._secret)
        unlisted: list[str] = []
        waiting.add(waiting_row(self._case(place, maker)) for place in self._cts(tree, unlisted))
        self._left_out[CANNOT_WALK] += len(unlisted)
        waiting.add(waiting_row(self._unlisted(folder)) for folder in unlisted)

    def _cts(self, tree: Tree, unlisted: list[str]) -> Iterator[Place]:
        """The places that fit the pattern of the CT."""
        for place in tree.walk(
            descend=self._glob.may_lie_below, is_one=self._glob.matches, on_error=unlisted.append
        ):
            if self._glob.matches(place.relative):
                yield place
            else:
                self._left_out[OTHER_FILES] += 1

    def _case(self, ct: Place, maker: CaseMaker) -> Entry:
        """The case of one image."""
        fields = fields_of(ct)
        own = found_pseudonym("place", ct.relative.encode(), key=self._secret)
        case_id = own
        if self._patterns.case_id is not None:
            try:
                case_id = check_case_id(fill(self._patterns.case_id, fields))
            except ConfigError as error:
                message = f"{error.what}; wanted {error.wanted}"
                return Refusal(case_id=own, cause=Cause.CONFIGURATION, message=message)
        masks = {role: fill(t, fields) for role, t in self._patterns.by_role.items()}
        return maker.make(case_id, ct, masks)

    def _unlisted(self, folder: str) -> Refusal:
        case_id = found_pseudonym(CANNOT_WALK, folder.encode(), key=self._secret)
        return Refusal(case_id=case_id, cause=Cause.ENVIRONMENT, message=CANNOT_WALK)


class ListedTree:
    """An object store whose listing was written down: a mask is looked up without a request."""

    is_remote = True

    def __init__(self, tree: Tree, listing: Spool) -> None:
        self._tree = tree
        self._listing = listing
        listing.add(
            Row(p.address, folder=p.relative, place=p.address, size=p.size, stamp=p.stamp)
            for p in tree.walk()
        )

    def walk(
        self,
        *,
        descend: Descend | None = None,
        is_one: Descend | None = None,
        on_error: OnError | None = None,
    ) -> Iterator[Place]:
        """Every object that was listed."""
        del descend, is_one, on_error
        yield from map(_place_of, self._listing.in_order())

    def look(self, address: str) -> Place | None:
        """An object that was listed, or else one elsewhere."""
        row = next(self._listing.rows(address), None)
        return self._tree.look(address) if row is None else _place_of(row)

    def open(self, address: str) -> BinaryIO:
        """Open an object."""
        return self._tree.open(address)


def _place_of(row: Row) -> Place:
    return Place(address=row.place, relative=row.folder, size=row.size, stamp=row.stamp)
