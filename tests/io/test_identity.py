"""Identifiers never show."""

from __future__ import annotations

import dataclasses

import pytest

from osteoct.io.identity import SourceIdentity


def test_repr_shows_presence_only():
    """A log line with the object in it must not name the patient."""
    identity = SourceIdentity(patient_key=b"4711", series_key=b"1.2.3")
    shown = f"{identity} {identity!r} {[identity]}"
    assert "4711" not in shown
    assert "1.2.3" not in shown
    assert "present" in shown


def test_identity_cannot_be_changed():
    """A pseudonym made from it must belong to what was read."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        SourceIdentity(patient_key=b"1").patient_key = b"2"  # type: ignore[misc] # the test
