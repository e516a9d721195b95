"""The cache for operators: its routes for staff, relative to /api/v1, its invalidation job and its check."""

from collections.abc import AsyncIterator, Sequence
from functools import partial

from fastapi import APIRouter
from pydantic import BaseModel, Field

from fairground.contracts.providers import Providers
from fairground.kernel.inputs import Input
from fairground.ops.cache.flush import flush
from fairground.ops.cache.report import CacheReport, read_report
from fairground.platform.cache.cache import ResponseCache
from fairground.platform.cache.invalidation import InvalidateTags, Invalidation
from fairground.platform.cache.settings import Life
from fairground.platform.db.database import Database
from fairground.platform.http.identity import Staff
from fairground.platform.http.routing import api_router
from fairground.platform.module import Check, CheckResult, Links, Module

NAME = "cache"


class InvalidationIn(Input):
    kinds: list[Life] = Field(default_factory=list, description="Kinds of answers; none means all.")
    provider: str | None = Field(None, description="Id or slug of the provider whose answers alone are meant.")


class InvalidationOut(BaseModel):
    tags: list[str]
    """The invalidated tags; every response with one of them is computed again."""


def build(
    cache: ResponseCache, invalidation: Invalidation, *, db: Database, links: Links, redis_url: str, namespace: str
) -> Module:
    checks: Sequence[Check] = ()
    if redis_url:
        checks = [Check(NAME, partial(_check_server, redis_url, namespace=namespace))]
    return Module(
        name=NAME,
        routers=[_routes(cache, db=db, providers=links.of(Providers))],
        handlers={InvalidateTags: invalidation.on_invalidate_tags},
        checks=checks,
    )


def _routes(cache: ResponseCache, *, db: Database, providers: Providers) -> APIRouter:
    router = api_router(tags=["operations"])

    @router.get("/ops/cache")
    async def show_cache(_caller: Staff) -> CacheReport:
        """Get cache statistics of the server process that answers."""
        return read_report(cache)

    @router.post("/ops/cache/invalidate")
    async def invalidate(caller: Staff, invalidation: InvalidationIn) -> InvalidationOut:
        """Invalidate cached responses, such as after a manual change in the database.

        Every flush is logged; see `fairground cache flushes`.
        """
        kinds, provider = invalidation.kinds, invalidation.provider
        tags = await flush(db, providers, kinds=kinds, provider=provider, actor=caller.user_id)
        return InvalidationOut(tags=tags)

    return router


async def _check_server(url: str, *, namespace: str) -> AsyncIterator[CheckResult]:
    from fairground.platform.cache.redis.server_checks import check_server  # noqa: PLC0415 - loads the client of Redis

    for result in await check_server(url, namespace=namespace):
        yield result
