"""A batch is resumed with the choices it was begun with, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from osteoct.config import AnalysisConfig
from osteoct.errors import ConfigError
from osteoct.run.plan.choices import (
    Choices,
    FingerprintKind,
    Patterns,
    SegmenterChoice,
    choose_segmenter,
    make_choices,
    read_choices,
    render_choices,
)
from osteoct.segment.interface import Quality, SegmentOptions


@pytest.mark.parametrize(
    "choices",
    [
        Choices(source="/s"),
        Choices(
            source="s3://bucket/scans",
            tree="/archive",
            patterns=Patterns(ct="*/ct.nii.gz", masks="{parent}/seg.nii.gz", case_id="{stem}"),
            segmenter=SegmenterChoice(
                name="nnunet", quality=Quality.FAST, model=Path("/m"), limit_s=60.0, weights="ab"
            ),
            config=AnalysisConfig(kvp=120, policy={"dense-focus": "warn"}, repair=False),
            fingerprint=FingerprintKind.CONTENT,
        ),
    ],
    ids=["least", "most"],
)
def test_choices_survive_the_file(choices):
    """What is read is what was chosen."""
    text = render_choices(choices)
    assert 'schema = "osteoct.store/1"' in text
    assert read_choices(text) == choices


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("schema = ", "is not TOML"),
        ('schema = "osteoct.store/2"\nsource = "/s"', "osteoct.store/1"),
        ('source = "/s"\ncolour = 1', "colour"),
        ('source = "/s"\n[config]\nkvp = 1', "config.kvp"),
    ],
)
def test_other_files_are_refused(text, found):
    """A store of a later version, or one that was edited wrongly."""
    with pytest.raises(ConfigError, match=found):
        read_choices(text)


def test_places_become_absolute():
    """A run is resumed from another folder."""
    choices = make_choices("scans", tree="archive")
    assert choices.source == str(Path.cwd() / "scans")
    assert choices.tree == str(Path.cwd() / "archive")


@pytest.mark.parametrize(
    "address", ["s3://key:word@bucket/x", "https://h/x?X-Amz-Signature=word", "s3://b/x#word"]
)
def test_addresses_with_secrets_are_refused(address):
    """They would lie in the ledger and be shown by status; the message repeats none."""
    with pytest.raises(ConfigError, match="may hold a secret") as caught:
        make_choices(address)
    assert "word" not in caught.value.line.replace("password", "")


def test_one_series_cannot_be_that_of_every_case():
    """The option of a single case; in a batch it would fail all but one."""
    with pytest.raises(ConfigError, match="manifest"):
        make_choices("/s", config=AnalysisConfig(series="1.2.3"))


def test_a_segmenter_is_known_by_its_model(tmp_path):
    """A model of the user's own has no version; retrained it makes other masks."""
    chosen = []
    for content in ("one", "two"):
        (tmp_path / "model").mkdir(exist_ok=True)
        (tmp_path / "model" / "weights.pth").write_text(content)
        chosen.append(choose_segmenter("nnunet", SegmentOptions(model=tmp_path / "model")))
    assert chosen[0].weights != chosen[1].weights
    assert chosen[0].model_copy(update={"weights": chosen[1].weights}) == chosen[1]


def test_an_unknown_segmenter_is_refused():
    """Before anything is planned."""
    with pytest.raises(ConfigError, match="unknown segmenter"):
        choose_segmenter("nobody", SegmentOptions())
