"""The life of a job, and the ways in which running it can end."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final


class JobState(StrEnum):
    """ready → running → done; back to ready when it is retried, released or lost; dead when it has no attempt left."""

    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


@dataclass(frozen=True)
class Ending:
    """What becomes of a running job."""

    state: JobState
    delay: timedelta = timedelta(0)
    """How long a job that becomes ready again has to wait."""
    error: str | None = None
    cause: Exception | None = None
    """What a handler raised that is neither `Retry` nor `Discard`."""


DONE: Final = Ending(JobState.DONE)


class Retry(Exception):
    """Raised by a handler that cannot do its work yet. It costs one attempt, like every run."""

    def __init__(self, reason: str, *, after: timedelta) -> None:
        super().__init__(reason)
        self.after = after


class Discard(Exception):
    """Raised by a handler whose work has lost its meaning: the job is done, and the reason is kept with it."""


class EndedAlready(Exception):
    """A handler writes after its `write(ends_job=True)`: that would be lost if the process died between the two."""


class LostLease(Exception):
    """Another worker has taken this job over, so nothing may be written for it here any more."""
