"""Archives that speak DIMSE: C-STORE, C-FIND, C-GET, C-MOVE."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, Self

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000TransferSyntaxes,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSTransferSyntaxes,
    RLELossless,
)
from pynetdicom import build_context, build_role, evt
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext

from osteoct.errors import NetworkError, PassingNetworkError
from osteoct.io.dicom.elements import PARSE_ERRORS
from osteoct.network.address import DimseAddress
from osteoct.network.archive import CT_CLASSES, Answer, Keep, SeriesFound, Verdict
from osteoct.network.association import NothingAcceptedError, associate, make_entity
from osteoct.network.instances import Instance
from osteoct.network.link import Link
from osteoct.network.listing import as_series, text_of

StudyFind: Final = UID("1.2.840.10008.5.1.4.1.2.2.1")
StudyMove: Final = UID("1.2.840.10008.5.1.4.1.2.2.2")
StudyGet: Final = UID("1.2.840.10008.5.1.4.1.2.2.3")
"""The study root models (DICOM PS3.4, table C.6.2-1), named here as the library names them late."""

_PLAIN: Final = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
SYNTAXES: Final = (
    *_PLAIN,
    *(RLELossless, JPEGLossless, JPEGLosslessSV1),
    *JPEGLSTransferSyntaxes,
    *JPEG2000TransferSyntaxes[:2],
)
"""As CT is stored, the losses of near-lossless kinds included: the reader tells them."""

_MOST_KINDS: Final = 120
"""An association holds at most 128 presentation contexts (DICOM PS3.8, 9.3.2.2)."""

_PENDING: Final = (0xFF00, 0xFF01)
_SUCCESS, _DUPLICATE = 0x0000, 0x0111
_OUT_OF_RESOURCES: Final = range(0xA700, 0xA800)
_WARNINGS: Final = range(0xB000, 0xC000)
_REFUSED = 0x0124

_MOST_ASKED: Final = 50
"""UIDs in one request for images: a list of them is quick, and no node minds its length."""


class DimseArchive:
    """An :class:`~osteoct.network.archive.Archive`; an association per kind of request."""

    def __init__(
        self, link: Link, address: DimseAddress, *, keep: Keep | None, move_port: int | None
    ) -> None:
        self._link, self._address, self._keep, self._move_port = link, address, keep, move_port
        self._open: dict[str, Association] = {}
        self._failure: Exception | None = None
        self._expected: frozenset[str] = frozenset()
        self._heads: dict[str, Dataset] = {}

    def __enter__(self) -> Self:
        """Begin; nothing is opened yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Release what is open, or break it off where something failed."""
        for association in self._open.values():
            _end(association, is_well=kind is None)

    def present(self, instances: Sequence[Instance]) -> frozenset[str] | None:
        """Ask series by series; ``None`` where the node answers no C-FIND."""
        try:
            self._asking(StudyFind)
        except NothingAcceptedError:
            return None
        wanted = {i.uid for i in instances}
        found: set[str] = set()
        for study, series in dict.fromkeys((i.study, i.series) for i in instances):
            question = _question("IMAGE", StudyInstanceUID=study, SeriesInstanceUID=series)
            question.SOPInstanceUID = ""
            found |= {text_of(d, "SOPInstanceUID") for d in self._ask(question)}
        return frozenset(found & wanted)

    def store(self, instances: Sequence[Instance]) -> Iterator[Answer]:
        """Send over associations that offer each object's own encoding."""
        kinds: dict[tuple[str, str], list[Instance]] = defaultdict(list)
        for instance in instances:
            kinds[instance.sop_class, instance.syntax].append(instance)
        names = list(kinds)
        for start in range(0, len(names), _MOST_KINDS // 2):
            chunk = names[start : start + _MOST_KINDS // 2]
            try:
                association = associate(self._link, self._address, _contexts_of(chunk))
            except NothingAcceptedError:
                yield from (_not_taken(i.uid) for name in chunk for i in kinds[name])
                continue
            is_well = False
            try:
                for name in chunk:
                    for instance in kinds[name]:
                        yield self._store_one(association, instance)
                is_well = True
            finally:
                _end(association, is_well=is_well)

    def find(self, *, study: str | None, dates: str | None) -> list[SeriesFound]:
        """Ask for studies first where only days are known, then for the series of each."""
        studies = [study] if study else self._studies(dates or "")
        found = []
        for uid in studies:
            question = _question("SERIES", StudyInstanceUID=uid, Modality="CT")
            for name in ("SeriesInstanceUID", "SeriesDescription", "BodyPartExamined"):
                setattr(question, name, "")
            head = self._heads.get(uid, Dataset())
            answers = self._ask(question)
            found += [s for d in answers if (s := as_series(d, head, study=uid)) is not None]
        return found

    def images(self, series: SeriesFound) -> frozenset[str]:
        """UIDs of the CT images; where the class is not told, the object is taken for one."""
        question = _question(
            "IMAGE", StudyInstanceUID=series.study, SeriesInstanceUID=series.series
        )
        question.SOPInstanceUID = question.SOPClassUID = ""
        answers = self._ask(question)
        is_ct = ("", *CT_CLASSES)
        uids = {text_of(d, "SOPInstanceUID") for d in answers if text_of(d, "SOPClassUID") in is_ct}
        return frozenset(uids - {""})

    def retrieve(self, series: SeriesFound, wanted: Collection[str], *, whole: bool) -> None:
        """C-GET, or C-MOVE to a port of this machine."""
        self._expected = frozenset(wanted)
        keys = {"StudyInstanceUID": series.study, "SeriesInstanceUID": series.series}
        if whole:
            questions = [_question("SERIES", **keys)]
        else:
            left = sorted(wanted)
            chunks = [left[n : n + _MOST_ASKED] for n in range(0, len(left), _MOST_ASKED)]
            questions = [_question("IMAGE", **keys, SOPInstanceUID=uids) for uids in chunks]
        with self._listening():
            for question in questions:
                self._bring(question)
        if self._failure is not None:
            raise self._failure

    def _studies(self, dates: str) -> list[str]:
        question = _question("STUDY", StudyDate=dates, ModalitiesInStudy="CT")
        question.StudyInstanceUID = question.StudyDescription = ""
        self._heads = {text_of(d, "StudyInstanceUID"): d for d in self._ask(question)}
        return [uid for uid in self._heads if uid]

    def _ask(self, question: Dataset) -> list[Dataset]:
        """All answers of a C-FIND; half a list is none."""
        association = self._asking(StudyFind)
        answers = []
        for status, dataset in association.send_c_find(question, StudyFind):
            code = self._code(status, association)
            if code in _PENDING and dataset is not None:
                answers.append(dataset)
            elif code != _SUCCESS:
                raise self._unwilling("C-FIND", code)
        return answers

    def _bring(self, question: Dataset) -> None:
        """One C-GET or C-MOVE to its end; what did not come is asked for again by the caller."""
        if self._move_port is None:
            association = self._asking(StudyGet)
            answers = association.send_c_get(question, StudyGet)
        else:
            association = self._asking(StudyMove)
            answers = association.send_c_move(question, self._link.own_title, StudyMove)
        for status, _ in answers:
            code = self._code(status, association)
            is_told = code in _PENDING or code == _SUCCESS or code in _WARNINGS
            if not is_told and self._failure is None:
                raise self._unwilling("C-GET" if self._move_port is None else "C-MOVE", code)

    def _asking(self, model: Any) -> Any:  # noqa: ANN401 -- UID
        """The association for questions of one kind, opened when it is first needed."""
        known = self._open.get(model)
        if known is not None and known.is_established:
            return known
        contexts, roles = [build_context(model)], []
        if model == StudyGet:
            contexts += _ct_contexts()
            roles = [build_role(uid, scp_role=True) for uid in CT_CLASSES]
        association = associate(
            self._link,
            self._address,
            contexts,
            roles=roles,
            handlers=[(evt.EVT_C_STORE, self._receive)],
        )
        if not any(c.abstract_syntax == model for c in association.accepted_contexts):
            _end(association, is_well=True)
            raise NetworkError(
                "the archive does not offer what is asked for",
                where=self._address.shown,
                found="presentation context not accepted",
                wanted=model.name,
                hint="--via-move asks for C-MOVE" if model == StudyGet else None,
            )
        self._open[model] = association
        return association

    def _receive(self, event: Any) -> int:  # noqa: ANN401 -- pynetdicom's event
        """Keep an image that was asked for; called in the library's own thread."""
        uid = str(event.request.AffectedSOPInstanceUID)
        if uid not in self._expected or self._keep is None:
            return _REFUSED
        try:
            self._keep(uid, event.encoded_dataset())
        except Exception as error:  # noqa: BLE001 -- crosses from the library's thread into ours
            self._failure = error
            return _OUT_OF_RESOURCES.start
        return _SUCCESS

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Listen for the time of a C-MOVE; only what was asked for is kept."""
        if self._move_port is None:
            yield
            return
        entity = make_entity(self._link)
        entity.require_called_aet = True
        try:
            server = entity.start_server(
                ("", self._move_port),
                block=False,
                contexts=[build_context(uid, list(SYNTAXES)) for uid in CT_CLASSES],
                evt_handlers=[(evt.EVT_C_STORE, self._receive)],
            )
        except OSError as error:
            raise NetworkError(
                "cannot be listened on",
                where=f"--via-move {self._move_port}",
                found=error.strerror or "an input/output error",
                wanted="a free port",
            ) from None
        try:
            yield
        finally:
            if server is not None:
                server.shutdown()

    def _store_one(self, association: Association, instance: Instance) -> Answer:
        try:
            dataset = dcmread(instance.path)
        except PARSE_ERRORS:
            return Answer(uid=instance.uid, verdict=Verdict.REFUSED, reason="the file is damaged")
        try:
            status = association.send_c_store(dataset)
        except ValueError:  # no context for it, or it cannot be encoded
            return _not_taken(instance.uid)
        except RuntimeError:  # the association ended between two objects
            raise self._gone() from None
        verdict, reason = _judge(self._code(status, association))
        return Answer(uid=instance.uid, verdict=verdict, reason=reason)

    def _code(self, status: Dataset, association: Association) -> int:
        """The status of an answer; an empty one is a connection that ended or an answer that no
        one understands.
        """
        code = status.get("Status")
        if isinstance(code, int):
            return code
        self._open = {k: a for k, a in self._open.items() if a is not association}
        association.abort()
        raise self._gone()

    def _gone(self) -> PassingNetworkError:
        return PassingNetworkError(
            "the archive broke off, gave no answer in time, or none that can be understood",
            where=self._address.shown,
        )

    def _unwilling(self, request: str, code: int) -> NetworkError:
        kind = PassingNetworkError if code in _OUT_OF_RESOURCES else NetworkError
        hint = None
        if code == 0xA801:  # noqa: PLR2004 -- PS3.4, table C.4-2
            hint = "the archive does not know --ae-title: its owner has to enter it"
        return kind(
            f"{request} was refused",
            where=self._address.shown,
            found=f"status {code:04X}",
            hint=hint,
        )


def _not_taken(uid: str) -> Answer:
    """The answer to an object whose class or encoding the archive did not accept."""
    reason = "the archive does not accept objects of this class and encoding"
    return Answer(uid=uid, verdict=Verdict.REFUSED, reason=reason)


def _judge(code: int) -> tuple[Verdict, str]:
    """What a status of C-STORE means (DICOM PS3.4, table B.2-1)."""
    if code in (_SUCCESS, _DUPLICATE):
        return Verdict.STORED, ""
    if code in _WARNINGS:
        return Verdict.CHANGED, f"status {code:04X}"
    if code in _OUT_OF_RESOURCES:
        return Verdict.LATER, f"status {code:04X}"
    return Verdict.REFUSED, f"status {code:04X}"


def _question(level: str, **keys: str | list[str]) -> Dataset:
    """A data set to ask with."""
    question = Dataset()
    question.QueryRetrieveLevel = level
    for name, value in keys.items():
        setattr(question, name, value)
    return question


def _contexts_of(kinds: Sequence[tuple[str, str]]) -> list[PresentationContext]:
    """Each class in its objects' encodings; an uncompressed one may be turned into another."""
    packed = [build_context(uid, syntax) for uid, syntax in kinds if syntax not in _PLAIN]
    plain = dict.fromkeys(uid for uid, syntax in kinds if syntax in _PLAIN)
    return [*packed, *(build_context(uid, list(_PLAIN)) for uid in plain)]


def _ct_contexts() -> list[PresentationContext]:
    """A context per class and encoding: the archive sends each image as it keeps it."""
    return [build_context(uid, syntax) for uid in CT_CLASSES for syntax in SYNTAXES]


def _end(association: Association, *, is_well: bool) -> None:
    """Release an association, or break it off."""
    end: Callable[[], None] = association.release if is_well else association.abort
    if association.is_established:
        end()
