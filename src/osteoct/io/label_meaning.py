"""What the integers of a label map mean: its own names, or the scheme its user names.

The integers alone never decide: 31 is L1 in TotalSegmentator's ``total`` and a small bowel in the
version before it; 21 named ``vertebrae_L2`` is a whole vertebra in version 1 and a body in
``vertebrae_pp``. (Name, number) pairs are compared with every known scheme.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from osteoct.anatomy import SCHEMES, LabelScheme, Level, Part, Structure
from osteoct.errors import LabelsError
from osteoct.io.label_words import structure_of_words

OTHER_IDS: Final[Mapping[str, range]] = {
    "totalsegmentator-v1": range(1, 105),
    "totalsegmentator-v2": range(1, 118),
    "totalsegmentator-v3": range(1, 118),
    "verse": range(1, 29),
    "spine-segment": range(1, 29),
}
"""Integers that a scheme's program writes for other structures as well: organs, the coccyx."""

_SHOWN_NAMES: Final = 3

_OPTION_OF = {Part.VERTEBRA: "--labels", Part.BODY: "--body-labels"}


@dataclass(frozen=True, kw_only=True)
class LabelMeaning:
    """Structures by integer, and the scheme they come from, if they fit one."""

    structures: Mapping[int, Structure]
    scheme_id: str | None


def label_meaning(
    names: Mapping[int, str] | None, *, scheme: LabelScheme | None, part: Part, where: str
) -> LabelMeaning:
    """Decide what the integers mean, and that they are of the part that was asked for.

    Parameters
    ----------
    names
        The file's own label table.
    scheme
        What the user says.
    part
        ``VERTEBRA`` or ``BODY``.

    Raises
    ------
    LabelsError
        Neither names nor a scheme; names that contradict the scheme or fit two schemes that mean
        different things; or labels of the other part (the hint says where those belong).
    """
    if names is None and scheme is None:
        raise LabelsError(
            "labels have no names",
            where=where,
            found="a label map without a label table",
            wanted=f"{_OPTION_OF[part]} with one of {', '.join(SCHEMES)}",
        )
    if names is None:
        assert scheme is not None  # noqa: S101 -- the line above; tells the type checker
        meaning = LabelMeaning(structures=scheme.structures, scheme_id=scheme.id)
    else:
        meaning = _named_meaning(names, scheme=scheme, part=part, where=where)
    check_part(meaning, part=part, where=where)
    return meaning


def _named_meaning(
    names: Mapping[int, str], *, scheme: LabelScheme | None, part: Part, where: str
) -> LabelMeaning:
    fitting = _fitting_schemes(names)
    if scheme is not None:
        _check_agreement(names, scheme, fitting, part=part, where=where)
        fitting = [scheme]
    if len({_meanings(names, candidate) for candidate in fitting}) > 1:
        raise LabelsError(
            "names and numbers fit schemes that mean different things",
            where=where,
            found=", ".join(candidate.id for candidate in fitting),
            wanted=f"{_OPTION_OF[part]} with one of them",
        )
    chosen = fitting[0] if fitting else None
    structures = {
        number: (chosen.structures.get(number) if chosen else None) or structure_of_words(name)
        for number, name in names.items()
    }
    check_one_label_each(structures, where=where)
    return LabelMeaning(structures=structures, scheme_id=chosen.id if chosen else None)


def check_one_label_each(structures: Mapping[int, Structure], *, where: str) -> None:
    """Refuse two labels of one vertebra or body: one of them would be lost without a word.

    Raises
    ------
    LabelsError
        Both labels and names are told.
    """
    first: dict[tuple[Part, Level], int] = {}
    for number, structure in structures.items():
        if structure.level is None or structure.part not in {Part.VERTEBRA, Part.BODY}:
            continue
        other = first.setdefault((structure.part, structure.level), number)
        if other != number:
            raise LabelsError(
                f"two labels of {structure.level}",
                where=where,
                found=f"{other} ({structures[other].name!r}) and {number} ({structure.name!r})",
                wanted="one label per level",
            )


