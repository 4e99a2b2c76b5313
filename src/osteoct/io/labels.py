"""Reading vertebra and body masks, in whatever shape a program wrote them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from osteoct.anatomy import LabelScheme, Level, Part, label_scheme
from osteoct.errors import LabelsError
from osteoct.io.archive import extracted
from osteoct.io.image_format import (
    ImageFormat,
    has_dicom_preamble,
    image_format,
    is_image_name,
)
from osteoct.io.label_files import choose_label_file, scheme_of_file_name
from osteoct.io.label_folder import read_label_folder
from osteoct.io.label_join import pad_touched
from osteoct.io.label_meaning import OTHER_IDS, LabelMeaning, label_meaning
from osteoct.io.label_segments import join_segments
from osteoct.io.label_sources import gather_names
from osteoct.io.label_values import count_labels, labels_of
from osteoct.io.volume import files_in, read_raw_image
from osteoct.records import Finding, Severity
from osteoct.volume import LabelVolume

MAJORITY: Final = 0.5
"""Above this share of present labels without a meaning, the meaning itself must be wrong."""

_SHOWN: Final = 8
"""Labels named in a message: enough to recognise a file by."""


def read_labels(
    path: Path | str, *, scheme: str | None = None, part: Part = Part.VERTEBRA
) -> LabelVolume:
    """Read masks and what they mean.

    Names decide: the label table inside a NIfTI, the segments of a ``.seg.nrrd`` or DICOM SEG with
    their SNOMED codes, an ITK-SNAP label file or an nnU-Net ``dataset.json`` beside the masks.
    Without any, ``scheme`` must say. Present labels that neither knows become the finding
    ``unknown-labels``; where they are more than half of the present labels, the file is refused: it
    is another program's.

    Parameters
    ----------
    path
        NIfTI, NRRD or MetaImage label map; DICOM SEG; a folder with one of these, with one mask per
        structure named as TotalSegmentator names them (masks of other structures are not opened),
        or with the files of spine-segment or VerSe; a zip of any.
    scheme
        Id in :data:`osteoct.anatomy.SCHEMES`.
    part
        ``VERTEBRA`` for whole vertebrae, ``BODY`` for vertebral bodies.

    Raises
    ------
    LabelsError
        No names and no scheme, names that contradict each other or the scheme, masks of the other
        part, numbers that are no labels, or no voxel of the part.
    ConfigError
        Unknown scheme.
    InputError
        The file cannot be read, or has no regular grid.
    GeometryError
        The masks of a folder lie on different grids.
    """
    known = None if scheme is None else label_scheme(scheme)
    return _read(Path(path), where=str(path), scheme=known, part=part)


def _read(path: Path, *, where: str, scheme: LabelScheme | None, part: Part) -> LabelVolume:
    kind = image_format(path, where=where)
    if kind is ImageFormat.ZIP:
        with extracted(path) as folder:
            return _read(folder, where=where, scheme=scheme, part=part)
    if kind is ImageFormat.DICOM:
        return _read_dicom([path], where=where, scheme=scheme, part=part)
    if kind is ImageFormat.FOLDER:
        return _read_folder(path, where=where, scheme=scheme, part=part)
    if kind is ImageFormat.NRRD:
        layered = _read_layers(path, where=where, scheme=scheme, part=part)
        if layered is not None:
            return layered
    return _read_map(path, kind, where=where, scheme=scheme, part=part)


def _read_folder(path: Path, *, where: str, scheme: LabelScheme | None, part: Part) -> LabelVolume:
    """A folder of one mask per structure, of one label map and its neighbours, or of DICOM."""
    files = files_in(path)
    chosen = choose_label_file(files, part=part, where=where)
    if chosen is not None:
        single = read_label_folder(files, where=where, scheme=scheme, part=part, is_optional=True)
        # the folder is named alone: below it a name may be the patient's
        return single or _read(chosen, where=where, scheme=scheme, part=part)
    if not any(is_image_name(file.name) for file in files):
        dicom = [file for file in files if has_dicom_preamble(file)]
        if dicom:
            return _read_dicom(dicom, where=where, scheme=scheme, part=part)
        if len(files) == 1:
            return _read(files[0], where=where, scheme=scheme, part=part)
    labels = read_label_folder(files, where=where, scheme=scheme, part=part)
    assert labels is not None  # noqa: S101 -- only an optional reading gives None
    return labels


def _read_dicom(
    files: list[Path], *, where: str, scheme: LabelScheme | None, part: Part
) -> LabelVolume:
    from osteoct.io.dicom_seg import read_dicom_seg  # noqa: PLC0415 -- pydicom costs 0.2 s

    return read_dicom_seg(files, where=where, scheme=scheme, part=part)


def _read_layers(
    path: Path, *, where: str, scheme: LabelScheme | None, part: Part
) -> LabelVolume | None:
    """A 3D Slicer segmentation whose segments overlap; ``None`` for any other NRRD file."""
    from osteoct.io.itk import read_layers  # noqa: PLC0415 -- SimpleITK costs 0.3 s

    image = read_layers(path, where=where)
    if image is None:
        return None
    segments = dict(enumerate(image.segments))
    return join_segments(
        {n: segment.name for n, segment in segments.items()},
        lambda n: image.array[..., segments[n].layer] == segments[n].value,
        image.geometry,
        scheme=scheme,
        part=part,
        where=where,
    )


def _read_map(
    path: Path, kind: ImageFormat, *, where: str, scheme: LabelScheme | None, part: Part
) -> LabelVolume:
    raw = read_raw_image(path, kind, where=where)
    names = gather_names(raw.names, path, where=where)
    suggested = scheme_of_file_name(path) if names is None and scheme is None else None
    meaning = label_meaning(names, scheme=scheme or suggested, part=part, where=where)
    array, geometry = labels_of(raw, where=where), raw.geometry
    present = count_labels(array)
    check_any_present(present, meaning, part=part, where=where)
    unknown = _unknown_labels(present, meaning, where=where)
    if kind is ImageFormat.NRRD and raw.names:  # 3D Slicer stores the part with labels only
        array, geometry = pad_touched(array, geometry)
    return LabelVolume(
        array=array,
        geometry=geometry,
        structures=meaning.structures,
        scheme_id=meaning.scheme_id,
        findings=(*raw.findings, *unknown, *_suggested_by_name(suggested, unknown, where=where)),
    )


def _suggested_by_name(
    scheme: LabelScheme | None, unknown: tuple[Finding, ...], *, where: str
) -> tuple[Finding, ...]:
    """Tell that a file's name alone gave the scheme; refuse it where one label speaks against it.

    Raises
    ------
    LabelsError
        A label that the scheme does not know.
    """
    if scheme is None:
        return ()
    if unknown:
        raise LabelsError(
            f"labels do not fit the scheme {scheme.id} that the file's name suggests",
            where=where,
            found=f"labels {unknown[0].evidence['labels']}",
            wanted=f"labels of {scheme.id}",
            hint="name the scheme",
        )
    return (
        Finding(
            code="scheme-from-name",
            severity=Severity.INFO,
            message=f"the masks name no labels; their file name suggests the scheme {scheme.id}",
            evidence={"scheme": scheme.id},
        ),
    )


def check_any_present(
    present: dict[int, int], meaning: LabelMeaning, *, part: Part, where: str
) -> None:
    """Refuse masks without one voxel of the part that was asked for.

    Raises
    ------
    LabelsError
        Only background, or only other structures.
    """
    if any(label in present and s.part is part for label, s in meaning.structures.items()):
        return
    raise LabelsError(
        "no vertebrae" if part is Part.VERTEBRA else "no vertebral bodies",
        where=where,
        found="background only"
        if not present
        else "only other labels: " + ", ".join(map(str, sorted(present)[:_SHOWN])),
        wanted=f"one of the labels {_some(meaning, part)}",
    )


def _some(meaning: LabelMeaning, part: Part) -> str:
    labels = [(n, s.level) for n, s in meaning.structures.items() if s.part is part]
    shown = [f"{n} ({level})" if level else str(n) for n, level in sorted(labels, key=_by_level)]
    return ", ".join(shown[:_SHOWN]) + (" ..." if len(shown) > _SHOWN else "")


def _by_level(item: tuple[int, Level | None]) -> int:
    """Lumbar levels first: they are what is usually looked for."""
    level = item[1]
    return -1 if level is None else level.order + (0 if level.is_lumbar else len(Level))


def _unknown_labels(
    present: dict[int, int], meaning: LabelMeaning, *, where: str
) -> tuple[Finding, ...]:
    others = OTHER_IDS.get(meaning.scheme_id or "", range(0))
    unknown = sorted(n for n in present if n not in meaning.structures and n not in others)
    if not unknown:
        return ()
    shown = ", ".join(map(str, unknown[:_SHOWN])) + (" ..." if len(unknown) > _SHOWN else "")
    if len(unknown) > MAJORITY * len(present):
        raise LabelsError(
            "most labels have no meaning here",
            where=where,
            found=f"{len(unknown)} of {len(present)} labels unknown: {shown}",
            wanted=f"labels of {meaning.scheme_id or 'the label table'}",
        )
    return (
        Finding(
            code="unknown-labels",
            severity=Severity.WARNING,
            message=f"labels without a meaning were ignored: {shown}",
            evidence={"labels": shown, "voxels": sum(present[n] for n in unknown)},
        ),
    )
