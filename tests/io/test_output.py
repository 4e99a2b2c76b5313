"""Results appear whole or not at all, and nobody loses a home folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from osteoct.errors import OutputError, OutputExistsError
from osteoct.io.output import result_folder, write_text


def fill(folder: Path, text: str = "{}") -> None:
    (folder / "case.json").write_text(text)
    (folder / "figures").mkdir()
    (folder / "figures" / "L1.svg").write_text("<svg/>")


def fail_in(target: Path, failure: BaseException, *, overwrite: bool = False) -> None:
    """Fill a result and fail before its end."""
    with result_folder(target, overwrite=overwrite) as folder:
        fill(folder, "new")
        raise failure


def everything_below(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


def test_a_result_appears_whole(tmp_path):
    """Nothing at the target until the block ends, then everything, and no temporary folder."""
    target = tmp_path / "new" / "deep" / "case"
    with result_folder(target, overwrite=False) as folder:
        fill(folder)
        assert not target.exists()
        assert folder.parent == target.parent
    assert everything_below(target) == ["case.json", "figures", "figures/L1.svg"]
    assert [p.name for p in target.parent.iterdir()] == ["case"]


@pytest.mark.parametrize("failure", [ValueError("x"), KeyboardInterrupt(), OSError(5, "x")])
def test_a_failure_leaves_nothing_behind(tmp_path, failure):
    """Not even the parents that were made for it."""
    expected = OutputError if isinstance(failure, OSError) else type(failure)
    with pytest.raises(expected):
        fail_in(tmp_path / "a" / "b", failure)
    assert everything_below(tmp_path) == []


def test_parents_that_others_use_stay(tmp_path):
    """Two cases of one batch share the parent that the first one made."""

    def fail_beside_another() -> None:
        with result_folder(tmp_path / "a" / "b", overwrite=False):
            (tmp_path / "a" / "other").mkdir()
            raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        fail_beside_another()
    assert everything_below(tmp_path) == ["a", "a/other"]


def test_an_earlier_result_is_replaced_only_on_request_and_only_when_whole(tmp_path):
    """overwrite is a request to replace, not to delete first."""
    target = tmp_path / "case"
    with result_folder(target, overwrite=False) as folder:
        fill(folder, "old")
    with pytest.raises(OutputExistsError, match="earlier result"):
        result_folder(target, overwrite=False).__enter__()
    with pytest.raises(ValueError, match="x"):
        fail_in(target, ValueError("x"), overwrite=True)
    assert (target / "case.json").read_text() == "old"
    with result_folder(target, overwrite=True) as folder:
        (folder / "case.json").write_text("new")
    assert everything_below(tmp_path) == ["case", "case/case.json"]
    assert (target / "case.json").read_text() == "new"


@pytest.mark.parametrize("overwrite", [True, False])
def test_what_is_no_result_is_never_replaced(tmp_path, overwrite):
    """``-o ~ --overwrite`` must not lose a home folder; nor a file, nor what a link points to."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.docx").write_text("three years")
    (tmp_path / "file").write_text("x")
    result = tmp_path / "result"
    result.mkdir()
    fill(result)
    (tmp_path / "link").symlink_to(result)
    for target in (home, tmp_path / "file", tmp_path / "link"):
        with pytest.raises(OutputExistsError), result_folder(target, overwrite=overwrite):
            pytest.fail("the block must not run")
    assert (home / "thesis.docx").read_text() == "three years"
    assert (result / "case.json").exists()


def test_a_folder_that_fills_while_we_work_is_not_replaced(tmp_path):
    """Another process wrote there in the meantime."""
    target = tmp_path / "case"
    target.mkdir()

    def fill_while_another_does() -> None:
        with result_folder(target, overwrite=False) as folder:
            fill(folder)
            (target / "thesis.docx").write_text("x")

    with pytest.raises(OutputExistsError):
        fill_while_another_does()
    assert everything_below(target) == ["thesis.docx"]


def test_an_empty_folder_is_used(tmp_path):
    """mkdir before the run is common."""
    (tmp_path / "case").mkdir()
    with result_folder(tmp_path / "case", overwrite=False) as folder:
        fill(folder)
    assert (tmp_path / "case" / "case.json").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["case"]


def test_a_relative_path_and_the_umask_are_respected(tmp_path, monkeypatch):
    """Results are readable to the group wherever other files of the user are."""
    monkeypatch.chdir(tmp_path)
    old = os.umask(0o027)
    try:
        with result_folder(Path("case"), overwrite=False) as folder:
            write_text(folder / "case.json", "x")
    finally:
        os.umask(old)
    assert (tmp_path / "case").stat().st_mode & 0o777 == 0o750
    assert (tmp_path / "case" / "case.json").stat().st_mode & 0o777 == 0o640


FULL_DISK = """
import sys
from pathlib import Path
from osteoct.errors import OutputError
from osteoct.io.output import result_folder, write_text
target = Path(sys.argv[1])
try:
    with result_folder(target, overwrite=True) as folder:
        write_text(folder / "case.json", "new")
        write_text(folder / "big.bin", "x" * (8 << 20))
except OutputError as error:
    print(error)
    sys.exit(7)
"""

LIMITED = (
    "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20,) * 2)"
)


def check_full(run: subprocess.CompletedProcess[str], target: Path) -> None:
    """The failure says how much is free; the old result is whole; nothing else is there."""
    assert run.returncode == 7, run.stderr
    assert "disk full" in run.stdout
    assert "bytes free" in run.stdout
    assert (target / "case.json").read_text() == "old"
    assert [p.name for p in target.parent.iterdir()] == ["case"]


def test_a_file_size_limit_ends_like_a_full_disk(tmp_path):
    """A real limit of the operating system, in a process of its own."""
    target = tmp_path / "case"
    with result_folder(target, overwrite=False) as folder:
        (folder / "case.json").write_text("old")
    code = f"{LIMITED}\n{FULL_DISK}"
    command = [sys.executable, "-c", code, str(target)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- ours
    check_full(run, target)


def test_a_full_disk_leaves_the_old_result(tmp_path):
    """A file system of 4 MiB, where one may be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    script = (
        'mount -t tmpfs -o size=4m tmpfs "$0" && mkdir "$0/case" && '
        'printf old > "$0/case/case.json" && "$1" -c "$2" "$0/case"; code=$?; ls -A "$0"; '
        'cat "$0/case/case.json"; umount "$0"; exit $code'
    )
    if subprocess.run(mount, capture_output=True, check=False).returncode:  # noqa: S603 -- ours
        pytest.skip("no file system may be mounted here")
    subprocess.run(["umount", str(disk)], check=True)  # noqa: S603, S607 -- ours
    command = ["sh", "-c", script, str(disk), sys.executable, FULL_DISK]
    run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- ours
    assert run.returncode == 7, run.stderr
    message, *rest = run.stdout.splitlines()
    assert "disk full" in message
    assert "bytes free" in message
    assert rest == ["case", "old"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(tmp_path):
    """A mounted archive is read-only."""
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="cannot be written"):
        result_folder(tmp_path / "case", overwrite=False).__enter__()
    tmp_path.chmod(0o700)


def test_a_target_below_a_file_is_an_output_error(tmp_path):
    """``-o ct.nii.gz/case``."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError), result_folder(tmp_path / "file" / "case", overwrite=False):
        pytest.fail("the block must not run")
    assert everything_below(tmp_path) == ["file"]
