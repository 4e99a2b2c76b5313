"""What the commands of ``osteoct cohort`` do, for use from Python as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from osteoct.cohort.agree.analysis import Kind
from osteoct.cohort.agree.pairing import find_repeats, pair_sides
from osteoct.cohort.agree.sources import make_agree_choices, read_sides
from osteoct.cohort.dxa.mapping import DxaMap, read_map
from osteoct.cohort.folder import MARKER, Cohort, read_cohort, write_linked, write_simulated
from osteoct.cohort.linking.choices import LinkChoices
from osteoct.cohort.linking.link import LinkedCohort, link_cohort
from osteoct.cohort.report.choices import ReportChoices
from osteoct.cohort.simulate.drawing import draw_cohort
from osteoct.cohort.statistics.choices import StatisticsChoices
from osteoct.errors import ConfigError
from osteoct.io.hashing import sha256_of
from osteoct.io.output import check_place, result_folder
from osteoct.protocols import protocol as find_protocol


@dataclass(frozen=True, kw_only=True)
class Analysed:
    """What an analysis says in a few sentences."""

    headline: Sequence[str]


def link_into(results: Path, dxa: Path, out: Path, options: Mapping[str, Any]) -> LinkedCohort:
    """Link and write a cohort; ``options`` are those of the command, absent ones ``None``."""
    check_place(out, overwrite=options["overwrite"], marker=MARKER)
    choices = make_link_choices(options)
    map_file: Path | None = options.get("map_file")
    asked = DxaMap() if map_file is None else read_map(map_file)
    linked = link_cohort(
        results, dxa, asked=asked, choices=choices, key_file=options.get("key_file")
    )
    inputs = {"dxa": sha256_of(dxa)}
    if map_file is not None:
        inputs["map"] = sha256_of(map_file)
    with result_folder(out, overwrite=options["overwrite"], marker=MARKER) as folder:
        write_linked(linked, folder, inputs=inputs)
    return linked


def make_link_choices(options: Mapping[str, Any]) -> LinkChoices:
    """Choices of linking; what was not given keeps its default.

    Raises
    ------
    ConfigError
        A protocol or value that does not exist.
    """
    names = LinkChoices.model_fields
    given = {n: v for n, v in options.items() if n in names and v is not None}
    find_protocol(given.get("protocol", LinkChoices().protocol))
    try:
        return LinkChoices.model_validate(given)
    except ValidationError as error:
        problems = [f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors()]
        raise ConfigError("bad values", where="options", found=" | ".join(problems)) from error


def simulate_into(n: int, seed: int, out: Path, *, overwrite: bool) -> None:
    """Draw and write a synthetic cohort."""
    if seed < 0:
        raise ConfigError("no seed", where="--seed", found=seed, wanted="0 or more")
    check_place(out, overwrite=overwrite, marker=MARKER)
    table = draw_cohort(n, seed=seed)
    with result_folder(out, overwrite=overwrite, marker=MARKER) as folder:
        write_simulated(table, folder, n=n, seed=seed)


def settle_protocol(cohort: Cohort, choices: ReportChoices) -> ReportChoices:
    """The protocol of the analysis: what was asked for must be what the HU were measured by.

    Raises
    ------
    ConfigError
        The cohort was measured under another protocol than the one asked for.
    """
    asked = choices.statistics.model_fields_set & {"protocol"}
    chosen = choices.statistics.protocol
    if cohort.protocol is None:
        return choices
    if asked and chosen != cohort.protocol:
        raise ConfigError(
            "the cohort was measured under another protocol",
            where="--protocol",
            found=cohort.protocol,
            wanted=chosen,
            hint=f"osteoct cohort link … --protocol {chosen} makes a cohort of the other numbers",
        )
    statistics = choices.statistics.model_copy(update={"protocol": cohort.protocol})
    return choices.model_copy(update={"statistics": statistics})


def analyze_into(path: Path, out: Path, choices: ReportChoices, *, overwrite: bool) -> Analysed:
    """Analyse a cohort and write every file of the result."""
    from osteoct.cohort.report.write import MARKER as RESULT  # noqa: PLC0415 - figures are slow to load
    from osteoct.cohort.report.write import make_results, write_results  # noqa: PLC0415

    check_place(out, overwrite=overwrite, marker=RESULT)
    cohort = read_cohort(path)
    choices = settle_protocol(cohort, choices)
    results = make_results(cohort, choices)
    with result_folder(out, overwrite=overwrite, marker=RESULT) as folder:
        write_results(results, cohort, choices, folder)
    banner = results.content.banner
    return Analysed(
        headline=[
            *([banner] if banner else []),
            *results.content.headline,
            results.content.disclaimer,
        ]
    )


def agree_into(
    first: Path, second: Path | None, out: Path, options: Mapping[str, Any]
) -> Sequence[str]:
    """Compare two sides, or repeats of one; write everything and return what to say.

    Raises
    ------
    ConfigError
        Options that do not fit each other, or two protocols where one was asked for.
    LinkageError
        Nobody pairs, or the sides share no number.
    """
    from osteoct.cohort.report.agreement_report import (  # noqa: PLC0415 - figures are slow to load
        MARKER as AGREEMENT,
    )
    from osteoct.cohort.report.agreement_report import (  # noqa: PLC0415
        make_agreement_report,
        write_agreement,
    )

    check_place(out, overwrite=options["overwrite"], marker=AGREEMENT)
    is_repeats = bool(options.get("repeats"))
    choices = make_agree_choices(first, second, options)
    kind: Kind = "repeats" if is_repeats else "methods"
    sides = read_sides(first, second, choices, is_repeats=is_repeats)
    if is_repeats:
        grouped = find_repeats(sides[0], choices)
    else:
        grouped = pair_sides(sides[0], sides[1], choices)
    report = make_agreement_report(sides, grouped, kind, choices)
    with result_folder(out, overwrite=options["overwrite"], marker=AGREEMENT) as folder:
        write_agreement(report, sides, choices, folder)
    banner = [report.banner] if report.banner else []
    return [*banner, *report.counts, *report.section.headline, report.disclaimer]


def apply_cutoffs(path: Path, options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Published cut-offs on a cohort, one row each, small cells hidden.

    Raises
    ------
    ConfigError
        A rule that does not exist, or that no cohort can be judged by.
    """
    from osteoct.cohort.report.suppression import suppress  # noqa: PLC0415 - beside its user
    from osteoct.cohort.report.tables import flatten_accuracy  # noqa: PLC0415
    from osteoct.cohort.statistics.cohort_table import prepare_table  # noqa: PLC0415
    from osteoct.cohort.statistics.published import check_published_cutoffs  # noqa: PLC0415

    given = {n: options[n] for n in ("protocol", "definition", "site") if options.get(n)}
    asked = ReportChoices(
        statistics=StatisticsChoices.model_validate(given),
        allow_small_cells=bool(options.get("allow_small_cells")),
    )
    cohort = read_cohort(path)
    choices = settle_protocol(cohort, asked)
    table = prepare_table(cohort.table, choices.statistics).table
    found = check_published_cutoffs(table, choices.statistics.protocol)
    wanted = tuple(options.get("rules") or ())
    unknown = [rule for rule in wanted if rule not in {f.rule for f in found}]
    if unknown:
        raise ConfigError(
            "not a cut-off that a cohort can be tested with",
            where="--rule",
            found=", ".join(unknown),
            wanted="one of " + ", ".join(f.rule for f in found),
        )
    rows = []
    for one in found:
        if wanted and one.rule not in wanted:
            continue
        plain = suppress(one.model_dump(mode="json"), choices.least)
        accuracy = flatten_accuracy(plain.pop("accuracy"))
        rows.append(({"data": "SYNTHETIC"} if cohort.is_synthetic else {}) | plain | accuracy)
    return rows
