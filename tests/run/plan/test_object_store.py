"""Object stores: the same cases as from a folder, headers read in parts, nothing secret kept."""

from __future__ import annotations

from itertools import count

import pytest

from osteoct.errors import ConfigError, UnreadableInputError
from osteoct.run.plan.choices import Patterns
from osteoct.run.plan.object_store import RemoteTree
from osteoct.run.plan.trees import open_tree

fsspec = pytest.importorskip("fsspec")
NUMBERS = count()


@pytest.fixture
def bucket():
    """A store in memory with a copy of a folder."""
    system = fsspec.filesystem("memory")
    root = f"/bucket{next(NUMBERS)}"

    def fill(folder):
        for path in folder.rglob("*"):
            if path.is_file():
                system.pipe(f"{root}/{path.relative_to(folder).as_posix()}", path.read_bytes())
        return f"memory:/{root}"

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
    assert [e.model_copy(update={"inputs": local.inputs}) if e is case else e for e in there] == here


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


def test_addresses_of_files_are_paths(tmp_path):
    """``file://`` needs no package."""
    (tmp_path / "a").write_text("a")
    assert not open_tree(f"file://{tmp_path}").is_remote
    (place,) = open_tree(f"file://{tmp_path}").walk()
    assert place.address == str(tmp_path / "a")


def test_what_is_not_there_or_unknown(tmp_path):
    """One line each, before anything is planned."""
    with pytest.raises(UnreadableInputError, match="does not exist"):
        list(open_tree("memory://nothing/here").walk())
    with pytest.raises(UnreadableInputError, match="is no folder"):
        open_tree(tmp_path / "none")
    with pytest.raises(ConfigError, match="unknown kind of address"):
        open_tree("nosuch://bucket")


class PagedStore:
    """Answers as S3 does: at most a thousand keys a page, and a token for the next."""

    protocol = ("s3", "s3a")

    def __init__(self, keys):
        self.keys = keys
        self.asked = []

    def call_s3(self, method, **options):
        self.asked.append((method, options))
        first = int(options.get("ContinuationToken", 0))
        keys = [k for k in self.keys if k.startswith(options["Prefix"])]
        page = keys[first : first + options["MaxKeys"]]
        more = first + len(page) < len(keys)
        return {
            "Contents": [{"Key": k, "Size": 3, "ETag": '"e"'} for k in page],
            "IsTruncated": more,
            **({"NextContinuationToken": str(first + len(page))} if more else {}),
        }

    def unstrip_protocol(self, name):
        return f"s3://{name}"
