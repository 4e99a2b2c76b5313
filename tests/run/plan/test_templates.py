"""Patterns reach paths and nothing else."""

from __future__ import annotations

import glob
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osteoct.errors import ConfigError
from osteoct.run.plan.places import Place
from osteoct.run.plan.templates import FIELDS, Glob, check_template, fields_of, fill

CT = Place(address="/s/a/b/ct.nii.gz", relative="a/b/ct.nii.gz", size=1, stamp="")


def test_every_field_is_what_it_says():
    """The table in the documentation, spelt out."""
    assert fields_of(CT) == {
        "path": "/s/a/b/ct.nii.gz",
        "parent": "/s/a/b",
        "name": "ct.nii.gz",
        "stem": "ct",
        "parent.name": "b",
        "parent.parent.name": "a",
        "relative": "a/b/ct.nii.gz",
    }
    assert set(fields_of(CT)) == set(FIELDS)


@pytest.mark.parametrize(
    "template",
    ["{parent.__class__}", "{name.__init__}", "{0}", "{}", "{name!r}", "{name:>9}", "{nam", "a}"],
)
def test_unknown_fields_are_refused_with_the_known_ones(template):
    """Python's format would walk from a value to anything; a typo would make a wrong path."""
    with pytest.raises(ConfigError, match=r"\{parent\.parent\.name\}"):
        check_template(template, where="--masks")


def test_known_fields_pass_and_are_filled():
    """The silent side."""
    for name in FIELDS:
        check_template("{" + name + "}", where="--masks")
    assert fill("{parent}/seg.nii.gz", fields_of(CT)) == "/s/a/b/seg.nii.gz"


@given(st.text(alphabet="{}abc.", max_size=12))
def test_filled_values_are_not_filled_again(text):
    """A folder called ``{path}`` is a name, not a field."""
    assert fill("{name}", {"name": text}) == text


@pytest.mark.parametrize("pattern", ["/abs/*", "../*.nii", "", ".", "{parent}/ct"])
def test_patterns_outside_the_source_are_refused(pattern):
    """A source is what lies below it."""
    with pytest.raises(ConfigError, match="no pattern below the source"):
        Glob(pattern)


NAMES = st.sampled_from(["a", "b", "ct.nii.gz", "x1"])
PARTS = st.sampled_from(["*", "**", "?", "a", "[ab]", "ct.nii.gz", "x*"])


@given(st.lists(NAMES, min_size=1, max_size=4), st.lists(PARTS, min_size=1, max_size=3))
def test_patterns_fit_what_the_library_finds(tmp_path_factory, names, parts):
    """Python's own glob is the truth, and no folder is left out in which something fits."""
    if parts[-1] == "**":
        parts = [*parts, "*"]
    root = tmp_path_factory.mktemp("glob")
    path = root.joinpath(*names)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    relative = "/".join(names)
    found = glob.glob("/".join(parts), root_dir=root, recursive=True)  # noqa: PTH207 - the library
    ours = Glob("/".join(parts))
    assert ours.matches(relative) == (relative.replace("/", os.sep) in found)
    if ours.matches(relative):
        assert all(ours.may_lie_below("/".join(names[:n])) for n in range(1, len(names)))


def test_other_folders_are_not_looked_into():
    """A DICOM folder beside the images may hold a million files."""
    assert not Glob("*/ct.nii.gz").may_lie_below("a/dicom")
    assert Glob("*/ct.nii.gz").may_lie_below("a")
    assert Path(CT.address).name == "ct.nii.gz"
