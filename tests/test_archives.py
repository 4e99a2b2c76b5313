"""Results written by every release stay readable."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from osteoct.anatomy import Level
from osteoct.protocols import VERTEBRA_CORE_3_5, Region
from osteoct.records import CaseResult, Reason

ARCHIVES = sorted((Path(__file__).parent / "archives").glob("case-*.json"))


def is_kept(old, new) -> bool:
    """Whether everything old is in the new, which may know more."""
    if isinstance(old, dict):
        return all(key in new and is_kept(value, new[key]) for key, value in old.items())
    if isinstance(old, list):
        return len(old) == len(new) and all(map(is_kept, old, new))
    return old == new


@pytest.mark.parametrize("file", ARCHIVES, ids=lambda f: f.stem)
def test_an_old_result_is_read_and_written_back_whole(file):
    """No field of an old file may be lost or renamed without a new schema."""
    text = file.read_text(encoding="utf-8")
    result = CaseResult.model_validate_json(text)
    assert file.stem == f"case-{result.provenance.osteoct_version}"
    assert is_kept(json.loads(text), json.loads(result.model_dump_json(by_alias=True)))


def test_the_first_release_keeps_its_meaning():
    """Spot values of the archived phantom: a measured level, and an absent one with its reason."""
    text = (Path(__file__).parent / "archives" / "case-0.1.0.json").read_text(encoding="utf-8")
    result = CaseResult.model_validate_json(text)
    core = result.level(Level.L1).region(VERTEBRA_CORE_3_5.id, Region.TRABECULAR)
    assert core.hu.mean_hu == pytest.approx(150, abs=5)
    assert result.level(Level.L5).regions[0].reason is Reason.LEVEL_ABSENT
    assert result.summary(VERTEBRA_CORE_3_5.id, Region.TRABECULAR).levels_used == (
        Level.L1,
        Level.L2,
        Level.L3,
        Level.L4,
    )
