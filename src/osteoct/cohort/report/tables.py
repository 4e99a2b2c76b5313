"""The tables that ``analyze`` writes, column by column, from the plain form of the statistics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Plain = Mapping[str, Any]

CORRELATION_COLUMNS: Final = (
    "region", "level", "site", "method", "n", "r", "ci_low", "ci_high", "p", "p_holm",
)  # fmt: skip
ROC_COLUMNS: Final = ("outcome", "region", "n_pos", "n_neg", "auc", "ci_low", "ci_high")
ROC_PAIR_COLUMNS: Final = ("outcome", "region_a", "region_b", "z", "p")
PROPORTIONS: Final = ("sensitivity", "specificity", "ppv", "npv", "lr_pos", "lr_neg")
CUTOFF_COLUMNS: Final = (
    "outcome", "region", "kind", "cutoff_hu", "cutoff_ci_low", "cutoff_ci_high",
    *PROPORTIONS,
    *(f"{name}_ci_{end}" for name in PROPORTIONS for end in ("low", "high")),
    "n_pos", "n_neg", "true_pos", "false_neg", "false_pos", "true_neg", "both_above_70",
    "rule", "reason",
)  # fmt: skip
GROUP_COLUMNS: Final = (
    "variable", "kind", "method", "first", "second", "n", "n_first", "n_second", "statistic", "df",
    "df_denominator", "value", "ci_low", "ci_high", "p", "p_adjusted", "reason",
)  # fmt: skip
ROBUSTNESS_COLUMNS: Final = (
    "factor", "stratum", "region", "measure", "target", "n", "n_pos", "n_neg", "estimate",
    "ci_low", "ci_high", "reason",
)  # fmt: skip
MODEL_COLUMNS: Final = (
    "outcome", "region", "predictors", "method", "n_pos", "n_neg", "term", "per", "odds_ratio",
    "odds_ci_low", "odds_ci_high", "p", "reason",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table by name, with its cells in the order of its columns; ``None`` is an empty cell."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def make_tables(plain: Plain) -> tuple[Table, ...]:
    """The tables of a cohort's statistics."""
    return (
        _pick("correlations", CORRELATION_COLUMNS, plain["correlations"]),
        _pick("roc", ROC_COLUMNS, plain["rocs"]),
        _pick("roc_pairs", ROC_PAIR_COLUMNS, plain["roc_pairs"]),
        _pick("cutoffs", CUTOFF_COLUMNS, cutoff_rows(plain)),
        _pick("groups", GROUP_COLUMNS, _group_rows(plain)),
        _pick("robustness", ROBUSTNESS_COLUMNS, plain["robustness"]),
        _pick("models", MODEL_COLUMNS, _model_rows(plain)),
    )


def _pick(name: str, columns: tuple[str, ...], records: Sequence[Plain] | Iterator[Plain]) -> Table:
    rows = tuple(tuple(record.get(column) for column in columns) for record in records)
    return Table(name=name, columns=columns, rows=rows)


def cutoff_rows(plain: Plain) -> Iterator[dict[str, Any]]:
    """Youden cut-offs as found and as corrected for optimism, then the published ones."""
    for cutoff in plain["cutoffs"]:
        for kind in ("apparent", "corrected"):
            yield {**cutoff, "kind": f"youden_{kind}", **flatten_accuracy(cutoff[kind])}
    for cutoff in plain["fixed_cutoffs"]:
        yield {**cutoff, "kind": "published", **flatten_accuracy(cutoff["accuracy"])}


def flatten_accuracy(accuracy: Plain | None) -> dict[str, Any]:
    """A table of two by two as one row: proportions with their ends, and the cells."""
    if accuracy is None:
        return {}
    flat = {
        name: accuracy[name]
        for name in ("true_pos", "false_neg", "false_pos", "true_neg", "both_above_70")
    }
    for name in PROPORTIONS:
        flat[name] = accuracy[name]["value"]
        flat[f"{name}_ci_low"] = accuracy[name]["ci_low"]
        flat[f"{name}_ci_high"] = accuracy[name]["ci_high"]
    return flat


def _group_rows(plain: Plain) -> Iterator[dict[str, Any]]:
    for test in plain["group_tests"]:
        yield {**test, "kind": "all groups"}
    for pair in plain["post_hoc"]:
        yield {**pair, "kind": "two groups", "value": pair["difference"]}
    for effect in plain["effect_sizes"]:
        yield {**effect, "kind": "effect size", "method": effect["measure"]}


def _model_rows(plain: Plain) -> Iterator[dict[str, Any]]:
    for model in plain["models"]:
        shared = {**model, "predictors": " + ".join(model["predictors"])}
        terms: Sequence[Plain] = model["coefficients"] or ({},)
        yield from ({**shared, **term} for term in terms)
