"""Cases listed in a table of paths, addresses or UIDs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from osteoct.errors import ConfigError, TableError
from osteoct.io.pseudonym import check_case_id, found_pseudonym
from osteoct.run.plan.cases import CaseMaker, missing_ct
from osteoct.run.plan.dicom_tree import DicomIndex, MakeIndex
from osteoct.run.plan.fingerprints import Fingerprinter
from osteoct.run.plan.interface import Entry
from osteoct.run.plan.manifest_rows import BEYOND, ManifestRow, read_manifest
from osteoct.run.plan.places import check_address
from osteoct.run.plan.spool import Spool
from osteoct.run.plan.trees import Everywhere
from osteoct.run.plan.waiting import waiting_entry, waiting_row
from osteoct.run.remote import is_remote

MAX_NAMED: Final = 1000
"""Problems that are named one by one; with more of them the table as a whole is wrong."""

_UID: Final = re.compile(r"(?=.{7,64}$)[0-9]+(\.[0-9]+){3,}")
_MASKS: Final = ("masks", "body_masks", "tissues")

OpenIndex: TypeAlias = Callable[[], DicomIndex]


@dataclass(kw_only=True)
class _Problems:
    """What is wrong with a table, and where."""

    named: list[str] = field(default_factory=list)
    further: int = 0

    def add(self, row: int, column: str, what: str) -> None:
        """Note a problem of one cell."""
        if len(self.named) < MAX_NAMED:
            self.named.append(f"row {row}, {column}: {what}")
        else:
            self.further += 1

    def refuse(self, where: str) -> None:
        """Raise what was noted."""
        if not self.named:
            return
        more = [f"and {self.further} more"] if self.further else []
        raise TableError(
            f"{len(self.named) + self.further} cells cannot be right",
            where=where,
            problems=[*self.named, *more],
            hint="Nothing was planned; correct them and try again.",
        )


class ManifestSource:
    """The rows of a manifest, in their order.

    Parameters
    ----------
    manifest
        Path or URL; relative paths in it begin at its folder.
    secret
        Key of pseudonyms.
    make_index
        Makes the index in which UIDs are looked up; ``None`` where no tree was given.
    scratch
        Folder for the temporary table.
    """

    def __init__(
        self,
        manifest: str,
        tree: Everywhere,
        prints: Fingerprinter,
        secret: bytes,
        *,
        make_index: MakeIndex | None = None,
        scratch: Path | None = None,
    ) -> None:
        self._manifest = manifest
        self._tree = tree
        self._maker = CaseMaker(tree, prints, secret)
        self._secret = secret
        self._make_index = make_index
        self._scratch = scratch
        self._left_out: Counter[str] = Counter()

    @property
    def left_out(self) -> Mapping[str, int]:
        """Files of the tree that belong to no case, by reason; empty without UIDs."""
        return self._left_out

    def entries(self) -> Iterator[Entry]:
        """One case per row, once every row is known to be right.

        A file that is not there is a refusal of its case alone.

        Raises
        ------
        TableError
            Cells that cannot be right, each with its row and column.
        """
        problems = _Problems()
        name = Path(self._manifest).name
        with Spool(self._scratch) as waiting:
            with ExitStack() as stack, self._tree.open(self._manifest) as file:
                reader = _RowReader(
                    self._tree, self._maker, self._secret, problems, self._opener(stack)
                )
                waiting.add(
                    waiting_row(entry, place=f"{number:012d}")
                    for number, cells in read_manifest(file, name)
                    if (entry := reader.entry(number, cells)) is not None
                )
            _note_repeated(waiting, problems)
            problems.refuse(name)
            yield from map(waiting_entry, waiting.in_order())

    def _opener(self, stack: ExitStack) -> OpenIndex | None:
        """What gives the index of the tree, read when the first UID comes."""
        make = self._make_index
        if make is None:
            return None
        opened: list[DicomIndex] = []

        def open_index() -> DicomIndex:
            if not opened:
                opened.append(stack.enter_context(make()))
                opened[0].fill()
                self._left_out.update(opened[0].left_out)
            return opened[0]

        return open_index


class _RowReader:
    """Turns rows into cases, and notes what cannot be right."""

    def __init__(
        self,
        tree: Everywhere,
        maker: CaseMaker,
        secret: bytes,
        problems: _Problems,
        open_index: OpenIndex | None,
    ) -> None:
        self._tree = tree
        self._maker = maker
        self._secret = secret
        self._problems = problems
        self._open_index = open_index

    def entry(self, number: int, cells: ManifestRow) -> Entry | None:
        """The case of a row; ``None`` where the row is empty or cannot be right."""
        if not any(cells.values()) or not self._is_right(number, cells):
            return None
        is_uid = _UID.fullmatch(cells["ct"]) is not None
        if is_uid and self._open_index is not None:
            return self._by_uid(number, cells, self._open_index())
        place = self._tree.look(cells["ct"])
        if place is None and is_uid:
            self._problems.add(number, "ct", "is a UID, and no tree was given to look it up in")
            return None
        series = cells.get("series") or None
        name = "\0".join((cells["ct"], series or "")).encode()
        case_id = cells.get("case_id") or found_pseudonym("row", name, key=self._secret)
        if place is None:
            return missing_ct(case_id)
        return self._maker.make(case_id, place, _masks_of(cells), series=series)

    def _is_right(self, number: int, cells: ManifestRow) -> bool:
        """Check what can be seen without looking a file up."""
        wrong = {} if cells["ct"] else {"ct": "is empty"}
        if cells.get(BEYOND):
            wrong["last cell"] = "more cells than columns"
        if cells.get("body_masks") and not cells.get("masks"):
            wrong["body_masks"] = "needs masks beside it"
        for column in ("ct", *_MASKS):
            if not _is_safe_address(cells.get(column, "")):
                wrong[column] = "the address may hold a secret (user, password or query)"
        try:
            check_case_id(cells.get("case_id") or "none")
        except ConfigError as error:
            wrong["case_id"] = f"{error.what}; wanted {error.wanted}"
        for column, what in wrong.items():
            self._problems.add(number, column, what)
        return not wrong

    def _by_uid(self, number: int, cells: ManifestRow, index: DicomIndex) -> Entry | None:
        """The case of a study or series of the tree."""
        uid, series = cells["ct"], cells.get("series")
        if series:
            entry = index.series(series, study=uid)
        else:
            entry = index.study(uid) if index.has_study(uid) else index.series(uid)
        if entry is None:
            column = "series" if series else "ct"
            self._problems.add(number, column, "no such study or CT series in the tree")
            return None
        case_id = cells.get("case_id")
        named = entry.model_copy(update={"case_id": case_id}) if case_id else entry
        return self._maker.add_masks(named, _masks_of(cells))


def _masks_of(cells: ManifestRow) -> dict[str, str]:
    """The masks of a row, by role."""
    return {role: cells[role] for role in _MASKS if cells.get(role)}


def _is_safe_address(text: str) -> bool:
    """Whether a cell holds no address, or one without secrets."""
    try:
        return not is_remote(text) or bool(check_address(text))
    except ConfigError:
        return False


def _note_repeated(waiting: Spool, problems: _Problems) -> None:
    """Note rows that would be one case."""
    for name, count in waiting.groups():
        if count == 1:
            continue
        numbers = [int(row.place) for row in waiting.rows(name)]
        for number in numbers[1:]:
            problems.add(number, "case_id", f"the same case as in row {numbers[0]}")
