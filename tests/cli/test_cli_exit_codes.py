"""Each exit code means one thing, and an unhappy end leaves nothing half-made."""

from __future__ import annotations

import csv
import shutil

import pytest

import osteoct.case_files
from osteoct.errors import DependencyError

PLANTED = "/archive/Secretname/1.2.3.dcm"


def test_done_is_0(analysed):
    """The plain case."""
    told, out = analysed
    assert told.code == 0
    assert (out / "report.html").is_file()


def test_nothing_measurable_is_1(patient, osteoct, tmp_path):
    """Levels that the masks do not hold: a result with reasons, and a code a script can see."""
    out = tmp_path / "out"
    told = osteoct("analyze", patient.ct, "--masks", patient.masks, "--levels", "L4,L5", "-o", out)
    assert told.code == 1
    assert told.said[0] == "No conclusion: no level could be measured."
    with (out / "levels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    assert {(row["mean_hu"], row["reason"]) for row in rows} == {("", "level-absent")}
    assert "L4" in (out / "findings.csv").read_text()


USAGE = {
    "unknown-option": ("--depth", "3"),
    "unknown-protocol": ("--protocol", "body-core-5"),
    "unknown-level": ("--levels", "L9"),
    "levels-backwards": ("--levels", "L5-L1"),
    "no-levels": ("--levels", ""),
    "unknown-scheme": ("--labels", "totalsegmentator-v9"),
    "unknown-body-scheme": ("--body-labels", "nothing"),
    "unknown-phase": ("--phase", "venous"),
    "kvp-0": ("--kvp", "0"),
    "kvp-no-number": ("--kvp", "high"),
    "case-id-is-a-path": ("--case-id", "../x"),
    "missing-config": ("--config", "none.toml"),
    "missing-key-file": ("--key-file", "none.key"),
    "unknown-command-word": ("surplus",),
}


@pytest.mark.parametrize("options", USAGE.values(), ids=USAGE)
def test_wrong_usage_is_2(options, patient, osteoct, tmp_path):
    """The last line names what was found; nothing is made."""
    out = tmp_path / "made" / "out"
    told = osteoct("analyze", patient.ct, "--masks", patient.masks, "-o", out, *options)
    assert told.code == 2
    assert told.out == ""
    assert len(told.said[-1]) < 400
    if options[-1]:
        assert any(word.strip("./") in told.said[-1] for word in options)
    assert not list(tmp_path.iterdir())


def test_body_masks_without_masks_are_2(osteoct, patient, tmp_path):
    """Without masks a segmenter makes both kinds, and those of the user would be ignored."""
    told = osteoct("analyze", patient.ct, "--body-masks", patient.bodies, "-o", tmp_path / "out")
    assert told.code == 2
    assert "--masks" in told.said[-1]


def test_unknown_config_key_is_2(patient, osteoct, tmp_path):
    """A misspelt key in a file is no smaller a mistake than a misspelt option."""
    file = tmp_path / "config.toml"
    file.write_text('levls = ["L1"]\nkvp = 7\n')
    told = osteoct(
        *("analyze", patient.ct, "--masks", patient.masks, "-o", tmp_path / "out"),
        *("--config", file),
    )
    assert told.code == 2
    (line,) = told.said
    assert line.startswith(f"osteoct: {file}: ")
    assert "levls" in line
    assert "kvp" in line
    assert [p.name for p in tmp_path.iterdir()] == ["config.toml"]


def test_config_file_is_used_and_options_win(analyze, tmp_path):
    """The same choices in a file."""
    file = tmp_path / "config.toml"
    file.write_text('levels = ["L2"]\nkvp = 100\nprotocols = ["axial-roi"]\n')
    assert analyze(None, "--config", file, "--levels", "L1").code == 0
    run = (tmp_path / "result" / "run.toml").read_text()
    assert "kvp = 100.0" in run
    assert '"axial-roi"' in run
    assert "body-core-4" not in run
    assert '"L2"' not in run


def test_existing_result_is_kept(analyze, analysed, tmp_path):
    """Without --overwrite an earlier result is not touched; with it, replaced."""
    out = tmp_path / "result"
    shutil.copytree(analysed[1], out)
    (out / "mark").write_text("of the first")
    told = analyze()
    assert told.code == 2
    (line,) = told.said
    assert line.startswith(f"osteoct: {out}: exists already; found an earlier result")
    assert "--overwrite" in line
    assert (out / "mark").exists()
    assert analyze(None, "--overwrite").code == 0
    assert not (out / "mark").exists()


def test_overwrite_spares_other_folders(analyze, tmp_path):
    """A folder that is no result of osteoct is never removed, whatever was asked for."""
    out = tmp_path / "result"
    out.mkdir()
    (out / "thesis.tex").write_text("years")
    told = analyze(None, "--overwrite")
    assert told.code == 2
    assert "without case.json" in told.err
    assert [p.name for p in out.iterdir()] == ["thesis.tex"]
    assert [p.name for p in tmp_path.iterdir()] == ["result"]


def test_out_is_a_file(analyze, tmp_path):
    """A file in the place of OUT stays."""
    (tmp_path / "result").write_text("mine")
    assert analyze(None, "--overwrite").code == 2
    assert (tmp_path / "result").read_text() == "mine"


def test_out_below_a_file(analyze, tmp_path):
    """A parent that is a file is told as such."""
    (tmp_path / "file").write_text("mine")
    told = analyze(out=tmp_path / "file" / "out")
    assert told.code == 3
    (line,) = told.said
    assert line.startswith(f"osteoct: {tmp_path / 'file' / 'out'}: ")


def _fail_with(error):
    def fail(*_args, **_keywords):
        raise error

    return fail


def test_internal_error_is_70(analyze, monkeypatch, tmp_path):
    """Our mistakes say so without a traceback and without a text that may name a patient."""
    monkeypatch.setattr(osteoct.case_files, "render_report", _fail_with(RuntimeError(PLANTED)))
    told = analyze(out=tmp_path / "made" / "out")
    assert told.code == 70
    (line,) = told.said
    assert "RuntimeError" in line
    assert "Secretname" not in line
    assert not list(tmp_path.iterdir())


def test_internal_error_with_debug_raises(analyze, monkeypatch):
    """Whoever mends it needs the traceback."""
    monkeypatch.setenv("OSTEOCT_DEBUG", "1")
    monkeypatch.setattr(osteoct.case_files, "render_report", _fail_with(RuntimeError("x")))
    assert analyze().code == 1  # of the test runner, which caught it


def test_missing_package_is_4(analyze, monkeypatch):
    """An environment can be mended by its administrator, an input cannot."""
    monkeypatch.setattr(osteoct.case_files, "render_report", _fail_with(DependencyError("no x")))
    assert analyze().code == 4


def test_interrupted_leaves_nothing(analyze, monkeypatch, tmp_path):
    """Control-C in the middle of writing."""
    monkeypatch.setattr(osteoct.case_files, "render_report", _fail_with(KeyboardInterrupt()))
    told = analyze(out=tmp_path / "made" / "out")
    assert told.code == 130
    assert told.err.strip() == "interrupted"
    assert not list(tmp_path.iterdir())
