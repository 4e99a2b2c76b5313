"""Who counts as another patient: the decision that keeps people apart."""

from __future__ import annotations

import pytest

from osteoct.errors import MixedSeriesError
from osteoct.io.dicom.headers import Identifiers
from osteoct.io.dicom.patients import count_patients, patient_key
from osteoct.io.dicom.series import read_dicom

ONE = {"patient_id": b"7", "patient_name": b"Doe^Jane", "birth_date": b"19500101"}


@pytest.mark.parametrize(
    ("other", "patients"),
    [
        ({}, 1),
        ({"patient_id": b"8"}, 2),
        ({"patient_id": b"8", "patient_name": b"", "birth_date": b""}, 2),
        ({"patient_name": b"DOE^JANE^^"}, 1),
        ({"patient_name": b"Roe^Jane"}, 1),
        ({"birth_date": b"19500102"}, 1),
        ({"patient_name": b"Roe^Joan", "birth_date": b"19600102"}, 2),
        ({"patient_id": b"", "patient_name": b"Roe^Joan", "birth_date": b"19600102"}, 2),
        ({"patient_id": b""}, 1),
        ({"patient_id": b"", "patient_name": b"", "birth_date": b""}, 1),
    ],
)
def test_who_is_another_patient(other, patients):
    """Ids decide; without a difference there, name and birth date together."""
    people = [Identifiers(**ONE), Identifiers(**{**ONE, **other})]
    assert count_patients(people) == patients
    assert count_patients(people[::-1]) == patients


def test_issuers_tell_equal_ids_apart():
    """Hospital A's patient 7 is not hospital B's, and no key makes them one."""
    a, b = (Identifiers(patient_id=b"7", issuer=issuer) for issuer in (b"A", b"B"))
    assert count_patients([a, b]) == 2
    assert patient_key(a) != patient_key(b)


def test_two_patients_in_one_series_are_refused_even_when_asked_for(ct, tmp_path):
    """A mixed-up series cannot be rescued by naming it."""
    series = ct()

    def change(ds, n):
        ds.PatientID = "P1" if n < 3 else "P2"

    series.write(tmp_path, change)
    for asked in (None, series.uid):
        with pytest.raises(MixedSeriesError, match="2 patients"):
            read_dicom(tmp_path, series=asked)
