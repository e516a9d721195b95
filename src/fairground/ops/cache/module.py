"""Builds what surrounds the response cache: its invalidation job, its routes for staff and its check."""

from collections.abc import AsyncIterator, Sequence
from functools import partial

from fairground.contracts.providers import Providers
from fairground.ops.cache import http
from fairground.platform.cache.cache import ResponseCache
from fairground.platform.cache.invalidation import InvalidateTags, Invalidation
from fairground.platform.db.database import Database
from fairground.platform.module import Check, CheckResult, Links, Module

NAME = "cache"


def build(
    cache: ResponseCache, invalidation: Invalidation, *, db: Database, links: Links, redis_url: str, namespace: str
) -> Module:
    checks: Sequence[Check] = ()
    if redis_url:
        checks = [Check(NAME, partial(_check_server, redis_url, namespace=namespace))]
    return Module(
        name=NAME,
        routers=[http.routes(cache, db=db, catalog=links.of(Providers))],
        handlers={InvalidateTags: invalidation.on_invalidate_tags},
        checks=checks,
    )


async def _check_server(url: str, *, namespace: str) -> AsyncIterator[CheckResult]:
    from fairground.platform.cache.redis.checking import check_server  # noqa: PLC0415 - loads the client of Redis

    for result in await check_server(url, namespace=namespace):
        yield result
