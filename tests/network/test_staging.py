"""Images that came in part are not taken for whole ones, compressed ones included."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import RLELossless

from osteoct.io.dicom.elements import quietly
from osteoct.network.staging import Staging


@pytest.mark.parametrize("is_compressed", [False, True])
@pytest.mark.parametrize("lost", [0, 12, 700])
def test_a_part_of_an_image_is_asked_for_again(is_compressed, lost, make, tmp_path):
    """HTTP does not always tell that an answer ended early; the image itself does."""
    make.series(tmp_path / "in", images=1, side=64)
    file = tmp_path / "in" / "000.dcm"
    image = dcmread(file)
    noise = np.random.default_rng(7).integers(0, 2**16, (64, 64), np.uint16)
    image.PixelData = noise.tobytes()  # which no encoding makes small
    if is_compressed:
        image.compress(RLELossless, generate_instance_uid=False)
    image.save_as(file)
    data = file.read_bytes()
    staging = Staging(tmp_path / "w", tmp_path / "t", image.SeriesInstanceUID)
    staging.begin()
    uid = image.SOPInstanceUID
    staging.keep(uid, data[: len(data) - lost])
    with quietly():  # as a fetch has it around it
        assert staging.lacking({uid}) == (frozenset({uid}) if lost else frozenset())
    assert len(list((tmp_path / "w").iterdir())) == (0 if lost else 1)
