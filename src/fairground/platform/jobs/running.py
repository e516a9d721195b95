"""The job that the current task works on. Every write that it makes is checked against it."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID


@dataclass(eq=False)
class RunningJob:
    """A claimed job, held by this process under one fence number."""

    id: UUID
    kind: str
    payload: dict[str, Any]
    fence: int
    attempt: int
    max_attempts: int
    crashes: int
    lease: timedelta
    """How long the job stays ours without a sign of life."""
    is_ended_by_handler: bool = field(default=False, init=False)
    """Whether the handler opened a transaction that ends the job; it may still have rolled back."""

    @property
    def runs_alone(self) -> bool:
        """Whether a worker went silent while it held this job: then no neighbour shall pay for the next crash."""
        return self.crashes > 0


_current: Final[ContextVar[RunningJob | None]] = ContextVar("running_job", default=None)


def current_job() -> RunningJob | None:
    return _current.get()


@contextlib.contextmanager
def working_on(job: RunningJob) -> Iterator[None]:
    """Make this the current job for the block and for the tasks that are started in it."""
    token = _current.set(job)
    try:
        yield
    finally:
        _current.reset(token)
