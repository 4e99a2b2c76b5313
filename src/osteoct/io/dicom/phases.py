"""Contrast phase and agent from the words technicians write.

Free text may hold names, so it is never kept: only which tag said what. Silence is not "native":
without a word and without an agent the phase is unknown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from osteoct.records import Phase

_NATIVE = (
    r"\bnon?[ -]*(?:contrast|enhanced|iv\b|injecte?e?\b)"
    r"|\b(?:without|w/?o|sans|ohne|sin|senza|zonder|sem|utan|uden|bez)[ -]*(?:iv[ -]*)?(?:contrast"
    r"\w*|kontrast\w*|km|kmg|mdc|injection|pdc|produit|iv|civ)\b|\bpre[ -]*contrast\b"
    r"|\bunenhanced\b|\bpra[ -]*kontrast\b|\bncct\b|\bblanco\b|\bbasale?\b"
    r"|\bnati(?:v|ve|vo|va|f|ef)\b|\bplain\b|(?<![\w])c ?-(?!\w)|\bs/c\b"
    "|平扫|平掃|単純|单纯"
)
_ARTERIAL = (
    r"\bart\w*riel\w*|\barteri\w*|\bart\b|\b(?:early|late|fruh|spat)[ -]*art\w*"
    "|动脉|動脈"
)
_PORTAL = (
    r"\bport(?:o|al)?[ -]*(?:veno?u?[st]\w*|ven\b|vein\w*)|\bportal\w*|\bporto\b|\bpvp?\b"
    r"|\bveno[us]\w*|\bven\b|\bvein(?:eux|euse)\b|\bvenen\w*"
    "|门脉|門脈|静脉|靜脈"
)
_DELAYED = (
    r"\bdela(?:y|yed)\b|\blate\b|\btardi\w*|\bspat\w*|\bexcret\w*|\bequilibrium\b|\burograph\w*"
    "|延迟|平衡|排泄"
)
_CONTRAST = (
    r"\b(?:with|post|mit|avec|con|met|med|iv)[ -]*(?:iv[ -]*)?(?:contrast\w*|kontrast\w*)"
    r"|\b(?:with|avec)[ -]*injection"
    r"|\bkm\b|\bcect\b|\benhanced\b|\bcontrast\w*|\bkontrast\w*|\binjecte?e?\b"
    r"|(?<!\w)c ?\+|\+ ?c\b"
    "|造影|增强|增強"
)
_WORDS: tuple[tuple[Phase, re.Pattern[str]], ...] = tuple(
    (phase, re.compile(pattern))
    for phase, pattern in (
        (Phase.NATIVE, _NATIVE),
        (Phase.ARTERIAL, _ARTERIAL),
        (Phase.PORTAL_VENOUS, _PORTAL),
        (Phase.DELAYED, _DELAYED),
        (Phase.CONTRAST, _CONTRAST),
    )
)
"""Read in this order, each match taken out: "late arterial" is not delayed."""

_NO_AGENT = frozenset(
    {
        "none",
        "no",
        "not",
        "n",
        "nil",
        "0",
        "ohne",
        "kein",
        "keine",
        "sans",
        "aucun",
        "sin",
        "senza",
        "geen",
        "without",
        "native",
        "nativ",
        "nein",
        "non",
    }
)
_NOT_TOLD = frozenset(["", "na", "n/a", "unknown", "unk", "?", "-", "--"])
_ORAL = re.compile(r"\boral\w*|\bper os\b|\brectal\w*")
_INTRAVENOUS = re.compile(r"\bi\.?v\b|\bintraven\w*")
_AGENTS: Mapping[str, str] = {
    "iohexol": "iohexol",
    "omnipaque": "iohexol",
    "accupaque": "iohexol",
    "iopamidol": "iopamidol",
    "isovue": "iopamidol",
    "iopamiro": "iopamidol",
    "solutrast": "iopamidol",
    "iodixanol": "iodixanol",
    "visipaque": "iodixanol",
    "iopromid": "iopromide",
    "ultravist": "iopromide",
    "ioversol": "ioversol",
    "optiray": "ioversol",
    "iomeprol": "iomeprol",
    "iomeron": "iomeprol",
    "imeron": "iomeprol",
    "iobitridol": "iobitridol",
    "xenetix": "iobitridol",
}
"""Substances and their trade names: the only words of the agent's free text that are kept."""


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """What a header says about contrast; ``None`` where it says nothing."""

    phase: Phase | None = None
    evidence: str | None = None
    agent: str | None = None


