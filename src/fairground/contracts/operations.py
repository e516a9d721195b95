"""The installation as staff see it: its queues and dead letters, its rate limits, its database and cache."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from fairground.contracts.dto import DTO
from fairground.kernel.messages import Queue


class QueueFigures(DTO):
    queue: Queue
    due: int
    """Jobs that could start now."""
    oldest_due_at: datetime | None
    running: int
    dead: int
    """Dead letters, among the latest 10,000."""


class RunningJobView(DTO):
    id: UUID
    kind: str
    queue: str
    attempt: int
    started_at: datetime | None
    """None while a worker has claimed it and not started it."""


class DeadLetterView(DTO):
    """A job that does not run again unless it is requeued."""

    id: UUID
    kind: str
    queue: str
    error: str
    attempt: int
    created_at: datetime
    finished_at: datetime


class DeadLetterPage(DTO):
    data: list[DeadLetterView]
    next_cursor: str | None
    """None when nothing follows."""


class JobsReport(DTO):
    queues: list[QueueFigures]
    running: list[RunningJobView]
    """The oldest first, at most a hundred."""
    dead_by_kind: dict[str, int]


class Installation(DTO):
    version: str
    database: str
    """`sqlite` or `postgresql`."""
    is_cache_on: bool
    shared_cache: str
    """`none`, `on`, `settling`, or `off` with the reason."""


class LimitedKey(DTO):
    """A key, such as a client or an account, that a rate limit refused within seven days."""

    limit: str
    key_hash: str
    """The same key has the same hash; what the key is, is not stored."""
    refusals: int
    last_at: datetime


class LimitFigures(DTO):
    limit: str
    keys: int
    refusals: int


class LimitsReport(DTO):
    """Of the last seven days; of the 10,000 keys that were refused last."""

    limits: list[LimitFigures]
    latest: list[LimitedKey]
    """The latest first, at most a hundred."""


class Operations(Protocol):
    """For pages and routes that admit staff alone. Every change is in the audit trail."""

    def describe_installation(self) -> Installation: ...

    async def read_jobs(self) -> JobsReport: ...

    async def list_dead_letters(
        self, *, kind: str | None = None, queue: Queue | None = None, cursor: str | None = None, limit: int
    ) -> DeadLetterPage:
        """Return dead letters, the latest first. Raise CursorInvalid for a cursor of another list."""
        ...

    async def requeue_job(self, *, staff_id: UUID, job_id: UUID) -> None:
        """Let a dead job start over. Raise DeadLetterNotFound when there is none."""
        ...

    async def requeue_kind(self, *, staff_id: UUID, kind: str) -> int:
        """Let all dead jobs of a kind start over; return how many."""
        ...

    async def read_limits(self) -> LimitsReport:
        """Return who was limited, where and how often."""
        ...
