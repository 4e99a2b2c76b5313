"""Object stores: the same cases as from a folder, headers read in parts, nothing secret kept."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from osteoct.errors import UnreadableInputError
from osteoct.io.dicom.headers import read_header_from
from osteoct.io.dicom.series import read_dicom
from osteoct.run.plan import object_store
from osteoct.run.plan.choices import Patterns, make_choices, render_choices
from osteoct.run.plan.dicom_rows import read_rows
from osteoct.run.plan.trees import open_tree
from osteoct.run.work.inputs import laid_out

fsspec = pytest.importorskip("fsspec")
NUMBERS = count()
BUCKET = "scans"


@pytest.fixture
def bucket():
    """A store in memory with a copy of a folder."""
    system = fsspec.filesystem("memory")
    root = f"/bucket{next(NUMBERS)}"

    def fill(folder):
        for path in folder.rglob("*"):
            if path.is_file():
                system.pipe(f"{root}/{path.relative_to(folder).as_posix()}", path.read_bytes())
        return f"memory://{root}"

    yield fill
    if system.exists(root):
        system.rm(root, recursive=True)


def test_studies_of_a_store_are_those_of_the_folder(study, entries, tmp_path, bucket):
    """Ids, fingerprints and choice do not depend on where the series lies."""
    study(tmp_path / "a", "1.2.10")
    study(tmp_path / "b" / "c", "1.2.20", skip=(2,))
    url = bucket(tmp_path)
    there, _ = entries(url)
    here, _ = entries(tmp_path)
    case = next(e for e in there if hasattr(e, "inputs"))
    local = next(e for e in here if hasattr(e, "inputs"))
    assert all(place.startswith(url + "/a/") for place in case.inputs.ct)
    placed = case.model_copy(update={"inputs": local.inputs})
    assert [placed if e is case else e for e in there] == here


def test_patterns_and_their_masks(entries, tmp_path, bucket):
    """Masks are looked up in the listing; a missing one is a row."""
    for name in ("s1", "s2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ct.nii.gz").write_bytes(b"ct")
    (tmp_path / "s1" / "seg.nii.gz").write_bytes(b"seg")
    url = bucket(tmp_path)
    patterns = Patterns(ct="*/ct.nii.gz", masks="{parent}/seg.nii.gz", case_id="{parent.name}")
    (good, bad), _ = entries(url, patterns=patterns)
    assert good.inputs.masks == f"{url}/s1/seg.nii.gz"
    assert (bad.case_id, bad.message) == ("s2", "masks not there")


def test_an_object_written_anew_is_new_work(entries, tmp_path, bucket):
    """The store's own mark tells it, without reading the object."""
    (tmp_path / "ct.nii.gz").write_bytes(b"one")
    patterns = Patterns(ct="ct.nii.gz")
    before = entries(bucket(tmp_path), patterns=patterns)[0][0].fingerprints
    url = bucket(tmp_path)
    after = entries(url, patterns=patterns)[0][0].fingerprints
    assert after != before
    assert entries(url, patterns=patterns)[0][0].fingerprints == after


def test_a_manifest_may_mix_paths_and_addresses(entries, tmp_path, bucket):
    """Scans in the store, corrected masks on the desk."""
    (tmp_path / "ct.nii.gz").write_bytes(b"ct")
    url = bucket(tmp_path)
    (tmp_path / "seg.nii.gz").write_bytes(b"seg")
    (tmp_path / "m.csv").write_text(
        f"ct,masks,case_id\n{url}/ct.nii.gz,seg.nii.gz,a\n{url}/no.nii.gz,,b\n"
    )
    (case, refusal), _ = entries(tmp_path / "m.csv")
    assert case.inputs.ct == (f"{url}/ct.nii.gz",)
    assert case.inputs.masks == str(tmp_path / "seg.nii.gz")
    assert refusal.message == "CT not there"


def test_a_prefix_is_a_folder(study, entries, tmp_path, bucket):
    """A row may name the prefix of a series; what lies below it tells it from another."""
    study(tmp_path / "a", n=3)
    url = bucket(tmp_path)
    (tmp_path / "m.csv").write_text(f"ct,case_id\n{url}/a,x\n")
    before = entries(tmp_path / "m.csv")[0][0]
    assert before.inputs.ct == (f"{url}/a",)
    assert before.bytes_in == sum(path.stat().st_size for path in (tmp_path / "a").iterdir())
    fsspec.filesystem("memory").pipe(f"{url.removeprefix('memory://')}/a/more", b"more")
    assert entries(tmp_path / "m.csv")[0][0].fingerprints != before.fingerprints


def test_addresses_of_files_are_paths(tmp_path):
    """``file://`` needs no package."""
    (tmp_path / "a").write_text("a")
    assert not open_tree(f"file://{tmp_path}").is_remote
    (place,) = open_tree(f"file://{tmp_path}").walk()
    assert place.address == str(tmp_path / "a")


