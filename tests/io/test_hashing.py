"""Content hashes do not depend on names."""

from __future__ import annotations

import hashlib

import pytest

from osteoct.errors import UnreadableInputError
from osteoct.io.hashing import sha256_of


def test_a_file_has_the_hash_every_tool_gives(tmp_path):
    """A user checks it with sha256sum."""
    (tmp_path / "a").write_bytes(b"abc" * 100_000)
    assert sha256_of(tmp_path / "a") == hashlib.sha256(b"abc" * 100_000).hexdigest()


def test_a_folder_hash_knows_contents_only(tmp_path):
    """Renamed, reordered, moved into sub-folders: the same series. A byte more: another."""
    one, two = tmp_path / "one", tmp_path / "two"
    (two / "deep").mkdir(parents=True)
    one.mkdir()
    (one / "1").write_bytes(b"first")
    (one / "2").write_bytes(b"second")
    (two / "a").write_bytes(b"second")
    (two / "deep" / "b").write_bytes(b"first")
    assert sha256_of(one) == sha256_of(str(two))
    (two / "c").write_bytes(b"first")
    assert sha256_of(one) != sha256_of(two)


def test_a_missing_file_is_an_input_error(tmp_path):
    """Not a traceback."""
    with pytest.raises(UnreadableInputError, match="nowhere"):
        sha256_of(tmp_path / "nowhere")
