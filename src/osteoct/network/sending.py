"""Objects into an archive, each answer checked: the twin of ``osteoct send``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from osteoct.network.archive import Verdict, open_archive
from osteoct.network.extra import check_network_extra
from osteoct.network.instances import Instance, gather
from osteoct.network.link import Link, check_link, saying_nothing
from osteoct.network.patience import with_patience


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What became of the objects; each is counted once, but for the last two."""

    stored: int
    present: int
    refused: int
    reasons: tuple[tuple[str, int], ...]
    changed: int
    others: int
    size_bytes: int

    @property
    def is_whole(self) -> bool:
        """Whether the archive has every object."""
        return not self.refused


class _Sending:
    """What is left to send, and what was answered."""

    def __init__(self, instances: Sequence[Instance], *, again: bool) -> None:
        self.left = {instance.uid: instance for instance in instances}
        self.sizes = {instance.uid: instance.size_bytes for instance in instances}
        self.answers: Counter[Verdict] = Counter()
        self.reasons: Counter[str] = Counter()
        self.present = self.size_bytes = 0
        self._asks = not again

    def attempt(self, link: Link) -> bool:
        """Ask what is there, and send what is not; whether nothing is left."""
        with open_archive(link) as archive:
            there = archive.present(tuple(self.left.values())) if self._asks else None
            for uid in there or ():
                self.present += self.left.pop(uid, None) is not None
            for answer in archive.store(tuple(self.left.values())) if self.left else ():
                if answer.verdict is Verdict.LATER:
                    continue
                if self.left.pop(answer.uid, None) is None:
                    continue
                self.answers[answer.verdict] += 1
                if answer.verdict is Verdict.REFUSED:
                    self.reasons[answer.reason] += 1
                else:
                    self.size_bytes += self.sizes[answer.uid]
        return not self.left

    @property
    def done(self) -> int:
        """Objects with a last answer."""
        return len(self.sizes) - len(self.left)


def send_files(
    paths: Sequence[Path],
    link: Link,
    *,
    again: bool = False,
    hear: Callable[[str], None] = lambda _: None,
) -> Sent:
    """Send the DICOM objects below some paths; an interrupted sending goes on where it ended.

    What the archive says it has is not sent; where it cannot be asked everything is, and the
    archive tells repetitions by SOP Instance UID.

    Parameters
    ----------
    again
        Send what the archive has as well.
    hear
        Is told, in a line, why an attempt failed and when the next one is made.

    Raises
    ------
    InputError, ConfigError, NetworkError, DependencyError
        See :mod:`osteoct.errors`.
    """
    check_network_extra("sending")
    check_link(link)
    gathered = gather(paths)
    sending = _Sending(gathered.instances, again=again)
    with saying_nothing():
        with_patience(lambda: sending.attempt(link), link, hear=hear, progress=lambda: sending.done)
    return Sent(
        stored=sending.answers[Verdict.STORED] + sending.answers[Verdict.CHANGED],
        present=sending.present,
        refused=sending.answers[Verdict.REFUSED],
        reasons=tuple(sending.reasons.most_common()),
        changed=sending.answers[Verdict.CHANGED],
        others=gathered.others,
        size_bytes=sending.size_bytes,
    )
