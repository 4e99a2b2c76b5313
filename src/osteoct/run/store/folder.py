"""A store in a folder, of this machine or shared by several."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from osteoct.errors import OutputError, UnreadableInputError
from osteoct.io.output import RESULT_FILE, result_folder, write_text, written_file
from osteoct.records import CaseResult
from osteoct.run.store.interface import MASKS_FILE, WORK_FILE, spread
from osteoct.run.store.verifying import (
    check_masks,
    check_name,
    parse_key,
    parse_result,
    seal_result,
)

_CASES: Final = "cases"
_MASKS: Final = "masks"
_SCRATCH: Final = "tmp"
_PART, _OLD = ".part", ".old"
"""How :mod:`osteoct.io.output` names what is not whole yet, and what is being replaced."""

_PROBE_BYTES: Final = 1024 * 1024
"""A case needs more; with less left, the next one would fail as well."""


class FolderStore:
    """Results in folders that appear whole or not at all.

    Parameters
    ----------
    root
        Folder of the store; made when first written.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def address(self) -> str:
        """The path of the folder."""
        return str(self._root)

    @property
    def scratch(self) -> Path | None:
        """On the same disk as the results: what is whole there is moved, not copied."""
        return _made(self._root / _SCRATCH)

    def check(self) -> None:
        """Write and remove a mebibyte; see :meth:`osteoct.run.store.interface.Store.check`."""
        probe = _made(self._root / _SCRATCH) / "probe"
        with written_file(probe) as file:
            file.write(bytes(_PROBE_BYTES))
        probe.unlink(missing_ok=True)

    def has(self, case_id: str, key: str) -> bool:
        """Whether the result of this work lies here."""
        folder = self._case(case_id)
        try:
            found = parse_key((folder / WORK_FILE).read_bytes())
        except FileNotFoundError:
            return False
        return found == key and (folder / RESULT_FILE).is_file()

    def put(self, case_id: str, key: str, folder: Path) -> str:
        """Move a result here under another name, see it onto the disk, and give it its name."""
        target = self._case(case_id)
        _put_back(target)
        with result_folder(target, overwrite=True) as staging:
            seal_result(folder, case_id, key)
            _move_files(folder, staging)
        return target.relative_to(self._root).as_posix()

    def folder_of(self, case_id: str) -> Path | None:
        """The folder of a result; one whose replacement was interrupted is put back first."""
        folder = self._case(case_id)
        _put_back(folder)
        return folder if (folder / RESULT_FILE).is_file() else None

    def open_result(self, case_id: str) -> CaseResult:
        """Return the numbers of a case."""
        try:
            content = (self._case(case_id) / RESULT_FILE).read_bytes()
        except OSError as error:
            raise UnreadableInputError("its result is missing", where=case_id) from error
        return parse_result(content, case_id)

    def results(self) -> Iterator[CaseResult]:
        """Yield the numbers of every case, by folder."""
        for folder in _two_levels(self._root / _CASES):
            if (folder / RESULT_FILE).is_file():
                yield self.open_result(folder.name)

    def masks(self, segment_key: str) -> Path | None:
        """The folder of masks."""
        folder = self._masks(segment_key)
        return folder if (folder / MASKS_FILE).is_file() else None

    def put_masks(self, segment_key: str, folder: Path) -> None:
        """Move masks here like a result."""
        check_masks(folder, segment_key)
        target = self._masks(segment_key)
        with result_folder(target, overwrite=True, marker=MASKS_FILE) as staging:
            _move_files(folder, staging)

    def read_text(self, name: str) -> str | None:
        """Return a file at the top of the store, or ``None``."""
        try:
            return (self._root / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def write_text(self, name: str, text: str) -> None:
        """Write a file at the top of the store, whole or not at all."""
        write_text(_made(self._root) / name, text)

    def sweep(self, *, older_than_s: float) -> int:
        """Remove what dead processes left; an old result whose replacement never came returns."""
        now = time.time()
        left = [
            path
            for top in (_CASES, _MASKS)
            for folder in _folders(self._root / top)
            for path in folder.iterdir()
            if path.name.startswith(".") and path.suffix in {_PART, _OLD}
        ]
        scratch = self._root / _SCRATCH
        left += list(scratch.iterdir()) if scratch.is_dir() else []
        stale = [path for path in left if _age_s(path, now) >= older_than_s]
        for path in stale:
            _remove(path)
        return len(stale)

    def _case(self, case_id: str) -> Path:
        return self._root / _CASES / spread(case_id) / check_name(case_id)

    def _masks(self, segment_key: str) -> Path:
        return self._root / _MASKS / spread(segment_key) / check_name(segment_key)


def _made(folder: Path) -> Path:
    """Return a folder that exists."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError("cannot be written", where="store", found=error.strerror) from error
    return folder


def _move_files(source: Path, target: Path) -> None:
    """Move what a folder holds; across disks it is copied."""
    for path in sorted(source.iterdir()):
        shutil.move(path, target / path.name)


def _folders(parent: Path) -> Iterator[Path]:
    """Folders in a folder, by name."""
    if parent.is_dir():
        yield from sorted(path for path in parent.iterdir() if path.is_dir())


def _two_levels(parent: Path) -> Iterator[Path]:
    """Folders in the folders of a folder."""
    for folder in _folders(parent):
        yield from (path for path in _folders(folder) if not path.name.startswith("."))


def _age_s(path: Path, now: float) -> float:
    """Seconds since something was written there; nothing is old that has just gone."""
    try:
        return now - path.lstat().st_mtime
    except FileNotFoundError:
        return -1.0


def _target_of(path: Path) -> str:
    """The name of the result that something temporary is of."""
    return path.name[1:].rsplit(".", 2)[0]


def _put_back(target: Path) -> None:
    """Put back an old result that was set aside for a new one which never came.

    It may hold a person's decisions, which are nowhere else.
    """
    if target.exists():
        return
    for aside in target.parent.glob(f".{target.name}.*{_OLD}"):
        if _target_of(aside) == target.name and (aside / "result").is_dir():
            (aside / "result").rename(target)
            aside.rmdir()
            return


def _remove(path: Path) -> None:
    """Remove what a dead process left, or put back the old result that it had set aside."""
    if path.suffix == _OLD:
        _put_back(path.with_name(_target_of(path)))
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
