"""Why a CT or a DXA scan is not in the cohort."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Unlinked(StrEnum):
    """Why a row stays out; the first that holds is given."""

    UNREADABLE_RESULT = "unreadable-result"
    REJECTED_ON_REVIEW = "rejected-on-review"
    PROTOCOL_ABSENT = "protocol-absent"
    BLOCKING_FINDING = "blocking-finding"
    LEVELS_MISSING = "levels-missing"
    REPEATED_CASE = "repeated-case"
    NO_DXA = "no-dxa"
    NO_CT = "no-ct"
    CT_EXCLUDED = "ct-excluded"
    DATE_UNKNOWN = "date-unknown"
    OUTSIDE_WINDOW = "outside-window"
    SEX_DIFFERS = "sex-differs"
    AGE_DIFFERS = "age-differs"
    OTHER_SCAN_NEARER = "other-scan-nearer"
    NO_T_SCORE = "no-t-score"


WORDS: Mapping[Unlinked, str] = {
    Unlinked.UNREADABLE_RESULT: "case.json cannot be read",
    Unlinked.REJECTED_ON_REVIEW: "rejected on review",
    Unlinked.PROTOCOL_ABSENT: "not measured under the protocol",
    Unlinked.BLOCKING_FINDING: "a finding forbids conclusions",
    Unlinked.LEVELS_MISSING: "too few levels of L1–L5 measured",
    Unlinked.REPEATED_CASE: "the same case again",
    Unlinked.NO_DXA: "no DXA of this patient",
    Unlinked.NO_CT: "no CT of this patient",
    Unlinked.CT_EXCLUDED: "the patient's CT stays out",
    Unlinked.DATE_UNKNOWN: "day of the CT not known",
    Unlinked.OUTSIDE_WINDOW: "CT and DXA too far apart",
    Unlinked.SEX_DIFFERS: "sex differs between CT and DXA",
    Unlinked.AGE_DIFFERS: "age differs between CT and DXA",
    Unlinked.OTHER_SCAN_NEARER: "another scan of the patient was taken",
    Unlinked.NO_T_SCORE: "no T-score of spine, neck or hip",
}
