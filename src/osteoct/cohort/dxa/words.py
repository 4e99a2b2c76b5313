"""What columns and cells of DXA tables are called: sites, sides, quantities, people."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

LUMBAR: Final = "lumbar"
NECK: Final = "femoral_neck"
HIP: Final = "total_hip"
SINGLE_LEVELS: Final = ("l1", "l2", "l3", "l4")
DXA_SITES: Final = (LUMBAR, *SINGLE_LEVELS, NECK, HIP)
SIDED: Final = (NECK, HIP)

QUANTITIES: Final[Mapping[str, frozenset[str]]] = {
    "t": frozenset({"t", "tscore", "twert"}),
    "z": frozenset({"z", "zscore", "zwert"}),
    "abmd": frozenset({"bmd", "abmd", "density", "dichte"}),
}

SIDES: Final[Mapping[str, frozenset[str]]] = {
    "left": frozenset({"left", "lt", "links", "li", "gauche"}),
    "right": frozenset({"right", "rt", "rechts", "re", "droit", "droite"}),
}

_NECK_WORDS = frozenset({"neck", "fn", "schenkelhals", "hals", "col"})
_HIP_WORDS = frozenset({"hip", "femur", "dualfemur", "htot", "hueft", "huefte", "hanche", "th"})
_LUMBAR_WORDS = frozenset({"lumbar", "spine", "lws", "ls", "lendenwirbelsaeule", "rachis"})
_OTHER_PARTS = frozenset(
    {"trochanter", "troch", "ward", "wards", "shaft", "inter", "forearm", "radius", "body", "upper"}
)
"""Places a DXA machine reports that this study does not use: never taken for the hip."""

PEOPLE: Final[Mapping[str, frozenset[str]]] = {
    "patient": frozenset(
        {"patient", "patientid", "patient id", "id", "pat id", "pid", "mrn", "pseudonym", "case id",
         "case", "identifier1", "patientkey", "patienten id", "patientennummer", "subject"}
    ),
    "dxa_date": frozenset(
        {"dxa date", "date", "scan date", "scandate", "exam date", "examdate", "study date",
         "measure date", "datum", "untersuchungsdatum", "analysis date", "date of exam"}
    ),
    "ct_date": frozenset({"ct date", "ctdate", "date of ct", "ct datum"}),
    "sex": frozenset({"sex", "gender", "geschlecht", "sexe"}),
    "age": frozenset({"age", "alter", "age at exam", "age years", "patient age"}),
    "height_cm": frozenset({"height", "height cm", "groesse", "groesse cm", "height m"}),
    "weight_kg": frozenset({"weight", "weight kg", "gewicht", "gewicht kg"}),
    "bmi": frozenset({"bmi", "body mass index"}),
    "site": frozenset({"site", "region", "roi", "scan region", "bone", "messort"}),
    "side": frozenset({"side", "seite", "laterality"}),
}  # fmt: skip

SEX_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "F": ("f", "female", "w", "weiblich", "woman", "frau", "femme", "feminin"),
    "M": ("m", "male", "maennlich", "man", "mann", "homme", "masculin"),
}
"""Numbers are no words for sex: 1 is male in one sheet and female in the next; the map can say."""

ABSENT_WORDS: Final = frozenset({"", "na", "n/a", "nan", "none", "null", "-", "–", "—", ".", "?"})


def fold(text: str) -> str:
    """Lower case, umlauts spelt out, other accents dropped, everything else but digits as blanks.

    >>> fold("T-Score Schenkelhals (links)")
    't score schenkelhals links'
    """
    lowered = text.lower()
    for sign, plain in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        lowered = lowered.replace(sign, plain)
    plain = unicodedata.normalize("NFKD", lowered).encode("ascii", "ignore").decode()
    return " ".join(re.sub(r"[^a-z0-9]+", " ", plain).split())


def find_site(text: str) -> tuple[str, str | None] | None:
    """Site and side that a text names, or ``None`` where it names none this project uses.

    >>> find_site("Left Femur Neck"), find_site("AP Spine L1-L4"), find_site("Ward's triangle")
    (('femoral_neck', 'left'), ('lumbar', None), None)
    """
    tokens = fold(text).split()
    words = set(tokens)
    side = next((name for name, known in SIDES.items() if words & known), None)
    if words & _OTHER_PARTS:
        return None
    if words & _NECK_WORDS:
        return NECK, side
    levels = re.findall(r"l([1-5])", " ".join(tokens))
    if len(levels) > 1 or (words & _LUMBAR_WORDS and not levels):
        return LUMBAR, None
    if len(levels) == 1 and f"l{levels[0]}" in SINGLE_LEVELS:
        return f"l{levels[0]}", None
    return (HIP, side) if words & _HIP_WORDS else None


def find_quantity(text: str) -> str | None:
    """``t``, ``z`` or ``abmd`` where a column's name says so.

    >>> find_quantity("Total hip T-score"), find_quantity("BMD (g/cm2)"), find_quantity("Region")
    ('t', 'abmd', None)
    """
    words = set(fold(text).split())
    return next((name for name, known in QUANTITIES.items() if words & known), None)
