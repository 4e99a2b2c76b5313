"""The stage of a real batch: one case from its files to its result in the store."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from osteoct.analysis import ReadCt, analyze_read, read_ct
from osteoct.case_files import write_case
from osteoct.case_masks import Sources
from osteoct.config import AnalysisConfig
from osteoct.records import CaseResult, Severity
from osteoct.run.plan.choices import SegmenterChoice, read_choices
from osteoct.run.records import Failure, Outcome, WorkItem
from osteoct.run.store.interface import Store
from osteoct.run.store.opening import open_store
from osteoct.run.work.failures import failure_of
from osteoct.run.work.inputs import laid_out
from osteoct.run.work.masks import KeepingSegmenter
from osteoct.run.work.memory import peak_mib, reset_peak
from osteoct.segment.interface import AUTO, Segmenter, SegmentOptions, held
from osteoct.segment.registry import make_segmenter

STAGE: Final = "osteoct.run.work.measuring:open_stage"
"""How an engine names this stage."""

_GRAVITY: Final = (Severity.BLOCKING, Severity.WARNING, Severity.INFO)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Prepared:
    """What was read ahead; it holds files until the case is done with."""

    sources: Sources
    read: ReadCt
    config: AnalysisConfig
    files: ExitStack


class MeasuringStage:
    """Measures cases one after the other; what the segmenter loaded stays."""

    def __init__(
        self,
        store: Store,
        config: AnalysisConfig,
        *,
        make: Callable[[], Segmenter] | None = None,
        key_file: Path | None = None,
        scratch: Path | None = None,
    ) -> None:
        self._store = store
        self._config = config
        self._make = make
        self._segmenter: Segmenter | None = None
        self._key_file = key_file
        # what a killed worker leaves there is swept with the store; it may be images
        self._scratch = scratch or store.scratch

    def prepare(self, item: WorkItem) -> _Prepared | Failure:
        """Fetch and read the CT of a case."""
        files = ExitStack()
        try:
            sources = files.enter_context(laid_out(item.inputs, self._scratch))
            config = self._config.model_copy(update={"series": item.inputs.series})
            read = _with_findings(read_ct(sources, config), item)
        except Exception as error:  # noqa: BLE001 - the boundary of a case
            files.close()
            return failure_of(error)
        return _Prepared(sources=sources, read=read, config=config, files=files)

    def process(self, item: WorkItem, prepared: object) -> Outcome:
        """Measure a case that was read, and put its result into the store."""
        if isinstance(prepared, Failure):
            return Outcome(case_id=item.case_id, key=item.key, failure=prepared)
        assert isinstance(prepared, _Prepared)  # noqa: S101 - what prepare returned
        reset_peak()
        with prepared.files:
            try:
                result, seconds = self._measure(item, prepared)
            except Exception as error:  # noqa: BLE001 - the boundary of a case
                failure = failure_of(error)
                return Outcome(
                    case_id=item.case_id, key=item.key, failure=failure, peak_mib=_peak()
                )
        return outcome_of(item, result, seconds=seconds, peak=_peak())

    def _measure(self, item: WorkItem, prepared: _Prepared) -> tuple[CaseResult, dict[str, float]]:
        """Analyse, write and store; the times of each step."""
        case = analyze_read(
            prepared.read,
            prepared.sources,
            config=prepared.config,
            case_id=item.case_id,
            key_file=self._key_file,
            segmenter=self._segmenter_for(item),
        )
        with tempfile.TemporaryDirectory(prefix="osteoct-out-", dir=self._scratch) as name:
            folder = Path(name) / item.case_id
            folder.mkdir()
            earlier = self._store.folder_of(item.case_id)
            result = write_case(case, folder, prepared.config, earlier=earlier)
            clock = time.perf_counter()
            self._store.put(item.case_id, item.key, folder)
        stored = round(time.perf_counter() - clock, 3)
        return result, {**result.provenance.seconds, "store": stored}

    def _segmenter_for(self, item: WorkItem) -> Segmenter | None:
        """What makes the masks of a case; ``None`` where they exist."""
        if self._make is None or item.segment_key is None:
            return None
        self._segmenter = self._segmenter or self._make()
        return KeepingSegmenter(
            inner=self._segmenter,
            kept=self._store,
            key=item.segment_key,
            scratch=self._scratch,
        )


def _with_findings(read: ReadCt, item: WorkItem) -> ReadCt:
    """A CT that carries what the plan found when it chose it, unless reading found the same."""
    known = {finding.code for finding in read.volume.findings}
    further = tuple(finding for finding in item.findings if finding.code not in known)
    volume = replace(read.volume, findings=(*further, *read.volume.findings))
    return replace(read, volume=volume)


def outcome_of(
    item: WorkItem,
    result: CaseResult,
    *,
    seconds: Mapping[str, float],
    peak: float | None = None,
) -> Outcome:
    """What a ledger keeps of a result."""
    findings = result.findings
    worst = next((f.code for s in _GRAVITY for f in findings if f.severity == s), None)
    return Outcome(
        case_id=item.case_id,
        key=item.key,
        seconds=dict(seconds),
        peak_mib=peak,
        findings=dict(Counter(f.severity for f in findings)),
        worst=worst,
        usability=result.usability,
        is_measured=result.is_measured,
    )


@contextmanager
def open_stage(settings: Mapping[str, object]) -> Iterator[MeasuringStage]:
    """Yield the stage for one worker; the segmenter's models are loaded with the first case.

    Parameters
    ----------
    settings
        ``store`` (address), ``choices`` (TOML, see :mod:`osteoct.run.plan.choices`), ``device``,
        ``key_file``, ``scratch``.
    """
    choices = read_choices(str(settings["choices"]))
    with ExitStack() as stack:

        def make() -> Segmenter:
            """Where every case brings its masks, nobody needs a segmenter to be installed."""
            assert choices.segmenter is not None  # noqa: S101 - else there is nothing to make
            options = _options(choices.segmenter, choices.config, settings)
            made = make_segmenter(choices.segmenter.name, options)
            made.check()
            return stack.enter_context(held(made))

        yield MeasuringStage(
            stack.enter_context(open_store(str(settings["store"]))),
            choices.config,
            make=None if choices.segmenter is None else make,
            key_file=_path(settings.get("key_file")),
            scratch=_path(settings.get("scratch")),
        )


def _options(
    choice: SegmenterChoice, config: AnalysisConfig, settings: Mapping[str, object]
) -> SegmentOptions:
    """Options of the segmenter; the device is the one given to this worker."""
    device = str(settings.get("device", AUTO))
    return SegmentOptions(
        device=choice.device if device == AUTO else device,
        quality=choice.quality,
        with_tissues=config.with_tissues,
        with_phase_organs=config.phase_opinion is not None,
        limit_s=choice.limit_s,
        model=choice.model,
        level_map=choice.level_map,
    )


def _path(value: object) -> Path | None:
    return None if value is None else Path(str(value))


def _peak() -> float:
    return round(peak_mib(), 1)
