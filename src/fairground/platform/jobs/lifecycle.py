"""The life of a job: its states, how a run can end, the back-off, and the job that the current task runs."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from fairground.kernel.messages import Queue


class JobState(StrEnum):
    """ready → running → done; back to ready when it is retried, released or rescued; dead without attempts left."""

    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


@dataclass(frozen=True)
class JobResult:
    """How a run ended, and what becomes of the job."""

    state: JobState
    delay: timedelta = timedelta(0)
    """How long a job that becomes ready again has to wait."""
    error: str | None = None
    cause: Exception | None = None
    """What a handler raised that is neither `Retry` nor `CancelJob`."""


DONE: Final = JobResult(JobState.DONE)


class Retry(Exception):
    """Raised by a handler that cannot do its work yet. It costs one attempt, like every run."""

    def __init__(self, reason: str, *, after: timedelta) -> None:
        super().__init__(reason)
        self.after = after


BACKOFF_MAX: Final = timedelta(hours=1)
# Jobs that failed together must not be retried together, so each waits for a random share of its delay.
BACKOFF_SHARES: Final = (0.5, 1.0)


def backoff(attempt: int, *, share: float) -> timedelta:
    """Return how long to wait after the attempt: `share` of 2, 4, 8 … seconds, at most of an hour."""
    return min(BACKOFF_MAX, timedelta(seconds=2 ** min(attempt, 12))) * share


class CancelJob(Exception):
    """Raised by a handler whose work is no longer needed: the job is done, and the reason is stored with it."""


class AlreadyFinished(Exception):
    """A handler writes after its `write(ends_job=True)`: a crash between the two writes would lose the second one."""


class LostLease(Exception):
    """Another worker holds this job now, so this process may not write for it any more."""


@dataclass(eq=False)
class RunningJob:
    """A claimed job, held by this process under one fence number; it runs now, or waits here for a free slot."""

    id: UUID
    kind: str
    queue: Queue
    payload: dict[str, Any]
    fence: int
    attempt: int
    """The number of this run, also before it starts."""
    max_attempts: int
    crashes: int
    lease: timedelta
    """How long the job stays ours without a heartbeat."""
    is_ended_by_handler: bool = field(default=False, init=False)
    """Whether the handler opened a transaction that ends the job; it may still have rolled back."""
    is_ended: bool = field(default=False, init=False)
    """Whether such a transaction has committed."""
    has_written: bool = field(default=False, init=False)
    """Whether the handler opened a transaction that writes."""

    @property
    def runs_alone(self) -> bool:
        """Whether a worker crashed while it held this job: the next crash must not cost a neighbour an attempt."""
        return self.crashes > 0


_current: Final[ContextVar[RunningJob | None]] = ContextVar("running_job", default=None)


def current_job() -> RunningJob | None:
    """Return the job that this task runs. Every write that it makes is checked against the fence of the job."""
    return _current.get()


@contextlib.contextmanager
def working_on(job: RunningJob) -> Iterator[None]:
    """Make this the current job for the block and for the tasks that are started in it."""
    token = _current.set(job)
    try:
        yield
    finally:
        _current.reset(token)
