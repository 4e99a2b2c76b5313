"""Names of work: equal keys, equal result; so the same work is never done twice.

*Segment key*: the CT, and what makes its masks (name, version, quality, whether tissues are found,
the user's own model). *Measure key*: the CT, the masks or the segment key, what the plan found, and
every choice of :class:`~osteoct.config.AnalysisConfig`. A changed protocol leaves the segment key
as it is, so the case is measured anew with the masks that are kept; a changed segmenter changes
both.

Neither holds the version of osteoct: most releases change no number, and a new release must not
send 100 000 finished cases back to the queue. :data:`MEASURE_REVISION` and
:data:`SEGMENT_REVISION` stand for it, and whoever changes a number raises them.

*Fingerprints* stand for the content of a file. Of a file: its place, size and time of the last
change (ns). Of an object: its address, size and etag. Of a DICOM series: SOPInstanceUID and size of
every file, wherever they lie, so a series that was copied or packed into an archive stays the same
work. What they cannot see: content that changed while size and time, or UID and size, stayed the
same. Elsewhere a file is new work, even when it was only moved. ``--fingerprint content`` reads
every byte instead and knows neither limit.

All of them are keyed with the secret of pseudonyms: without it nobody can try UIDs or paths.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from osteoct.config import AnalysisConfig
from osteoct.records import Finding
from osteoct.run.plan.choices import Choices

MEASURE_REVISION: Final = 2
"""Raised by every change after which the same images give another number, finding or opinion.

A changed default counts; a change of words, pictures, speed or memory does not.
"""

SEGMENT_REVISION: Final = 1
"""Raised by every change after which the same segmenter gives other masks: resampling before it,
the reading of its labels, what is kept of them."""

_LENGTH = 32
"""128 bits of a key: by chance two of 10^6 are equal with probability below 10^-26."""


def keyed(secret: bytes, *parts: str | bytes | int | None) -> str:
    """A hash of parts; each carries its kind and length, so no two lists run together.

    >>> keyed(b"k" * 16, "ab", "c") == keyed(b"k" * 16, "a", "bc")
    False
    """
    mac = hmac.new(secret, digestmod=hashlib.sha256)
    for part in parts:
        data = b"" if part is None else part if isinstance(part, bytes) else str(part).encode()
        mac.update(f"{type(part).__name__}{len(data)}:".encode() + data)
    return mac.hexdigest()[:_LENGTH]


def series_fingerprint(
    secret: bytes, files: Iterable[tuple[str, int]], frames: Sequence[int] = ()
) -> str:
    """Of a DICOM series by SOPInstanceUID (or what stands for it) and size of every file.

    Parameters
    ----------
    frames
        Those of an enhanced image that are measured; empty for all.
    """
    parts = [f"{name}\0{size}" for name, size in sorted(files)]
    return keyed(secret, "series", *parts, "frames", *frames)


def segment_key(secret: bytes, ct: str, choices: Choices) -> str | None:
    """Of the masks that would be made for a CT; ``None`` where nothing makes masks."""
    segmenter = choices.segmenter
    if segmenter is None:
        return None
    chosen = {
        "name": segmenter.name,
        "version": segmenter.version,
        "quality": segmenter.quality,
        "weights": segmenter.weights,
        "with_tissues": choices.config.with_tissues,
        "with_phase_organs": choices.config.phase_opinion is not None,
        "revision": SEGMENT_REVISION,
    }
    return keyed(secret, "segment", ct, _canonical(chosen))


def measure_key(
    secret: bytes,
    fingerprints: dict[str, str],
    choices: Choices,
    *,
    masks_key: str | None,
    findings: Sequence[Finding] = (),
) -> str:
    """Of the result of a case.

    Parameters
    ----------
    fingerprints
        Of its images, by role (fields of :class:`~osteoct.run.records.Inputs`).
    masks_key
        Of the masks that would be made.
    findings
        Those that the plan hands on to the result.
    """
    # made masks say themselves what their labels mean; brought ones are not asked for tissues
    idle = {"with_tissues"} if masks_key is None else {"labels", "body_labels"}
    chosen = {k: v for k, v in _that_matter(choices.config).items() if k not in idle}
    found = sorted(
        _canonical({"code": f.code, "severity": f.severity, "evidence": f.evidence})
        for f in findings
    )
    images = _canonical(fingerprints)
    return keyed(secret, "measure", images, masks_key, MEASURE_REVISION, _canonical(chosen), *found)


def _that_matter(config: AnalysisConfig) -> dict[str, Any]:
    """Levels, protocols, and every other choice that is not the default.

    So an option that a later release adds repeats no work; where a release changes a default, it
    raises :data:`MEASURE_REVISION`.
    """
    chosen = config.model_dump(mode="json", exclude={"series"}, exclude_defaults=True)
    if "policy" in chosen:
        chosen["policy"] = _without_order(chosen["policy"])
    return {**chosen, "levels": sorted(config.levels), "protocols": sorted(config.protocols)}


def _without_order(policy: dict[str, Any]) -> dict[str, Any]:
    """A policy whose lists are sorted; keys are sorted when it is written."""
    return {k: sorted(v) if isinstance(v, list | tuple) else v for k, v in policy.items()}


def _canonical(values: dict[str, Any]) -> str:
    """JSON that does not depend on the order of keys."""
    return json.dumps(values, sort_keys=True, ensure_ascii=True, default=str)
