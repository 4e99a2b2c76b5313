"""From what a source holds to work with a key."""

from __future__ import annotations

from collections.abc import Iterator

from osteoct.io.pseudonym import load_key
from osteoct.run.keys import measure_key, segment_key
from osteoct.run.plan.choices import Choices
from osteoct.run.plan.interface import Found, Source
from osteoct.run.records import Cause, Refusal, WorkItem


def plan(
    source: Source, choices: Choices, *, secret: bytes | None = None
) -> Iterator[WorkItem | Refusal]:
    """Name the work of every case of a source, one after the other.

    Parameters
    ----------
    source
        Where the cases are; see :func:`osteoct.run.plan.opening.open_source`.
    choices
        What is to be done with them.
    secret
        Key of pseudonyms; by default the one of this installation.

    Raises
    ------
    TableError
        Rows of a manifest that cannot be right.
    """
    secret = load_key() if secret is None else secret
    for entry in source.entries():
        yield entry if isinstance(entry, Refusal) else _work(entry, choices, secret)


def _work(found: Found, choices: Choices, secret: bytes) -> WorkItem | Refusal:
    """A case with its keys; a refusal where nothing would make its masks."""
    masks_key = None
    if found.inputs.masks is None:
        masks_key = segment_key(secret, found.fingerprints["ct"], choices)
        if masks_key is None:
            return Refusal(
                case_id=found.case_id,
                patient=found.patient,
                cause=Cause.CONFIGURATION,
                message="has no masks, and no segmenter was chosen",
            )
    key = measure_key(
        secret,
        found.fingerprints,
        choices,
        masks_key=masks_key,
        findings=found.findings,
    )
    return WorkItem(
        case_id=found.case_id,
        patient=found.patient,
        key=key,
        segment_key=masks_key,
        inputs=found.inputs,
        bytes_in=found.bytes_in,
        voxels=found.voxels,
        findings=found.findings,
    )
