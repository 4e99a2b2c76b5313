"""Results that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from osteoct.errors import OutputError, OutputExistsError

RESULT_FILE: Final = "case.json"
"""What makes a folder an osteoct result: only such a folder, or an empty one, is ever replaced."""

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def result_folder(path: Path, *, overwrite: bool, marker: str = RESULT_FILE) -> Iterator[Path]:
    """Yield a temporary sibling of ``path`` that becomes ``path`` when the block ends well.

    On any failure the temporary folder and the parent folders made for it are removed, and what
    was at ``path`` before is as it was. An old result is replaced only once the new one is whole.

    Parameters
    ----------
    marker
        File that an older folder must hold to be replaced: a folder without it is not ours.

    Raises
    ------
    OutputExistsError
        ``path`` exists and may not be replaced: without ``overwrite`` anything but an empty
        folder; with it anything that is no osteoct result.
    OutputError
        The disk is full, or the folder cannot be written.
    """
    target = _absolute(path)
    made: list[Path] = []
    staging: Path | None = None
    try:
        check_place(path, overwrite=overwrite, marker=marker)
        made = _missing_parents(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(
            tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
        )
        staging.chmod(0o777 & ~_umask())
        yield staging
        sync_tree(staging)
        check_place(path, overwrite=overwrite, marker=marker)
        _move_into_place(staging, target)
        made = []
    except OSError as error:
        raise _output_error(error, target.parent, shown=path) from error
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
        _remove_empty(made)


@contextmanager
def written_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a temporary sibling of ``path``, open for writing, that becomes ``path`` at the end.

    Raises
    ------
    OutputError
        The disk is full, or the file cannot be written; ``path`` is as it was before.
    """
    staging: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
        staging = Path(name)
        with os.fdopen(handle, "wb") as file:
            staging.chmod(0o666 & ~_umask())
            yield file
            file.flush()
            os.fsync(file.fileno())
        staging.replace(path)
        sync_path(path.parent)
    except OSError as error:
        raise _output_error(error, path.parent, shown=path) from error
    finally:
        if staging is not None:
            staging.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text whole or not at all, line ends as they are in ``text``."""
    with written_file(path) as file:
        file.write(text.encode())


def check_place(path: Path, *, overwrite: bool, marker: str = RESULT_FILE) -> None:
    """Refuse a place for a result whose loss the user did not clearly ask for.

    Worth calling before a long computation: :func:`result_folder` checks again.

    Raises
    ------
    OutputExistsError
        As :func:`result_folder`.
    """
    target = _absolute(path)
    if not os.path.lexists(target):
        return
    if target.is_symlink() or not target.is_dir():
        found, hint = "something that is not a folder", "choose another folder"
    elif not any(target.iterdir()):
        return
    elif not (target / marker).is_file():
        found, hint = f"a folder with files but without {marker}", "choose another folder"
    elif overwrite:
        return
    else:
        found, hint = "an earlier result", "choose another folder, or --overwrite"
    raise OutputExistsError(
        "exists already", where=str(path), found=found, wanted="no or an empty folder", hint=hint
    )


def sync_tree(folder: Path) -> None:
    """Put every file and folder on the disk: a full disk speaks up here at the latest."""
    for root, _, names in os.walk(folder):
        for name in names:
            sync_path(Path(root) / name)
        sync_path(Path(root))


def sync_path(path: Path) -> None:
    """Put a file, or the names in a folder, on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _absolute(path: Path) -> Path:
    """The path from the root, links at its end not followed."""
    return Path(os.path.abspath(path))  # noqa: PTH100 -- resolve() would follow a link at the target


def _missing_parents(target: Path) -> list[Path]:
    """Parents that do not exist yet, nearest first."""
    return [parent for parent in target.parents if not parent.exists()]


def _remove_empty(folders: list[Path]) -> None:
    """Remove folders, nearest first, as far as they are empty."""
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return


def _move_into_place(staging: Path, target: Path) -> None:
    """Rename; an old result steps aside first and comes back should the rename fail."""
    if not target.exists():
        staging.rename(target)
        sync_path(target.parent)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".old", dir=target.parent))
    old = aside / "result"
    try:
        target.rename(old)
        try:
            staging.rename(target)
        except OSError:
            old.rename(target)
            raise
        sync_path(target.parent)
    finally:
        if target.exists():
            shutil.rmtree(aside, ignore_errors=True)


def _umask() -> int:
    """The process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _output_error(error: OSError, folder: Path, *, shown: Path) -> OutputError:
    """Failure with the value found, which for a full disk is the space left."""
    if error.errno not in _NO_SPACE:
        return OutputError(
            "cannot be written", where=str(shown), found=error.strerror or "an input/output error"
        )
    existing = next(p for p in (folder, *folder.parents) if p.exists())
    free = shutil.disk_usage(existing).free
    return OutputError(
        "disk full or file size limit reached",
        where=str(shown),
        found=f"{free} bytes free ({error.strerror})",
        wanted="room for the whole result",
        hint="nothing was left behind; free some space and run it again",
    )
