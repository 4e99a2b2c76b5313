"""Read a stored result back and list what could not be measured, with the reason."""

from pathlib import Path

from osteoct.records import CaseResult

case = CaseResult.model_validate_json(Path("out/case.json").read_text(encoding="utf-8"))

for level in case.levels:
    for measure in level.regions:
        if measure.hu is None:
            print(level.level, measure.protocol, measure.region, "is absent:", measure.reason)
        else:
            print(level.level, measure.protocol, measure.region, round(measure.hu.mean_hu, 1), "HU")
