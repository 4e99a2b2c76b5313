"""Segmenters are found by entry point: ours, and those of other packages."""

from __future__ import annotations

import pytest

from osteoct.errors import ConfigError, DependencyError
from osteoct.segment.interface import Segmenter, SegmentOptions
from osteoct.segment.registry import DEFAULT, describe_segmenters, find_segmenters, make_segmenter


def test_own_segmenters_are_registered_and_the_default_is_first():
    """The wheel names them; a forgotten entry point would leave the default unknown."""
    assert next(iter(find_segmenters())) == DEFAULT
    assert {"totalsegmentator", "precomputed"} <= set(find_segmenters())
    assert all(
        isinstance(make_segmenter(n), Segmenter) for n in ("totalsegmentator", "precomputed")
    )


def test_another_package_adds_its_own(plugin):
    """Nothing of osteoct knows its name."""
    assert make_segmenter(plugin, SegmentOptions(device="cpu")).options.device == "cpu"


def test_an_unknown_name_lists_the_known():
    """A misspelt name is a usage error."""
    with pytest.raises(ConfigError, match="precomputed"):
        make_segmenter("totalsegmentater")


def test_a_broken_plugin_is_named_and_stops_nobody_else(plugin):
    """One bad package must not take the others away."""
    with pytest.raises(DependencyError, match="no_such_module"):
        make_segmenter("broken")
    with pytest.raises(DependencyError, match="not a segmenter"):
        make_segmenter("other")
    states = {state.name: state for state in describe_segmenters()}
    assert not states["broken"].is_installed
    assert states[plugin].is_installed


@pytest.mark.parametrize("device", ["auto", "cpu", "gpu", "gpu:3"])
def test_devices(device):
    """What the command line offers."""
    assert SegmentOptions(device=device).device == device


@pytest.mark.parametrize("device", ["cuda", "gpu:", "gpu:-1", "GPU", ""])
def test_other_devices_are_refused(device):
    """A misspelt device must not become the CPU in silence."""
    with pytest.raises(ConfigError):
        SegmentOptions(device=device)
