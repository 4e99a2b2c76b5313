"""Results for stores: what release 0.1.0 wrote, under other names."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

ARCHIVED = Path(__file__).parents[2] / "archives" / "case-0.1.0.json"


@pytest.fixture
def make_result(tmp_path: Path) -> Callable[..., Path]:
    """Make a folder with the files of a result."""
    stored = json.loads(ARCHIVED.read_text(encoding="utf-8"))

    def make(case_id: str, *, filling: bytes = b"table", name: str = "made") -> Path:
        folder = tmp_path / name / case_id
        folder.mkdir(parents=True)
        text = json.dumps({**stored, "case_id": case_id})
        (folder / "case.json").write_text(text, encoding="utf-8")
        (folder / "levels.csv").write_bytes(filling)
        (folder / "pictures").mkdir()
        (folder / "pictures" / "L1.png").write_bytes(b"picture")
        return folder

    return make


@pytest.fixture
def make_masks(tmp_path: Path) -> Callable[..., Path]:
    """Make a folder with the files of masks."""

    def make(filling: bytes = b"labels", *, name: str = "masks") -> Path:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "masks.json").write_text("{}", encoding="utf-8")
        (folder / "vertebrae.nii.gz").write_bytes(filling)
        return folder

    return make
