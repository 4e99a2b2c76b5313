"""From nothing to masks: the real TotalSegmentator with weights that were fetched on first use."""

from __future__ import annotations

import hashlib
import json

import pytest

from osteoct.anatomy import LUMBAR
from osteoct.io.labels import read_labels
from osteoct.io.nifti import write_ct
from osteoct.segment.weights.ledger import LEDGER_FILE

pytestmark = [pytest.mark.totalsegmentator, pytest.mark.slow]


def test_first_use_fetches_and_the_second_does_not(
    spine, weights, server, models, tmp_path, command
):
    """One command: what it announced is there, recorded, and the masks come from it."""
    ct, out, home = tmp_path / "ct.nii.gz", tmp_path / "out.nii.gz", tmp_path / "home"
    home.mkdir()
    write_ct(spine.ct, ct)
    archives = {f: _pack(models, weights, f) for f in (models.LOCATE, models.THREE_MM)}
    server.files = {models.path_of(folder): data for folder, data in archives.items()}
    told = json.dumps(models.describe(archives))
    (tmp_path / "catalogue.json").write_text(told, encoding="utf-8")
    asked = ("segment", ct, "-o", out, "--quality", "fast", "--device", "cpu", "--overwrite")
    for number in range(2):
        process = command(*asked, HOME=str(home), MPLCONFIGDIR=str(tmp_path))
        _, said = process.communicate(timeout=400)
        assert process.returncode == 0, said
        assert said.startswith("fetching ") == (number == 0)
        assert len(server.asked) == len(archives)
    assert {s.level for s in read_labels(out).structures.values()} >= set(LUMBAR)
    ledger = json.loads((tmp_path / "weights" / LEDGER_FILE).read_text(encoding="utf-8"))
    for folder, data in archives.items():
        recorded = ledger["models"][folder]["archive_sha256"]
        assert recorded == hashlib.sha256(data).hexdigest()
    assert not any(home.iterdir())


def _pack(models, weights, folder):
    files = (p for p in (weights / folder).rglob("*") if p.is_file())
    return models.pack(folder, {p.relative_to(weights / folder): p.read_bytes() for p in files})