def contrast_of(texts: Mapping[str, str], agent: str, route: str = "") -> Contrast:
    """Contrast phase and agent.

    Parameters
    ----------
    texts
        Free texts by tag name, the most specific first; the first that names one phase decides.
    agent
        ContrastBolusAgent.
    route
        ContrastBolusRoute; contrast that was only drunk enhances no vessel.

    >>> contrast_of({"SeriesDescription": "Abdomen portal-venous 1.0"}, "Omnipaque 350").evidence
    'SeriesDescription says portal-venous'
    >>> contrast_of({"SeriesDescription": "Abdomen"}, "").phase is None
    True
    """
    given, kept = _agent_given(agent, route)
    named = _named_phase({"ContrastBolusAgent": agent, **texts})
    if named is None or (given is True and named[1] is Phase.CONTRAST):
        return Contrast(phase=_phase_of_agent(given), evidence=_evidence(given), agent=kept)
    tag, phase = named
    evidence = f"{tag} says {phase.value}"
    if given is True and phase is Phase.NATIVE:
        return Contrast(evidence=f"{evidence}, but ContrastBolusAgent present", agent=kept)
    if given is False and phase is not Phase.NATIVE:
        return Contrast(evidence=f"{evidence}, but ContrastBolusAgent says none")
    return Contrast(phase=phase, evidence=evidence, agent=kept)


def _agent_given(agent: str, route: str) -> tuple[bool | None, str | None]:
    """Whether contrast was given into a vessel (``None``: not told), and the agent's known name."""
    plain = _plain(agent)
    first = re.split(r"[ ,;/]+", plain)[0] if plain else ""
    if plain in _NOT_TOLD:
        return None, None
    named = _named_phase({"": agent})
    if first in _NO_AGENT or (named is not None and named[1] is Phase.NATIVE):
        return False, None
    where = f"{plain} {_plain(route)}"
    if _ORAL.search(where) and not _INTRAVENOUS.search(where):
        return None, None
    known = (name for word, name in _AGENTS.items() if word in plain)
    return True, next(known, "present")


def _phase_of_agent(given: bool | None) -> Phase | None:  # noqa: FBT001 - three-valued, private
    """Phase where no text names one."""
    if given is None:
        return None
    return Phase.CONTRAST if given else Phase.NATIVE


def _evidence(given: bool | None) -> str | None:  # noqa: FBT001 - three-valued, private
    """Which statement the phase without a text rests on."""
    if given is None:
        return None
    return "ContrastBolusAgent present" if given else "ContrastBolusAgent says none"


def _named_phase(texts: Mapping[str, str]) -> tuple[str, Phase] | None:
    """The first tag whose words name exactly one phase; a phase beats the bare word contrast."""
    generic: tuple[str, Phase] | None = None
    for tag, text in texts.items():
        phases = _phases_in(_plain(text))
        specific = phases - {Phase.CONTRAST}
        if len(specific) == 1 and not (Phase.NATIVE in specific and Phase.CONTRAST in phases):
            return tag, specific.pop()
        if not specific and phases and generic is None:
            generic = (tag, Phase.CONTRAST)
    return generic


def _phases_in(text: str) -> set[Phase]:
    """All phases a text names."""
    found: set[Phase] = set()
    for phase, pattern in _WORDS:
        text, count = pattern.subn(" ", text)
        if count:
            found.add(phase)
    return found


def _plain(text: str) -> str:
    """Lower case, without accents, words separated by single spaces."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(re.sub(r"[_^.,;:|()\[\]]", " ", bare).split())
