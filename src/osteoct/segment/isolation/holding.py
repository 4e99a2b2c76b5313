"""A segmenter whose process may stay from one CT to the next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from osteoct.segment.isolation.session import Session


class ProcessHolder(ABC):
    """Inside ``with`` one process and what it loaded serve every CT; outside, each has its own."""

    _held: Session | None = None

    @abstractmethod
    def _open(self) -> Session:
        """A session that has not begun."""

    def __enter__(self) -> Self:
        """Hold the process from now on; it starts with the first CT."""
        self._held = self._open().__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        session, self._held = self._held, None
        if session is not None:
            session.__exit__(kind, error, trace)

    @contextmanager
    def _session(self) -> Iterator[Session]:
        """The session that is held, or one for this CT."""
        if self._held is not None:
            yield self._held
            return
        with self._open() as session:
            yield session
