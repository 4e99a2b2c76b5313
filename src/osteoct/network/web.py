"""Archives that speak DICOMweb: STOW-RS, QIDO-RS, WADO-RS."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from dicomweb_client.web import DICOMwebClient
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset
from requests import HTTPError

from osteoct.errors import NetworkError
from osteoct.io.dicom.elements import PARSE_ERRORS
from osteoct.network.address import WebAddress
from osteoct.network.archive import CT_CLASSES, Answer, Keep, SeriesFound, Verdict
from osteoct.network.instances import Instance
from osteoct.network.link import Link
from osteoct.network.listing import as_series, text_of
from osteoct.network.web_session import WebSession, explained, status_of

_MOST_BYTES: Final = 16_000_000
"""Of one STOW request: memory, and what is lost when a request breaks off."""

_PIECE_BYTES: Final = 65536
"""Of an answer, read at once: a connection that breaks off takes the piece with it."""

_AS_KEPT: Final = (("application/dicom", "*"),)
_PAGE: Final = 100
_FAILED_LATER: Final = range(0xA700, 0xA800)
"""Out of resources (DICOM PS3.4, table B.2-1)."""

T = TypeVar("T")


class WebArchive:
    """An :class:`~osteoct.network.archive.Archive` over one HTTP session."""

    def __init__(self, link: Link, address: WebAddress, *, keep: Keep | None) -> None:
        self._link, self._keep = link, keep
        self._session = WebSession(link)
        try:
            self._client = DICOMwebClient(
                address.url,
                session=self._session,
                timeout=link.timeout_s,
                permissive_uid=True,
                chunk_size=_PIECE_BYTES,
            )
        except ValueError:
            raise NetworkError("is no address of a service", where=address.shown) from None
        self._client.set_http_retry_params(retry=False)

    def __enter__(self) -> Self:
        """Begin; nothing is opened yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self._session.close()

    def present(self, instances: Sequence[Instance]) -> frozenset[str] | None:
        """Ask series by series; ``None`` where the service answers no QIDO-RS."""
        wanted = {i.uid for i in instances}
        found: set[str] = set()
        for study, series in dict.fromkeys((i.study, i.series) for i in instances):
            try:
                found |= {text_of(d, "SOPInstanceUID") for d in self._instances(study, series)}
            except NetworkError as error:
                if not isinstance(error.__cause__, HTTPError):
                    raise
                code = status_of(error.__cause__)
                if code in (405, 501):
                    return None
                if code != 404:  # noqa: PLR2004 -- some services say so of an unknown study
                    raise
        return frozenset(found & wanted)

    def store(self, instances: Sequence[Instance]) -> Iterator[Answer]:
        """Send in requests of some megabytes."""
        batch: list[Instance] = []
        for instance in instances:
            if batch and sum(i.size_bytes for i in batch) + instance.size_bytes > _MOST_BYTES:
                yield from self._store(batch)
                batch = []
            batch.append(instance)
        yield from self._store(batch) if batch else ()

    def find(self, *, study: str | None, dates: str | None) -> list[SeriesFound]:
        """Studies first where only days are known, then the series of each."""
        heads = {study: Dataset()} if study else self._studies(dates or "")
        found = []
        for uid, head in heads.items():
            answers = self._pages(
                lambda offset, uid=uid: self._client.search_for_series(  # type: ignore[misc]
                    uid,
                    limit=_PAGE,
                    offset=offset,
                    fields=["SeriesDescription", "BodyPartExamined"],
                    search_filters={"Modality": "CT"},
                )
            )
            found += [s for d in answers if (s := as_series(d, head, study=uid)) is not None]
        return found

    def images(self, series: SeriesFound) -> frozenset[str]:
        """UIDs of the CT images; where the class is not told, the object is taken for one."""
        is_ct = ("", *CT_CLASSES)
        answers = self._instances(series.study, series.series)
        uids = {text_of(d, "SOPInstanceUID") for d in answers if text_of(d, "SOPClassUID") in is_ct}
        return frozenset(uids - {""})

    def retrieve(self, series: SeriesFound, wanted: Collection[str], *, whole: bool) -> None:
        """The series in one answer where nothing of it is here, else image by image."""
        if whole:
            self._take(
                lambda: self._client.iter_series(series.study, series.series, _AS_KEPT), wanted
            )
            return
        for uid in sorted(wanted):
            self._take(
                lambda uid=uid: [  # type: ignore[misc]
                    self._client.retrieve_instance(series.study, series.series, uid, _AS_KEPT)
                ],
                wanted,
            )

    def _studies(self, dates: str) -> dict[str, Dataset]:
        answers = self._pages(
            lambda offset: self._client.search_for_studies(
                limit=_PAGE,
                offset=offset,
                fields=["StudyDescription"],
                search_filters={"StudyDate": dates, "ModalitiesInStudy": "CT"},
            )
        )
        return {uid: d for d in answers if (uid := text_of(d, "StudyInstanceUID"))}

    def _instances(self, study: str, series: str) -> list[Dataset]:
        return self._pages(
            lambda offset: self._client.search_for_instances(
                study, series, limit=_PAGE, offset=offset
            )
        )

    def _pages(self, ask: Callable[[int], list[dict[str, Any]]]) -> list[Dataset]:
        """All answers to a question; a page that brings nothing new is the last."""
        answers: dict[str, Dataset] = {}
        offset = 0
        while True:
            page = self._call(partial(_page, ask, offset))
            before = len(answers)
            answers |= {d.to_json(): d for d in page}
            offset += len(page)
            if not page or len(answers) == before:
                return list(answers.values())

    def _take(self, ask: Callable[[], Any], wanted: Collection[str]) -> None:
        """Keep what arrives and was wanted; what comes after a break is asked for again."""
        arriving = iter(self._call(ask))
        while True:
            dataset = self._call(lambda: next(arriving, None))
            if dataset is None:
                return
            uid = text_of(dataset, "SOPInstanceUID")
            if uid in wanted and self._keep is not None:
                data = self._call(lambda: _encode(dataset))  # noqa: B023 -- called at once
                self._keep(uid, data)

    def _store(self, batch: Sequence[Instance]) -> Iterator[Answer]:
        """One STOW request and the answer to each of its objects."""
        readable = []
        for instance in batch:
            try:
                readable.append((instance, dcmread(instance.path)))
            except PARSE_ERRORS:
                reason = "the file is damaged"
                yield Answer(uid=instance.uid, verdict=Verdict.REFUSED, reason=reason)
        if not readable:
            return
        told = self._call(lambda: self._post([dataset for _, dataset in readable]))
        stored = self._call(lambda: _by_uid(told, "ReferencedSOPSequence", "WarningReason"))
        failed = self._call(lambda: _by_uid(told, "FailedSOPSequence", "FailureReason"))
        for instance, _ in readable:
            yield _judge(instance.uid, stored, failed)

    def _post(self, datasets: list[Dataset]) -> Dataset:
        """The answer, also where its status says that nothing was stored (409)."""
        try:
            answer: Dataset = self._client.store_instances(datasets)
        except HTTPError as error:
            if error.response is None or status_of(error) != 409:  # noqa: PLR2004 -- DICOM PS3.18, table 10.5.3-1
                raise
            return Dataset.from_json(error.response.json())
        return answer

    def _call(self, ask: Callable[[], T]) -> T:
        """Ask; failures of the libraries become ours."""
        with explained(self._link):
            return ask()


def _page(ask: Callable[[int], list[dict[str, Any]]], offset: int) -> list[Dataset]:
    """One page of answers."""
    return [Dataset.from_json(item) for item in ask(offset)]


def _encode(dataset: Dataset) -> bytes:
    """A data set as a file."""
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def _by_uid(told: Dataset, sequence: str, reason: str) -> dict[str, int]:
    """The reason of each object of a sequence; 0 where none is given."""
    items = told.get(sequence) or []
    return {text_of(i, "ReferencedSOPInstanceUID"): int(i.get(reason) or 0) for i in items}


def _judge(uid: str, stored: dict[str, int], failed: dict[str, int]) -> Answer:
    """What the answer says of one object; one that is in no list is sent again."""
    if uid in failed:
        code = failed[uid]
        verdict = Verdict.LATER if code in _FAILED_LATER else Verdict.REFUSED
        return Answer(uid=uid, verdict=verdict, reason=f"reason {code:04X}")
    if uid not in stored:
        return Answer(uid=uid, verdict=Verdict.LATER, reason="no answer to it")
    verdict = Verdict.CHANGED if stored[uid] else Verdict.STORED
    return Answer(uid=uid, verdict=verdict, reason=f"reason {stored[uid]:04X}")
