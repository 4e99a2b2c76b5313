"""Link a tree of results with a DXA table and write the cohort."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from osteoct.cohort.dxa.mapping import DxaMap
from osteoct.cohort.dxa.reading import DxaTable, read_dxa
from osteoct.cohort.linking.cases import CtCase, read_cases
from osteoct.cohort.linking.choices import LinkChoices
from osteoct.cohort.linking.flow import FlowRow, count_flow
from osteoct.cohort.linking.identity import name_scans
from osteoct.cohort.linking.pairs import Linked, pair_scans
from osteoct.cohort.linking.reasons import Unlinked
from osteoct.cohort.linking.repeats import make_repeat_table
from osteoct.cohort.linking.table import make_cohort_table
from osteoct.io.pseudonym import load_key
from osteoct.review.decisions import Review, read_reviews

UNLINKED_COLUMNS = ("side", "row", "name", "reason")


@dataclass(frozen=True, kw_only=True)
class LinkedCohort:
    """A cohort with the account of everybody who is not in it.

    Parameters
    ----------
    table
        Columns of ``cohort.csv``, one row per patient unless every CT was asked for.
    unlinked
        ``side`` (ct, dxa), ``row`` of the DXA table, ``name`` (case id or pseudonym), ``reason``.
    repeats
        Every usable CT of patients with several.
    """

    table: pd.DataFrame
    unlinked: pd.DataFrame
    repeats: pd.DataFrame
    flow: tuple[FlowRow, ...]
    dxa: DxaTable
    choices: LinkChoices


def link_cohort(
    results: Path,
    dxa: Path,
    *,
    asked: DxaMap | None = None,
    choices: LinkChoices | None = None,
    reviews: Mapping[str, Review] | None = None,
    key_file: Path | None = None,
    get_key: Callable[[Path | None], bytes] = load_key,
    today: date | None = None,
) -> LinkedCohort:
    """Join every case below ``results`` with its patient's nearest DXA scan.

    Parameters
    ----------
    reviews
        Decisions of people by case id; those of ``review.csv`` in the tree where absent.
    key_file
        Key the cases were analysed with; as for ``osteoct analyze`` where absent. Used only where
        the DXA table holds hospital numbers.
    today
        See :func:`~osteoct.cohort.dxa.reading.read_dxa`.

    Raises
    ------
    TableError, UnreadableInputError, ConfigError
        The table, the tree or the key cannot be used. Single cases never raise.
    """
    asked, choices = asked or DxaMap(), choices or LinkChoices()
    table = read_dxa(dxa, asked=asked, today=today)
    if reviews is None and results.is_dir():
        reviews = read_reviews(results)
    cases = list(read_cases(results, choices, reviews))
    usable = [c for c in cases if c.refused is not Unlinked.REPEATED_CASE]
    scans = name_scans(
        table.scans,
        case_ids={c.case_id for c in usable},
        asked=asked,
        get_key=lambda: get_key(key_file),
    )
    linked = pair_scans(usable, scans, choices)
    repeated = [c for c in cases if c.refused is Unlinked.REPEATED_CASE]
    names = {s.scan.row: s.shown for s in scans}
    return LinkedCohort(
        table=make_cohort_table(linked.pairs, choices),
        unlinked=_list_unlinked(linked, repeated, names),
        repeats=make_repeat_table(usable),
        flow=count_flow(
            n_cases=len(cases),
            n_scans=len(scans),
            cases_out=[*linked.cases_out.values(), *(Unlinked.REPEATED_CASE for _ in repeated)],
            scans_out=linked.scans_out.values(),
            n_linked=len(linked.pairs),
            n_patients=len({p.patient for p in linked.pairs}),
        ),
        dxa=table,
        choices=choices,
    )


def _list_unlinked(linked: Linked, repeated: list[CtCase], names: dict[int, str]) -> pd.DataFrame:
    """Every row of both sides that is not in the cohort."""
    rows: list[tuple[object, ...]] = [
        ("ct", None, name, str(reason)) for name, reason in sorted(linked.cases_out.items())
    ]
    rows += [("ct", None, c.case_id, str(c.refused)) for c in repeated]
    rows += [
        ("dxa", row, names[row], str(reason)) for row, reason in sorted(linked.scans_out.items())
    ]
    made = pd.DataFrame(rows, columns=list(UNLINKED_COLUMNS))
    made["row"] = made["row"].astype("Int64")
    return made
