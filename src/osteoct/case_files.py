"""The files of a result, into a folder that exists."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from osteoct.compartments.labelmap import label_compartments
from osteoct.config import AnalysisConfig
from osteoct.export.run_file import run_toml
from osteoct.export.tables import agreement_csv, findings_csv, heights_csv, levels_csv
from osteoct.io.nifti import write_labels
from osteoct.pipeline import CaseAnalysis
from osteoct.records import CaseResult
from osteoct.report.page import render_report
from osteoct.report.repairs import draw_repairs
from osteoct.report.thumbnails import FOLDER as THUMBNAILS
from osteoct.report.thumbnails import draw_thumbnails
from osteoct.review.keeping import keep_reviews


def write_case(
    case: CaseAnalysis, folder: Path, config: AnalysisConfig, *, earlier: Path | None = None
) -> CaseResult:
    """Write every file of a result into an existing folder; return what ``case.json`` holds.

    ``earlier`` is the folder that this one is to replace: a person's decisions in it, and beside
    it, are kept and shown.
    """
    clock = time.perf_counter()
    labels = label_compartments(case.compartments, case.ct.geometry)
    original = case.result.grid.axis_codes
    write_labels(labels.reoriented(original), folder / "compartments.nii.gz")
    write_both_masks(case, folder)
    reviewed = "" if earlier is None else keep_reviews(case.result, earlier, folder)
    report = render_report(
        case.result,
        case.ct,
        case.compartments,
        second=case.second,
        reviewed=reviewed,
        repaired=draw_repairs(case.result, case.ct, case.before, case.compartments),
    )
    write_pictures(draw_thumbnails(case.result, case.ct, case.compartments), folder)
    seconds = {
        **case.result.provenance.seconds,
        "report": round(time.perf_counter() - clock, 3),
    }
    result = update_provenance(case.result, {"seconds": seconds})
    texts = {
        "case.json": result.model_dump_json(by_alias=True, indent=2) + "\n",
        "levels.csv": levels_csv(result),
        "heights.csv": heights_csv(result),
        "findings.csv": findings_csv(result),
        "run.toml": run_toml(result, config),
        "report.html": report,
    }
    if result.agreement is not None:
        texts["agreement.csv"] = agreement_csv(result)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    return result


def write_pictures(pictures: Mapping[str, bytes], folder: Path) -> None:
    """Write the small pictures of a case, where it has any."""
    if pictures:
        (folder / THUMBNAILS).mkdir()
    for name, content in pictures.items():
        (folder / THUMBNAILS / name).write_bytes(content)


def write_both_masks(case: CaseAnalysis, folder: Path) -> None:
    """Write the masks as they came and as they were measured, where some were repaired."""
    if case.original is None or case.repaired is None:
        return
    codes = case.result.grid.axis_codes
    for kind, masks in (("original", case.original), ("repaired", case.repaired)):
        is_ours = kind == "repaired"  # in canonical orientation; the others lie as they came
        for name, labels in (("masks", masks.vertebrae), ("body-masks", masks.bodies)):
            if labels is not None:
                placed = labels.reoriented(codes) if is_ours else labels
                write_labels(placed, folder / f"{name}-{kind}.nii.gz")


def update_provenance(result: CaseResult, changes: dict[str, object]) -> CaseResult:
    """The same result with parts of its provenance replaced."""
    provenance = result.provenance.model_copy(update=changes)
    return result.model_copy(update={"provenance": provenance})