def test_what_is_not_there_or_unknown(tmp_path):
    """One line each, before anything is planned."""
    with pytest.raises(UnreadableInputError, match="cannot be listed"):
        list(open_tree("memory://nothing/here").walk())
    with pytest.raises(UnreadableInputError, match="is no folder"):
        open_tree(tmp_path / "none")
    with pytest.raises(UnreadableInputError, match="unknown kind of address"):
        open_tree("nosuch://bucket")


def test_a_real_store_is_listed_page_by_page(s3, study, entries, tmp_path, monkeypatch):
    """Keys of several pages, headers in ranges, etags as marks; against a server that speaks S3."""
    monkeypatch.setattr(object_store, "_PAGE", 4)
    tree = s3.root / BUCKET / "tree"
    study(tree / "a", "1.2.10")
    study(tree / "b", "1.2.20", n=5)
    url = f"s3://{BUCKET}/tree"
    places = sorted(place.relative for place in open_tree(url).walk())
    assert places == [f"a/{n:03d}.dcm" for n in range(6)] + [f"b/{n:03d}.dcm" for n in range(5)]
    found, _ = entries(url)
    here, _ = entries(tree)
    assert [case.fingerprints for case in found] == [case.fingerprints for case in here]
    assert found[0].inputs.ct[0] == f"{url}/a/000.dcm"
    with laid_out(found[0].inputs, tmp_path) as sources:
        assert read_dicom(sources.ct).geometry.shape == (4, 4, 6)


def test_headers_are_read_in_ranges(s3, study):
    """A million slices of half a megabyte are not fetched to learn what they are."""

    def change(ds, _n):
        ds.Rows = ds.Columns = 1500
        ds.PixelData = bytes(1500 * 1500 * 2)

    study(s3.root / BUCKET, n=1, change=change)
    (place,) = (tree := open_tree(f"s3://{BUCKET}")).walk()
    with tree.open(place.address) as file:
        assert read_header_from(file, Path(), "").layout.rows == 1500
        fetched = file.raw._opened.cache.total_requested_bytes
    assert fetched < 300_000 < place.size


def test_nothing_that_leaves_the_plan_holds_credentials(s3, entries):
    """They are taken from the environment and stay there."""
    (s3.root / BUCKET / "ct.nii.gz").write_bytes(b"ct")
    choices = make_choices(f"s3://{BUCKET}", patterns=Patterns(ct="*.nii.gz"))
    (case,), _ = entries(choices.source, patterns=choices.patterns)
    shown = case.model_dump_json() + render_choices(choices)
    assert s3.access not in shown
    assert s3.secret not in shown
    assert case.fingerprints["ct"]


@pytest.mark.usefixtures("s3_stopped")
def test_a_store_that_does_not_answer_is_one_line():
    """Neither a trace nor the address of the server."""
    with pytest.raises(UnreadableInputError, match="cannot be listed"):
        list(open_tree(f"s3://{BUCKET}").walk())


def test_a_store_that_goes_away_stops_the_plan(s3, study):
    """Files that could not be fetched are not damaged: the study must not be refused for it."""
    study(s3.root / BUCKET / "a")
    tree = open_tree(f"s3://{BUCKET}")
    places = list(tree.walk())
    s3.kill()
    with pytest.raises(UnreadableInputError, match="cannot be read"):
        list(read_rows(tree, places, 2))


def test_an_object_that_is_gone_meanwhile_is_told(s3, study):
    """Deleted between listing and reading: one file less, not the end of the plan."""
    study(s3.root / BUCKET / "a")
    tree = open_tree(f"s3://{BUCKET}")
    places = list(tree.walk())
    (s3.root / BUCKET / "a" / "003.dcm").unlink()
    ((*rows,),) = read_rows(tree, places, 1)
    assert [row.place for row in rows if row.note] == [f"s3://{BUCKET}/a/003.dcm"]


@pytest.mark.usefixtures("s3")
def test_a_bucket_that_is_not_there():
    """A typo in the address."""
    with pytest.raises(UnreadableInputError, match="cannot be listed"):
        list(open_tree("s3://nobucket").walk())
    with pytest.raises(UnreadableInputError, match="holds no object"):
        list(open_tree(f"s3://{BUCKET}/nothing").walk())


def test_an_object_deleted_after_it_was_opened_is_one_file_less(s3, study):
    """Servers answer the first question from a cache: that it is gone may show in the reading."""
    study(s3.root / BUCKET, n=1)
    (place,) = (tree := open_tree(f"s3://{BUCKET}")).walk()
    with tree.open(place.address) as file:
        (s3.root / BUCKET / "000.dcm").unlink()
        with pytest.raises(FileNotFoundError):
            file.read(4)
