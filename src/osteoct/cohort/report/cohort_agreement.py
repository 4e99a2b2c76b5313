"""Agreement of a cohort's repeated CTs, where it has some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from osteoct.cohort.agree.analysis import analyze_groups
from osteoct.cohort.agree.choices import AgreeChoices
from osteoct.cohort.agree.pairing import find_repeats
from osteoct.cohort.agree.tables import read_table_side
from osteoct.cohort.folder import Cohort
from osteoct.cohort.report.agreement_section import make_section
from osteoct.cohort.report.agreement_tables import make_agreement_tables
from osteoct.cohort.report.choices import ReportChoices
from osteoct.cohort.report.content import AgreementSection
from osteoct.cohort.report.suppression import suppress
from osteoct.cohort.report.tables import Table
from osteoct.errors import LinkageError


@dataclass(frozen=True, kw_only=True)
class CohortAgreement:
    """What a cohort's repeated CTs say; nothing where no two CTs of a patient may be compared.

    Parameters
    ----------
    absence
        A sentence for the methods: why there is no section though there are several CTs.
    """

    section: AgreementSection | None = None
    tables: tuple[Table, ...] = ()
    plain: Sequence[Mapping[str, Any]] = ()
    absence: str = ""


def compare_repeats(cohort: Cohort, choices: ReportChoices) -> CohortAgreement:
    """Compare the CTs of patients who have several within the window."""
    if cohort.repeats is None:
        return CohortAgreement()
    asked = AgreeChoices(
        window_days=choices.repeats_window_days, allow_small_cells=choices.allow_small_cells
    )
    side = read_table_side(cohort.repeats, protocol=cohort.protocol, repeats=True)
    try:
        groups = find_repeats(side, asked).groups
        rows = analyze_groups(groups, "repeats")
    except LinkageError:
        return CohortAgreement(
            absence="Some patients have several CTs, but no two that may be compared as repeats: "
            f"within {choices.repeats_window_days} days, of known day, tube voltage and phase."
        )
    plain = [suppress(row.model_dump(mode="json"), asked.least) for row in rows]
    return CohortAgreement(
        section=make_section(rows, plain, groups, asked, is_synthetic=cohort.is_synthetic),
        tables=make_agreement_tables(plain),
        plain=plain,
    )
