"""Every result below the named folders is found once, and a damaged one hides no other."""

from __future__ import annotations

import pytest

from osteoct.errors import ConfigError
from osteoct.review.folders import find_cases


def test_results_are_found_at_any_depth(make, tmp_path):
    """Also the named folder itself; each once, though two names lead to it."""
    for name in ("a", "group/b"):
        make.write(make.result(name.replace("/", "-")), tmp_path / name)
    found = find_cases([tmp_path, tmp_path / "a"])
    assert [case.result.case_id for case in found.cases] == ["a", "group-b"]
    assert found.unreadable == ()
    assert [c.result.case_id for c in find_cases([tmp_path / "a"]).cases] == ["a"]


def test_a_damaged_result_hides_no_other(make, tmp_path):
    """Half a file, other bytes, another record."""
    make.write(make.result("good"), tmp_path / "good")
    for name, content in (("half", b'{"case_id": '), ("bytes", b"\xff\xfe"), ("other", b"{}")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "case.json").write_bytes(content)
    found = find_cases([tmp_path])
    assert [case.result.case_id for case in found.cases] == ["good"]
    assert {folder.name for folder in found.unreadable} == {"half", "bytes", "other"}


def test_hidden_folders_are_passed_over(make, tmp_path):
    """There half-made results lie."""
    make.write(make.result("seen"), tmp_path / "seen")
    make.write(make.result("hidden"), tmp_path / ".unfinished" / "hidden")
    assert [case.result.case_id for case in find_cases([tmp_path]).cases] == ["seen"]


@pytest.mark.parametrize("name", ["missing", "file"])
def test_what_is_no_folder_is_named(tmp_path, name):
    """A typing error must not look like a study without cases."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=name):
        find_cases([tmp_path / name])


def test_a_folder_without_results_is_named(tmp_path):
    """Likewise."""
    with pytest.raises(ConfigError, match="holds no result"):
        find_cases([tmp_path])
