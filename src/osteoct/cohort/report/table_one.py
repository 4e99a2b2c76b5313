"""Table 1 as printed: a line per variable, a column per group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from osteoct.cohort.figures.style import GROUP_WORDS, say_p
from osteoct.cohort.report.suppression import PARTNER, SMALL
from osteoct.cohort.report.tables import Table

GROUPS: Final = ("all", *GROUP_WORDS)
COLUMNS: Final = ("variable", "unit", "shown", *GROUPS, "missing", "test", "p", "smd")

VARIABLES: Final = {
    "female": "Female",
    "age": "Age",
    "bmi": "BMI",
    "t_lumbar": "T-score, lumbar spine",
    "t_femoral_neck": "T-score, femoral neck",
    "t_total_hip": "T-score, total hip",
    "total_hu": "Total HU, L1–L5",
    "trabecular_hu": "Trabecular HU, L1–L5",
    "cortical_hu": "Cortical HU, L1–L5",
    "days_between": "CT to DXA",
}
TESTS: Final = {
    "welch_anova": "Welch ANOVA",
    "kruskal_wallis": "Kruskal–Wallis",
    "chi_square": "χ²",
    "fisher_exact": "Fisher's exact",
}
SHOWN: Final = {"mean_sd": "mean ± SD", "median_iqr": "median [IQR]", "count": "n (%)"}

Plain = Mapping[str, Any]


def make_table_one(description: Sequence[Plain], group_counts: Mapping[str, int | str]) -> Table:
    """Table 1 with the sizes of the groups as its first line.

    ``smd`` is the largest absolute standardised difference between two groups.
    """
    known = {g: group_counts.get(g) for g in GROUP_WORDS}
    total = group_counts.get("all")
    first = ("Patients", "n", "", total, *known.values(), group_counts.get("unknown"), "", "", "")
    rows = [_make_row(r) for r in description if r["variable"] in VARIABLES]
    return Table(name="table1", columns=COLUMNS, rows=(first, *rows))


def _make_row(row: Plain) -> tuple[Any, ...]:
    parts = {p["group"]: p for p in (*row["summaries"], *row["shares"])}
    cells = [_cell(parts.get(group), row["shown"]) for group in GROUPS]
    missing = parts.get("all", {}).get("n_missing")
    values = [abs(d["value"]) for d in row["differences"] if d["value"] is not None]
    hidden = any(c in (SMALL, PARTNER) for c in cells)
    return (
        VARIABLES[row["variable"]],
        row["unit"],
        SHOWN[row["shown"]],
        *cells,
        missing,
        TESTS.get(row["test"] or "", ""),
        "" if hidden else say_p(row["p"]).removeprefix("P = ").removeprefix("P "),
        f"{max(values):.2f}" if values and not hidden else "",
    )


def _cell(part: Plain | None, shown: str) -> str:
    """One group's numbers as printed; a dash where there is nobody."""
    if part is None or part["n"] == 0:
        return "–"
    if SMALL in (part["n"], part.get("count")):
        return SMALL
    if PARTNER in (part["n"], part.get("count")):
        return PARTNER
    if shown == "count":
        return f"{part['count']} ({100 * part['share']:.1f})"
    if shown == "mean_sd":
        spread = "" if part["sd"] is None else f" ± {part['sd']:.1f}"
        return f"{part['mean']:.1f}{spread}".replace("-", "−")
    return f"{part['median']:.1f} [{part['q25']:.1f} to {part['q75']:.1f}]".replace("-", "−")
