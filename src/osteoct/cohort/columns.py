"""Columns of ``cohort.csv``, in their order, and what each holds."""

from __future__ import annotations

from typing import Final

from osteoct.anatomy import LUMBAR

REGIONS: Final = ("total", "trabecular", "cortical")
"""``total`` is a protocol's base region: the whole vertebra, or its body."""

SITES: Final = ("lumbar", "femoral_neck", "total_hip")

CORE: Final = {
    "patient": "keyed pseudonym of the patient; the case id where the scan names no patient",
    "sex": "`F` or `M`; empty where unknown",
    "age": "years, at the DXA scan; from the CT where the DXA table has none",
    "bmi": "kg/m²; from height and weight where the table has no BMI",
    "ct_date": "day of the CT; empty unless `--keep-dates`",
    "dxa_date": "day of the DXA scan; empty unless `--keep-dates`",
    "days_between": "days from CT to DXA; negative where DXA came first",
    "t_lumbar": "T-score of the lumbar spine (L1–L4, or the levels the DXA report used)",
    "t_femoral_neck": "T-score of the femoral neck; the lower one of two sides",
    "t_total_hip": "T-score of the total hip; the lower one of two sides",
    "total_hu": "mean HU of the base region, unweighted mean over L1–L5",
    "trabecular_hu": "mean HU of the core, likewise",
    "cortical_hu": "mean HU of the shell, likewise",
    "group": "`healthy`, `osteopenia` or `osteoporosis` by the deciding T-score; empty without one",
    "outcome_low_bmd": "1 where the deciding T-score is below the limit of healthy, else 0",
    "outcome_osteoporosis": "1 where it is below the limit of osteoporosis, else 0",
}

LEVELS: Final = {
    f"{region}_hu_{level.lower()}": f"mean HU of the {region} region of {level}"
    for region in REGIONS
    for level in LUMBAR
}

CONTEXT: Final = {
    "kvp": "tube voltage of the CT, kV",
    "phase": "contrast phase: `native`, `arterial`, `portal-venous`, `delayed`, `contrast`",
    "has_blocking": "1 where a finding forbids conclusions; such cases are kept on request alone",
}

COHORT_COLUMNS: Final = (*CORE, *LEVELS, *CONTEXT)

REQUIRED: Final = (
    "patient",
    "t_lumbar",
    "t_femoral_neck",
    "t_total_hip",
    "total_hu",
    "trabecular_hu",
    "cortical_hu",
)
"""A bare table needs these columns; of the T-scores and of the HU at least one of each."""

SYNTHETIC: Final = "SYNTHETIC"
"""How each patient of a drawn cohort is called, and what every file and figure made of it says."""
