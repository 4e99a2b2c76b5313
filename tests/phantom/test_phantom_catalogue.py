"""The phantoms by name."""

import nibabel as nib
import numpy as np
import pytest

from osteoct.anatomy import Level
from osteoct.errors import ConfigError, OutputError
from osteoct.phantom.acquisition import scan
from osteoct.phantom.catalogue import DEMO_SCANNER, KINDS, make_phantom, write_phantom
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.spine import single_vertebra
from osteoct.phantom.truth import PhantomTruth
from osteoct.records import Phase

CHANGED = [k for k in KINDS if k not in {"lumbar", "esp", "contrast", "kvp-100", "thick-slices"}]


@pytest.fixture
def coarse(monkeypatch):
    """The catalogue's recipes on a coarse grid: their content, not their size, is in question."""
    monkeypatch.setattr(
        "osteoct.phantom.catalogue.scan",
        lambda phantom, scanner: scan(
            phantom,
            Scanner(
                pixel_mm=3.5,
                fine_step_mm=1.3,
                slice_mm=max(scanner.slice_mm, 3.5),
                kvp=scanner.kvp,
                phase=scanner.phase,
                noise_sd_hu=scanner.noise_sd_hu,
                seed=scanner.seed,
            ),
        ),
    )


@pytest.mark.usefixtures("coarse")
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_made(kind):
    """A name in the list that fails would be found by a newcomer first."""
    made = make_phantom(kind, seed=5)
    assert made.truth.seed == 5
    assert bool(made.truth.defects) == (kind in CHANGED)


@pytest.mark.usefixtures("coarse")
def test_acquisition_variants_differ_where_they_say():
    """One change each against ``lumbar``."""
    plain = make_phantom("lumbar").truth.level(Level.L1)
    contrast = make_phantom("contrast")
    assert contrast.ct.acquisition.phase is Phase.PORTAL_VENOUS
    assert contrast.truth.level(Level.L1).trabecular_hu == pytest.approx(plain.trabecular_hu + 25.7)
    assert make_phantom("kvp-100").truth.level(Level.L1).trabecular_hu > plain.trabecular_hu + 5
    assert make_phantom("thick-slices").truth.slice_mm == 5


def test_the_demo_is_what_the_documentation_says():
    """The real grid once: size, layout, values between the cut-offs of the study."""
    made = make_phantom("lumbar", seed=1)
    assert made.ct.geometry.spacing_mm == pytest.approx((0.9, 0.9, 1.5))
    assert made.ct.geometry.axis_codes == DEMO_SCANNER.axis_codes
    hu = [t.trabecular_hu for t in made.truth.levels if t.level.is_lumbar]
    assert hu == sorted(hu, reverse=True)
    assert hu[0] > 141.3
    assert hu[-1] < 132.3
    assert [str(t.level) for t in made.truth.levels if t.is_whole] == ["L1", "L2", "L3", "L4", "L5"]


def test_an_unknown_kind_lists_the_known_ones():
    """The message is the documentation at hand."""
    with pytest.raises(ConfigError, match="fragmented-label"):
        make_phantom("spine")


def test_a_written_phantom_reads_back(tmp_path):
    """Files under the names the tutorial uses; nibabel sees the image we made."""
    made = scan(single_vertebra(), Scanner(pixel_mm=2.0, slice_mm=2.0, noise_sd_hu=5.0))
    folder = tmp_path / "case"
    write_phantom(made, folder, dicom=True, nifti=True)
    assert {f.name for f in folder.iterdir()} == {
        "ct-dicom",
        "ct.nii.gz",
        "masks.nii.gz",
        "body-masks.nii.gz",
        "truth.json",
    }
    image = nib.load(folder / "ct.nii.gz")
    np.testing.assert_array_equal(np.asanyarray(image.dataobj), made.ct.array)
    np.testing.assert_allclose(image.affine, made.ct.geometry.affine, atol=1e-5)
    masks = nib.load(folder / "masks.nii.gz")
    np.testing.assert_array_equal(np.asanyarray(masks.dataobj), made.vertebrae.array)
    truth = PhantomTruth.model_validate_json((folder / "truth.json").read_text("utf-8"))
    assert truth == made.truth
    assert len(list((folder / "ct-dicom").iterdir())) == made.ct.geometry.shape[2]
    with pytest.raises(OutputError, match="not empty"):
        write_phantom(made, folder, dicom=False, nifti=True)


def test_formats_are_written_as_asked(tmp_path):
    """Neither format comes without being asked for."""
    made = scan(single_vertebra(), Scanner(pixel_mm=4.0, slice_mm=4.0))
    write_phantom(made, tmp_path / "masks-only", dicom=False, nifti=False)
    names = {f.name for f in (tmp_path / "masks-only").iterdir()}
    assert names == {"masks.nii.gz", "body-masks.nii.gz", "truth.json"}
