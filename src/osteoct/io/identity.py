"""Who and what a file is about, held only as long as a pseudonym needs it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class SourceIdentity:
    """Raw identifiers of a source, for making keyed pseudonyms and nothing else.

    The content never shows in ``repr``; it must never reach a log, a message or a result.

    Parameters
    ----------
    patient_key
        Bytes that are equal for two scans of one patient; ``None`` where the source names no
        patient. An absent or empty id must never make two patients the same.
    series_key
        Bytes that name the series; ``None`` where the source has none.

    >>> SourceIdentity(patient_key=b"4711", series_key=None)
    SourceIdentity(patient_key: present, series_key: absent)
    """

    patient_key: bytes | None = field(default=None, repr=False)
    series_key: bytes | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        states = {
            name: "absent" if value is None else "present"
            for name, value in (("patient_key", self.patient_key), ("series_key", self.series_key))
        }
        shown = ", ".join(f"{name}: {state}" for name, state in states.items())
        return f"SourceIdentity({shown})"
