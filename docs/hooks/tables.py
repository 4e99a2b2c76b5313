"""Tables of the pages, made from the code when the pages are built.

A page holds ``<!-- table: rules -->`` where the table of the rules is to stand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from osteoct.anatomy import SCHEMES, LabelScheme, Part
from osteoct.classify.opinions import name_levels
from osteoct.classify.rules import Rule, load_rules
from osteoct.cohort.agree.side import UNPAIRED_WORDS, Unpaired
from osteoct.cohort.columns import AGREEMENT_COLUMNS as COMPARED
from osteoct.cohort.columns import CONTEXT, CORE
from osteoct.cohort.linking.reasons import WORDS, Unlinked
from osteoct.export.tables import (
    AGREEMENT_COLUMNS,
    FINDING_COLUMNS,
    HEIGHT_COLUMNS,
    LEVEL_COLUMNS,
)
from osteoct.io.report_fields import private_concepts
from osteoct.io.result_codes import CORTICAL_SHELL, TRABECULAR_CORE
from osteoct.policy.entries import load_entries
from osteoct.protocols import PROTOCOLS
from osteoct.schemas.case import load_case_schema

MARK = re.compile(r"<!-- table: ([a-z-]+) -->")

UNITS = {
    "_hu": "HU",
    "_mm": "mm",
    "_cm3": "cm³",
    "_deg": "degrees",
    "_ma": "mA",
    "_years": "years",
    "kvp": "kV",
    "seconds": "s",
}

COLUMNS = {
    "case_id": "name or pseudonym of the case",
    "level": "vertebral level; empty for a finding about the case",
    "protocol": "recipe behind the number",
    "region": "`vertebra`, `body`, `trabecular` (core) or `cortical` (shell)",
    "volume_cm3": "volume of the region",
    "voxels": "number of voxels that the HU were taken from",
    "mean_hu": "mean",
    "median_hu": "median",
    "sd_hu": "population standard deviation",
    "p05_hu": "5th percentile",
    "p25_hu": "25th percentile",
    "p75_hu": "75th percentile",
    "p95_hu": "95th percentile",
    "reason": "why the numbers are absent; empty where they are present",
    "numbering_certainty": "how sure the level's name is, 0 … 1; empty where it is absent",
    "numbering_reason": "what the name was counted from, and over what",
    "masks_used": "`original`, or `repaired` where a rule changed the masks of the level",
    "first": "the segmenter whose numbers count; `masks` for those you gave",
    "second": "the segmenter it is compared with",
    "dice": "overlap of the vertebrae of this name, 0 … 1",
    "body_dice": "overlap of the bodies that were measured, 0 … 1",
    "same_place": "what the second calls the structure that covers most of this vertebra",
    "same_place_dice": "overlap with that structure, 0 … 1",
    "first_volume_cm3": "volume of the whole vertebra, first",
    "second_volume_cm3": "volume of the whole vertebra, second",
    "first_hu": "mean HU of the region, first",
    "second_hu": "mean HU of the region, second",
    "difference_hu": "second minus first",
    "height_anterior_mm": "height at the front wall",
    "height_middle_mm": "height half-way",
    "height_posterior_mm": "height at the rear wall",
    "uncertainty_mm": "error of each height: holds 95 % of the errors on phantoms",
    "source": "`ct` or `mask`: where the end plates were found",
    "wedge_ratio": "anterior over posterior height",
    "biconcave_ratio": "middle over posterior height",
    "crush_ratio": "mean of anterior and posterior height over that of the neighbours",
    "expected_height_mm": "the neighbours' mean of anterior and posterior height",
    "height_loss_percent": "the largest loss among the three ratios",
    "uncertainty_percent": "what the heights' error leaves open, in percentage points",
    "deformity": "the ratio that gave the loss",
    "grade": "deformity grade 0 … 3",
    "code": "kind of finding",
    "severity": "`info`, `warning` or `blocking`",
    "message": "the finding in words, with the values found",
    "effect": "what [the policy](policy.md) let it do: `ignore`, `warn`, `exclude` or `block`",
    "usability": "of the level: `usable`, `usable-with-warning` or `not-usable`",
    "usability_codes": "findings behind that, separated by blanks",
}


def on_page_markdown(markdown: str, **_: object) -> str:
    """Fill in the tables; mkdocs calls this for each page. An unknown name is a failure."""
    return MARK.sub(lambda match: TABLES[match[1]](), markdown)


def make_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Render a Markdown table; ``None`` becomes an empty cell."""
    cells = [["" if c is None else str(c).replace("|", "\\|") for c in row] for row in rows]
    lines = [list(head), ["---"] * len(head), *cells]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def protocols_table() -> str:
    """All built-in protocols."""
    return make_table(
        ["protocol", "core of", "depth (mm)", "membership", "headline", "inferred", "source"],
        (
            (
                f"`{p.id}`",
                p.base,
                f"{p.depth_mm:g}",
                p.membership,
                p.headline,
                "yes" if p.inferred else "no",
                p.source,
            )
            for p in PROTOCOLS.values()
        ),
    )


def rules_table() -> str:
    """The cut-offs that osteoct applies."""
    return make_table(
        ["rule", "cut-off", "compared", "below it", "kVp", "source"],
        (
            (
                f"`{r.id}`",
                _cutoff(r),
                f"{r.statistic} {r.region} HU of {name_levels(r.levels)}, `{r.protocol}`",
                f"{r.below_means}{_performance(r)}",
                f"{r.conditions.kvp:g} ({r.conditions.kvp_source})" if r.conditions else None,
                _source(r),
            )
            for r in load_rules()
            if r.protocol is not None
        ),
    )


