"""NRRD and MetaImage: the same numbers at the same places, and no way to read other files."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 -- the name its own documentation gives it

from osteoct.errors import InputError, IrregularGridError, NotCtError, UnreadableInputError
from osteoct.io.volume import read_volume, read_volume_with_identity


def image() -> sitk.Image:
    """An oblique CT with three different edges, so that no swap of axes can hide."""
    noise = np.random.default_rng(2).normal(0, 10, (10, 12, 14))
    array = np.full((10, 12, 14), -1000.0)
    array[2:8, 3:9, 4:12] = 40
    array[4:6, 5:7, 6:9] = 350
    made = sitk.GetImageFromArray(np.rint(array + noise).astype(np.int16))
    made.SetSpacing((0.7, 0.9, 2.0))
    made.SetOrigin((10, -20, 300))
    c, s = np.cos(0.2), np.sin(0.2)
    made.SetDirection((c, -s, 0, s, c, 0, 0, 0, 1))
    return made


@pytest.mark.parametrize("name", ["a.nrrd", "a.nhdr", "a.mha", "a.mhd", "a.nii.gz"])
def test_every_format_gives_the_same_ct(tmp_path, name):
    """ITK's LPS and NIfTI's RAS, written by one library, meet in patient space."""
    sitk.WriteImage(image(), str(tmp_path / name))
    sitk.WriteImage(image(), str(tmp_path / "reference.nii"))
    reference = nibabel.load(tmp_path / "reference.nii")
    ct = read_volume(tmp_path / name)
    assert ct.array.dtype == np.int16
    assert np.array_equal(ct.array, np.asanyarray(reference.dataobj))
    assert np.allclose(ct.geometry.affine, reference.affine, atol=1e-4)


def test_the_kind_is_told_and_nobody_is_named(tmp_path):
    """Provenance says what was read; there is no identity in such files."""
    sitk.WriteImage(image(), str(tmp_path / "a.mha"))
    _, identity, kind = read_volume_with_identity(tmp_path / "a.mha")
    assert kind == "MetaImage"
    assert (identity.patient_key, identity.series_key) == (None, None)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("name", ["a.nrrd", "a.mha"])
def test_truncated_files_are_refused(tmp_path, name, packed):
    """At any place; ITK itself fills a truncated MetaImage with what lies in memory."""
    sitk.WriteImage(image(), str(tmp_path / name), useCompression=packed)
    data = (tmp_path / name).read_bytes()
    for kept in (50, len(data) // 2, len(data) - 100, len(data) - 1):
        (tmp_path / f"{kept}-{name}").write_bytes(data[:kept])
        with pytest.raises(InputError):
            read_volume(tmp_path / f"{kept}-{name}")


def edited(path: Path, old: bytes, new: bytes) -> Path:
    """The file with one header line changed."""
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))
    return path


@pytest.mark.parametrize("name", ["a.nhdr", "a.mhd"])
@pytest.mark.parametrize(
    "target", ["/etc/passwd", "../secret.raw", "C:\\secret.raw", "LIST", "%d.raw 1 2 1"]
)
def test_headers_cannot_name_files_elsewhere(tmp_path, name, target):
    """A header from a stranger's zip must not read the server's files as voxels."""
    sitk.WriteImage(image(), str(tmp_path / name))
    data = next(p.name for p in tmp_path.iterdir() if p.name != name)
    edited(tmp_path / name, data.encode(), target.encode())
    with pytest.raises(UnreadableInputError):
        read_volume(tmp_path / name)


def test_files_without_an_orientation_are_refused(tmp_path):
    """ITK would take the identity for it, and front for back."""
    for name, key in (("a.mha", b"TransformMatrix"), ("a.nrrd", b"space directions")):
        sitk.WriteImage(image(), str(tmp_path / name))
        edited(tmp_path / name, key, b"#" + key[1:])
        with pytest.raises(InputError):
            read_volume(tmp_path / name)
    sitk.WriteImage(image(), str(tmp_path / "b.mha"))
    lines = (tmp_path / "b.mha").read_bytes().split(b"\n")
    kept = [line for line in lines if not line.startswith(b"TransformMatrix")]
    (tmp_path / "b.mha").write_bytes(b"\n".join(kept))
    with pytest.raises(IrregularGridError, match="TransformMatrix"):
        read_volume(tmp_path / "b.mha")


def test_colours_and_frames_are_refused(tmp_path):
    """Three numbers per voxel, and four axes."""
    colour = sitk.Compose([image(), image(), image()])
    sitk.WriteImage(colour, str(tmp_path / "a.mha"))
    with pytest.raises(NotCtError, match="3 x vector"):
        read_volume(tmp_path / "a.mha")
    sitk.WriteImage(sitk.JoinSeries([image(), image()]), str(tmp_path / "b.mha"))
    with pytest.raises(IrregularGridError, match="14 x 12 x 10 x 2"):
        read_volume(tmp_path / "b.mha")
