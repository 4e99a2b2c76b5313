"""What a synthetic cohort is drawn from: the study's numbers, and all that the study does not say.

``PUBLISHED`` holds what the study's abstract tells. Everything in :class:`Assumptions` is free:
chosen so that the published numbers hold together as well as they can, and listed as assumed
wherever a cohort is drawn.
"""

from __future__ import annotations

from typing import Final

from osteoct.record import Record

Three = tuple[float, float, float]

HEALTHY_ABOVE: Final = -1.0
OSTEOPOROSIS_BELOW: Final = -2.5
"""The study's groups: healthy > −1.0, osteoporosis < −2.5, osteopenia between and at both ends."""

CORE_SHARE: Final = 0.35
"""Total = f · trabecular + (1 − f) · cortical gives f = 0.353 (healthy) and 0.350 (osteopenia) in
the study: total, trabecular and cortical HU are not three free numbers."""


class Published(Record):
    """Numbers of the study (2026, n = 229); HU are means over L1–L5."""

    n: int = 229
    female_share: float = 0.852
    age_mean: float = 71.02
    age_sd: float = 13.62
    bmi_mean: float = 28.04
    bmi_sd: float = 7.51
    r: dict[str, float] = {"lumbar": 0.54, "femoral_neck": 0.54, "total_hip": 0.46}
    healthy_hu: dict[str, float] = {"total": 265.0, "trabecular": 179.3, "cortical": 312.0}
    osteopenia_hu: dict[str, float] = {"total": 226.4, "trabecular": 136.5, "cortical": 274.8}
    auc_low_bmd: dict[str, float] = {"total": 0.77, "trabecular": 0.80, "cortical": 0.75}
    auc_osteoporosis: dict[str, float] = {"total": 0.79, "trabecular": 0.75, "cortical": 0.80}
    cutoff_low_bmd_hu: dict[str, float] = {"trabecular": 141.3, "cortical": 254.2}
    cutoff_osteoporosis_hu: dict[str, float] = {"trabecular": 132.3, "cortical": 249.0}


PUBLISHED: Final = Published()


class Assumptions(Record):
    """Free parameters of the drawing; none of them is in the study.

    Parameters
    ----------
    t_mean, t_sd, t_correlation
        T-scores at lumbar spine, femoral neck and total hip: normal; correlations of lumbar with
        neck, lumbar with hip, neck with hip. They decide the sizes of the groups (23, 52, 25 %).
    t_group_means
        Means of the three T-scores in healthy, osteopenia and osteoporosis, by the lowest of the
        three, that follow from the above (10⁷ draws): not free, kept so that group means of HU are
        exact.
    osteoporosis_hu
        Mean trabecular and cortical HU of the third group, of which the study tells only AUC.
    trabecular_slopes, cortical_slopes
        HU per unit of T-score within a group, for the three sites.
    residual_sd_hu, residual_skew, residual_correlation
        What T-scores do not explain, trabecular and cortical: SD in osteopenia, shape of a shifted
        lognormal, correlation of the two.
    healthy_spread, osteoporosis_spread
        SD of the residuals in the outer groups as multiples of those in osteopenia.
    level_offsets_hu, level_sd_hu
        Trabecular HU of L1–L5 against their mean (they sum to 0), and scatter of single levels.
    days_window
        DXA within so many days before or after the CT, all equally likely.
    """

    t_mean: Three = (-0.9, -1.5, -1.1)
    t_sd: Three = (1.5, 1.1, 1.2)
    t_correlation: Three = (0.62, 0.65, 0.85)
    t_group_means: tuple[Three, Three, Three] = (
        (0.628, -0.148, 0.291),
        (-0.828, -1.502, -1.088),
        (-2.455, -2.737, -2.402),
    )
    osteoporosis_hu: tuple[float, float] = (107.5, 219.5)
    trabecular_slopes: Three = (23.5, 38.5, -11.4)
    cortical_slopes: Three = (10.6, 17.3, -5.1)
    residual_sd_hu: tuple[float, float] = (31.8, 63.8)
    residual_skew: tuple[float, float] = (0.18, 0.28)
    residual_correlation: float = 0.885
    healthy_spread: tuple[float, float] = (1.01, 0.96)
    osteoporosis_spread: tuple[float, float] = (0.79, 0.75)
    level_offsets_hu: tuple[float, ...] = (2.0, -2.0, -6.0, -1.0, 7.0)
    level_sd_hu: float = 8.0
    days_window: int = 365


ASSUMED: Final = Assumptions()

ASSUMED_IN_WORDS: Final = (
    "sizes of the groups and the distribution of T-scores at three sites (normal, correlated)",
    "mean HU of the osteoporosis group, and every SD of HU",
    "shape of the HU within a group (shifted lognormal) and the correlation of the regions",
    "cortical and trabecular HU against the single T-scores (the study gives r of total HU alone)",
    "differences between levels L1–L5",
    "age (beta on 20–100 y), BMI (lognormal) and sex independent of each other, of T and of HU",
    "days between CT and DXA, all within a year equally likely; 120 kVp, native, nothing blocked",
)
