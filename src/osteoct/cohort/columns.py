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

AGREEMENT_COLUMNS: Final = {
    "kind": "`methods` (first against second) or `repeats` (of one patient)",
    "region": "as in `cohort.csv`, or as the tables name it",
    "level": "`mean` of L1–L5, or one of them",
    "unit": "of all numbers of the row that are no per cent",
    "n": "pairs with the number on both sides",
    "n_missing": "pairs without it on a side",
    "mean_first": "mean of the first",
    "mean_second": "mean of the second",
    "bias": "mean of first − second, with its 95 % interval",
    "bias_ci_low": "",
    "bias_ci_high": "",
    "sd_difference": "SD of the differences",
    "lower": "lower limit of agreement, bias − 1.96 SD, with its interval",
    "lower_ci_low": "",
    "lower_ci_high": "",
    "upper": "upper limit, likewise",
    "upper_ci_low": "",
    "upper_ci_high": "",
    "slope": "of differences on means: a bias that grows with the value",
    "slope_p": "its P",
    "icc_form": "`ICC(A,1)` for methods, `ICC(1)` for repeats; the others are in `icc.csv`",
    "icc": "intraclass correlation, with its interval",
    "icc_ci_low": "",
    "icc_ci_high": "",
    "n_patients": "pairs or patients behind the scatter",
    "degrees_of_freedom": "of the scatter",
    "rms_sd": "root mean square SD of what was measured twice or more, with its interval",
    "sd_ci_low": "",
    "sd_ci_high": "",
    "rms_cv_percent": "root mean square CV, with its interval; empty where a mean is not above 0",
    "cv_ci_low": "",
    "cv_ci_high": "",
    "least_change": "least significant change, 2.77 × RMS-SD",
    "least_change_percent": "the same of the CV",
    "reason": "why limits of agreement are absent",
    "icc_reason": "why the ICC, or its interval, is absent",
    "cv_reason": "why the CV is absent",
}
"""Columns of ``agreement.csv``; what is told of a value holds for the ends of its interval."""

SYNTHETIC: Final = "SYNTHETIC"
"""How each patient of a drawn cohort is called, and what every file and figure made of it says."""
