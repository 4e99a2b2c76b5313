"""Archives come from anywhere: what leaves the folder, lies or explodes is refused."""

from __future__ import annotations

import stat
import struct
import zipfile

import pytest

from osteoct.errors import UnreadableInputError
from osteoct.io.archive import ArchiveLimits, extracted, is_archive


def make_zip(path, entries, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def refuse(path, match, limits=None):
    before = sorted(path.parent.rglob("*"))
    with (
        pytest.raises(UnreadableInputError, match=match) as failure,
        extracted(path, limits or ArchiveLimits()),
    ):
        pytest.fail("an unsafe archive was unpacked")
    assert sorted(path.parent.rglob("*")) == before
    return str(failure.value)


def test_files_come_out_and_the_folder_goes(tmp_path):
    """The folder must not outlive the reading: it holds patient data."""
    path = make_zip(tmp_path / "a.zip", [("x/", b""), ("x/ö b.dcm", b"1"), ("x/y/z", b"22")])
    with extracted(path) as folder:
        found = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*.*")}
        assert found == {"x/ö b.dcm": b"1"}
        assert (folder / "x/y/z").read_bytes() == b"22"
    assert not folder.exists()


def test_the_folder_goes_after_a_failure_too(tmp_path):
    """A failing analysis must not leave images in the temporary folder."""
    path = make_zip(tmp_path / "a.zip", [("x", b"1")])
    with pytest.raises(RuntimeError), extracted(path) as folder:
        raise RuntimeError
    assert not folder.exists()


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("../out", "leaves the folder"),
        ("a/../../out", "leaves the folder"),
        ("a\\..\\..\\out", "leaves the folder"),
        ("/etc/out", "absolute"),
        ("\\\\host\\out", "absolute"),
        ("C:\\out", "drive"),
        ("c:out", "drive"),
    ],
)
def test_names_that_leave_the_folder(tmp_path, name, match):
    """The classic way to overwrite a file of the user; the name is not repeated."""
    message = refuse(make_zip(tmp_path / "a.zip", [("ok", b"1"), (name, b"1")]), match)
    assert "entry 2" in message
    assert "out" not in message


def test_links_are_refused(tmp_path):
    """A link inside the folder may point anywhere outside."""
    entry = zipfile.ZipInfo("link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    refuse(make_zip(tmp_path / "a.zip", [(entry, b"/etc/passwd")]), "link or device")


def test_encrypted_entries_are_refused(tmp_path):
    """There is no password to ask for."""
    path = make_zip(tmp_path / "a.zip", [("a", b"secret")], zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.index(signature) + offset
        content[at : at + 2] = struct.pack("<H", 1)
    path.write_bytes(content)
    refuse(path, "encrypted")


def test_number_of_entries(tmp_path):
    """A million empty files fill the inodes; exactly the limit is fine."""
    path = make_zip(tmp_path / "a.zip", [(str(n), b"") for n in range(4)])
    refuse(path, "too many entries; found 4", ArchiveLimits(entries=3))
    with extracted(path, ArchiveLimits(entries=4)) as folder:
        assert len(list(folder.iterdir())) == 4


def test_declared_size(tmp_path):
    """Refused before anything is written; exactly the limit is fine."""
    path = make_zip(tmp_path / "a.zip", [("a", bytes(600)), ("b", bytes(400))])
    refuse(path, "found 1000 bytes", ArchiveLimits(total_bytes=999))
    with extracted(path, ArchiveLimits(total_bytes=1000)) as folder:
        assert (folder / "a").stat().st_size == 600


def test_compression_ratio(tmp_path):
    """A bomb of zeros packs 1000 to 1; images do not."""
    path = make_zip(tmp_path / "a.zip", [("a", bytes(20 * 2**20))])
    refuse(path, "packed too well")
    with extracted(path, ArchiveLimits(ratio=2000)):
        pass


def test_lies_about_the_size_do_not_help(tmp_path):
    """The directory may declare 10 bytes and unpack to more: what is written is counted."""
    path = make_zip(tmp_path / "a.zip", [("a", bytes(50_000))])
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02") + 24
    content[at : at + 4] = struct.pack("<I", 10)
    path.write_bytes(content)
    with pytest.raises(UnreadableInputError), extracted(path, ArchiveLimits(total_bytes=1000)):
        pytest.fail("the lie was believed")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"plain text"])
def test_what_is_no_archive(tmp_path, content):
    """A renamed file is a failure with the file's name, not a stack trace."""
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    assert "a.zip" in refuse(path, "cannot be unpacked")


def test_damaged_content(tmp_path):
    """A broken download fails its checksum."""
    path = make_zip(tmp_path / "a.zip", [("a", b"abcdefgh" * 9)], zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[content.index(b"abcd")] ^= 0xFF
    path.write_bytes(content)
    refuse(path, "cannot be unpacked")


def test_one_name_twice(tmp_path):
    """A second entry of one name would overwrite the first."""
    path = tmp_path / "a.zip"
    with pytest.warns(UserWarning, match="Duplicate name"):
        make_zip(path, [("a", b"1"), ("a", b"2")])
    refuse(path, "cannot be unpacked")


def test_is_archive(tmp_path):
    """Archives are known by content: exports name them as they like."""
    assert is_archive(make_zip(tmp_path / "case", [("a", b"1")]))
    (tmp_path / "x.zip").write_bytes(b"text")
    assert not is_archive(tmp_path / "x.zip")
    assert not is_archive(tmp_path)
    assert not is_archive(tmp_path / "none")
