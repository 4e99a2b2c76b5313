"""From a study that is complete to work in the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from osteoct.errors import UnreadableInputError
from osteoct.listen.notes import StudyNote
from osteoct.network.node.inbox import HeldStudy
from osteoct.records import Finding, Severity
from osteoct.run.batch import Batch, adopt_results
from osteoct.run.plan.choices import Choices
from osteoct.run.plan.interface import Entry, Found, Source
from osteoct.run.plan.opening import open_source
from osteoct.run.plan.planning import plan
from osteoct.run.records import Refusal, WorkItem


@dataclass(frozen=True, kw_only=True)
class Admitter:
    """Plans studies into a batch, one at a time.

    Parameters
    ----------
    secret
        Key of pseudonyms.
    """

    batch: Batch
    choices: Choices
    secret: bytes

    def admit(self, study: HeldStudy, *, is_incomplete: bool) -> StudyNote:
        """Enter a study into the ledger, as it lies in the inbox; the same images change nothing.

        Raises
        ------
        UnreadableInputError
            Somebody took its images away.
        OsteoctError
            The ledger cannot be written.
        """
        choices = self.choices.model_copy(update={"source": str(study.folder)})
        scratch = self.batch.store.scratch
        source: Source = open_source(choices, secret=self.secret, scratch=scratch)
        if is_incomplete:
            source = _Incomplete(source, study)
        entries = list(plan(source, choices, secret=self.secret))
        self.batch.ledger.record(entries)
        adopt_results(self.batch, (e for e in entries if isinstance(e, WorkItem)))
        if not entries:
            raise UnreadableInputError("holds no image any more", where=study.name)
        first = entries[0]
        return StudyNote(
            revision=study.revision,
            case_id=first.case_id,
            key=None if isinstance(first, Refusal) else first.key,
            is_incomplete=is_incomplete,
        )


def incomplete_finding(study: HeldStudy) -> Finding:
    """The finding of a study that was given up: fewer images came than its headers announce."""
    lacks = study.expected is not None and study.images < study.expected
    came = f"{study.images} of {study.expected}" if lacks else "not all"
    return Finding(
        code="study-incomplete",
        severity=Severity.WARNING,
        message=f"{came} announced images came; the study was analysed as it is",
        evidence={"images": study.images, "expected": study.expected if lacks else None},
    )


class _Incomplete:
    """A source whose cases carry that images are missing."""

    def __init__(self, inner: Source, study: HeldStudy) -> None:
        self._inner = inner
        self._finding = incomplete_finding(study)

    @property
    def left_out(self) -> Mapping[str, int]:
        """As the source inside."""
        return self._inner.left_out

    def entries(self) -> Iterator[Entry]:
        """The same cases, each with the finding."""
        for entry in self._inner.entries():
            if isinstance(entry, Found):
                findings = (*entry.findings, self._finding)
                yield entry.model_copy(update={"findings": findings})
            else:
                yield entry
