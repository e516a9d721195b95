"""The installation for staff: the contract `Operations`, and its routes, relative to /api/v1."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

import fairground
from fairground.contracts.dto import DTO
from fairground.contracts.operations import (
    DeadLetterPage,
    DeadLetterView,
    Installation,
    JobsReport,
    LimitedKey,
    LimitFigures,
    LimitsReport,
    Operations,
    QueueFigures,
    RunningJobView,
)
from fairground.kernel.inputs import CURSOR_MAX_LENGTH, CursorInvalid, Input, TimeCursor
from fairground.kernel.messages import Queue
from fairground.platform.cache.cache import ResponseCache
from fairground.platform.db.common import limit_refusals
from fairground.platform.db.common.rate_limits import RateLimiter
from fairground.platform.db.database import Database
from fairground.platform.http.identity import Staff
from fairground.platform.http.openapi import refuses
from fairground.platform.http.routing import api_router
from fairground.platform.jobs import board, dead_letters
from fairground.platform.jobs.dead_letters import DeadLetterNotFound
from fairground.platform.module import Links, Module

_KIND_MAX_LENGTH: Final = 200
_KEYS_SUMMED: Final = 10_000
_KEYS_SHOWN: Final = 100


class OperationsService:
    """Implements `Operations`."""

    def __init__(self, *, db: Database, cache: ResponseCache) -> None:
        self._db = db
        self._cache = cache

    def describe_installation(self) -> Installation:
        return Installation(
            version=fairground.__version__,
            database=self._db.backend.ops.name,
            is_cache_on=self._cache.is_storing,
            shared_cache="none" if self._cache.level is None else self._cache.level.describe(),
        )

    async def read_jobs(self) -> JobsReport:
        async with self._db.read() as tx:
            queues, running = await board.read_queues(tx), await board.list_running(tx)
            dead_by_kind = await board.count_dead_by_kind(tx)
        return JobsReport(
            queues=[QueueFigures(**vars(each)) for each in queues],
            running=[
                RunningJobView(
                    id=job.id, kind=job.kind, queue=job.queue, attempt=job.attempt, started_at=job.started_at
                )
                for job in running
            ],
            dead_by_kind=dead_by_kind,
        )

    async def list_dead_letters(
        self, *, kind: str | None = None, queue: Queue | None = None, cursor: str | None = None, limit: int
    ) -> DeadLetterPage:
        before = None if cursor is None else TimeCursor.read(cursor)
        # One more than is shown tells whether anything follows.
        found = await dead_letters.list_dead_letters(self._db, limit=limit + 1, before=before, kind=kind, queue=queue)
        shown = found[:limit]
        end = TimeCursor(at=shown[-1].finished_at, id=shown[-1].id) if len(found) > limit else None
        # Without the payload: it may hold more than staff need.
        views = [DeadLetterView(**each.model_dump(include=set(DeadLetterView.model_fields))) for each in shown]
        return DeadLetterPage(data=views, next_cursor=None if end is None else end.write())

    async def requeue_job(self, *, staff_id: UUID, job_id: UUID) -> None:
        await dead_letters.requeue(self._db, job_id=job_id, actor=staff_id)

    async def requeue_kind(self, *, staff_id: UUID, kind: str) -> int:
        return await dead_letters.requeue_kind(self._db, kind=kind, actor=staff_id)

    async def read_limits(self) -> LimitsReport:
        async with self._db.read() as tx:
            sums = await limit_refusals.sum_refusals(tx, most=_KEYS_SUMMED)
            latest = await limit_refusals.list_refusals(tx, limit=_KEYS_SHOWN)
        return LimitsReport(
            limits=[
                LimitFigures(limit=name, keys=keys, refusals=refusals)
                for name, (keys, refusals) in sorted(sums.items())
            ],
            latest=[
                LimitedKey(limit=each.name, key_hash=each.key_hash, refusals=each.refusals, last_at=each.last_at)
                for each in latest
            ],
        )


class DeadLetterQuery(BaseModel):
    model_config = ConfigDict(frozen=True)

    kind: str | None = Field(None, max_length=_KIND_MAX_LENGTH)
    queue: Queue | None = None
    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = Field(default=None, max_length=CURSOR_MAX_LENGTH)


class KindIn(Input):
    kind: str = Field(min_length=1, max_length=_KIND_MAX_LENGTH)


class Requeued(DTO):
    jobs: int


def build(cache: ResponseCache, *, db: Database, limiter: RateLimiter, links: Links) -> Module:
    service = OperationsService(db=db, cache=cache)
    links.provide(Operations, service)
    return Module(name="administration", routers=[_routes(service)], measure=limiter.refusals.measure)


def _routes(operations: Operations) -> APIRouter:
    router = api_router(tags=["admin"])

    @router.get("/admin/installation")
    async def describe_installation(_caller: Staff) -> Installation:
        """Return version, database and cache of this installation."""
        return operations.describe_installation()

    @router.get("/admin/limits")
    async def read_limits(_caller: Staff) -> LimitsReport:
        """Return which rate limits refused attempts in the last seven days, how often, and of how many keys."""
        return await operations.read_limits()

    @router.get("/admin/jobs")
    async def read_jobs(_caller: Staff) -> JobsReport:
        """Return the length of each queue, the jobs that run, and the kinds of dead letters."""
        return await operations.read_jobs()

    @router.get("/admin/jobs/dead-letters")
    @refuses(CursorInvalid)
    async def list_dead_letters(_caller: Staff, query: Annotated[DeadLetterQuery, Query()]) -> DeadLetterPage:
        """List dead letters, the latest first."""
        return await operations.list_dead_letters(**query.model_dump())

    @router.post("/admin/jobs/requeue-kind")
    async def requeue_kind(body: KindIn, caller: Staff) -> Requeued:
        """Let all dead jobs of a kind start over."""
        return Requeued(jobs=await operations.requeue_kind(staff_id=caller.user_id, kind=body.kind))

    @router.post("/admin/jobs/{job_id}/requeue")
    @refuses(DeadLetterNotFound)
    async def requeue_job(job_id: UUID, caller: Staff) -> Requeued:
        """Let a dead job start over, with all its attempts."""
        await operations.requeue_job(staff_id=caller.user_id, job_id=job_id)
        return Requeued(jobs=1)

    return router