def unapplied_rules_table() -> str:
    """The cut-offs that osteoct lists and never applies."""
    return make_table(
        ["rule", "cut-off", "below it", "not applied because", "source"],
        (
            (
                f"`{r.id}`",
                _cutoff(r),
                f"{r.below_means}{_performance(r)}",
                r.not_applicable_because,
                _source(r),
            )
            for r in load_rules()
            if r.protocol is None
        ),
    )


def policy_table() -> str:
    """What each finding does, and the tests that hold it to that."""
    return make_table(
        ["finding", "does", "because", "fires in", "silent in"],
        (
            (
                f"`{code}`",
                "<br>".join(f"{s}: {e}" for s, e in entry.effects.items())
                + (" (a study's choice)" if entry.choice else ""),
                entry.reason,
                f"`{entry.fires}`",
                f"`{entry.silent}`",
            )
            for code, entry in load_entries().items()
        ),
    )


def schemes_table() -> str:
    """All label schemes with the integers of the lumbar levels."""
    return make_table(
        ["scheme", "written by", "holds", "labels"],
        ((f"`{s.id}`", s.title, ", ".join(sorted(s.parts)), _labels(s)) for s in SCHEMES.values()),
    )


def column_table(columns: Sequence[str]) -> str:
    """Columns of a CSV file; a column without a description is a failure."""
    return make_table(
        ["column", "holds", "unit"], ((f"`{c}`", COLUMNS[c], _unit(c)) for c in columns)
    )


def cohort_columns_table() -> str:
    """Columns of cohort.csv; the fifteen of single levels in one line."""
    told = {**CORE, "total_hu_l1 … cortical_hu_l5": "the same of each region and level", **CONTEXT}
    return make_table(["column", "holds"], ((f"`{name}`", text) for name, text in told.items()))


def agreement_columns_table() -> str:
    """Columns of agreement.csv; ends of intervals in the line of their value."""
    told = ((f"`{name}`", text) for name, text in COMPARED.items() if text)
    return make_table(["column", "holds"], told)


def unpaired_table() -> str:
    """Why a CT is compared with none."""
    return make_table(["reason", "means"], ((f"`{r}`", UNPAIRED_WORDS[r]) for r in Unpaired))


def unlinked_table() -> str:
    """Why a CT or a DXA scan is not in a cohort."""
    return make_table(["reason", "means"], ((f"`{r}`", WORDS[r]) for r in Unlinked))


def case_tables() -> str:
    """Every record of case.json with its fields, types and units."""
    schema = load_case_schema()
    records = {"case": schema, **schema["$defs"]}
    parts = []
    for name, record in records.items():
        if "properties" in record:
            rows = [
                (f"`{field}`", _type(value), _unit(field))
                for field, value in record["properties"].items()
            ]
            parts.append(f"### {name}\n\n" + make_table(["field", "type", "unit"], rows))
    return "\n\n".join(parts)


def _cutoff(rule: Rule) -> str:
    return f"{rule.cutoff:g} {'HU' if rule.unit == 'HU' else 'mg/cm³'}"


def _performance(rule: Rule) -> str:
    shown = (
        ("sensitivity", rule.sensitivity),
        ("specificity", rule.specificity),
        ("AUC", rule.auc),
    )
    said = [f"{name} {value:.3g}" for name, value in shown if value is not None]
    return f" ({', '.join(said)})" if said else ""


def _source(rule: Rule) -> str:
    doi = f", doi:{rule.doi}" if rule.doi else ""
    return f"{rule.citation}{doi}" + (f". {rule.note}" if rule.note else "")


def _labels(scheme: LabelScheme) -> str:
    shown = {
        i: s
        for i, s in scheme.structures.items()
        if s.level is None or s.level.is_lumbar or s.part is Part.SACRUM
    }
    return ", ".join(f"{i} {s.level or s.name}" for i, s in sorted(shown.items()))


def _type(value: dict[str, object]) -> str:
    """A JSON type in words: a name, a list of names, or none."""
    if "anyOf" in value:
        options = value["anyOf"]
        return " or ".join(_type(o) for o in options) if isinstance(options, list) else ""
    if "$ref" in value:
        return str(value["$ref"]).rsplit("/", 1)[-1]
    if "enum" in value:
        options = value["enum"]
        return " or ".join(f"`{o}`" for o in options) if isinstance(options, list) else ""
    if "const" in value:
        return f"`{value['const']}`"
    items = value.get("items")
    if isinstance(items, dict):
        return f"list of {_type(items)}"
    return str(value.get("type", "any")).replace("array", "list")


def _unit(field: str) -> str | None:
    return next((unit for ending, unit in UNITS.items() if field.endswith(ending)), None)


def private_codes_table() -> str:
    """Names of the private scheme."""
    return make_table(
        ["code", "meaning"],
        (
            (f"`{c.value}`", c.meaning)
            for c in (TRABECULAR_CORE, CORTICAL_SHELL, *private_concepts())
        ),
    )


TABLES: dict[str, Callable[[], str]] = {
    "protocols": protocols_table,
    "rules": rules_table,
    "unapplied-rules": unapplied_rules_table,
    "policy": policy_table,
    "label-schemes": schemes_table,
    "case": case_tables,
    "private-codes": private_codes_table,
    "levels-csv": partial(column_table, LEVEL_COLUMNS),
    "heights-csv": partial(column_table, HEIGHT_COLUMNS),
    "findings-csv": partial(column_table, FINDING_COLUMNS),
    "cohort-columns": cohort_columns_table,
    "unlinked-reasons": unlinked_table,
    "agreement-columns": agreement_columns_table,
    "unpaired-reasons": unpaired_table,
    "agreement-csv": partial(column_table, AGREEMENT_COLUMNS),
}
