"""Reporting items and where each is answered: STARD 2015, and what CLAIM adds to it.

Items in our own words; numbers of STARD 2015 (BMJ Open 2016;6:e012799, table 2). CLAIM (Mongan
2020, Radiology: Artificial Intelligence 2:e200029) extends STARD's list; its items come last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

AUTHORS: Final = "Yours to write"
"""What no program can know."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One item: the list and its number, what it asks, where it is answered."""

    name: str
    asks: str
    answer: str


def _stard(number: str, asks: str, answer: str = AUTHORS) -> Item:
    return Item(name=f"STARD {number}", asks=asks, answer=answer)


def _claim(asks: str, answer: str = AUTHORS) -> Item:
    return Item(name="CLAIM", asks=asks, answer=answer)


CHECKLIST: Final[tuple[Item, ...]] = (
    _stard("1", "named as a study of accuracy, with a measure of it"),
    _stard("2", "structured abstract"),
    _stard("3", "background, intended use and role of the CT measurement"),
    _stard("4", "objectives and hypotheses"),
    _stard("5", "data collected before or after the tests were planned"),
    _stard("6", "who was eligible", "Methods (what the program left out); the rest is yours"),
    _stard("7", "how eligible patients were found"),
    _stard("8", "where and when"),
    _stard("9", "consecutive, random or convenience series"),
    _stard("10a", "the CT measurement, to repeat it", "Methods; protocol and version"),
    _stard("10b", "DXA, to repeat it", "Methods (sites, sides); scanner, reference data: yours"),
    _stard("11", "why DXA is the reference"),
    _stard("12a", "cut-offs of CT: fixed or found here", "Cut-offs: published against Youden"),
    _stard("12b", "limits of the T-score", "Methods: definition and deciding site"),
    _stard("13a", "CT read knowing DXA", "Measured without DXA"),
    _stard("13b", "DXA read knowing CT"),
    _stard("14", "how accuracy was estimated and compared", "Methods"),
    _stard("15", "results that were indeterminate", "Flow; Robustness (findings)"),
    _stard("16", "missing values", "Methods; Table 1, column missing"),
    _stard("17", "variation of accuracy", "Robustness: exploratory unless you planned it"),
    _stard("18", "intended sample size"),
    _stard("19", "flow of patients", "Flow"),
    _stard("20", "who they were", "Table 1"),
    _stard("21a", "severity among those with the condition", "Table 1: T-scores by group"),
    _stard("21b", "other diagnoses among those without"),
    _stard("22", "time between CT and DXA", "Table 1: CT to DXA"),
    _stard("23", "results of CT against those of DXA", "cutoffs.csv: cells of each cut-off"),
    _stard("24", "accuracy with its precision", "ROC; Cut-offs"),
    _stard("25", "harm from either test"),
    _stard("26", "limitations", "Limits names those of the method; the rest is yours to write"),
    _stard("27", "what it means for practice"),
    _stard("28", "registration"),
    _stard("29", "where the protocol can be read"),
    _stard("30", "funding"),
    _claim("category of the technique", "Methods: segmentation by network, measuring by rule"),
    _claim("sources of the data"),
    _claim("preparation of the images", "run.toml of each case; Methods"),
    _claim("de-identification", "Keyed pseudonyms; days in place of dates"),
    _claim("how the reference was made, by whom, with which tools"),
    _claim("model, weights and their hashes", "case.json of each case, provenance"),
    _claim("training and split of the data", "None here; the segmenter's is its makers' to tell"),
    _claim("robustness and failure", "Robustness; Flow: who was left out and why"),
    _claim("calibration", "Models: calibration"),
    _claim("software and code", "Methods: versions; the program is open source"),
)  # fmt: skip