def _fitting_schemes(names: Mapping[int, str]) -> list[LabelScheme]:
    """Schemes that give every name they could know the same number, and know at least one."""
    known = {s.name for scheme in SCHEMES.values() for s in scheme.structures.values()}
    pairs = {(number, name) for number, name in names.items() if name in known}
    return [
        scheme
        for scheme in SCHEMES.values()
        if pairs and pairs <= {(number, s.name) for number, s in scheme.structures.items()}
    ]


def _check_agreement(
    names: Mapping[int, str],
    scheme: LabelScheme,
    fitting: list[LabelScheme],
    *,
    part: Part,
    where: str,
) -> None:
    """Refuse a scheme that the file's own names contradict."""
    wrong = next(
        (
            n
            for n, s in scheme.structures.items()
            if n in names and not _names(names[n], s, fitting)
        ),
        None,
    )
    if wrong is None and scheme not in fitting:
        wrong = next((n for n in names if n not in scheme.structures), None) if fitting else None
    if wrong is None:
        return
    meant = scheme.structures.get(wrong)
    raise LabelsError(
        f"the file's names contradict the scheme {scheme.id}",
        where=where,
        found=f"label {wrong} named {names[wrong]!r}",
        wanted=repr(meant.name) if meant else f"a label of {scheme.id}",
        hint="the names fit " + ", ".join(s.id for s in fitting)
        if fitting
        else f"leave {_OPTION_OF[part]} out: the names decide",
    )


def _names(name: str, structure: Structure, fitting: list[LabelScheme]) -> bool:
    """Whether a name is that of a scheme's structure; a person's words count where no scheme fits.

    ``L1`` may then be the whole vertebra or the body of L1, as the scheme says.
    """
    if name == structure.name or fitting:
        return name == structure.name
    said = structure_of_words(name)
    part_fits = said.part in {structure.part, Part.VERTEBRA}
    return said.level is structure.level and said.part is not Part.OTHER and part_fits


def _meanings(
    names: Mapping[int, str], scheme: LabelScheme
) -> frozenset[tuple[int, Part, Level | None]]:
    return frozenset(
        (number, s.part, s.level) for number, s in scheme.structures.items() if number in names
    )


def check_part(meaning: LabelMeaning, *, part: Part, where: str) -> None:
    """Refuse bodies where vertebrae were asked for, and the other way round.

    Raises
    ------
    LabelsError
        No label of the part; the hint says where labels of the other part belong.
    """
    parts = {structure.part for structure in meaning.structures.values()}
    if part in parts:
        return
    other = Part.BODY if part is Part.VERTEBRA else Part.VERTEBRA
    is_other = other in parts
    option = "--body-masks" if other is Part.BODY else "--masks"
    raise LabelsError(
        f"no label stands for a vertebral {'body' if part is Part.BODY else 'level'}",
        where=where,
        found=f"labels of {_plural(other)} ({meaning.scheme_id or 'by name'})"
        if is_other
        else f"{len(meaning.structures)} labels of other structures{_shown(meaning)}",
        wanted=f"labels of {_plural(part)}"
        if is_other
        else f"names such as {'L1 or vertebrae_L1' if part is Part.VERTEBRA else 'L1 body'}, "
        f"or the names of one of {', '.join(SCHEMES)}",
        hint=f"pass this file as {option}" if is_other else None,
    )


def _shown(meaning: LabelMeaning) -> str:
    """A few names, by which a file is recognised."""
    names = [s.name for _, s in sorted(meaning.structures.items())][:_SHOWN_NAMES]
    return f" such as {', '.join(map(repr, names))}" if names else ""


def _plural(part: Part) -> str:
    return "vertebral bodies" if part is Part.BODY else "whole vertebrae"
