"""Analyse a CT and masks that lie in files, and write the result folder."""

from pathlib import Path

import osteoct
from osteoct.io.nifti import write_ct, write_labels
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.spine import lumbar_spine

# Any CT and label map will do; here a phantom stands in for them.
scanned = osteoct.scan(lumbar_spine(), Scanner(pixel_mm=1.5, slice_mm=2.0))
write_ct(scanned.ct, Path("ct.nii.gz"))
write_labels(scanned.vertebrae, Path("vertebrae.nii.gz"))

result = osteoct.analyze(
    "ct.nii.gz",
    "vertebrae.nii.gz",
    out="out",
    case_id="example",
    config=osteoct.AnalysisConfig(kvp=120, phase="native"),
)

for summary in result.summaries:
    value = "absent" if summary.value_hu is None else f"{summary.value_hu:.1f} HU"
    print(summary.protocol, summary.statistic, summary.region, value, "of", *summary.levels_used)
print("stated by the user:", *result.acquisition.stated)
