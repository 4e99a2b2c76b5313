"""What the package finds in its private folder."""

from __future__ import annotations

from osteoct.segment.totalsegmentator.home import prepare_home
from osteoct.segment.totalsegmentator.plan import BODIES, UNUSED_FOLDERS
from osteoct.segment.totalsegmentator.weights import WeightsFolder


def test_weights_are_linked_and_statistics_are_off(tmp_path):
    """Nothing is copied, and the package is told to send nothing."""
    file = tmp_path / "w" / BODIES.folder / "a"
    file.parent.mkdir(parents=True)
    file.write_text("kept")
    folder = tmp_path / "private"
    folder.mkdir()
    variables = prepare_home(folder, WeightsFolder(path=tmp_path / "w", shown="w"), [BODIES])
    view = folder / "weights"
    assert (view / BODIES.folder).is_symlink()
    assert all((view / unused).is_dir() for unused in UNUSED_FOLDERS)
    assert (view / BODIES.folder / "a").read_text() == "kept"
    settings = (folder / "totalsegmentator" / "config.json").read_text(encoding="utf-8")
    assert '"send_usage_stats": false' in settings
    assert set(variables) == {"TOTALSEG_HOME_DIR", "TOTALSEG_WEIGHTS_PATH"}
    assert all(value.startswith(str(folder)) for value in variables.values())
