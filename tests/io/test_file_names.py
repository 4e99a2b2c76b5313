"""Names below the path a user typed stay out of messages; the file can still be found."""

from __future__ import annotations

import pytest

from osteoct.errors import InputError
from osteoct.io.file_names import hidden_file_names, hide_names, number_files


@pytest.fixture
def study(tmp_path):
    """Three files, one of them with a number for a name."""
    for name in ("Anna/slice b.dcm", "Anna/3", "letter.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    return tmp_path


def _raised(study, **fields):
    with pytest.raises(InputError) as caught, hidden_file_names(study, where="in"):
        raise InputError("is bad", **fields)
    return caught.value


def test_files_are_numbered_in_the_order_of_their_names(study):
    """A user who sorts the folder finds the third file."""
    assert number_files(study) == {
        "Anna/3": "file 1 of 3",
        "Anna/slice b.dcm": "file 2 of 3",
        "letter.txt": "file 3 of 3",
    }
    assert number_files(study / "letter.txt") == {}


@pytest.mark.parametrize("where", ["Anna/slice b.dcm", "series of Anna/slice b.dcm"])
def test_a_failure_about_a_file_gets_its_number(study, where):
    """In every text of the failure, also the one a traceback would print."""
    error = _raised(study, where=where, found="unlike Anna/slice b.dcm")
    assert error.line.startswith("in: ")
    assert error.line.count("file 2 of 3") == 2
    for text in (error.line, str(error), repr(error)):
        assert "Anna" not in text


@pytest.mark.parametrize("with_name", [True, False])
def test_a_failure_about_the_whole_names_the_typed_path(study, with_name):
    """Also where it was unpacked to a temporary folder."""
    error = _raised(study, where=study.name if with_name else None, found="3 patients")
    assert error.line == "in: is bad; found 3 patients"


def test_parts_of_words_stay():
    """A file called ``a`` does not riddle a sentence with numbers."""
    assert hide_names("a banana, 3 apples", {"a": "file 1 of 1"}) == "file 1 of 1 banana, 3 apples"
