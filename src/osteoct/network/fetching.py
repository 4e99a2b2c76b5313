"""CT series out of an archive, each whole or not at all: the twin of ``osteoct fetch``."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydicom.uid import UID

from osteoct.errors import ConfigError, NetworkError, PassingNetworkError
from osteoct.io.dicom.elements import quietly
from osteoct.network.archive import SeriesFound, open_archive
from osteoct.network.extra import check_network_extra
from osteoct.network.instances import short_name
from osteoct.network.link import Link, check_link, saying_nothing
from osteoct.network.patience import with_patience
from osteoct.network.query import Query
from osteoct.network.staging import Staging


@dataclass(frozen=True, kw_only=True)
class ListedSeries:
    """A series as it may be shown: hashes of its UIDs, and how many images the archive lists."""

    study: str
    series: str
    year: str
    body_part: str
    images: int


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What became of the series that matched."""

    whole: int
    present: int
    incomplete: int
    empty: int
    images: int

    @property
    def is_whole(self) -> bool:
        """Whether something matched, and all of it is here."""
        return not self.incomplete and bool(self.whole or self.present)


def list_series(link: Link, query: Query) -> tuple[ListedSeries, ...]:
    """What a fetch would bring, without names; nothing is retrieved.

    Raises
    ------
    ConfigError, NetworkError, DependencyError
        See :mod:`osteoct.errors`.
    """
    _check(link, query)
    with saying_nothing(), open_archive(link) as archive:
        found = _matching(archive.find, query)
        return tuple(
            ListedSeries(
                study=short_name(s.study),
                series=short_name(s.series),
                year=s.date[:4] if s.date[:4].isdigit() else "",
                body_part=s.body_part,
                images=len(archive.images(s)),
            )
            for s in found
        )


def fetch_series(
    link: Link,
    query: Query,
    out: Path,
    *,
    move_port: int | None = None,
    hear: Callable[[str], None] = lambda _: None,
) -> Fetched:
    """Bring the CT series that match into ``out``, a folder each; interrupted, go on.

    A series appears under its name when all images that the archive lists are here, read back and
    right. Until then they lie beside ``out``, in a hidden folder that the next fetch goes on with.

    Parameters
    ----------
    move_port
        Have the archive send to this port of this machine (C-MOVE), not over the connection that
        asks (C-GET).

    Raises
    ------
    ConfigError, NetworkError, OutputError, DependencyError
        See :mod:`osteoct.errors`.
    """
    _check(link, query)
    if move_port is not None and link.tls:
        raise ConfigError("comes back unencrypted", where="--via-move", wanted="no --tls")
    found: list[SeriesFound] = []

    def find() -> bool:
        with open_archive(link) as archive:
            found[:] = _matching(archive.find, query)
        return True

    with saying_nothing():
        with_patience(find, link, hear=hear, progress=lambda: 0)
        outcomes = [_fetch_one(link, series, out, move_port, hear) for series in found]
    _remove_if_empty(_waiting_room(out))
    return Fetched(
        whole=sum(o.is_new for o in outcomes),
        present=sum(o.is_present for o in outcomes),
        incomplete=sum(o.lacking > 0 for o in outcomes),
        empty=sum(o.images == 0 for o in outcomes),
        images=sum(o.images for o in outcomes if o.is_new),
    )


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    images: int
    lacking: int = 0
    is_new: bool = False
    is_present: bool = False


def _fetch_one(
    link: Link,
    series: SeriesFound,
    out: Path,
    move_port: int | None,
    hear: Callable[[str], None],
) -> _Outcome:
    """One series to its end; a series that the archive does not give whole stops no other."""
    target = out / f"study-{short_name(series.study)}" / f"series-{short_name(series.series)}"
    staging = Staging(_waiting_room(out) / target.name, target, series.series)
    wanted: frozenset[str] = frozenset()

    def attempt() -> bool:
        nonlocal wanted
        with open_archive(link, keep=staging.keep, move_port=move_port) as archive:
            wanted = archive.images(series)
            if not wanted or staging.is_in_place(wanted):
                return True
            staging.begin()
            lacking = staging.lacking(wanted)
            if lacking:
                archive.retrieve(series, lacking, whole=len(lacking) == len(wanted))
            if still := staging.lacking(wanted):
                raise PassingNetworkError(
                    "not all images of a series came",
                    where=link.address.shown,
                    found=f"{len(wanted) - len(still)} of {len(wanted)}",
                )
        return True

    try:
        with_patience(attempt, link, hear=hear, progress=lambda: staging.count)
    except NetworkError as error:
        if not wanted or not staging.is_begun:
            raise
        hear(f"{error.line}; the series is left out, what came is kept for the next fetch")
        return _Outcome(images=len(wanted), lacking=len(wanted) - staging.count)
    if not wanted:
        return _Outcome(images=0)
    if not staging.is_begun:
        return _Outcome(images=len(wanted), is_present=True)
    staging.put_in_place(wanted)
    return _Outcome(images=len(wanted), is_new=True)


def _check(link: Link, query: Query) -> None:
    check_network_extra("fetching")
    check_link(link)
    with quietly():
        if not all(UID(uid).is_valid for uid in query.studies):
            raise ConfigError("is no UID", where="--study", wanted="digits and dots")


def _matching(find: Callable[..., list[SeriesFound]], query: Query) -> list[SeriesFound]:
    """Series that match, each once, in an order that does not depend on the archive."""
    asked: Sequence[tuple[str | None, str | None]] = [(uid, None) for uid in query.studies]
    found = {
        (s.study, s.series): s
        for study, dates in asked or [(None, query.dates)]
        for s in find(study=study, dates=dates)
        if query.matches(s)
    }
    return [found[key] for key in sorted(found)]


def _waiting_room(out: Path) -> Path:
    """Beside ``out``: what is not whole must not lie where an analysis looks for series."""
    whole = Path(os.path.abspath(out))  # noqa: PTH100 -- resolve() would follow a link at the end
    return whole.parent / f".{whole.name}.fetching"


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        shutil.rmtree(folder, ignore_errors=True)
