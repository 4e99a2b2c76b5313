"""The bundle: a collection, for it is a file that asks nothing of a server.

A transaction would decide for the receiver under which patient the results are filed; the patient
here is a pseudonym, which no record of a hospital knows.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from osteoct.classify.rules import load_rules
from osteoct.export.case_folder import FinishedCase
from osteoct.export.fhir.elements import OWN_SYSTEM, SYSTEMS, Json, concept
from osteoct.export.fhir.observations import Observed, make_observations
from osteoct.io.dicom.source import SourceSeries
from osteoct.io.report_fields import DCM
from osteoct.io.result_codes import PRIVATE_SCHEME_NAME, Concept
from osteoct.report.conclusion import conclude
from osteoct.report.wording import DISCLAIMER

IMAGING_REPORT: Final = Concept(scheme=DCM, value="126000", meaning="Imaging Measurement Report")
_CASE_NAMES: Final = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, 'osteoct case names')}"
_PSEUDONYMS: Final = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, 'osteoct pseudonyms')}"
_DICOM_UIDS: Final = "urn:dicom:uid"


_KINDS: Final = {"patient": "Patient", "software": "Device", "study": "ImagingStudy"}
"""Types of what is referred to; everything else is an Observation."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Making:
    """A case, and its series where it was given."""

    case: FinishedCase
    source: SourceSeries | None

    @property
    def is_deidentified(self) -> bool:
        return self.source is not None and self.source.is_deidentified

    @property
    def issued(self) -> Json:
        """When the case was analysed; without identifiers there is no date."""
        if self.is_deidentified:
            return {}
        return {"issued": self.case.result.provenance.started_utc}

    def url(self, role: str) -> str:
        """Follows from result and role: the same case gives the same bundle.

        Without identifiers it follows from the series' replaced UID too, or the two bundles of a
        case could be laid side by side.
        """
        series = ""
        if self.source is not None and self.source.is_deidentified:
            series = str(self.source.head.SeriesInstanceUID)
        name = f"osteoct {series} {self.case.sha256} {role}"
        return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}"

    def link(self, role: str) -> Json:
        """A reference; its type is told, for a URN does not."""
        return {"reference": self.url(role), "type": _KINDS.get(role, "Observation")}


def render_bundle(case: FinishedCase, source: SourceSeries | None = None) -> bytes:
    """Write the bundle as JSON (FHIR R4, 4.0.1).

    Parameters
    ----------
    source
        The series that the case was measured on: then an ImagingStudy names study and series, which
        identify the patient. Without it nothing but the pseudonym does.
    """
    making = _Making(case=case, source=source)
    observed = list(make_observations(case.result))
    resources = [
        ("report", _report(making, observed)),
        ("patient", _patient(making)),
        ("software", _device(making)),
        *([] if source is None else [("study", _study(making, source))]),
        *((o.name, _observation(making, o)) for o in observed),
    ]
    resources.append(("codes", _codes([r for _, r in resources])))
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": making.url(role), "resource": r} for role, r in resources],
    }
    text = json.dumps(bundle, ensure_ascii=False, indent=1, allow_nan=False)
    return f"{text}\n".encode()


def _report(making: _Making, observed: Sequence[Observed]) -> Json:
    result = making.case.result
    conclusion = conclude(result, load_rules())
    said = [conclusion.headline.text, *(s.text for s in conclusion.sentences), DISCLAIMER]
    report: Json = {
        "resourceType": "DiagnosticReport",
        "status": "preliminary",
        "code": concept(IMAGING_REPORT),
        "subject": making.link("patient"),
        **making.issued,
        "result": [making.link(o.name) for o in observed],
        "conclusion": _plain(" ".join(said)),
    }
    if not making.is_deidentified:
        report["identifier"] = [{"system": _CASE_NAMES, "value": result.case_id}]
    if making.source is not None:
        report["imagingStudy"] = [making.link("study")]
    return report


def _plain(text: str) -> str:
    """A text as FHIR's schema takes one: of spaces it knows the common one alone."""
    return " ".join(text.split()).replace("(reason below)", "(reason in its Observation)")


def _patient(making: _Making) -> Json:
    """The patient by the keyed pseudonym alone."""
    patient: Json = {"resourceType": "Patient"}
    pseudonym = making.case.result.patient_pseudonym
    if pseudonym is not None:
        patient["identifier"] = [{"system": _PSEUDONYMS, "value": pseudonym}]
    return patient


def _device(making: _Making) -> Json:
    """The program that measured."""
    return {
        "resourceType": "Device",
        "manufacturer": "osteoct",
        "deviceName": [{"name": "osteoct", "type": "model-name"}],
        "type": {"text": "Research software, not a medical device"},
        "version": [{"value": making.case.result.provenance.osteoct_version}],
    }


def _study(making: _Making, source: SourceSeries) -> Json:
    """Study and series by their UIDs."""
    head = source.head
    return {
        "resourceType": "ImagingStudy",
        "status": "available",
        "identifier": [{"system": _DICOM_UIDS, "value": f"urn:oid:{head.StudyInstanceUID}"}],
        "subject": making.link("patient"),
        "series": [
            {
                "uid": str(head.SeriesInstanceUID),
                "modality": {
                    "system": SYSTEMS[DCM],
                    "code": "CT",
                    "display": "Computed Tomography",
                },
                "numberOfInstances": len(source.images),
            }
        ],
    }


def _observation(making: _Making, observed: Observed) -> Json:
    observation: Json = {
        "resourceType": "Observation",
        "status": "preliminary",
        "subject": making.link("patient"),
        **making.issued,
        "device": making.link("software"),
        **observed.body,
    }
    links = [making.link(name) for name in observed.sources]
    if making.source is not None:
        links.append(making.link("study"))
    return observation | ({"derivedFrom": links} if links else {})


def _codes(resources: Sequence[Json]) -> Json:
    """The declaration of osteoct's own codes, as far as the bundle uses them."""
    used = {c["code"]: c["display"] for c in _codings(resources) if c["system"] == OWN_SYSTEM}
    return {
        "resourceType": "CodeSystem",
        "url": OWN_SYSTEM,
        "name": "OsteoctCodes",
        "title": PRIVATE_SCHEME_NAME,
        "status": "draft",
        "experimental": True,
        "description": "Concepts that no published code was found for.",
        "content": "fragment",
        "concept": [{"code": code, "display": used[code]} for code in sorted(used)],
    }


def _codings(of: Any) -> Iterator[Json]:  # noqa: ANN401 -- any part of a JSON document
    """Every coding in it."""
    if isinstance(of, dict):
        yield from of.get("coding", ())
        for value in of.values():
            yield from _codings(value)
    elif isinstance(of, list):
        for value in of:
            yield from _codings(value)
