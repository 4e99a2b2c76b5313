"""Measure a digital spine and compare it with its truth."""

from osteoct.phantom.acquisition import scan
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.spine import lumbar_spine
from osteoct.pipeline import analyze_volumes
from osteoct.protocols import Region

scanned = scan(lumbar_spine(), Scanner(pixel_mm=1.5, slice_mm=2.0))
case = analyze_volumes(scanned.ct, scanned.vertebrae, bodies=scanned.bodies, case_id="first").result

for level in case.levels:
    core = level.region("body-core-4", Region.TRABECULAR)
    if core is None or core.hu is None:
        print(level.level, "not measured:", core.reason if core else "not asked for")
    else:
        print(f"{level.level}  {core.volume_cm3:.1f} cm³  {core.hu.mean_hu:.1f} HU")

for finding in case.findings:
    print(finding.severity, finding.code, finding.level or "case")

for opinion in case.opinions:
    print(f"{opinion.rule}: {opinion.verdict} because {opinion.reason}")
