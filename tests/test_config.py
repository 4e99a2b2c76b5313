"""A choice that does not exist must fail with its name, never fall back."""

from __future__ import annotations

import pytest

from osteoct.config import AnalysisConfig, make_config, read_config
from osteoct.errors import ConfigError
from osteoct.records import Phase


def test_defaults_are_the_studys_levels_and_all_protocols():
    """What `analyze` does without options."""
    config = AnalysisConfig()
    assert " ".join(config.levels) == "L1 L2 L3 L4 L5"
    assert config.protocols == ("body-core-4", "vertebra-core-3.5", "axial-roi")


def test_a_file_is_read(tmp_path):
    """TOML keys are the field names."""
    file = tmp_path / "osteoct.toml"
    file.write_text('levels = ["L1"]\nphase = "portal-venous"\nkvp = 100\n')
    config = read_config(file)
    assert (config.levels, config.phase, config.kvp) == (("L1",), Phase.PORTAL_VENOUS, 100)


def test_all_problems_are_named_at_once():
    """One message names every bad key, found and wanted."""
    with pytest.raises(ConfigError) as failure:
        make_config({"protocols": ["core"], "kvp": 12000, "colour": "red", "levels": []})
    for word in ("protocols", "body-core-4", "kvp", "colour", "levels"):
        assert word in failure.value.line


@pytest.mark.parametrize("content", [b"levels = [", b"\xff\xfe\x00"])
def test_what_is_not_toml_is_refused(tmp_path, content):
    """A broken file is named, not ignored."""
    file = tmp_path / "broken.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"broken\.toml"):
        read_config(file)


def test_a_missing_file_is_refused(tmp_path):
    """A configuration that was asked for and is not there must not become the default one."""
    with pytest.raises(ConfigError, match="cannot be read"):
        read_config(tmp_path / "none.toml")
