"""From the headers of a study to the series that is measured, by the rules for one folder."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

from osteoct.errors import InputError, IrregularGridError, OsteoctError
from osteoct.io.dicom import tags
from osteoct.io.dicom.choice import Candidate, choose_stack, make_candidate
from osteoct.io.dicom.discovery import DAMAGED, damage_findings, no_ct, slices_in
from osteoct.io.dicom.elements import NOTHING, PARSE_ERRORS
from osteoct.io.dicom.headers import Slice
from osteoct.io.dicom.packing import unpack_header
from osteoct.io.dicom.patients import count_patients, mixed_patients, patient_key
from osteoct.io.dicom.stacks import Stack, split_into_series, split_into_stacks
from osteoct.records import Finding
from osteoct.run.plan.places import MEMBER
from osteoct.run.plan.spool import Row
from osteoct.run.records import Inputs

MAX_STUDY_FILES: Final = 50_000
"""Ten reconstructions are about 10 000 files; far beyond it many studies share one UID."""

_NO_PATH = Path()


@dataclass(frozen=True, kw_only=True, eq=False)
class ChosenSeries:
    """The stack of a study that is measured.

    Parameters
    ----------
    inputs
        Its files, or the archive they lie in.
    files
        Address, SOPInstanceUID (empty where absent or not unique) and size of each file.
    frames
        Those of an enhanced image that are part of it, where not all are.
    """

    inputs: Inputs
    patient_key: bytes | None
    series_uid: str
    files: tuple[tuple[str, str, int], ...]
    frames: tuple[int, ...]
    voxels: int
    findings: tuple[Finding, ...]


def rows_of_study(rows: Iterable[Row]) -> list[Row]:
    """The rows of a study; of too many no more than shows that."""
    return list(islice(rows, MAX_STUDY_FILES + 1))


def choose_series(rows: Sequence[Row], *, damaged: int = 0) -> ChosenSeries:
    """Choose among the CT images of one study (or of one series).

    Parameters
    ----------
    rows
        All of its files, those left out included.
    damaged
        Files beside them that cannot be read and may belong to it.

    Raises
    ------
    InputError
        No CT, several patients, no regular grid, or more files than a study has.
    """
    if len(rows) > MAX_STUDY_FILES:
        raise _too_many()
    kept = _without_copies([row for row in rows if not row.note])
    slices, unusable = _slices_of(kept)
    damaged += unusable + sum(row.note == DAMAGED for row in rows)
    if not slices:
        counts = Counter(row.note for row in rows if row.note)
        raise no_ct(dict(sorted(counts.items())))
    patients = count_patients(s.image.identifiers for s in slices)
    if patients > 1:
        raise _in_one_study(mixed_patients(patients))
    stacks = [t for group in split_into_series(slices) for t in split_into_stacks(group)]
    candidates = [make_candidate(_with_facts(stack, kept)) for stack in stacks]
    choice = choose_stack(candidates)
    if choice.chosen is None:
        raise _no_grid(candidates, damaged)
    findings = (*choice.findings, *choice.chosen.stack.findings, *damage_findings(damaged))
    return _described(choice.chosen, kept, findings)


def _too_many() -> InputError:
    return IrregularGridError(
        "more files than a study has",
        found=f"more than {MAX_STUDY_FILES} files under one StudyInstanceUID",
        wanted=f"at most {MAX_STUDY_FILES}",
        hint="UIDs were probably made equal when names were taken out.",
    )


def _in_one_study(error: InputError) -> InputError:
    """The same failure with advice that fits a study among many."""
    return type(error)(
        error.what,
        found=error.found,
        wanted=error.wanted,
        hint="One StudyInstanceUID names several people: correct it, or name series in a manifest.",
    )


def _without_copies(rows: Sequence[Row]) -> list[Row]:
    """Rows of different images: a file with the same header and size is the same image again.

    The header holds SOPInstanceUID and position, so slices whose UIDs an anonymiser made equal
    stay apart.
    """
    seen: dict[tuple[bytes, int], Row] = {}
    for row in rows:
        seen.setdefault((row.payload, row.size), row)
    return list(seen.values())


def _slices_of(rows: Sequence[Row]) -> tuple[list[Slice], int]:
    """Every slice, without the bulk of its header, and the number of files that give none.

    ``where`` of a slice's image is the number of its row.
    """
    slices: list[Slice] = []
    damaged = 0
    for number, row in enumerate(rows):
        image = unpack_header(row.payload, path=_NO_PATH, where=f"{number:08d}")
        try:
            found = slices_in(image)
        except PARSE_ERRORS:
            damaged += 1
            continue
        light = replace(image, elements=NOTHING)
        slices.extend(replace(s, image=light) for s in found)
    return slices, damaged


def _with_facts(stack: Stack, rows: Sequence[Row]) -> Stack:
    """A stack whose first slice has its whole header again: the rules ask no other."""
    first = stack.first
    row = rows[int(first.image.where)]
    whole = unpack_header(row.payload, path=_NO_PATH, where=first.image.where)
    return replace(stack, slices=(replace(first, image=whole), *stack.slices[1:]))


def _no_grid(candidates: Sequence[Candidate], damaged: int) -> OsteoctError:
    """Why the largest stack cannot be measured; it names no file."""
    largest = max(candidates, key=lambda c: len(c.stack.slices))
    refusal = largest.stack.refusal
    if refusal is None:
        return InputError("no stack can be measured", found=f"{len(candidates)} stacks")
    hint = f"{damaged} damaged DICOM files were left out." if damaged else refusal.hint
    return type(refusal)(refusal.what, found=refusal.found, wanted=refusal.wanted, hint=hint)


def _described(
    taken: Candidate, rows: Sequence[Row], findings: tuple[Finding, ...]
) -> ChosenSeries:
    """The files of the stack taken, and what is known of it."""
    stack = taken.stack
    assert stack.grid is not None  # noqa: S101 - what can be chosen has a grid
    every = (*stack.slices, *(further for _, further in stack.duplicates))
    numbers = sorted({int(s.image.where) for s in every})
    frames = sorted(s.frame for s in every)
    is_whole = len(every) == sum({s.image.where: s.image.layout.frames for s in every}.values())
    return ChosenSeries(
        inputs=_inputs(taken, numbers, rows),
        patient_key=patient_key(stack.first.image.identifiers),
        series_uid=taken.uid,
        files=_named([rows[n] for n in numbers]),
        frames=() if is_whole else tuple(frames),
        voxels=math.prod(stack.grid.geometry.shape),
        findings=findings,
    )


def _named(rows: Sequence[Row]) -> tuple[tuple[str, str, int], ...]:
    """Address, SOPInstanceUID and size of files; a UID that several bear tells nothing."""
    headers = (unpack_header(row.payload, path=_NO_PATH, where="") for row in rows)
    uids = [header.elements.text(tags.SOP_INSTANCE_UID) or "" for header in headers]
    counts = Counter(uids)
    return tuple(
        (row.place, uid if counts[uid] == 1 else "", row.size)
        for row, uid in zip(rows, uids, strict=True)
    )


def _inputs(taken: Candidate, numbers: Sequence[int], rows: Sequence[Row]) -> Inputs:
    """The files; or their archive, where it holds the whole series and nothing else of its UID."""
    places = tuple(rows[n].place for n in numbers)
    if not all(place.startswith(MEMBER) for place in places):
        return Inputs(ct=places)
    archives = {place.rpartition("::")[2] for place in places}
    of_series = [n for n, row in enumerate(rows) if row.minor == taken.uid]
    if len(archives) == 1 and taken.uid and list(numbers) == of_series:
        return Inputs(ct=(archives.pop(),), series=taken.uid)
    return Inputs(ct=places)
