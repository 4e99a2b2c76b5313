"""A batch from its source to its results: what ``osteoct run``, ``status`` and ``collect`` do."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tomllib import loads
from typing import Final
from uuid import uuid4

import psutil
import tomli_w

from osteoct.errors import ConfigError, InputError
from osteoct.io.pseudonym import load_key
from osteoct.records import CaseResult
from osteoct.run.collect.collecting import collect_rows, columns_of
from osteoct.run.collect.columns import Rows
from osteoct.run.collect.writing import write_table
from osteoct.run.coordinator import Coordinator, Hooks, RunLimits
from osteoct.run.engines.interface import Engine, WorkerSpec
from osteoct.run.engines.opening import make_engine
from osteoct.run.ledger.address import chosen_address, sqlite_address, storable
from osteoct.run.ledger.ledger import Ledger
from osteoct.run.ledger.records import PlanCounts, Row
from osteoct.run.machine import Share
from osteoct.run.plan.choices import Choices, read_choices, render_choices
from osteoct.run.plan.opening import open_source
from osteoct.run.plan.planning import plan
from osteoct.run.progress import RunProgress
from osteoct.run.records import Refusal, State, WorkItem
from osteoct.run.remote import is_remote
from osteoct.run.store.interface import Store
from osteoct.run.store.opening import open_store
from osteoct.run.work.measuring import STAGE, outcome_of
from osteoct.run.work.memory import expected_mib

LEDGER_FILE: Final = "ledger.sqlite"
CHOICES_FILE: Final = "store.toml"
ADDRESS_FILE: Final = "ledger.toml"
"""Where a ledger that is not in the store lies, without any password."""

STALE_S: Final = 3600.0
"""Files on their way that nobody has written to for so long belong to a process that died."""

READ_AHEAD: Final = 2
"""Cases in a worker whose segmenter computes while the next one is read."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """An opened store with its ledger."""

    store: Store
    ledger: Ledger

    @property
    def choices(self) -> Choices:
        """What the batch is of.

        Raises
        ------
        ConfigError
            Nothing was planned here.
        """
        text = self.store.read_text(CHOICES_FILE)
        if text is None:
            raise ConfigError(
                "holds no batch", where=self.store.address, wanted="osteoct run SOURCE -o STORE"
            )
        return read_choices(text)


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """What was found of runs that ended without a word.

    Parameters
    ----------
    given_back
        Cases that are to be done again.
    adopted
        Cases whose result was whole in the store.
    """

    given_back: int = 0
    adopted: int = 0


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """How a batch is to be run.

    Parameters
    ----------
    share
        What each worker gets.
    cluster
        Address of a cluster; ``None`` for processes of this machine.
    reads_ahead
        Whether a worker reads the next case while it computes one: worth its memory where masks
        are made, as the worker itself waits then.
    """

    share: Share
    limits: RunLimits = field(default_factory=RunLimits)
    cluster: str | None = None
    key_file: Path | None = None
    reads_ahead: bool = False


@contextmanager
def open_batch(
    place: str,
    *,
    ledger: str | None = None,
    create: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Batch]:
    """Open the store at a place and its ledger.

    Parameters
    ----------
    place
        Folder, or address of an object store.
    ledger
        Address of a ledger that is not to lie in the store; see
        :mod:`osteoct.run.ledger.address`. What was said when the store was made is remembered.
    create
        Whether to make what is not there.

    Raises
    ------
    ConfigError
        An object store and no ledger: a ledger needs a file system or a database.
    LedgerError, OutputError, DependencyError
        It cannot be opened or made.
    """
    with ExitStack() as stack:
        store = stack.enter_context(open_store(place))
        said = chosen_address(ledger, os.environ if environment is None else environment)
        address = said or _remembered(store) or _own_address(place, create=create)
        opened = stack.enter_context(Ledger.open(address, create=create))
        if create and said is not None:
            store.write_text(ADDRESS_FILE, tomli_w.dumps({"ledger": storable(said)}))
        yield Batch(store=store, ledger=opened)


def plan_batch(
    batch: Batch,
    choices: Choices,
    *,
    key_file: Path | None = None,
    report: Callable[[int], None] | None = None,
    left_out: Callable[[Mapping[str, int]], None] = lambda _: None,
) -> PlanCounts:
    """Find the cases of a source and enter them into the ledger, as a stream.

    What is done and unchanged stays; a result that lies in the store already is taken over, should
    the ledger have been lost.

    Parameters
    ----------
    report
        Told now and then how many files were read.
    left_out
        Told how many files belong to no case, by reason.

    Raises
    ------
    InputError, ConfigError, TableError
        The source cannot be used at all.
    """
    secret = load_key(key_file)
    source = open_source(choices, secret=secret, report=report)
    was_empty = not any(batch.ledger.counts().values())
    counts = batch.ledger.record(plan(source, choices, secret=secret))
    batch.store.write_text(CHOICES_FILE, render_choices(choices))
    left_out(source.left_out)
    if was_empty:
        adopt_results(batch, _pending(batch.ledger))
    return counts


def preview_batch(
    choices: Choices, *, key_file: Path | None = None
) -> Iterator[WorkItem | Refusal]:
    """Yield what a plan would hold; nothing is written."""
    secret = load_key(key_file)
    yield from plan(open_source(choices, secret=secret), choices, secret=secret)


def recover_batch(batch: Batch) -> Recovery:
    """Take cases back from coordinators that died, and what they left in the store.

    Raises
    ------
    OutputError
        The store cannot be written.
    """
    claims = batch.ledger.recover(is_dead=is_dead)
    is_alone = batch.ledger.counts()[State.RUNNING] == 0  # nobody is writing a result
    batch.store.sweep(older_than_s=0.0 if is_alone else STALE_S)
    adopted = adopt_results(batch, (claim.item for claim in claims))
    return Recovery(given_back=len(claims) - adopted, adopted=adopted)


def adopt_results(batch: Batch, items: Iterable[WorkItem]) -> int:
    """Take over results that lie in the store for pending cases; return how many."""
    adopted = 0
    for item in items:
        if not batch.store.has(item.case_id, item.key):
            continue
        try:
            result = batch.store.open_result(item.case_id)
        except InputError:
            continue
        adopted += batch.ledger.adopt(outcome_of(item, result, seconds=result.provenance.seconds))
    return adopted


def run_batch(
    batch: Batch,
    request: RunRequest,
    *,
    watch: Callable[[RunProgress], None] = lambda _: None,
    hold: Callable[[Coordinator], None] = lambda _: None,
    awaits_more: Callable[[], bool] = lambda: False,
) -> RunProgress:
    """Work on the pending cases of a batch until none is left.

    Parameters
    ----------
    watch
        Told how far the run is.
    hold
        Given the coordinator, so that it may be asked to stop.
    awaits_more
        Whether cases are still planned beside this run: it then waits for them.

    Raises
    ------
    RunError
        The run cannot go on; see :meth:`osteoct.run.coordinator.Coordinator.run`.
    """
    choices = batch.choices
    engine: Engine = make_engine(request.cluster, workers=request.limits.workers)
    coordinator = Coordinator(
        batch.ledger,
        engine,
        worker_specs(batch.store.address, choices, request),
        owner=make_owner(),
        limits=request.limits,
        hooks=Hooks(
            watch=watch,
            check_store=batch.store.check,
            expected_mib=_expected,
            awaits_more=awaits_more,
        ),
    )
    hold(coordinator)
    return coordinator.run()


def worker_specs(store: str, choices: Choices, request: RunRequest) -> tuple[WorkerSpec, ...]:
    """What the workers of a batch are made from, one per device."""
    share = request.share
    return tuple(
        WorkerSpec(
            stage=STAGE,
            settings={
                "store": store,
                "choices": render_choices(choices),
                "device": device,
                "key_file": None if request.key_file is None else str(request.key_file),
            },
            device=device,
            gpu_share=share.gpu,
            cpus=share.cpus,
            memory_mib=share.memory_mib,
            depth=READ_AHEAD if request.reads_ahead else 1,
        )
        for device in share.devices
    )


def collect_batch(batch: Batch, out: Path, *, rows: Rows = Rows.REGIONS) -> int:
    """Write the table of a batch; return the number of its rows.

    Raises
    ------
    ConfigError, DependencyError, OutputError
        As :func:`osteoct.run.collect.writing.write_table`.
    """

    def read(row: Row) -> CaseResult | None:
        try:
            return batch.store.open_result(row.case_id)
        except InputError:
            return None

    return write_table(out, columns_of(rows), collect_rows(batch.ledger.rows(), read, rows))


def reset_cases(
    batch: Batch, *, states: Collection[State] | None, only: Collection[str] | None
) -> int:
    """Put cases back to be done anew.

    Raises
    ------
    ConfigError
        None of them is there.
    """
    number = batch.ledger.reset(states=states, case_ids=only)
    if number == 0:
        asked = ", ".join(sorted(only or [str(state) for state in states or ()]))
        raise ConfigError("no such case to do again", where=batch.store.address, found=asked)
    return number


def make_owner() -> str:
    """A name for this process that no other one has, on this machine or another."""
    began = psutil.Process().create_time()
    return f"{platform.node()}:{os.getpid()}:{began:.2f}:{uuid4().hex[:8]}"


def is_dead(owner: str) -> bool:
    """Whether an owner is known to have ended: a process of this machine that is not there.

    Of another machine nothing is known but its lease.
    """
    host, pid, began, _ = owner.rsplit(":", 3)
    if host != platform.node():
        return False
    try:
        return f"{psutil.Process(int(pid)).create_time():.2f}" != began
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False


def _pending(ledger: Ledger) -> Iterator[WorkItem]:
    """The pending cases, read in pieces."""
    for row in ledger.rows():
        inputs = row.inputs
        if row.state is State.PENDING and row.key is not None and inputs is not None:
            yield WorkItem(
                case_id=row.case_id,
                patient=row.patient,
                key=row.key,
                segment_key=row.segment_key,
                inputs=inputs,
                bytes_in=row.bytes_in or 0,
                voxels=row.voxels,
            )


def _expected(item: WorkItem) -> float | None:
    return None if item.voxels is None else expected_mib(item.voxels)


def _remembered(store: Store) -> str | None:
    """The address of the ledger that was said when the store was made."""
    text = store.read_text(ADDRESS_FILE)
    return None if text is None else str(loads(text)["ledger"])


def _own_address(place: str, *, create: bool) -> str:
    """The ledger in the store itself."""
    if is_remote(place):
        raise ConfigError(
            "an object store cannot hold the ledger of a batch",
            where=place,
            wanted="--ledger with a file of this machine or a PostgreSQL database",
        )
    folder = Path(place).absolute()
    if create:
        folder.mkdir(parents=True, exist_ok=True)
    return sqlite_address(folder / LEDGER_FILE)
