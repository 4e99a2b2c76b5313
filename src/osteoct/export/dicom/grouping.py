"""A measurement group of a structured report, and what measured it."""

from __future__ import annotations

from collections.abc import Sequence

import highdicom as hd
from highdicom.sr import (
    ContentItem,
    Measurement,
    MeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    VolumetricROIMeasurementsAndQualitativeEvaluations,
)

from osteoct.anatomy import Level
from osteoct.export.dicom.coding import coded
from osteoct.export.dicom.items import sites, tracking
from osteoct.export.dicom.origin import Origin
from osteoct.io.result_codes import Concept
from osteoct.protocols import PROTOCOLS

Group = MeasurementsAndQualitativeEvaluations | VolumetricROIMeasurementsAndQualitativeEvaluations


def plain_group(
    origin: Origin,
    name: str,
    kind: Concept,
    evaluations: list[QualitativeEvaluation],
    *,
    measurements: list[Measurement] | None = None,
    method: Concept | None = None,
    where: Sequence[Level] = (),
    further: Sequence[ContentItem] = (),
) -> Group:
    """A group without a segment."""
    group = MeasurementsAndQualitativeEvaluations(
        tracking_identifier=tracking(name, origin.make_uid(f"group {name}")),
        finding_type=coded(kind),
        finding_sites=sites(where) or None,
        method=None if method is None else coded(method),
        algorithm_id=algorithm(origin, None if method is None else method.value),
        measurements=measurements,
        qualitative_evaluations=evaluations,
    )
    group[0].ContentSequence.extend(further)
    return group


def algorithm(origin: Origin, protocol: str | None) -> hd.sr.AlgorithmIdentification:
    """Program, version and, of a protocol, what it does."""
    recipe = PROTOCOLS.get(protocol or "")
    parameters = None
    if recipe is not None:
        parameters = [
            f"protocol {recipe.id} version {recipe.version}: {recipe.title}",
            f"depth {recipe.depth_mm} mm, {recipe.membership}",
        ]
        parameters += ["inferred from published numbers"] if recipe.inferred else []
    return hd.sr.AlgorithmIdentification(
        name="osteoct", version=origin.version, parameters=parameters
    )
